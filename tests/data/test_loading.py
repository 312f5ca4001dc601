"""A data set's parts as examples of one question: read once or twice, with complaints, references, unseen labels."""

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from reading import write

from headway.batch import Example
from headway.data.codecs import Classes, Numbers, Tags
from headway.data.loading import LOOKED_AT, check_labels, open_data, together
from headway.data.settings import DataSettings
from headway.errors import DataError, UsageError, Where


def rows(count: int) -> str:
    return "".join(f"text {row}\t{'even' if row % 2 == 0 else 'odd'}\n" for row in range(count))


# -------------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("count", [10, LOOKED_AT, LOOKED_AT + 7])
def test_standard_input_is_read_once_and_to_its_end(monkeypatch, count):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(rows(count).encode())))
    found = open_data(None, DataSettings(test=("-",), format="tsv"), "test")
    assert found.recognized.task == "classify"
    examples = found.examples("test")
    assert [example.source for example in examples] == [f"text {row}" for row in range(count)]
    assert examples == found.examples("test")


def test_what_is_wrong_on_standard_input_is_said_once(monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO((rows(4) + "bad\n" + rows(4)).encode())))
    found = open_data(None, DataSettings(test=("-",), format="tsv", on_bad="skip"), "test")
    assert len(found.examples("test")) == 8
    assert [str(error) for error in found.complaints.taken] == [
        "standard input:5: the row has 1 cell, and the first row (line 1) has 2 cells"
    ]


def test_a_bad_line_ends_the_reading_or_is_left_out_and_counted_once(tmp_path):
    write(tmp_path, "train.tsv", rows(40) + "bad\n" + rows(40) + "text\t \n")
    with pytest.raises(DataError, match=r"train\.tsv:41: the row has 1 cell"):
        open_data(tmp_path, DataSettings())
    found = open_data(tmp_path, DataSettings(on_bad="skip"))
    assert sum(len(found.examples(part)) for part in ("train", "valid", "test")) == 80
    assert sorted(error.where.line for error in found.complaints.taken) == [41, 82]


def test_a_part_of_which_nothing_can_be_used(tmp_path):
    write(tmp_path, "train.tsv", rows(10))
    write(tmp_path, "valid.tsv", "a\t\nb\t\n")
    found = open_data(tmp_path, DataSettings(on_bad="skip"))
    with pytest.raises(DataError, match=r"valid\.tsv: no line of it can be used for classify"):
        found.examples("valid")


@pytest.mark.parametrize("labels", ['["a", "b"]', "[]"])
@pytest.mark.parametrize("task", [None, "classify"])
def test_several_labels_are_seen_however_late_they_come(tmp_path, monkeypatch, labels, task):
    monkeypatch.setattr("headway.data.loading.LOOKED_AT", 6)
    one = "".join(f'{{"text": "text {row}", "labels": ["{"ab"[row % 2]}"]}}\n' for row in range(9))
    write(tmp_path, "train.jsonl", one)
    write(tmp_path, "valid.jsonl", one + f'{{"text": "last", "labels": {labels}}}\n')
    found = open_data(tmp_path, DataSettings(task=task))
    assert not found.recognized.several and found.examples("train")[0].target == "a"
    found = open_data(tmp_path, DataSettings(task=task), "valid")
    assert found.recognized.several and found.examples("valid")[0].target == ("a",)


# ----------------------------------------------------------------------------------------------------------- references


def test_rows_of_one_source_are_one_example_with_each_reference_once():
    given = [
        Example("a", "x", Where("f", 1)),
        Example("b", "y", Where("f", 2), ("z",)),
        Example("a", "x", Where("f", 3)),
        Example("a", "w", Where("f", 4), ("x",)),
        Example(("a",), "v", Where("f", 5)),
    ]
    first, second = together(given, "transduce")
    assert first == Example("a", "x", Where("f", 1), ("w", "v"))
    assert second == given[1]
    assert together(given, "classify") == given


def test_of_the_training_part_and_of_parallel_files_every_row_stays(tmp_path):
    write(tmp_path, "train.tsv", "a b c\tx y z w\n" * 3)
    write(tmp_path, "valid.tsv", "a b c\tx y z w\na b c\tx y\n")
    found = open_data(tmp_path, DataSettings(task="transduce"))
    assert len(found.examples("train")) == 3
    assert [example.references for example in found.examples("valid")] == [("x y z w", "x y")]
    (folder := tmp_path / "parallel").mkdir()
    for part in ("train", "valid"):
        for end in ("src", "tgt"):
            write(folder, f"{part}.{end}", f"same {end}\n" * 3)
    assert len(open_data(folder, DataSettings()).examples("valid")) == 3


# --------------------------------------------------------------------------------------------------------------- labels


def labelled(*labels: str) -> list[Example]:
    return [Example("text", label, Where(Path("valid.tsv"), line)) for line, label in enumerate(labels, 1)]


def classes(*labels: str) -> Classes:
    made = Classes(False)
    made.fit(labels)
    return made


def test_labels_that_training_knows_and_numbers_need_no_words():
    assert check_labels(labelled("a", "b"), classes("a", "b"), "valid") == []
    assert check_labels([Example("text", 5.0)], Numbers(), "valid") == []


def test_a_few_unseen_labels_are_said_and_many_are_an_error():
    problem = "valid.tsv:2: the label 'c' does not occur in the training part, which has a, b"
    assert check_labels(labelled("a", "c"), classes("a", "b"), "valid") == [f"{problem}: no answer can be right there"]
    with pytest.raises(DataError) as caught:
        check_labels(labelled("a", "c", "d"), classes("a", "b"), "valid")
    assert str(caught.value) == f"{problem}; 2 of 3 labels of the valid part are so"
    known, unseen = ["a"] * 398, ["c", "d"]
    (said,) = check_labels(labelled(*known, *unseen), classes("a"), "valid")
    assert said.startswith("valid.tsv:399: ") and said.endswith(", and 1 more: no answer can be right there")
    with pytest.raises(DataError, match="5 of 400 labels of the test part are so"):
        check_labels(labelled(*["a"] * 395, *"bcdef"), classes("a"), "test")


def test_a_strange_label_is_printed_safely():
    (said,) = check_labels(labelled("\x1b[2J" + "x" * 500), classes("a"), "valid")
    assert said.isprintable() and len(said) < 250


def test_where_no_row_has_a_label_there_is_nothing_to_learn():
    with pytest.raises(UsageError, match="no row of the training part has a label"):
        Classes(True).fit([(), ()])
    with pytest.raises(UsageError, match="no row of the training part has a label"):
        Tags().fit([])
