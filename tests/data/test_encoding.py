"""Examples as rows: what is cut where, that windows cover every element once, and that answers join again."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import shape
from headway.batch import END, Example, Where
from headway.data.codecs import Classes, Numbers, Sequences, Tags
from headway.data.encoding import Codecs, check_windows, encode, windows_of
from headway.data.settings import DataSettings
from headway.data.sources.text import SourceText
from headway.data.tokenizers import TOKENIZERS, tokenizer_of
from headway.data.tokenizers.word import Settings as WordSettings
from headway.data.tokenizers.word import Word
from headway.errors import DataError, UsageError
from headway.inputs import text
from headway.tasks.tag import Settings as TagSettings
from headway.tasks.tag import Tag

LENGTHS = [3, 11, 1, 8]
TEXTS = [tuple(f"w{(7 * i + n) % 13}" for i in range(n)) for n in LENGTHS]


def codecs_of(target: Any, letters: bool = False) -> Codecs:
    settings = text.Settings(characters=3, word_ngrams=2) if letters else text.Settings()
    return Codecs(SourceText(Word(WordSettings()), settings), target)


def tagged(**settings: Any):
    examples = [
        Example(words, tuple(f"t{len(w)}" for w in words), Where("a.txt", n + 1)) for n, words in enumerate(TEXTS)
    ]
    codecs = codecs_of(Tags())
    codecs.fit(examples)
    return encode(examples, codecs, DataSettings(**settings)), codecs, examples


# ------------------------------------------------------------------------------------------------------------- windows


@given(st.integers(0, 300), st.integers(1, 40))
def test_windows_cover_every_element_and_answer_for_each_exactly_once(length, longest):
    windows = windows_of(7, length, longest, True)
    assert all(window.example == 7 and 0 <= window.start <= window.stop <= length for window in windows)
    assert all(window.stop - window.start <= longest for window in windows)
    answered = [place for window in windows for place in range(window.keep, window.until)]
    assert answered == list(range(length))
    assert all(window.start <= window.keep <= window.until <= window.stop for window in windows)


@given(st.integers(2, 300), st.integers(8, 40))
def test_neighbouring_windows_share_a_quarter_so_that_every_element_has_surroundings(length, longest):
    windows = windows_of(0, length, longest, True)
    for one, other in pairwise(windows):
        assert one.stop - other.start >= longest // 4
        assert one.until == other.keep
        assert one.stop - one.until >= longest // 8 and other.keep - other.start >= longest // 8


def test_windows_written_out():
    assert [tuple(window[1:]) for window in windows_of(0, 17, 8, True)] == [
        (0, 8, 0, 7),
        (6, 14, 7, 10),
        (9, 17, 10, 17),
    ]
    assert [tuple(window[1:]) for window in windows_of(0, 8, 8, True)] == [(0, 8, 0, 8)]
    assert [tuple(window[1:]) for window in windows_of(0, 17, 8, False)] == [(0, 8, 0, 8)]
    assert [tuple(window[1:]) for window in windows_of(0, 0, 8, True)] == [(0, 0, 0, 0)]


@given(st.integers(1, 60), st.integers(1, 9))
def test_what_the_windows_of_a_tagged_text_say_is_joined_to_what_was_there(length, longest):
    numbers, chances = np.arange(length), np.arange(length) / 100
    windows = windows_of(0, length, longest, True)
    raws = [
        ((numbers[w.start : w.stop], chances[w.start : w.stop]), w.keep - w.start, w.until - w.start) for w in windows
    ]
    found, probability = Tags().join(raws)
    assert found.tolist() == numbers.tolist() and probability.tolist() == chances.tolist()


# ------------------------------------------------------------------------------------------------------------ encoding


def test_every_example_is_a_row_of_the_numbers_of_its_elements():
    encoded, codecs, _ = tagged()
    assert len(encoded) == 4 and encoded.elements == sum(LENGTHS) and not encoded.cut
    for row, words in enumerate(TEXTS):
        assert encoded.sources[row].tolist() == codecs.source.tokenizer.encode(words).tolist()
        assert len(encoded.targets[row]) == len(words)
    assert encoded.costs.tolist() == LENGTHS


def test_what_is_too_long_is_cut_with_its_labels_and_counted():
    encoded, codecs, examples = tagged(max_length=5, over_long="truncate")
    assert encoded.sources.lengths.tolist() == [3, 5, 1, 5]
    assert [len(target) for target in encoded.targets] == [3, 5, 1, 5]
    assert encoded.sources[1].tolist() == codecs.source.tokenizer.encode(TEXTS[1])[:5].tolist()
    assert encoded.cut == [examples[1], examples[3]]


def test_what_is_too_long_is_refused_with_its_place():
    with pytest.raises(DataError) as caught:
        tagged(max_length=5, over_long="refuse")
    assert str(caught.value) == (
        "a.txt:2: 11 elements, and data.max_length is 5; raise it, or set data.over_long truncate or window"
    )
    assert not tagged(max_length=11, over_long="refuse")[0].cut


def test_what_is_too_long_is_read_in_windows_with_their_labels():
    encoded, codecs, _ = tagged(max_length=5, over_long="window")
    assert encoded.sources.lengths.max() == 5
    for row, window in enumerate(encoded.windows):
        whole = codecs.source.tokenizer.encode(TEXTS[window.example])
        assert encoded.sources[row].tolist() == whole[window.start : window.stop].tolist()
        labels = codecs.target.encode_all([tuple(f"t{len(w)}" for w in TEXTS[window.example])])[0]
        assert encoded.targets[row].tolist() == labels[window.start : window.stop].tolist()
    assert {window.example for window in encoded.windows} == {0, 1, 2, 3}


def test_without_targets_there_are_none():
    _, codecs, examples = tagged()
    assert encode(examples, codecs, DataSettings(), with_targets=False).targets == []
    unknown = [Example(words) for words in TEXTS]
    assert encode(unknown, codecs, DataSettings()).targets == []
    assert encode([], codecs, DataSettings()).sources.lengths.tolist() == []


def test_a_batch_is_some_rows_with_their_numbers():
    encoded, codecs, _ = tagged()
    task = Tag(TagSettings(), shape(), 5, False)
    batch = encoded.batch(np.array([3, 0]), codecs.source, task)
    assert batch.rows == (3, 0) and len(batch) == 2
    assert batch.input["keys"].sum(-1).tolist() == [8, 3]
    assert batch.input["ids"][1, :3].tolist() == encoded.sources[0].tolist()
    assert batch.target["labels"].shape == (2, 8)
    bare = encode([Example(words) for words in TEXTS], codecs, DataSettings())
    assert bare.batch(np.array([1]), codecs.source, task).target == {}


def test_a_sequence_to_write_counts_with_its_end_in_what_a_row_costs():
    examples = [Example("a b c", "x y z w v"), Example("a b c d e f g", "x")]
    codecs = codecs_of(Sequences(Word(WordSettings()), False, ("bleu",)))
    codecs.fit(examples)
    encoded = encode(examples, codecs, DataSettings())
    assert encoded.costs.tolist() == [6, 7]
    short = encode(examples, codecs, DataSettings(max_length=4))
    assert [len(target) for target in short.targets] == [4, 1] and short.sources.lengths.tolist() == [3, 4]
    assert short.cut == examples
    assert all((target > END).all() for target in short.targets)


@pytest.mark.parametrize("target", [Classes(False), Numbers()])
def test_each_window_of_a_labelled_whole_has_the_label_of_the_whole(target):
    value = "pos" if isinstance(target, Classes) else 2.5
    examples = [Example(TEXTS[1], value), Example(TEXTS[0], value)]
    codecs = codecs_of(target)
    codecs.fit(examples)
    encoded = encode(examples, codecs, DataSettings(max_length=5, over_long="window"))
    expected = codecs.target.encode_all([value])[0]
    assert len(encoded) > 2
    assert all(np.array_equal(found, expected) for found in encoded.targets)


def test_word_forms_go_through_windows_too():
    codecs = codecs_of(Classes(False), letters=True)
    examples = [Example(words, "pos") for words in TEXTS]
    codecs.fit(examples)
    encoded = encode(examples, codecs, DataSettings(max_length=5, over_long="window"))
    part = codecs.source.collate([encoded.sources[row] for row in range(len(encoded))])
    for row, window in enumerate(encoded.windows):
        whole = codecs.source.tokenizer.encode(TEXTS[window.example])[window.start : window.stop]
        assert part["ids"][row, : len(whole)].tolist() == whole.tolist()
    assert part["ids"].dtype == torch.int64


def test_windows_are_refused_where_their_answers_cannot_be_put_together():
    with pytest.raises(UsageError, match=r"data.over_long window: the answers of windows can be put together for tag"):
        check_windows("transduce", DataSettings(over_long="window"))
    for task in ("tag", "classify", "regress"):
        check_windows(task, DataSettings(over_long="window"))
    check_windows("transduce", DataSettings(over_long="truncate"))


@pytest.mark.parametrize("tokenizer", ["character", "bpe"])
def test_a_label_for_every_word_needs_elements_that_are_words(tokenizer):
    source = SourceText(tokenizer_of(TOKENIZERS.choose(tokenizer)), text.Settings())
    with pytest.raises(UsageError, match=r"the elements of the source are not words: set data\.tokenizer word"):
        Codecs(source, Tags())
    assert Codecs(source, Classes(False)).source is source
