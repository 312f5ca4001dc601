"""Words, characters and pieces of words: what is cut where, what comes back, what is known."""

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import PAD, SPECIALS, UNKNOWN
from headway.data.tokenizers import TOKENIZERS, most_frequent, tokenizer_of, vocabulary_of
from headway.data.tokenizers.bpe import BytePairs
from headway.data.tokenizers.bpe import Settings as PairSettings
from headway.data.tokenizers.character import Character
from headway.data.tokenizers.character import Settings as CharacterSettings
from headway.data.tokenizers.word import Settings as WordSettings
from headway.data.tokenizers.word import Word

TEXTS = [
    "The dog barks, and the dogs bark.",
    "我爱北京天安门 and Peking.",
    "Ünïcödé, naïve café",
    "it's the dog's day",
] * 3


def words(texts=TEXTS, **settings) -> Word:
    tokenizer = Word(WordSettings(**settings))
    tokenizer.fit(texts)
    return tokenizer


def characters(texts=TEXTS, **settings) -> Character:
    tokenizer = Character(CharacterSettings(**settings))
    tokenizer.fit(texts)
    return tokenizer


def pieces(texts=TEXTS, size: int = 320, **settings) -> BytePairs:
    tokenizer = BytePairs(PairSettings(size=size, **settings))
    tokenizer.fit(texts)
    return tokenizer


PIECES = pieces()


# ------------------------------------------------------------------------------------------------------ the vocabulary


def test_the_frequent_come_first_and_ties_in_alphabetic_order():
    counts = Counter({"b": 3, "a": 3, "z": 9, "rare": 1, "<pad>": 50})
    assert most_frequent(counts, 100, 1) == ["z", "a", "b", "rare"]
    assert most_frequent(counts, 100, 2) == ["z", "a", "b"]
    assert most_frequent(counts, 6, 1) == ["z", "a"]  # four of the six are the special ones
    assert most_frequent(counts, 3, 1) == []
    assert vocabulary_of(["z", "a"]) == {"z": 4, "a": 5}


def test_a_word_that_is_spelled_like_a_special_one_is_unknown():
    tokenizer = words([("<pad>", "<end>", "dog")])
    assert tokenizer.encode(("<pad>", "<end>", "dog")).tolist() == [UNKNOWN, UNKNOWN, 4]
    assert PAD not in words(["<pad> <pad>"], split="blanks").encode("<pad> <unk>")


# --------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("The dog barks.", ["The", "dog", "barks", "."]),
        ("it's the dogs’ day", ["it's", "the", "dogs", "’", "day"]),
        ("don't, can’t", ["don't", ",", "can’t"]),
        ("我爱北京。", ["我", "爱", "北", "京", "。"]),
        ("用Python写code", ["用", "Python", "写", "code"]),
        ("snake_case 3.14", ["snake", "_", "case", "3", ".", "14"]),
        ("a  b\tc\n", ["a", "b", "c"]),
        ("Ünïcödé naïve", ["Ünïcödé", "naïve"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),
        ("กิน, เด็ก", ["กิน", ",", "เด็ก"]),
        ("مُحَمَّد می\u200cخواهم", ["مُحَمَّد", "می\u200cخواهم"]),
        ("cafe\u0301's e\u0301te\u0301!", ["cafe\u0301's", "e\u0301te\u0301", "!"]),
        ("❤\ufe0f葛\U000e0100飾", ["❤\ufe0f", "葛\U000e0100", "飾"]),
        ("\u0301a", ["\u0301", "a"]),
        ("(¿Qué?)", ["(", "¿", "Qué", "?", ")"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_cut_at_blanks_and_around_punctuation_and_han(text, elements):
    assert list(words().elements(text)) == elements


def test_words_that_the_file_gives_are_taken_as_they_are():
    assert words().elements(("don't cut", "this.")) == ("don't cut", "this.")
    assert words(split="blanks").elements("AH0 B-1, ˈkæt") == ["AH0", "B-1,", "ˈkæt"]


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_what_stands_around_it_does_not_change_how_ascii_is_cut(text):
    assert words([]).elements(f"{text} é") == [*words([]).elements(text), "é"]


@given(st.text(max_size=60))
def test_no_character_is_lost_between_the_cuts_but_blanks(text):
    assert "".join(words([]).elements(text)) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "The dog barks, and the dogs bark.",
        "我爱北京，天安门。",
        "(a dog) [b] {c}",
        "“quoted” ‘words’",
        "it's true: 100%!",
    ],
)
def test_words_are_put_together_as_they_are_written(text):
    tokenizer = words([text])
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


def test_symbols_are_put_together_with_blanks():
    tokenizer = words(["K AE1 T ."], split="blanks")
    assert tokenizer.decode(tokenizer.encode("K AE1 T .").tolist()) == "K AE1 T ."


def test_an_unknown_word_is_unknown_and_shown_as_such():
    tokenizer = words()
    ids = tokenizer.encode("the zebra").tolist()
    assert ids[1] == UNKNOWN and tokenizer.pieces(ids) == ("the", "<unk>")
    assert tokenizer.shown("the zebra") == ("the", "zebra")
    assert tokenizer.number("zebra") == UNKNOWN and tokenizer.number("the") == ids[0]


def test_lower_case_words_are_known_by_their_small_letters():
    tokenizer = words(["The the DOG"], lowercase=True)
    assert tokenizer.names()[4:] == ["the", "dog"]
    assert tokenizer.encode("THE Dog").tolist() == [4, 5]
    assert tokenizer.shown("THE Dog") == ("THE", "Dog")


def test_a_word_must_occur_often_enough():
    assert words(["a a b"], least=2).names()[4:] == ["a"]
    assert words(["a a a b b c"], size=6).names()[4:] == ["a", "b"]


# ---------------------------------------------------------------------------------------------------------- characters


@given(st.text(st.sampled_from("thedogs ,.我爱北京Ü"), max_size=40))
def test_characters_that_training_saw_come_back(text):
    tokenizer = characters(["thedogs ,.我爱北京Ü"])
    ids = tokenizer.encode(text).tolist()
    assert len(ids) == len(text) and tokenizer.decode(ids) == text and UNKNOWN not in ids


def test_a_character_that_training_never_saw_is_unknown():
    tokenizer = characters(["abc"])
    assert tokenizer.encode("a☃c").tolist()[1] == UNKNOWN
    assert tokenizer.pieces([4, 0, 1, 2, 3]) == ("a", *SPECIALS)


def test_words_are_read_with_blanks_between_their_characters():
    tokenizer = characters(["ab cd"])
    assert tokenizer.encode(("ab", "cd")).tolist() == tokenizer.encode("ab cd").tolist()
    assert characters(["AB ab"], lowercase=True).encode("AbA").tolist() == [4, 5, 4]


# ------------------------------------------------------------------------------------------------- byte-pair encoding


@given(st.text(max_size=60))
def test_pieces_lose_nothing_of_any_text_but_its_composition(text):
    """Every text comes back as NFC writes it: composed characters, everything else as it was."""
    ids = PIECES.encode(text).tolist()
    assert PIECES.decode(ids) == unicodedata.normalize("NFC", text)
    assert all(len(SPECIALS) <= number < len(PIECES) for number in ids)


@given(st.text(max_size=20), st.text(max_size=20))
def test_special_ones_cannot_be_spelled_in_pieces(before, after):
    for special in SPECIALS:
        ids = PIECES.encode(before + special + after)
        assert (ids >= len(SPECIALS)).all()
        assert PIECES.decode(ids.tolist()) == unicodedata.normalize("NFC", before + special + after)


def test_special_ones_are_left_out_when_pieces_become_text():
    ids = PIECES.encode("the dog").tolist()
    assert PIECES.decode([2, *ids, 3, 0, 0]) == "the dog"
    assert PIECES.decode([]) == ""


def test_a_word_has_the_same_pieces_at_the_beginning_and_inside():
    dog = PIECES.encode("dog").tolist()
    assert PIECES.encode("the dog").tolist()[-len(dog) :] == dog
    assert PIECES.encode(("the", "dog")).tolist() == PIECES.encode("the dog").tolist()


def test_han_characters_are_parted_so_no_piece_runs_over_two():
    tokenizer = pieces(["我爱北京" * 5] * 50, size=600)
    shown = tokenizer.shown("我爱北京")
    assert "".join(shown).strip() == "我爱北京"
    assert all(len(piece.strip()) <= 1 for piece in shown)


def test_mixed_scripts_come_back():
    for text in ("我用Python写code。", "Ünïcödé 和 emoji 🐕‍🦺", "a\u0301", "e\u0301\u0323", "\u200bzero", "tab\there"):
        assert PIECES.decode(PIECES.encode(text).tolist()) == unicodedata.normalize("NFC", text)


def test_a_piece_that_is_a_part_of_a_character_shows_its_bytes():
    tokenizer = pieces(["abc"], size=260)
    shown = tokenizer.shown("我")
    assert len(shown) > 1 and all(len(piece) >= 1 and "\ufffd" not in piece for piece in shown)


def test_frequent_pairs_become_pieces_up_to_the_size():
    tokenizer = pieces(["the dog the dog the dog"] * 9, size=264)
    assert len(tokenizer) <= 264
    assert len(tokenizer.encode("the dog")) < len("the dog")
    with_none = pieces(["the dog"], size=260, least=2)
    assert len(with_none) == 260 and len(with_none.encode("the dog")) == len(" the dog")


def test_capital_letters_may_be_read_as_small_ones():
    tokenizer = pieces(["the dog"], lowercase=True)
    assert tokenizer.decode(tokenizer.encode("The DOG").tolist()) == "the dog"


def test_training_is_deterministic_and_the_order_of_the_texts_does_not_matter():
    assert pieces(TEXTS).state() == pieces(TEXTS).state()
    assert pieces(list(reversed(TEXTS))).names() == PIECES.names()


def test_unfitted_every_tokenizer_is_there_and_knows_little():
    for kind in ("word", "character", "bpe"):
        tokenizer = tokenizer_of(TOKENIZERS.choose(kind))
        assert len(tokenizer) >= len(SPECIALS) and isinstance(tokenizer.encode("a b"), np.ndarray)
