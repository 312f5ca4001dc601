"""Prepared data train as the data themselves do, bit for bit, and take little memory; what does not fit is said."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from headway import cli
from headway.batch import Example
from headway.data import index as index_module
from headway.data.index import Index, fingerprint, kept, reading
from headway.data.index.arrays import Mapped
from headway.errors import DataError, RunError, UsageError, Where
from headway.experiment import evaluate
from headway.planning import codecs_for, plan
from headway.preparation import Preparing, preparing, workers
from headway.run import RunFolder, build_model
from headway.settings import assignments
from little import Hears, events, quick, same_weights, stopped_after, tiny, write

ASKED = ["tag", "classify", "several", "regress", "transduce"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHUNK", 7)
    monkeypatch.setattr(reading, "HELD", 2)


def prepared(data: Path, out: Path, start: Path | None = None, number: int = 1, **settings: Any) -> Path:
    given = assignments({name.replace("__", "."): value for name, value in settings.items()}, "given")
    plan(data, settings=given, start=start, preparing=Preparing(out, True, number))
    return out


@pytest.fixture(scope="module")
def indexes(runs, tmp_path_factory: pytest.TempPathFactory):
    """`indexes("tag")` is the folder of the prepared data of that kind."""
    folder = tmp_path_factory.mktemp("prepared")

    def made(asked: str) -> Path:
        path = folder / asked
        return path if path.exists() else prepared(runs.data(asked), path)

    return made


# ------------------------------------------------------------------------------------------------------- the same


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.sampled(3)
def test_rows_in_files_are_the_rows_in_memory(asked, runs, indexes):
    memory, disk = plan(runs.data(asked)), plan(indexes(asked))
    assert disk.index is not None and (disk.run, disk.survey) == (memory.run, memory.survey)
    assert disk.fingerprint == memory.fingerprint == fingerprint(memory.train) and disk.count == 40
    assert disk.train == memory.train and [disk.place(n) for n in range(40)] == [e.where for e in memory.train]
    codecs = codecs_for(memory), codecs_for(disk)
    assert codecs[0].state() == codecs[1].state()
    rows = [made.encoded(one) for made, one in zip((memory, disk), codecs)]
    assert len(rows[0]) == len(rows[1]) and rows[0].elements == rows[1].elements
    assert list(rows[1].windows) == list(rows[0].windows) and rows[0].costs.tolist() == rows[1].costs.tolist()
    tasks = [build_model(memory.run, one).task for one in codecs]
    for some in ([0, 3, 1], [39], [5, 5, 17], list(range(40))):
        made = [r.batch(np.array(some), c.source, t) for r, c, t in zip(rows, codecs, tasks)]
        for side in ("input", "target"):
            first, second = (getattr(batch, side) for batch in made)
            assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.long
@pytest.mark.parametrize("asked", ["transduce", "classify"])
def test_one_seed_gives_the_same_weights_from_files_as_from_memory(asked, runs, indexes, tmp_path):
    settings = tiny(asked, {"training.learning_rate": 0.02})
    quick(indexes(asked), tmp_path / "disk", seed=0, settings=settings)
    assert same_weights(runs(asked), tmp_path / "disk") and events(runs(asked)) == events(tmp_path / "disk")
    assert evaluate(tmp_path / "disk", indexes(asked)) == evaluate(runs(asked), runs.data(asked))


@pytest.mark.parametrize("asked", ["several", "transduce"])
@pytest.mark.long
def test_processes_that_encode_write_the_same_files(asked, runs, indexes, tmp_path):
    other = prepared(runs.data(asked), tmp_path / "two", number=2)
    for file in sorted(indexes(asked).iterdir()):
        assert (other / file.name).read_bytes() == file.read_bytes(), file.name


def test_what_is_too_long_is_cut_windowed_or_refused_as_in_memory(tmp_path, runs):
    rows = [f"{' '.join(['ant'] * n)}\t{'pos' if n % 2 else 'neg'}" for n in range(1, 20)]
    data = write(tmp_path / "a.tsv", rows)
    for how in ("truncate", "window"):
        folder = prepared(data, tmp_path / how, data__max_length=8, data__over_long=how)
        disk = plan(folder)
        memory = plan(data, settings=assignments({"data.max_length": 8, "data.over_long": how}, "given"))
        rows_there, rows_here = (made.encoded(codecs_for(made)) for made in (disk, memory))
        assert list(rows_there.windows) == list(rows_here.windows)
        assert rows_there.shortened == rows_here.shortened == len(rows_here.cut) > 0
        assert [row.tolist() for row in rows_there.sources] == [row.tolist() for row in rows_here.sources]
    with pytest.raises(DataError, match=r"a\.tsv:\d+: .* elements, and data.max_length is 8"):
        prepared(data, tmp_path / "refused", data__max_length=8, data__over_long="refuse")
    assert not (tmp_path / "refused").exists() and not list(tmp_path.glob(".refused*"))


def test_the_bound_of_a_writer_is_fitted_on_lengths_before_they_are_cut(tmp_path):
    data = write(tmp_path / "a.tsv", [f"{'ab' * n}\t{'c' * (3 * n)}" for n in range(1, 12)] * 3)
    settings = {"data.max_length": 6, "data.task": "transduce", "data.valid": str(data)}
    memory = plan(data, settings=assignments(settings, "given"))
    plan(data, settings=assignments(settings, "given"), preparing=Preparing(tmp_path / "index", True))
    assert codecs_for(plan(tmp_path / "index")).target.state() == codecs_for(memory).target.state()


def test_a_run_that_is_started_from_gives_its_vocabulary(runs, indexes, tmp_path):
    folder = prepared(runs.data("tag"), tmp_path / "index", runs("tag"))
    assert Index(folder).codecs["source"] == RunFolder(runs("tag")).codec_state()["source"]
    other = write(tmp_path / "other.slash", [f"zebra/Z yak{n}/Y" for n in range(60)])
    with pytest.raises(UsageError, match="was prepared with a vocabulary of its own"):
        codecs_for(plan(prepared(other, tmp_path / "other"), start=runs("tag")), RunFolder(runs("tag")))


# ------------------------------------------------------------------------------------------- large data, by itself


@pytest.fixture
def all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "LARGE", 10)


@pytest.mark.long
def test_a_large_training_part_is_prepared_beside_the_run_and_goes_at_the_end(runs, tmp_path, all_is_large):
    hears = Hears()
    settings = tiny("transduce", {"training.learning_rate": 0.02})
    with patch("headway.experiment.cores", lambda: 1):
        quick(runs.data("transduce"), tmp_path / "run", seed=0, settings=settings, listener=hears)
    assert same_weights(runs("transduce"), tmp_path / "run")
    assert f"is prepared in {tmp_path / 'run.prepared'}" in hears.text and not (tmp_path / "run.prepared").exists()


@pytest.mark.long
@pytest.mark.parametrize("gone", [False, True])
def test_stopped_it_goes_on_with_what_is_prepared_or_prepares_it_anew(gone, runs, tmp_path, all_is_large):
    settings = tiny("classify", {"training.learning_rate": 0.02})
    run, hears = tmp_path / "run", Hears()
    with patch("headway.experiment.cores", lambda: 1):
        stopped_after(5, runs.data("classify"), run, seed=0, settings=settings)
        assert (tmp_path / "run.prepared").is_dir()
        if gone:
            shutil.rmtree(tmp_path / "run.prepared")
        quick(runs.data("classify"), run, resume=True, settings={}, listener=hears)
    assert ("vocabularies and labels are read off" in hears.text) is gone
    assert same_weights(runs("classify"), run) and not (tmp_path / "run.prepared").exists()


def test_a_cache_stays_and_is_made_anew_for_other_data(runs, tmp_path, all_is_large):
    data, cache = Path(shutil.copytree(runs.data("tag"), tmp_path / "data")), tmp_path / "cache"
    said: list[str] = []
    how = Preparing(cache, hear=said.append)
    first = plan(data, preparing=how).fingerprint
    assert len(said) == 2 and plan(data, preparing=how).fingerprint == first and len(said) == 2
    write(data / "train.slash", ["ant/A bee/B"] * 30)
    assert plan(data, preparing=how).count == 30 and len(said) == 4


def test_of_many_examples_some_are_kept_as_text(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 5)
    data = write(tmp_path / "a.tsv", [f"word{n} ant\t{'pos' if n % 2 else 'neg'}" for n in range(99)])
    folder = prepared(data, tmp_path / "index", data__valid=str(data), data__test=str(data))
    made = plan(folder)
    assert made.count == 99 and [e.source for e in made.train] == [f"word{n} ant" for n in range(0, 99, 32)][:5]
    assert len(made.encoded(codecs_for(made))) == 99
    assert "train: of 99 examples, 4 spread evenly are kept as text for baselines" in made.said
    assert len(made.data.examples("valid")) == 4
    with pytest.raises(UsageError, match="of its 99 training examples 4 are there as text"):
        made.data.examples("train")


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 40])
def test_what_is_kept_is_every_so_manieth(count, monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 5)
    found = kept.Thinned()
    for n in range(count):
        found.add([Example(str(n))])
    every = next(step for step in (1, 2, 4, 8, 16) if -(-count // step) <= 5)
    assert [e.source for e in found.kept] == [str(n) for n in range(0, count, every)] and found.count == count


# ------------------------------------------------------------------------------------------------------ complaints


def test_other_settings_than_it_was_prepared_with_are_refused(indexes):
    for settings, complaint in [
        ({"data.max_length": 9}, r"data\.max_length: \d+ there, 9 now"),
        ({"data.valid": "other.tsv"}, r"data\.valid"),
        ({"data.tokenizer": "character"}, r"data\.tokenizer"),
    ]:
        with pytest.raises(UsageError, match=complaint):
            plan(indexes("classify"), settings=assignments(settings, "given"))
    letters = {"model.input.characters": 0, "model.input.character_ngrams": 0, "model.input.word_ngrams": 1}
    with pytest.raises(UsageError, match="with the letters of words there, and not so now"):
        plan(indexes("classify"), settings=assignments(letters, "given"))
    with pytest.raises(UsageError, match=r"was prepared from texts, and model\.input is sound"):
        plan(indexes("tag"), settings=assignments({"model.input": "sound"}, "given"))


def test_what_is_damaged_or_of_a_newer_format_is_said(indexes, tmp_path):
    folder = Path(shutil.copytree(indexes("tag"), tmp_path / "index"))
    with open(folder / "sources.bin", "ab") as file:
        file.write(b"more")
    with pytest.raises(RunError, match=r"sources\.bin is damaged"):
        Index(folder)
    with pytest.raises(RunError, match=r"sources\.bin is damaged: .* bytes, and 3 numbers"):
        Mapped(folder, "sources", 3)
    (folder / "sources.bin").unlink()
    with pytest.raises(RunError, match=r"sources\.bin is missing"):
        Index(folder)
    with pytest.raises(RunError, match="cannot be read"):
        Mapped(folder, "sources", 3)
    with patch.object(reading, "INDEX_FORMAT", 0), pytest.raises(RunError, match="has format 1, and headway"):
        Index(indexes("tag"))
    (folder / "train.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"train\.jsonl is damaged"):
        list(kept.read_examples(folder / "train.jsonl"))


def test_nothing_but_texts_is_prepared(runs, tmp_path, all_is_large):
    sounds = replace(plan(runs.data("tag")).data, kind="sound")
    assert not Preparing(tmp_path / "index").takes(sounds)
    with pytest.raises(UsageError, match="only texts are prepared, and the sources of these data are sound"):
        Preparing(tmp_path / "index", True).takes(sounds)


def test_the_command(runs, tmp_path, capsys):
    out = tmp_path / "index"
    assert cli.run(["data", "prepare", str(runs.data("tag")), "--out", str(out), "--workers", "1",
                    "--data.max_length", "99"]) == 0  # fmt: skip
    told = capsys.readouterr()
    assert "40 training examples, 40 rows" in told.out and "recipe tag" in told.err
    assert Index(out).facts["settings"]["data"]["max_length"] == 99
    for more, complaint in [(("--workers", "0"), "at least 1"), ((), "exists; choose another --out")]:
        assert cli.run(["data", "prepare", str(runs.data("tag")), "--out", str(out), *more]) == 2
        assert complaint in capsys.readouterr().err


@pytest.mark.long
def test_what_a_process_that_encodes_complains_of_names_file_and_line(tmp_path):
    data = write(tmp_path / "a.tsv", [f"{' '.join(['ant'] * n)}\tpos" for n in range(1, 40)])
    with pytest.raises(DataError, match=r"a\.tsv:\d+: \d+ elements, and data\.max_length is 9"):
        prepared(data, tmp_path / "i", number=2, data__max_length=9, data__over_long="refuse", data__task="classify")


def examples() -> Iterator[Example]:
    yield Example(("a", "b"), ("X", "Y"), Where(Path("f.tsv"), 3))
    yield Example("a\u2028b", 2.5, Where(Path("f.tsv"), 4))
    yield Example("ä", "x", Where(Path("g.tsv"), 5), ("y", "z"))


def test_examples_come_back_as_they_were(tmp_path):
    kept.write_examples(tmp_path / "a.jsonl", examples())
    assert list(kept.read_examples(tmp_path / "a.jsonl")) == list(examples())


def test_nothing_is_mapped_where_there_is_nothing(tmp_path):
    (tmp_path / "targets.bin").touch()
    empty = Mapped(tmp_path, "targets", 0)
    empty.give_back()
    assert empty.values.tolist() == [] and index_module.is_index(tmp_path) is False
