"""What is wrong with a data set is said with file and line before anything is trained."""

import gzip

import pytest

from headway.run import RunFolder
from little import data, options, tiny, write

GOOD = {"tsv": [f"the {word} is {word}\t{word[0]}" for word in ("ant", "bee", "cat") for _ in range(9)]}


def rows(*bad: bytes, good: str = "ant bee\tpos\n", before: int = 2, after: int = 9) -> bytes:
    """A file with bad lines behind some good ones."""
    return good.encode() * before + b"".join(bad) + good.encode() * after


TAGGED = "ant/A bee/B\n"
BLOCK = "ant\tA\nbee\tB\n\n"
TREE = "1\tant\t_\tA\t_\t_\t0\t_\t_\t_\n\n"
JSON = '{"text": "ant bee", "label": "pos"}\n'
CASES = {
    "not UTF-8": ("tsv", rows(b"sch\xf6n\tpos\n"), ":3: byte 4 of the line (0xf6) is not UTF-8; convert the file with"),
    "UTF-16": ("tsv", "ant\tpos\n".encode("utf-16"), ":1: byte 1 of the line (0xff) is not UTF-8"),
    "NUL": ("tsv", rows(b"a\0b\tpos\n"), ":3: byte 2 of the line is NUL"),
    "too many cells": ("tsv", rows(b"ant\tpos\tneg\n"), ":3: the row has 3 cells, and the first row (line 1) has 2"),
    "too few cells": ("tsv", rows(b"ant\n"), ":3: the row has 1 cell, and the first row (line 1) has 2 cells"),
    "a comma too many": ("csv", rows(b"ant,bee,pos\n", good="ant,pos\n"), ":3: the row has 3 cells"),
    "an open quote": ("csv", rows(b'"ant,pos\n', good="ant,pos\n"), ":3: a quote is opened in this row and not closed"),
    "an empty row": ("tsv", rows(b"\n"), ":3: the row is empty; empty rows may stand at the end of the file only"),
    "no source": ("tsv", rows(b"\tpos\n"), ":3: the source (column 1) is empty"),
    "no target": ("tsv", rows(b"ant\t\n"), ":3: the target is empty"),
    "no tag": ("slash", rows(b"ant/A bee\n", good=TAGGED), ":3: token 2, 'bee', has no slash; word/tag is expected"),
    "no word": ("slash", rows(b"/A\n", good=TAGGED), ":3: token 1, '/A', has no word"),
    "uneven columns": ("conll", rows(b"ant\tA\tB\n\n", good=BLOCK), ":7: 2 columns parted by tabs expected"),
    "an empty column": ("conll", rows(b"\tA\n\n", good=BLOCK), ":7: column 1 is empty"),
    "nine columns": ("conllu", rows(b"1\tant\t_\tA\t_\t_\t0\t_\t_\n\n", good=TREE), ":5: "),
    "no JSON": ("jsonl", rows(b"{ant}\n", good=JSON), ":3: this is no JSON: "),
    "no object": ("jsonl", rows(b"[1]\n", good=JSON), ":3: an object is expected on every line, and this is a list"),
    "no key": ("jsonl", rows(b'{"text": "ant"}\n', good=JSON), ":3: no key called 'label'; there are: text."),
    "a key twice": ("jsonl", rows(b'{"text": "a", "text": "b"}\n', good=JSON), ":3: the key 'text' stands twice"),
    "a number as text": (
        "jsonl",
        rows(b'{"text": 3, "label": "a"}\n', good=JSON),
        ":3: the source ('text') is a number",
    ),
    "half a pair": (
        "jsonl",
        rows(b'{"text": "\\ud800", "label": "a"}\n', good=JSON),
        ":3: the string under 'text' holds",
    ),
    "an empty file": ("tsv", b"", ": the file is empty"),
    "blank lines only": ("tsv", b"\n\n\n", ": the file holds no examples"),
    "a header only": ("tsv", b"text\tlabel\n", ": the file holds no examples"),
    "no gzip": ("tsv.gz", rows(), ": the name ends in .gz, and this is no gzip file"),
    "half a gzip": ("tsv.gz", gzip.compress(rows(after=999), mtime=0)[:-9], ": the gzip file is damaged or cut short"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_what_is_wrong_with_a_line_is_named(name, part, headway, tmp_path):
    ending, content, words = CASES[name]
    good = {"tsv": rows(), "csv": rows(good="ant,pos\n"), "slash": rows(good=TAGGED), "jsonl": rows(good=JSON)}
    good |= {"conll": rows(good=BLOCK), "conllu": rows(good=TREE), "tsv.gz": gzip.compress(rows(), mtime=0)}
    folder = tmp_path / "data"
    folder.mkdir()
    for one in ("train", "valid", "test"):
        (folder / f"{one}.{ending}").write_bytes(content if one == part else good[ending])
    done = headway("train", folder, "--out", tmp_path / "run", *options(tiny("tag")))
    assert done.code == 3 and f"{folder / part}.{ending}{words}" in done.err, done.err
    assert not (tmp_path / "run").exists() and done.out == ""


def test_words_and_labels_of_different_number(headway, tmp_path):
    train = write(tmp_path / "train.tsv", ["ant bee\tA B"] * 20 + ["ant bee cat\tA B"] + ["cat dog\tA B"] * 20)
    done = headway("train", train, "--out", tmp_path / "run", *options(tiny("tag")))
    words = "3 words and 2 labels: every word needs one label; the words begin 'ant bee cat', the labels 'A B'"
    assert done.code == 3 and f"{train}:21: {words}" in done.err
    jsonl = write(tmp_path / "train.jsonl", ['{"tokens": ["a", "b"], "tags": ["A"]}'] * 3)
    done = headway("train", jsonl, "--out", tmp_path / "run", "--data.task", "tag", *options(tiny("tag")))
    assert done.code == 3 and f"{jsonl}:1: 2 words and 1 label" in done.err


def test_a_number_among_numbers_that_is_none(headway, tmp_path):
    train = write(tmp_path / "train.tsv", [f"ant {n}\t{n}.5" for n in range(40)] + ["ant\t3,5"])
    done = headway("train", train, "--out", tmp_path / "run", *options(tiny("regress")))
    words = "the target '3,5' is no finite number, and regress needs one; write a point and not a comma"
    assert done.code == 3 and f"{train}:41: {words}" in done.err


def test_labels_that_training_never_saw(headway, runs, tmp_path):
    folder = data("tag", tmp_path / "data")
    write(folder / "test.slash", ["ant/A bee/B", "ant/noun bee/verb", "cat/noun"])
    words = f"{folder / 'test.slash'}:2: the label 'noun' does not occur in the training part, which has "
    trained = headway("train", folder, "--out", tmp_path / "run", *options(tiny("tag")))
    assert trained.code == 3 and words in trained.err and "3 of 5 labels of the test part are so" in trained.err
    measured = headway("evaluate", runs("tag"), folder)
    assert measured.code == 3 and words in measured.err


def test_parallel_files_of_different_length(headway, tmp_path):
    write(tmp_path / "train.src", ["a b"] * 30)
    write(tmp_path / "train.tgt", ["b a"] * 29)
    done = headway("train", tmp_path, "--out", tmp_path / "run", *options(tiny("transduce")))
    words = f"{tmp_path / 'train.src'} has 30 lines, {tmp_path / 'train.tgt'} has 29 lines; parallel files have as many"
    assert done.code == 3 and words in done.err


def test_parallel_files_whose_sides_are_not_told(headway, tmp_path):
    for end in ("en", "de"):
        write(tmp_path / f"train.{end}", ["a b"] * 30)
    done = headway("train", tmp_path, "--out", tmp_path / "run", *options(tiny("transduce")))
    assert done.code == 2 and "say which is read and which is written: --data.source de --data.target en" in done.err


def test_data_that_are_not_there(headway, tmp_path):
    command = ("train", "--out", tmp_path / "run")
    write(tmp_path / "reviews.tsv", GOOD["tsv"])
    done = headway(*command, tmp_path / "review.tsv")
    assert done.code == 3 and "there is no such file. Did you mean 'reviews.tsv'?" in done.err
    done = headway(*command, tmp_path / "no" / "where.tsv")
    assert done.code == 3 and f"there is no such file, and no folder {tmp_path / 'no'}" in done.err
    done = headway(*command, "--data.train", tmp_path / "review.tsv")
    assert done.code == 3 and "there is no such file. Did you mean 'reviews.tsv'?" in done.err
    done = headway(*command, tmp_path)
    assert done.code == 2 and f"there is no train part: the folder {tmp_path} holds reviews.tsv" in done.err
    done = headway(*command)
    assert done.code == 2 and "no data was given; name a folder, a file, or files" in done.err
    done = headway(*command, "--data.train", "-")
    assert done.code == 2 and "train is read more than once, and standard input or a pipe only once" in done.err


def test_data_without_targets(headway, tmp_path):
    train = write(tmp_path / "train.txt", ["the ant is small", "the bee is not"])
    done = headway("train", train, "--out", tmp_path / "run")
    assert (
        done.code == 2 and "no target was found in 2 rows" in done.err and f"{train}:1: 'the ant is small'" in done.err
    )


def test_a_column_or_key_that_is_not_there(headway, tmp_path):
    train = write(tmp_path / "train.tsv", ["text\tlabel", *GOOD["tsv"]])
    done = headway("train", train, "--out", tmp_path / "run", "--data.target", "lable")
    assert done.code == 3 and "no column called 'lable'; there are: label, text. Did you mean 'label'?" in done.err
    train = write(tmp_path / "train.jsonl", ['{"text": "a", "label": "b"}'] * 9)
    done = headway("train", train, "--out", tmp_path / "run", "--data.source", "txt")
    assert (
        done.code == 3 and f"{train}:1: no key called 'txt'; there are: label, text. Did you mean 'text'?" in done.err
    )


def test_what_is_too_long_is_refused_where_that_is_asked(headway, runs, tmp_path):
    asked = options(tiny("tag", {"data.max_length": 3, "data.over_long": "refuse"}))
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", *asked)
    assert done.code == 3 and "elements, and data.max_length is 3; raise it, or set data.over_long" in done.err
    asked = options(tiny("transduce", {"data.over_long": "window"}))
    done = headway("train", runs.data("transduce"), "--out", tmp_path / "run", *asked)
    assert done.code == 2 and "data.over_long window" in done.err


def test_bad_lines_are_skipped_counted_and_listed_where_that_is_asked(headway, tmp_path):
    folder = data("classify", tmp_path / "data")
    good = (folder / "train.tsv").read_text().splitlines()
    write(folder / "train.tsv", [*good[:3], "no label", *good[3:], "one\ttwo\tthree", "\tpos"])
    asked = list(options(tiny("classify", {"data.on_bad": "skip", "training.steps": 2})))
    done = headway("train", folder, "--out", tmp_path / "run", *asked)
    assert done.code == 0 and "3 lines were skipped (data.on_bad skip):" in done.err
    for line in (4, 42, 43):
        assert f"  {folder / 'train.tsv'}:{line}: " in done.err
    assert "train: 40 examples" in done.err and RunFolder(tmp_path / "run").settings().data.on_bad == "skip"


def test_skip_bad_is_a_short_option_of_everything_that_reads_lines(headway, runs, tmp_path):
    folder = data("classify", tmp_path / "data")
    good = (folder / "train.tsv").read_text().splitlines()
    write(folder / "train.tsv", [*good[:3], "no label", *good[3:]])
    asked = list(options(tiny("classify", {"training.steps": 2})))
    done = headway("train", folder, "--out", tmp_path / "run", "--skip-bad", *asked)
    assert done.code == 0 and "1 line was skipped (data.on_bad skip)" in done.err
    bad = write(tmp_path / "bad.tsv", [good[0], good[1], "a\tb\tc", good[2]])
    for command in ("evaluate", "predict"):
        refused = headway(command, runs("classify"), bad)
        assert refused.code == 3 and f"{bad}:3: " in refused.err and "skipped" not in refused.err
        done = headway(command, runs("classify"), bad, "--skip-bad")
        assert done.code == 0 and f"  {bad}:3: " in done.err and "1 line was skipped" in done.err
    assert len(done.lines) == 3
    both = headway("predict", runs("classify"), bad, "--skip-bad", "--out", tmp_path / "answers")
    assert both.code == 2 and "take one of them" in both.err


def test_what_data_hold_cannot_steer_the_terminal(headway, tmp_path):
    train = write(tmp_path / "train.slash", ["ant/A \x1b[31mred\x1b[0m"])
    done = headway("train", train, "--out", tmp_path / "run")
    assert done.code == 3 and "\x1b" not in done.err and "\\x1b[31mred" in done.err


def test_data_of_another_question_than_the_run(headway, runs, tmp_path):
    for kind, other, code in (("tag", "classify", 3), ("regress", "classify", 3), ("classify", "regress", 3)):
        done = headway("evaluate", runs(kind), runs.data(other))
        assert done.code == code and f"{runs.data(other)}/test." in done.err, (kind, other)
