"""What every tokenizer promises: texts as numbers and back, fitted once, kept as JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import SPECIALS, UNKNOWN
from headway.data.tokenizers import TOKENIZERS, Tokenizer, tokenizer_of

TEXTS = ["the dog barks at the dog", "我爱北京 and the cat", "a cat, a dog; Ünïcödé!", ""]
NAMES = pytest.mark.parametrize("name", TOKENIZERS.names())
ANY = st.text(st.sampled_from("thedogcat ,.!我爱北京Üé☃\t<>pandun"), max_size=30)


def fitted(name: str) -> Tokenizer:
    tokenizer = tokenizer_of(TOKENIZERS.choose(name))
    tokenizer.fit(TEXTS)
    return tokenizer


def numbers(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text).tolist()


ONCE = {name: fitted(name) for name in TOKENIZERS.names()}


@NAMES
def test_the_special_ones_come_first_and_every_number_has_its_element(name):
    names = fitted(name).names()
    assert names[:4] == list(SPECIALS)
    assert len(names) == len(set(names)) == len(fitted(name))
    vocabulary = fitted(name).vocabulary
    assert all(vocabulary[element] == number for number, element in enumerate(names[4:], start=4))


@NAMES
@given(text=ANY)
def test_numbers_are_of_the_vocabulary_and_no_text_can_spell_a_special_one(name, text):
    tokenizer = ONCE[name]
    for given_text in (text, text + "<pad><unk> <begin> <end>", tuple(text.split()), ("<pad>", "<end>", "<unk>")):
        ids = tokenizer.encode(given_text)
        assert ids.dtype == np.int32 and ids.ndim == 1
        assert all(number == UNKNOWN or len(SPECIALS) <= number < len(tokenizer) for number in ids)


@NAMES
@given(texts=st.lists(ANY, max_size=5))
def test_many_at_once_are_each_by_itself(name, texts):
    tokenizer = ONCE[name]
    together = tokenizer.encode_all(texts)
    assert [row.tolist() for row in together] == [tokenizer.encode(text).tolist() for text in texts]
    assert all(row.dtype == np.int32 for row in together)


@NAMES
@given(text=ANY)
def test_as_many_elements_are_shown_as_there_are_numbers(name, text):
    tokenizer = ONCE[name]
    ids = numbers(tokenizer, text)
    assert len(tokenizer.shown(text)) == len(ids) == len(tokenizer.pieces(ids))
    assert all(isinstance(piece, str) for piece in tokenizer.pieces(ids))
    assert isinstance(tokenizer.decode(ids), str)


@NAMES
def test_what_it_was_fitted_on_comes_back(name):
    tokenizer = fitted(name)
    for text in TEXTS:
        assert UNKNOWN not in tokenizer.encode(text)
        assert tokenizer.decode(numbers(tokenizer, text)).replace(" ", "") == text.replace(" ", "")


@NAMES
def test_its_state_is_json_and_makes_the_same_tokenizer(name):
    tokenizer = fitted(name)
    again = tokenizer_of(TOKENIZERS.choose(name), json.loads(json.dumps(tokenizer.state())))
    assert again.names() == tokenizer.names() and again.state() == tokenizer.state()
    for text in (*TEXTS, "something new 新"):
        assert numbers(again, text) == numbers(tokenizer, text)
        assert again.decode(numbers(again, text)) == tokenizer.decode(numbers(tokenizer, text))


@NAMES
def test_the_same_texts_make_the_same_vocabulary(name):
    assert fitted(name).names() == fitted(name).names()


@NAMES
def test_a_vocabulary_holds_no_more_than_it_may_the_special_ones_counted(name):
    size = 270 if name == "bpe" else 9
    tokenizer = tokenizer_of(TOKENIZERS.choose({"kind": name, "size": size}))
    tokenizer.fit(TEXTS * 3)
    assert len(tokenizer) <= size
    assert len(tokenizer) > len(SPECIALS)


@NAMES
def test_a_tokenizer_fitted_anew_knows_the_new_words_only(name):
    tokenizer = tokenizer_of(TOKENIZERS.choose(name))
    for text in ("aa bb", "cc dd"):
        tokenizer.fit([text])
        assert tokenizer.decode(numbers(tokenizer, text)) == text
        assert "".join(tokenizer.pieces(numbers(tokenizer, text))).replace(" ", "") == text.replace(" ", "")


@NAMES
def test_nothing_to_fit_on_leaves_nothing_known(name):
    tokenizer = tokenizer_of(TOKENIZERS.choose(name))
    tokenizer.fit([])
    assert all(number == UNKNOWN or name == "bpe" for number in tokenizer.encode("a b"))
