"""What flows: parts of a batch, losses that add up, answers as a person reads them."""

import pytest
import torch

from comparing import close, randoms
from headway.batch import (
    BEGIN,
    END,
    PAD,
    SPECIALS,
    UNKNOWN,
    Batch,
    ClassifyAnswer,
    Example,
    Loss,
    Memory,
    RegressAnswer,
    TagAnswer,
    TransduceAnswer,
)


def test_the_special_tokens_are_the_first_four():
    assert (PAD, UNKNOWN, BEGIN, END) == (0, 1, 2, 3) and len(SPECIALS) == 4


def test_some_rows_of_a_memory_in_any_order():
    (x,) = randoms((3, 5, 2))
    keys = torch.rand(3, 5) < 0.5
    chosen = Memory(x, keys).select(torch.tensor([2, 0, 2]))
    close(chosen.x, x[[2, 0, 2]])
    assert chosen.keys.equal(keys[[2, 0, 2]])
    assert Memory(x).select(torch.tensor([1])).keys is None


def test_a_batch_moves_as_a_whole():
    batch = Batch({"ids": torch.tensor([[1, 2]])}, {"labels": torch.tensor([0])}, (7,))
    moved = batch.to(torch.device("meta"))
    assert moved.input["ids"].is_meta and moved.target["labels"].is_meta
    assert moved.rows == (7,) and len(moved) == 1 and not batch.input["ids"].is_meta


def test_the_mean_of_a_loss_is_its_sum_by_its_count_and_of_nothing_zero():
    assert Loss(torch.tensor(6.0), 4.0).mean == 1.5
    assert Loss(torch.tensor(0.0), 0.0).mean == 0


def test_all_right_targets_are_references():
    assert Example("x", "a", others=("b", "c")).references == ("a", "b", "c")
    assert Example("x").references == (None,)
    assert str(Example("x").where) == "input"


def test_answers_as_text():
    assert str(TagAnswer(("I", "run"), ("PRON", "VERB"))) == "I/PRON run/VERB"
    assert list(TagAnswer(("I", "run"), ("PRON", "VERB"))) == [("I", "PRON"), ("run", "VERB")]
    assert str(ClassifyAnswer(("a", "b"), 0.5)) == "a,b"
    assert ClassifyAnswer((), 0.5).label == ""
    assert str(RegressAnswer(1 / 3)) == "0.333333"
    assert str(TransduceAnswer("ein Satz")) == "ein Satz"


def test_as_many_labels_as_elements():
    with pytest.raises(ValueError, match="shorter"):
        str(TagAnswer(("I", "run"), ("PRON",)))
