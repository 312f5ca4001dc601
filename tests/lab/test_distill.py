"""`headway.distill`: what is written, in which form, in one go or in several, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headway
from headway.batch import Example, Value
from headway.data.parts import parts_of
from headway.data.readers import Columns
from headway.data.settings import DataSettings
from headway.errors import DataError, RunError, UsageError, Where
from headway.lab.distillation import distill
from headway.lab.distillation.distilling import Watcher
from headway.lab.distillation.files import one_line, write_part
from headway.lab.distillation.task import Piece, read_piece, write_piece
from headway.lab.distillation.writing import once_each
from little import data, quick, tiny, write


class Stops(Watcher):
    """Ends a distillation, as Ctrl-C does, once so many pieces are written."""

    def __init__(self, after: int):
        self.after, self.heard, self.sentences = after, 0, list[str]()

    def said(self, text: str) -> None:
        self.sentences.append(text)

    def counted(self, done: int, total: int) -> None:
        self.heard += 1
        if self.heard > self.after:
            raise KeyboardInterrupt


def pairs(file: Path) -> list[tuple[str, str]]:
    return [(row.source, row.target) for row in parts_of(file).part("train").whole.read()]


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a data set, but for what clocks and command lines say."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    origin = json.loads(found.pop("distilled.json"))
    del origin["seconds"], origin["machine"]
    return found | {"distilled.json": json.dumps(origin).encode()}


def test_training_targets_are_what_the_run_writes_and_other_parts_stay(runs, tmp_path):
    run, given_data = runs("transduce"), data("transduce", tmp_path / "data")
    with open(given_data / "train.tsv", "a") as file:
        file.write("abc\tfirst\nabc\tsecond\n")
    done = distill(run, given_data, tmp_path / "out", tokens=30, jobs=1)
    sources = list(
        dict.fromkeys(line.partition("\t")[0] for line in (given_data / "train.tsv").read_text().split("\n"))
    )
    sources.remove("")
    answers = [str(answer) for answer in headway.load(run).predict(sources)]
    assert pairs(tmp_path / "out" / "train.tsv") == [pair for pair in zip(sources, answers, strict=True) if pair[1]]
    assert sorted(os.listdir(tmp_path / "out")) == ["distilled.json", "test.tsv", "train.tsv", "valid.tsv"]
    for name in ("valid.tsv", "test.tsv"):
        assert (tmp_path / "out" / name).read_bytes() == (given_data / name).read_bytes()
    counts = done.facts["counts"]
    assert (
        counts["examples"] == 42 and counts["sources"] == len(sources) and counts["written"] == sum(map(bool, answers))
    )
    assert counts["empty"] == counts["sources"] - counts["written"] and done.facts["task"]["mode"] == "greedy"
    assert done.settings == {"data.task": "transduce"}, "so few different targets look like labels"
    how = tiny("transduce", {"training.steps": 2, **done.settings})
    student = quick(tmp_path / "out", tmp_path / "student", settings=how)
    assert not student.stopped


def test_an_interrupted_one_goes_on_and_is_the_same(runs, tmp_path):
    where = (runs("transduce"), runs.data("transduce"))
    distill(*where, tmp_path / "whole", tokens=30, jobs=1)
    for after in (0, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            distill(*where, tmp_path / "out", tokens=30, jobs=1, watch=Stops(after))
    assert os.listdir(tmp_path / "out") == ["unfinished"]
    damaged = tmp_path / "out" / "unfinished" / "piece-00001.json"
    damaged.write_bytes(damaged.read_bytes().replace(b'"texts": ["', b'"texts": ["x'))
    hears = Stops(10**6)
    distill(*where, tmp_path / "out", jobs=1, watch=hears)  # the tokens are those that it was begun with
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert "of 40 sources are written" in hears.sentences[0]


def test_a_finished_one_is_finished(runs, tmp_path):
    where = (runs("transduce"), runs.data("transduce"), tmp_path / "out")
    first = distill(*where, tokens=50, jobs=1)
    hears = Stops(0)
    assert distill(*where, jobs=1, watch=hears).facts == first.facts
    assert hears.sentences == [f"{tmp_path / 'out'} is finished already: nothing was written"]


def test_a_beam_writes_what_the_beam_of_the_run_writes(runs, tmp_path):
    run, source = runs("transduce"), runs.data("transduce")
    distill(run, source, tmp_path / "out", mode="beam", beam=3, length_penalty=0.5, jobs=1)
    rows = pairs(tmp_path / "out" / "train.tsv")
    answers = headway.load(run).predict([row[0] for row in rows], mode="beam", beam=3, length_penalty=0.5)
    assert [row[1] for row in rows] == [str(answer) for answer in answers]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "changed, told",
    [
        ({"mode": "beam"}, "mode greedy there, beam now"),
        ({"tokens": 60}, "tokens 50 there, 60 now"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_holds_one_distillation(changed, told, finished, runs, tmp_path):
    where = (runs("transduce"), runs.data("transduce"), tmp_path / "out")
    if finished:
        distill(*where, tokens=50, jobs=1)
    else:
        with pytest.raises(KeyboardInterrupt):
            distill(*where, tokens=50, jobs=1, watch=Stops(1))
    with pytest.raises(
        UsageError, match=rf"another distillation \(.*{told}.*\): give the same, or choose another --out"
    ):
        distill(*where, **({"tokens": 50, "jobs": 1} | changed))


@pytest.mark.long
def test_another_run_and_other_data_are_another_distillation(runs, tmp_path):
    distill(runs("transduce"), runs.data("transduce"), tmp_path / "out", jobs=1)
    with pytest.raises(UsageError, match=r"another distillation \(weights "):
        distill(runs("transduce", 1), runs.data("transduce"), tmp_path / "out", jobs=1)
    with pytest.raises(UsageError, match=r"another distillation \(training data "):
        distill(runs("transduce"), data("transduce", tmp_path / "data", 30), tmp_path / "out", jobs=1)


def test_what_cannot_be_distilled_is_refused(runs, tmp_path):
    with pytest.raises(UsageError, match=r"answers tag, and distill needs a run that writes sequences \(transduce\)"):
        distill(runs("tag"), runs.data("tag"), tmp_path / "out")
    with pytest.raises(UsageError, match=r"no mode called 'greddy'.*Did you mean 'greedy'"):
        distill(runs("transduce"), runs.data("transduce"), tmp_path / "out", mode="greddy")
    for how, told in (({"beam": 3}, "beam is of mode beam"), ({"mode": "beam", "beam": 0}, "beam must be at least 1")):
        with pytest.raises(UsageError, match=told):
            distill(runs("transduce"), runs.data("transduce"), tmp_path / "out", **how)
    for name in ("tokens", "jobs"):
        with pytest.raises(UsageError, match=f"--{name} must be at least 1, and is 0"):
            distill(runs("transduce"), runs.data("transduce"), tmp_path / "out", **{name: 0})
    assert not (tmp_path / "out").exists()
    write(tmp_path / "full" / "letter.txt", ["mine"])
    for out in (tmp_path / "full", tmp_path / "full" / "letter.txt"):
        with pytest.raises(UsageError, match="exists, and headway distill did not make it; choose another --out"):
            distill(runs("transduce"), runs.data("transduce"), out)
    with pytest.raises(RunError):
        distill(tmp_path / "none", runs.data("transduce"), tmp_path / "out")
    with pytest.raises(DataError):
        distill(runs("transduce"), tmp_path / "none.tsv", tmp_path / "out")


def test_sources_that_are_no_text_have_no_line_to_stand_on():
    class Sound(Value):
        pass

    with pytest.raises(UsageError, match=r"a.jsonl:3: distill writes sources that are text beside their new targets"):
        once_each([Example(Sound(), "x", Where("a.jsonl", 3))])


def test_one_file_is_split_as_training_splits_it(runs, tmp_path):
    whole = runs.data("transduce") / "train.tsv"
    distill(runs("transduce"), whole, tmp_path / "out", jobs=1)
    before, after = parts_of(whole), parts_of(tmp_path / "out")
    for part in ("valid", "test"):
        assert [(e.source, e.target) for e in after.part(part).read()] == [
            (e.source, e.target) for e in before.part(part).read()
        ]
    written = {e.source for e in after.part("train").read()}
    assert written <= {e.source for e in before.part("train").read()}


def test_parallel_files_keep_their_names(runs, tmp_path):
    lines = [line.split("\t") for line in (runs.data("transduce") / "train.tsv").read_text().splitlines()]
    for part, rows in (("train", lines), ("dev", lines[:5])):
        for side, end in enumerate(("xx", "yy")):
            write(tmp_path / "data" / f"{part}.{end}", [row[side] for row in rows])
    settings = tiny("transduce", {"data.source": "yy", "data.target": "xx", "training.steps": 3})
    quick(tmp_path / "data", tmp_path / "run", settings=settings)
    done = distill(tmp_path / "run", tmp_path / "data", tmp_path / "out", jobs=1)
    assert set(done.facts["files"]) == {"train.xx", "train.yy", "dev.xx", "dev.yy"} - set()
    assert done.settings == {"data.source": "yy", "data.target": "xx"}
    assert (tmp_path / "out" / "dev.xx").read_text() == (tmp_path / "data" / "dev.xx").read_text()
    sources = (tmp_path / "out" / "train.yy").read_text().splitlines()
    assert set(sources) <= {row[1] for row in lines}
    written = (tmp_path / "out" / "train.xx").read_text().splitlines()
    assert written == [str(answer) for answer in headway.load(tmp_path / "run").predict(sources)]


# -------------------------------------------------------------------------------------------------------------- files

CELL = st.text(st.sampled_from("ab \"',;#"), min_size=1, max_size=6).filter(str.strip)
CHOICES = [None, "1", "2", "3", "word", "target"]


@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4),
    format_=st.sampled_from(["tsv", "csv", "jsonl"]),
    source=st.sampled_from(CHOICES[:5]),
    target=st.sampled_from([(), ("1",), ("2",), ("3",), ("sound",), ("target",), ("sound", "more")]),
)
def test_rows_are_read_back_with_the_settings_of_the_run(rows, format_, source, target, tmp_path_factory):
    by_number = [choice for choice in (source, *target) if choice and choice.isdecimal()]
    if len(set(by_number)) < len(by_number) or (format_ == "jsonl" and by_number):
        return
    folder = tmp_path_factory.mktemp("rows")
    like = parts_of(write(folder / f"like.{format_}", ['{"a": "b"}'])).part("train").whole
    (name,) = write_part(folder, "train", like, rows, DataSettings(source=source, target=target))
    read = parts_of(folder).part("train").whole.read(Columns(source, target))
    assert [(example.source, example.target, example.others) for example in read] == [(*row, ()) for row in rows]
    assert name == f"train.{format_}"


def test_words_stay_words_in_objects():
    assert one_line("a\tb\nc\0 d") == "a b c d" and one_line(" a  b ") == " a  b "


def test_a_piece_is_whole_or_not_there(tmp_path):
    assert read_piece(tmp_path, 3, 2) is None
    write_piece(tmp_path, 3, Piece(["a", "ü\n"], 0.5))
    assert read_piece(tmp_path, 3, 2) == Piece(["a", "ü\n"], 0.5) and read_piece(tmp_path, 3, 3) is None
    path = tmp_path / "piece-00003.json"
    whole = path.read_bytes()
    for broken in (whole[:-3], whole.replace(b"a", b"b"), b"[]", b""):
        path.write_bytes(broken)
        assert read_piece(tmp_path, 3, 2) is None


# ---------------------------------------------------------------------------------------------------------- processes


@pytest.mark.long
def test_killed_half_way_it_goes_on_and_is_the_same(runs, tmp_path):
    """Both what started the processes and they themselves end at once; whole pieces stay."""
    run, source = runs("transduce"), data("transduce", tmp_path / "data", 120)
    distill(run, source, tmp_path / "whole", tokens=8, jobs=1)
    command = [sys.executable, "-m", "headway", "distill", str(run), str(source), "--out", str(tmp_path / "out")]
    with subprocess.Popen([*command, "--tokens", "8", "--jobs", "2"], stderr=subprocess.PIPE, text=True) as process:
        pieces = lambda: len(list((tmp_path / "out" / "unfinished").glob("piece-*.json")))  # noqa: E731
        while pieces() < 10:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    time.sleep(1.0)  # the processes that write hear of it
    left = pieces()
    time.sleep(0.5)
    assert 10 <= pieces() == left < 100, "nothing is written any more"
    done = distill(run, source, tmp_path / "out", jobs=2)
    assert files(tmp_path / "out") == files(tmp_path / "whole") and done.facts["counts"]["sources"] > 100
