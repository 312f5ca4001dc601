"""The figures of a training part, counted by hand on a few rows."""

import pytest

from headway.batch import Example
from headway.data.survey import SYMBOLS, Survey, survey


def rows(*pairs: tuple) -> list[Example]:
    return [Example(source, target) for source, target in pairs]


def test_texts_are_counted_in_words():
    found = survey(rows(("a good film", "pos"), ("bad", "neg"), ("so so", "neg")), "classify", False)
    assert found == Survey("classify", False, 3, 6, 3, given_words=False, single_words=False, han=0.0)


def test_words_that_the_file_gives_are_words_even_where_there_is_one_a_row():
    found = survey(rows((("dog",), ("N",)), (("cat",), ("N",))), "tag", False)
    assert found.given_words and not found.single_words and (found.elements, found.longest) == (2, 1)


def test_single_words_are_counted_in_characters():
    found = survey(rows(("word", "W ER D"), ("go", "G OW")), "transduce", False)
    assert found.single_words and (found.elements, found.longest) == (6, 4)
    assert survey(rows(*[("word", "x")] * 8, ("two words", "x"), ("a b", "x")), "classify", False).single_words
    assert not survey(
        rows(*[("word", "x")] * 8, ("three words here", "x"), ("a b", "x")), "classify", False
    ).single_words


def test_han_is_a_share_of_the_letters_and_its_texts_are_counted_in_characters():
    found = survey(rows(("我爱北京。", "x"), ("ok 123", "y")), "classify", False)
    assert found.han == 4 / 6 and not found.single_words and (found.elements, found.longest) == (11, 6)
    assert survey(rows(("123 ...", "x")), "classify", False).han == 0.0


def test_targets_of_few_items_that_come_again_and_again_are_symbols():
    phones = rows(*[("word", "W ER D"), ("weed", "W IY D")] * 10)
    assert survey(phones, "transduce", False).symbols == 4
    assert survey(phones, "classify", False).symbols == 0
    assert survey(phones[:6], "transduce", False).symbols == 0  # 18 items, and 4 are different
    many = rows(*[("word", f"a{n % (SYMBOLS + 1)} b c") for n in range(10_000)])
    assert survey(many, "transduce", False).symbols == 0


@pytest.mark.parametrize(
    ("pairs", "single", "same"),
    [
        ([("word", "drow"), ("dog", "god")], True, True),
        ([("the dog eats", "der Hund frisst"), ("the cat sleeps", "die Katze schläft")], False, True),
        ([("the dog runs", "狗跑"), ("the cat", "猫")], True, False),
        ([("dog", "D AO1 G"), ("cat", "K AE1 T")], False, False),
    ],
)
def test_targets_that_are_words_and_targets_of_the_same_letters(pairs, single, same):
    found = survey(rows(*pairs), "transduce", False)
    assert (found.single_targets, found.same_script) == (single, same)
