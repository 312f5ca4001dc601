"""Data sets of molecules and of packages: what is in the folders that are written."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from headway import Graph
from headway.data.corpora import Report, obtain
from headway.data.loading import open_data
from headway.data.settings import DataSettings

PARTS = ("train", "valid", "test")


def made(invented: SimpleNamespace, name: str, tmp_path: Path) -> tuple[Path, Report]:
    report = obtain(name, tmp_path / name, given=invented.source_of(name, tmp_path / "package"))
    assert isinstance(report, Report)
    return tmp_path / name, report


def rows(out: Path, part: str) -> list[tuple[str, ...]]:
    lines = (out / f"{part}.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines[1:]]


def all_rows(out: Path) -> list[tuple[str, ...]]:
    return [row for part in PARTS for row in rows(out, part)]


def heads(out: Path) -> set[str]:
    return {(out / f"{part}.tsv").read_text(encoding="utf-8").partition("\n")[0] for part in PARTS}


def test_melting_points(tmp_path, invented):
    out, report = made(invented, "melting_points", tmp_path)
    found = all_rows(out)
    assert heads(out) == {"smiles\ttarget"} and report.facts["question"] == "regress" and not report.facts["labels"]
    assert len(found) == 61 and ("CO", "200.15") in found and ("CO", "260.15") in found
    assert len({part for part in PARTS for smiles, _ in rows(out, part) if smiles == "CO"}) == 1


def test_logp(tmp_path, invented):
    out, _ = made(invented, "logp", tmp_path)
    found = all_rows(out)
    assert len(found) == 59 and ("CN", "0.1") in found


def test_molecule_names(tmp_path, invented):
    out, _ = made(invented, "molecule_names", tmp_path)
    found = all_rows(out)
    assert heads(out) == {"name\tsmiles"} and len(found) == 59 and ("carbinol", "CO") in found
    for choice, kind, first in (({"source": "name", "target": ("smiles",)}, "text", str), ({}, "graph", Graph)):
        data = open_data(out, DataSettings(**choice))
        assert data.kind == kind and data.recognized.task == "transduce"
        assert isinstance(data.examples("train")[0].source, first)


def test_solubility(tmp_path, invented):
    out, report = made(invented, "solubility", tmp_path)
    assert len(rows(out, "train")) + len(rows(out, "valid")) == 40 and len(rows(out, "test")) == 12
    assert ("CCC", "-0.2") in rows(out, "train") + rows(out, "valid") and ("C" * 50, "-4.9") in rows(out, "test")
    assert report.facts["kept_though_known"]


def test_solubility_classes(tmp_path, invented):
    out, report = made(invented, "solubility_classes", tmp_path)
    assert dict(rows(out, "test"))["C" * 50] == "high" and report.facts["labels"] == {"high": 26, "low": 26}
    assert open_data(out, DataSettings()).recognized.task == "classify"


@pytest.mark.parametrize("name", ["melting_points", "logp", "solubility"])
def test_molecules_are_recognized_as_graphs_with_a_number(name, tmp_path, invented):
    data = open_data(made(invented, name, tmp_path)[0], DataSettings())
    assert data.kind == "graph" and data.recognized.task == "regress"


def test_debian_packages(tmp_path, invented):
    out, report = made(invented, "debian_packages", tmp_path)
    found = dict(all_rows(out))
    assert len(found) == 60 and set(found.values()) == {"libs", "doc"} and found["pkg00"] == "doc"
    assert report.facts["labels"] == {"doc": 30, "libs": 30} and "graph.json" in report.facts["files"]
    graph = json.loads((out / "graph.json").read_text(encoding="utf-8"))
    assert [node["id"] for node in graph["nodes"]] == ["none", *(f"pkg{i:02}" for i in range(60))]
    of_one = [edge for edge in graph["edges"] if edge[0] == "pkg05"]
    assert of_one == [["pkg05", "pkg06", "depends"], ["pkg05", "pkg07", "depends"]]
    assert ["none", "pkg00", "depends"] in graph["edges"] and len(graph["edges"]) == 121
    data = open_data(out, DataSettings())
    assert data.kind == "graph" and data.recognized.task == "classify"
    seed = data.examples("train")[0].source
    assert len(seed.graph.around(seed.node, 1, 8, True)) >= 5


def test_what_would_be_asked_of_apt_is_said_first(tmp_path):
    said = str(obtain("debian_packages", tmp_path / "out"))
    assert "apt-cache dumpavail" in said and "Nothing has been fetched yet" in said and not (tmp_path / "out").exists()


def test_the_index_is_what_apt_says(tmp_path, invented, monkeypatch):
    program = tmp_path / "bin" / "apt-cache"
    program.parent.mkdir()
    folder = invented.source_of("debian_packages", tmp_path / "package")
    program.write_text(f"#!/bin/sh\n[ $1 = dumpavail ] && cat {folder}/Packages\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    one, other = (tmp_path / name for name in ("fetched", "given"))
    obtain("debian_packages", one, fetch=True)
    obtain("debian_packages", other, given=folder)
    assert (one / "graph.json").read_bytes() == (other / "graph.json").read_bytes()
    assert (one / "train.tsv").read_bytes() == (other / "train.tsv").read_bytes()
