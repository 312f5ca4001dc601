"""Exact match, error rates of words, characters and phones, BLEU and chrF."""

from functools import cache

import jiwer
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.batch import Example, TransduceAnswer
from headway.metrics import METRICS

words = st.lists(st.sampled_from(["AA", "B", "K", "the", "cat", "a"]), max_size=7).map(" ".join)
texts = st.text("ab c", max_size=9).map(lambda text: " ".join(text.split()))
some_words = st.lists(st.sampled_from(["AA", "B", "K", "the", "cat"]), min_size=1, max_size=7).map(" ".join)
items_of = lambda text: st.lists(st.tuples(text, st.lists(text, min_size=1, max_size=3)), min_size=1, max_size=7)  # noqa: E731
"""(output, its references) for each row."""
RATES = ("word_error_rate", "phone_error_rate", "character_error_rate")


def measured(name: str, items):
    metric = METRICS.part(name)()
    metric.add(
        [TransduceAnswer(text) for text, _ in items],
        [Example("", references[0], others=tuple(references[1:])) for _, references in items],
    )
    return metric


def value(name: str, items) -> float:
    return measured(name, items).value()


@cache
def edits(a: tuple, b: tuple) -> int:
    """The fewest substitutions, deletions and insertions, by trying all of them."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return edits(a[1:], b[1:])
    return 1 + min(edits(a[1:], b[1:]), edits(a[1:], b), edits(a, b[1:]))


# ------------------------------------------------------------------------------------------------------- exact match


def test_any_reference_makes_a_match():
    items = [("a b", ["a b"]), ("a b", ["a c", "a b"]), ("a b", ["a  b"]), ("", ["x"])]
    assert value("exact_match", items) == 2 / 4
    assert value("sequence_error_rate", items) == 2 / 4


# ------------------------------------------------------------------------------------------------------- error rates


@given(items_of(words))
@settings(deadline=None)
def test_error_rates_against_brute_force(items):
    for name, split in zip(RATES, (str.split, str.split, list)):
        errors = length = 0
        for text, references in items:
            units = [tuple(split(reference)) for reference in references]
            fewest, longest = min((edits(r, tuple(split(text))), -len(r)) for r in units)
            errors, length = errors + fewest, length - longest
        assert value(name, items) == pytest.approx(errors / length if length else errors)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=7))
@settings(deadline=None)
def test_one_reference_as_jiwer(pairs):
    outputs, references = [o for o, _ in pairs], [r for _, r in pairs]
    items = [(output, [reference]) for output, reference in pairs]
    assert value("word_error_rate", items) == pytest.approx(jiwer.wer(references, outputs))
    assert value("character_error_rate", items) == pytest.approx(jiwer.cer(references, outputs))


@given(items_of(words))
@settings(deadline=None, max_examples=40)
def test_the_order_of_references_does_not_matter(items):
    turned = [(text, references[::-1] + references[:1]) for text, references in items]
    for name in (*RATES, "exact_match", "sequence_error_rate"):
        assert value(name, items) == value(name, turned)


@given(items_of(some_words))
@settings(deadline=None, max_examples=40)
def test_no_errors_exactly_where_all_match(items):
    right = all(text in references for text, references in items)
    for name in (*RATES, "sequence_error_rate"):
        assert (value(name, items) == 0) == right


def test_phone_error_rate_by_hand():
    items = [
        ("HH AH L OW", ["HH EH L OW", "HH AH L OW"]),  # the second pronunciation is entirely right: 0 of 4
        ("K AE T S", ["K AE T"]),  # one too many: 1 of 3
        ("D", ["D AO G"]),  # two missing: 2 of 3
    ]
    assert value("phone_error_rate", items) == pytest.approx(3 / 10)
    assert value("sequence_error_rate", items) == pytest.approx(2 / 3)


def test_of_references_that_are_as_near_the_longest_counts():
    # `a b c` is one error from `a b` and from `a b c d`: 1 of 4, and not 1 of 2
    assert value("word_error_rate", [("a b c", ["a b", "a b c d"])]) == pytest.approx(1 / 4)


def test_empty_references():
    assert value("word_error_rate", [("", [""])]) == 0
    assert value("word_error_rate", [("a b", [""])]) == 2  # as jiwer: the number of insertions
    assert value("word_error_rate", [("a b", [""]), ("c", ["c"])]) == 2


def test_the_signature_of_an_error_rate():
    metric = measured("character_error_rate", [("a", ["a"])])
    version = METRICS.part("character_error_rate")().signature().rpartition(":")[2]
    assert metric.signature() == (
        f"character_error_rate|references:nearest|by:jiwer.process_characters|version:{version}"
    )


# ------------------------------------------------------------------------------------------------------ BLEU and chrF

ITEMS = [
    ("the cat sat on the mat .", ["the cat sat on a mat .", "a cat sat on the mat ."]),
    ("he reads a book today", ["he reads the book today"]),
    ("they went home early", ["they all went home early", "they went home", "early they went home"]),
]


def test_bleu_and_chrf_of_one_reference_are_sacrebleus():
    outputs, references = [text for text, _ in ITEMS], [references[0] for _, references in ITEMS]
    items = [(text, [reference]) for text, reference in zip(outputs, references)]
    assert value("bleu", items) == sacrebleu.corpus_bleu(outputs, [references]).score
    assert value("chrf", items) == sacrebleu.corpus_chrf(outputs, [references]).score


def test_different_numbers_of_references():
    outputs = [text for text, _ in ITEMS]
    streams = [[rs[i] if i < len(rs) else None for _, rs in ITEMS] for i in range(3)]
    assert value("bleu", ITEMS) == sacrebleu.corpus_bleu(outputs, streams).score
    assert value("chrf", ITEMS) == sacrebleu.corpus_chrf(outputs, streams).score
    assert value("bleu", ITEMS) > value("bleu", [(text, rs[:1]) for text, rs in ITEMS])


def test_bleu_by_hand():
    # `a b c d e` for `a b c d f`: 4/5 words, 3/4 pairs, 2/3 triples, 1/2 of four, same length -> (1/5)^(1/4)
    assert value("bleu", [("a b c d e", ["a b c d f"])]) == pytest.approx(100 * 0.2**0.25)


@given(items_of(some_words))
@settings(deadline=None, max_examples=25)
def test_bleu_does_not_care_for_the_order_of_references(items):
    turned = [(text, references[::-1]) for text, references in items]
    assert value("bleu", items) == pytest.approx(value("bleu", turned))


def test_signatures_are_sacrebleus():
    version = sacrebleu.__version__
    one = [(text, references[:1]) for text, references in ITEMS]
    assert measured("bleu", one).signature() == f"BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}"
    assert measured("bleu", ITEMS).signature() == (
        f"BLEU|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}"
    )
    assert measured("chrf", one).signature() == f"chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{version}"
    assert measured("bleu", []).signature() == f"bleu|nothing scored|version:{version}"


def test_chinese_is_parted_into_characters():
    chinese = [("手动对齐公式部分", ["手动对齐公式的部分"]), ("打开 Writer 文档", ["打开 Writer 文件"])]
    assert "tok:zh" in measured("bleu", chinese).signature()
    outputs, references = [text for text, _ in chinese], [references[0] for _, references in chinese]
    assert value("bleu", chinese) == sacrebleu.corpus_bleu(outputs, [references], tokenize="zh").score
    assert value("bleu", chinese) > value("bleu", [(text, [r]) for text, r in zip(outputs, ["x y z w"] * 2)])


@pytest.mark.parametrize(
    ("text", "tokenizer"),
    [("the 猫", "13a"), ("猫と犬がいます", "13a"), ("我 1234 !!", "zh"), ("123", "13a"), ("", "13a")],
)
def test_chinese_is_told_by_most_of_the_letters(text: str, tokenizer: str):
    assert f"tok:{tokenizer}|" in measured("bleu", [("a", [text])]).signature()


def test_text_that_looks_tokenized_is_scored_without_a_word(caplog, capfd):
    value("bleu", [("a b c d .", ["a b c d ."])] * 200)
    assert not caplog.records and capfd.readouterr() == ("", "")
