"""Sources and targets as numbers, and answers as words again."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import ClassifyAnswer, RegressAnswer, TagAnswer
from headway.data.codecs import Classes, Numbers, Sequences, Tags
from headway.data.sources.text import SourceText
from headway.data.tokenizers.character import Character
from headway.data.tokenizers.character import Settings as CharacterSettings
from headway.data.tokenizers.word import Settings as WordSettings
from headway.data.tokenizers.word import Word
from headway.errors import UsageError
from headway.inputs import text
from headway.search import Hypothesis


def through_json(state: Any) -> Any:
    return json.loads(json.dumps(state))


# ------------------------------------------------------------------------------------------------------------- sources


def source(**letters: Any) -> SourceText:
    made = SourceText(Word(WordSettings()), text.Settings(**letters))
    made.fit(["the dog barks", "a dog"])
    return made


def test_a_source_is_the_numbers_of_its_elements():
    made = source()
    assert made.forms is None and made.sizes == text.TextSizes(8, 4)
    (row,) = made.encode_all(["the cat barks"])
    assert made.tokenizer.pieces(row.tolist()) == ("the", "<unk>", "barks")
    assert made.elements("the cat barks.") == ("the", "cat", "barks", ".")
    assert made.collate([row])["ids"].tolist() == [row.tolist()]


def test_where_letters_are_read_a_source_is_the_numbers_of_word_forms():
    made = source(characters=3)
    first, second = made.encode_all(["the cat", "cat the the"])
    assert first.tolist() == [0, 1] and second.tolist() == [1, 0, 0]
    part = made.collate([first, second])
    known = made.tokenizer.number("the")
    assert part["ids"].tolist() == [[known, 1, 0], [1, known, known]]
    assert made.sizes.alphabet == len(set("thedogbarksa")) + 4


def test_the_state_of_a_source_is_json_and_makes_the_same_source():
    made = source(characters=3, character_ngrams=2)
    state = through_json(made.state())
    tokenizer = Word(WordSettings(), state["tokenizer"])
    again = SourceText(tokenizer, made.settings, state)
    assert again.state() == made.state() and again.sizes == made.sizes
    rows = [codec.collate(codec.encode_all(["the cat barks", "a"])) for codec in (made, again)]
    assert all(rows[0][name].equal(rows[1][name]) for name in rows[0])


def test_targets_of_one_vocabulary_are_fitted_together():
    made = SourceText(Word(WordSettings()), text.Settings())
    made.fit(["the dog"], ["der Hund"])
    assert set(made.tokenizer.names()[4:]) == {"the", "dog", "der", "Hund"}


@pytest.mark.parametrize("letters", [{"characters": 3}, {"character_ngrams": 2}, {"word_ngrams": 2}])
def test_letters_of_words_cannot_be_read_where_elements_are_no_words(letters):
    with pytest.raises(
        UsageError, match=r"model.input reads the letters or n-grams of words .* and the elements are not"
    ):
        SourceText(Character(CharacterSettings()), text.Settings(**letters))


# -------------------------------------------------------------------------------------------------------------- labels


def tags(*rows: str) -> Tags:
    made = Tags()
    made.fit([tuple(row.split()) for row in rows])
    return made


def test_labels_are_numbered_by_their_frequency_and_then_by_the_alphabet():
    made = tags("N V N", "D N", "A")
    assert made.labels == ("N", "A", "D", "V") and made.counts == (3, 1, 1, 1) and made.rows == 3
    assert [row.tolist() for row in made.encode_all([("V", "N"), ("X", "A")])] == [[3, 0], [-1, 1]]
    assert made.unknown(("V", "X", "Y")) == ["X", "Y"]
    assert made.sizes() == {"labels": 4, "bio": False}


@pytest.mark.parametrize(
    ("labels", "bio"),
    [
        ("B-PER I-PER O", True),
        ("B-PER O", True),
        ("B-PER I-PER E-PER S-LOC O", True),
        ("I-PER O", False),
        ("B-PER I-PER", False),
        ("B-PER O NOUN", False),
        ("B-PER O X-PER", False),
        ("O", False),
        ("NN VB", False),
        ("B I O", False),
    ],
)
def test_which_labels_mark_spans(labels, bio):
    assert tags(labels).is_bio is bio


def test_an_answer_names_the_labels():
    made = tags("N V N", "D N")
    raw = np.array([2, 0]), np.array([0.75, 0.5], np.float32)
    assert made.answer(raw, ("a", "b"), True) == TagAnswer(("a", "b"), ("V", "N"), (0.75, 0.5))
    assert made.answer(raw, ("a", "b", "cut off"), False) == TagAnswer(("a", "b"), ("V", "N"), None)


def classes(several: bool = False) -> Classes:
    made = Classes(several)
    made.fit([("a", "b"), ("a",), (), ("c", "a")] if several else ["a", "b", "a", "c", "a"])
    return made


def test_a_class_is_one_label_or_several():
    assert [row.tolist() for row in classes().encode_all(["b", "x"])] == [[1], [-1]]
    assert [row.tolist() for row in classes(True).encode_all([("c", "a"), (), ("x", "b")])] == [[2, 0], [], [-1, 1]]
    assert classes().sizes() == {"counts": (3, 1, 1), "rows": 5, "several": False}
    assert classes(True).sizes() == {"counts": (3, 1, 1), "rows": 4, "several": True}
    assert classes().unknown("x") == ["x"] and classes(True).unknown(("a", "x")) == ["x"]


def test_the_most_probable_class_is_the_answer():
    raw = np.array([0.25, 0.5, 0.25], np.float32)
    assert classes().answer(raw, (), False) == ClassifyAnswer(("b",), 0.5, None)
    assert classes().answer(raw, (), True).scores == {"b": 0.5, "a": 0.25, "c": 0.25}


def test_of_several_those_above_a_half_are_the_answer_and_the_least_sure_is_its_score():
    made = classes(True)
    found = made.answer(np.array([0.75, 0.25, 0.875], np.float32), (), False)
    assert (found.labels, found.score) == (("c", "a"), 0.75)
    nothing = made.answer(np.array([0.25, 0.125, 0.375], np.float32), (), False)
    assert (nothing.labels, nothing.score) == ((), 0.625)


def test_windows_vote_by_the_elements_they_answer_for():
    raws = [(np.array([1.0, 0.0]), 0, 30), (np.array([0.0, 1.0]), 5, 15)]
    assert classes().join(raws).tolist() == [0.75, 0.25]
    assert Numbers().join([(8.0, 0, 30), (4.0, 5, 15)]) == 7.0


def test_a_window_that_answers_for_no_element_has_no_vote_where_others_have():
    assert classes().join([(np.array([1.0, 0.0]), 0, 30), (np.array([0.0, 1.0]), 7, 7)]).tolist() == [1.0, 0.0]
    assert Numbers().join([(8.0, 3, 3), (4.0, 5, 6)]) == 4.0


def test_the_one_window_of_a_source_without_elements_is_its_answer():
    assert classes().join([(np.array([0.75, 0.25]), 0, 0)]).tolist() == [0.75, 0.25]
    assert Numbers().join([(8.0, 0, 0)]) == 8.0


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=20))
def test_a_label_that_training_saw_comes_back(labels):
    made = Classes(False)
    made.fit(labels)
    for label, row in zip(labels, made.encode_all(labels), strict=True):
        chances = np.zeros(len(made.labels), np.float32)
        chances[row[0]] = 1
        assert made.answer(chances, (), False).label == label


# ------------------------------------------------------------------------------------------------------------- numbers


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_mean_and_spread_are_those_of_the_training_part(numbers):
    made = Numbers()
    made.fit(numbers)
    mean = sum(numbers) / len(numbers)
    assert made.mean == pytest.approx(mean, abs=1e-6)
    assert made.spread == pytest.approx((sum((n - mean) ** 2 for n in numbers) / len(numbers)) ** 0.5, abs=1e-3)
    assert made.encode_all(numbers) == numbers
    assert made.answer(2.5, (), True) == RegressAnswer(2.5)


# ----------------------------------------------------------------------------------------------------------- sequences


def sequences(shared: bool = False) -> Sequences:
    made = Sequences(Word(WordSettings()), shared, ("bleu",))
    made.fit(["der Hund bellt", "die Katze ."])
    return made


def test_a_sequence_is_the_numbers_of_its_pieces_and_an_answer_its_text():
    made = sequences()
    (row,) = made.encode_all(["die Katze ."])
    best, other = Hypothesis(tuple(row.tolist()), (-1.0, -0.5, -0.25, -0.25)), Hypothesis((4,), (-3.0, -1.0))
    found = made.answer([best, other], (), True)
    assert (found.text, found.tokens, found.score) == ("die Katze.", ("die", "Katze", "."), -2.0)
    assert [alternative.score for alternative in found.alternatives] == [-4.0]
    assert made.answer([best], (), False).score is None


def test_the_limit_lies_above_every_length_of_the_training_part():
    source_codec, made = source(), sequences()
    sources = ["the dog", "a", "the dog barks a dog"]
    targets = ["der Hund bellt die Katze", "die", "Hund"]
    made.fit_lengths(source_codec, sources, targets)
    sizes = made.sizes()["sizes"]
    for read, written in zip(sources, targets, strict=True):
        assert sizes.limit(len(read.split())) >= len(written.split()) + 5
    assert sizes.vocabulary == 10 and sizes.shared is False and made.sizes()["metrics"] == ("bleu",)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 60)), min_size=1, max_size=30))
def test_whatever_the_lengths_no_training_target_is_cut(lengths):
    source_codec, made = source(), sequences()
    made.fit_lengths(
        source_codec, ["dog " * read for read, _ in lengths], ["Hund " * written for _, written in lengths]
    )
    for read, written in lengths:
        assert made.sizes()["sizes"].limit(read) >= written
    assert made.ratio >= 1


def test_a_shared_vocabulary_is_not_fitted_nor_kept_twice():
    made = sequences(shared=True)
    assert len(made.tokenizer) == 4 and "tokenizer" not in made.state()
    assert "tokenizer" in sequences().state()


@pytest.mark.parametrize(
    "made", [tags("N V N", "D N"), classes(), classes(True), sequences()], ids=lambda m: type(m).__name__
)
def test_a_state_is_json_and_makes_the_same_codec(made):
    state = through_json(made.state())
    if isinstance(made, Sequences):
        again = Sequences(Word(WordSettings(), state["tokenizer"]), False, state["metrics"], state)
        again.metrics = tuple(again.metrics)
    else:
        again = Classes(state["several"], state) if isinstance(made, Classes) else Tags(state)
    assert through_json(again.state()) == state
    assert again.sizes() == made.sizes()


def test_the_state_of_numbers_is_json_too():
    made = Numbers()
    made.fit([1.0, 2.0, 4.5])
    assert Numbers(through_json(made.state())).sizes() == made.sizes()
