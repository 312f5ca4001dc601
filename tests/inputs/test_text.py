"""Text as vectors: n-grams against slow loops, tables of word forms, padding, one-hot, word dropout."""

import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from building import no_gradient_is_missing
from comparing import close
from headway.batch import PAD, SPECIALS, UNKNOWN
from headway.errors import UsageError
from headway.inputs.text import (
    LONGEST_WORD,
    Forms,
    Settings,
    TextInput,
    TextSizes,
    collate,
    ngram_buckets,
    word_ngram_buckets,
)

D, BUCKETS = 12, 97
VOCABULARY = {"a": 4, "dog": 5, "barks": 6, "我": 7}
ALPHABET = {letter: number for number, letter in enumerate("abdgkors我", start=4)}
ALL = Settings(characters=5, character_ngrams=3, word_ngrams=3, buckets=BUCKETS)
"""Everything that letters can say, switched on."""
WORDS = st.text("abdgkorsxy我é", min_size=1, max_size=7)
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=5)


def forms_of(settings: Settings = ALL) -> Forms:
    return Forms(settings, lambda word: VOCABULARY.get(word, UNKNOWN), ALPHABET)


def numbered(forms: Forms, texts: list[list[str]]) -> list[np.ndarray]:
    return [np.array([forms.number(word) for word in text], np.int32) for text in texts]


def text_input(settings: Settings = ALL) -> TextInput:
    return TextInput(settings, D, TextSizes(len(VOCABULARY) + len(SPECIALS), len(ALPHABET) + len(SPECIALS))).eval()


# ------------------------------------------------------------------------------------------------ n-grams of characters


def slow_ngrams(word: str, longest: int) -> set[str]:
    """The n-grams of <word>, and the whole; the marks of the ends alone say nothing."""
    marked, found = "<" + word + ">", set()
    for n in range(1, longest + 1):
        for i in range(len(marked)):
            if i + n <= len(marked):
                found.add(marked[i : i + n])
    return (found - {"<", ">"}) | {marked}


@given(WORDS, st.integers(1, 5), st.sampled_from([1, 7, BUCKETS, 65_536]))
def test_the_buckets_of_a_word_are_those_of_a_slow_loop(word, longest, buckets):
    found = ngram_buckets(word, longest, buckets)
    expected = sorted(zlib.crc32(("c" + gram).encode()) % buckets for gram in slow_ngrams(word, longest))
    assert found.tolist() == expected


def test_the_ngrams_of_a_word_written_out():
    assert slow_ngrams("ab", 2) == {"a", "b", "<a", "ab", "b>", "<ab>"}
    assert len(ngram_buckets("ab", 2, 65_536)) == 6
    assert len(ngram_buckets("", 3, 65_536)) == 1  # the empty word has its whole, <>


def test_only_the_beginning_of_an_endless_word_is_read():
    long = "ab" * LONGEST_WORD
    assert ngram_buckets(long, 3, BUCKETS).tolist() == ngram_buckets(long[:LONGEST_WORD], 3, BUCKETS).tolist()


# ----------------------------------------------------------------------------------------------------- n-grams of words


def slow_word_ngrams(hashes: list[list[int]], longest: int, buckets: int) -> list[list[list[int]]]:
    """By position and n; a word before the beginning counts as 0."""
    found = []
    for row in hashes:
        found.append([])
        for place in range(len(row)):
            running, of_place = row[place], []
            for n in range(1, longest):
                before = row[place - n] if place >= n else 0
                running = (running * 0x9E3779B97F4A7C15 + before) % 2**64
                of_place.append((running ^ (running >> 29)) % buckets)
            found[-1].append(of_place)
    return found


@given(
    st.integers(1, 3).flatmap(
        lambda rows: st.integers(1, 7).flatmap(
            lambda S: st.lists(
                st.lists(st.integers(0, 2**32 - 1), min_size=S, max_size=S), min_size=rows, max_size=rows
            )
        )
    ),
    st.integers(2, 5),
)
def test_the_buckets_of_word_ngrams_are_those_of_a_slow_loop(hashes, longest):
    found = word_ngram_buckets(np.array(hashes, np.uint64), longest, BUCKETS)
    assert found.tolist() == slow_word_ngrams(hashes, longest, BUCKETS)


def test_word_ngrams_tell_the_order_of_words():
    one, other = (np.array([row], np.uint64) for row in ([11, 22], [22, 11]))
    ours = (word_ngram_buckets(words, 2, 65_536)[0, 1, 0] for words in (one, other))
    assert len(set(ours)) == 2


def test_word_ngrams_end_at_their_position_and_do_not_see_what_follows():
    row = np.array([[11, 22, 33, 44]], np.uint64)
    cut = word_ngram_buckets(row[:, :3], 3, BUCKETS)
    assert word_ngram_buckets(row, 3, BUCKETS)[:, :3].tolist() == cut.tolist()


# ---------------------------------------------------------------------------------------------------------- word forms


def test_every_form_has_one_number_and_keeps_it():
    forms = forms_of()
    assert [forms.number(word) for word in ("dog", "cat", "dog", "a", "cat")] == [0, 1, 0, 2, 1]
    assert len(forms) == 3
    ids, hashes, characters, ngrams = forms.tables()
    assert ids.tolist() == [5, UNKNOWN, 4]
    assert hashes.tolist() == [zlib.crc32(word) for word in (b"dog", b"cat", b"a")]
    assert [row.tolist() for row in characters] == [[6, 9, 7], [UNKNOWN, 4, UNKNOWN], [4]]
    assert [row.tolist() for row in ngrams] == [
        ngram_buckets(word, 3, BUCKETS).tolist() for word in ("dog", "cat", "a")
    ]


def test_the_tables_grow_with_new_forms():
    forms = forms_of()
    forms.number("dog")
    before = forms.tables()
    assert forms.tables() is before
    forms.number("dog")
    assert forms.tables() is before
    forms.number("barks")
    assert forms.tables()[0].tolist() == [5, 6]


def test_forgetting_begins_again():
    forms = forms_of()
    numbered(forms, [["dog", "cat", "a"]])
    forms.forget()
    assert len(forms) == 0 and len(forms.tables()[0]) == 0
    assert forms.number("barks") == 0 and forms.tables()[0].tolist() == [6]


# ------------------------------------------------------------------------------------------------------------- collate


def test_rows_of_ids_are_padded_and_say_which_are_real():
    part = collate([np.array([5, 6, 4]), np.array([7]), np.array([4, 4])], None)
    assert part["ids"].tolist() == [[5, 6, 4], [7, PAD, PAD], [4, 4, PAD]]
    assert part["keys"].tolist() == [[True] * 3, [True, False, False], [True, True, False]]
    assert set(part) == {"ids", "keys"}


def test_rows_of_one_length_need_no_mask():
    assert set(collate([np.array([5, 6]), np.array([7, 4])], None)) == {"ids"}


def test_a_row_without_elements_is_all_padding():
    part = collate([np.array([5, 6], np.int32), np.array([], np.int32)], None)
    assert part["ids"].tolist() == [[5, 6], [PAD, PAD]] and part["keys"].tolist() == [[True] * 2, [False] * 2]


@given(TEXTS)
def test_a_part_says_of_every_element_what_its_letters_say(texts):
    forms = forms_of()
    forms.number("before")  # forms that do not occur in this batch
    part = collate(numbered(forms, texts), forms)
    starts = [*part["ngram_starts"].tolist(), len(part["ngrams"])]
    for row, text in enumerate(texts):
        hashes = [[zlib.crc32(word.encode()) for word in text]]
        assert part["word_ngrams"][row, : len(text)].tolist() == slow_word_ngrams(hashes, 3, BUCKETS)[0]
        for place, word in enumerate(text):
            assert part["ids"][row, place] == VOCABULARY.get(word, UNKNOWN)
            form = int(part["form"][row, place])
            letters = part["characters"][form].tolist()
            expected = [ALPHABET.get(letter, UNKNOWN) for letter in word]
            assert letters == expected + [PAD] * (len(letters) - len(word))
            assert part["ngrams"][starts[form] : starts[form + 1]].tolist() == ngram_buckets(word, 3, BUCKETS).tolist()
        assert (part["ids"][row, len(text) :] == PAD).all()
    assert len(part["characters"]) == len({word for text in texts for word in text})  # every form once
    if "keys" in part:
        assert part["keys"].sum(-1).tolist() == [len(text) for text in texts]


# ------------------------------------------------------------------------------------------------------------- vectors


def test_a_learned_vector_is_a_row_of_the_table_scaled_by_the_root_of_the_width():
    made = text_input(Settings())
    vectors = made(collate([np.array([5, 6]), np.array([7])], None))
    close(vectors.x[0], made.embedding[[5, 6]] * D**0.5)
    assert vectors.mask.keys.tolist() == [[True, True], [True, False]] and vectors.bias is None
    assert vectors.x.std().item() == pytest.approx(1, abs=0.3)  # the tables are small, the vectors are not


def test_what_is_switched_on_is_summed():
    made, forms = text_input(), forms_of()
    part = collate(numbered(forms, [["dog", "cat"]]), forms)
    found = made(part).x[0]
    for place, word in enumerate(["dog", "cat"]):
        own = made.embedding[VOCABULARY.get(word, UNKNOWN)]
        letters = made.hashed[ngram_buckets(word, 3, BUCKETS).tolist()].mean(0)
        words = made.hashed[part["word_ngrams"][0, place]].mean(0)
        spelled = torch.tensor([[ALPHABET.get(letter, UNKNOWN) for letter in word]])
        close(found[place], (own + letters + words) * D**0.5 + made.letters(spelled)[0])


def test_characters_are_windows_of_three_and_each_features_maximum():
    made = text_input().letters
    found = made(torch.tensor([[4, 5, 6]]))[0]
    letters = [torch.zeros(5), *made.embedding.weight[[4, 5, 6]], torch.zeros(5)]
    features = torch.stack([made.windows(torch.cat(letters[i : i + 3])) for i in range(3)])
    close(found, made.output(features.amax(0).relu()))


@given(TEXTS, st.integers(0, 3))
def test_padding_and_batch_mates_change_nothing(texts, more):
    made = text_input()
    with torch.inference_mode():
        forms = forms_of()
        together = made(collate(numbered(forms, [*texts, ["dog"] * (6 + more)]), forms)).x
        for row, text in enumerate(texts):
            own = forms_of()
            close(together[row, : len(text)], made(collate(numbered(own, [text]), own)).x[0])


def test_every_table_learns():
    made, forms = text_input().train(), forms_of()
    x = made(collate(numbered(forms, [["dog", "barks", "我"], ["cat"]]), forms)).x
    no_gradient_is_missing(made, (x * torch.randn_like(x)).sum())
    assert not made.letters.embedding.weight.grad[PAD].any()


def test_one_hot_is_one_hot():
    made = text_input(Settings(embedding="one_hot"))
    ids = np.array([5, 7, UNKNOWN])
    vectors = made(collate([ids], None)).x[0]
    close(vectors, F.one_hot(torch.tensor(ids), D).float())
    assert not list(made.parameters())


def test_a_vocabulary_wider_than_the_width_cannot_be_one_hot():
    assert TextInput(Settings(embedding="one_hot"), 12, TextSizes(12))
    with pytest.raises(UsageError) as caught:
        TextInput(Settings(embedding="one_hot"), 12, TextSizes(1300))
    assert str(caught.value) == (
        "one-hot vectors need a width of at least the vocabulary, and 12 < 1,300: raise model.encoder.width, "
        "take smaller elements (data.tokenizer character), or embedding learned"
    )


@pytest.mark.parametrize("embedding", ["learned", "one_hot"])
def test_words_are_read_as_unknown_in_training_only_and_special_ones_never(embedding):
    settings = Settings(embedding=embedding, word_dropout=0.3)
    made = TextInput(settings, 16, TextSizes(16))
    ids = torch.arange(16).repeat(500, 1)
    with torch.no_grad():
        plain, unknown = made.eval().element_vectors(ids), made.element_vectors(torch.tensor([[UNKNOWN]]))
        assert made.element_vectors(ids).equal(plain)
        found = made.train().element_vectors(ids)
    dropped = (found == unknown).all(-1)
    assert (found == plain).all(-1).logical_or(dropped).all()
    words = dropped[:, len(SPECIALS) :].float().mean().item()
    assert words == pytest.approx(0.3, abs=5 * (0.21 / 6000) ** 0.5)
    assert not dropped[:, [PAD, 2, 3]].any()


def test_the_type_of_the_model_is_the_type_of_its_vectors():
    made, forms = text_input().double(), forms_of()
    assert made(collate(numbered(forms, [["dog", "cat"]]), forms)).x.dtype == torch.float64


def test_which_settings_read_letters():
    assert not Settings().reads_letters
    for on in ({"characters": 3}, {"character_ngrams": 2}, {"word_ngrams": 2}):
        assert Settings(**on).reads_letters
