"""Which task a data set asks for, and examples in the form of their task."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import Example
from headway.data.recognition import as_target, number, recognize
from headway.errors import DataError, UsageError, Where

HERE = Where("a.tsv", 7)


def rows(*pairs: tuple) -> list[Example]:
    return [Example(source, target, Where("a.tsv", line)) for line, (source, target) in enumerate(pairs, 1)]


def task(*pairs: tuple, **options) -> tuple[str, bool]:
    found = recognize(rows(*pairs), **options)
    assert found.reason.startswith(f"{found.task}: ")
    return found.task, found.several


def many(targets, count: int = 2000) -> list[tuple]:
    """Rows with these targets in turn."""
    return [(f"a text of number {i}", target) for i, target in zip(range(count), itertools.cycle(targets))]


class TestRecognize:
    def test_words_with_a_label_each(self):
        found = recognize(rows((("the", "dog"), ("DT", "NN")), (("runs",), ("VB",))))
        assert (found.task, found.several) == ("tag", False)
        assert found.reason == "tag: 2 rows with a list of one label for every word"
        assert task((("runs",), ("VB",))) == ("tag", False)

    def test_words_with_a_label_each_but_for_mistakes(self):
        good, bad = (("the", "dog"), ("DT", "NN")), (("the", "dog"), ("DT",))
        assert task(*[good] * 9, bad, bad, bad) == ("tag", False)

    def test_a_text_with_a_list_of_a_label_each(self):
        assert task(*[("the dog", ("DT", "NN"))] * 3) == ("tag", False)

    def test_texts_in_columns_with_an_item_each(self):
        pairs = [("the dog runs", "DT NN VB"), ("a cat sleeps", "DT NN VB"), ("stop", "VB")] * 5
        assert task(*pairs) == ("tag", False)
        assert recognize(rows(*pairs)).reason == (
            "tag: the target has one item for every word of the source, 3 different items in 15 rows"
        )
        assert task((("the", "dog"), "DT NN"), (("a", "cat"), "DT NN"), (("a", "dog"), "DT NN")) == ("tag", False)
        mistake = ("two words", "DT")
        assert task(*pairs * 4, mistake) == ("tag", False)
        assert task(*pairs, *[mistake] * 5)[0] != "tag"

    def test_characters_with_their_readings(self):
        readings = dict(zip("你好中国人天地", ("nǐ", "hǎo", "zhōng", "guó", "rén", "tiān", "dì")))
        draw = random.Random(0)
        phrases = ["".join(draw.choices(list(readings), k=draw.randint(2, 4))) for _ in range(100)]
        parted = [(" ".join(p), " ".join(readings[c] for c in p)) for p in phrases]
        assert task(*parted) == ("tag", False)
        whole = [(p, " ".join(readings[c] for c in p)) for p in phrases]
        assert task(*whole) == ("transduce", False)

    def test_six_reviews(self):
        pairs = [("good film", "pos"), ("bad film", "neg"), ("a very good one", "pos")] * 2
        assert task(*pairs) == ("classify", False)
        assert recognize(rows(*pairs)).reason == "classify: the targets are 2 different labels in 6 rows"
        assert task(("good", "pos"), ("bad", "neg"), ("so so", "none"), ("great", "pos")) == ("classify", False)
        assert task(("good", "pos"), ("bad", "neg")) == ("transduce", False)  # nothing repeats: nobody can know
        assert task(*[("a good film", "very good"), ("a bad film", "very bad")] * 3) == ("classify", False)

    def test_one_word_sources_are_classified_and_not_tagged(self):
        assert task(*[("good", "pos"), ("bad", "neg"), ("ugly", "neg")] * 20) == ("classify", False)

    def test_one_label_only(self):
        found = recognize(rows(*many(["pos"])))
        assert found.task == "classify"
        assert found.reason == "classify: the target of 2,000 rows is always 'pos'"

    def test_many_labels_and_long_ones(self):
        assert task(*many([f"label {i}" for i in range(900)])) == ("classify", False)
        assert task(*many([f"label {i}" for i in range(1100)], 5000)) == ("transduce", False)
        assert task(*many(["a label of as many as seven words", "b"])) == ("transduce", False)

    def test_several_labels(self):
        found = recognize(rows(*many([("a", "b"), ("b",), (), ("c", "a", "b")])))
        assert (found.task, found.several) == ("classify", True)
        assert found.reason == "classify: the targets are lists of labels, none or several for a row, 3 different"
        assert task(*many([("a",), ("b",)])) == ("classify", False)
        assert task(*many([("a", "b"), "c", ("a",)])) == ("classify", True)
        assert task((("some", "words"), ("a", "b", "c")), (("other", "words"), ("a",))) == ("classify", True)

    def test_lists_that_hardly_repeat_are_sequences(self):
        assert task(*[(f"text number {i}", (f"w{i}", f"v{i}", f"u{i}", "end")) for i in range(100)]) == (
            "transduce",
            False,
        )

    @pytest.mark.parametrize(
        ("targets", "expected"),
        [
            ([0, 1], "classify"),
            (["0", "1"], "classify"),
            (["1", "2", "3", "4", "5"], "classify"),
            ([-1, 0, 1], "classify"),
            ([1.0, 2.0, 5.0], "classify"),
            (list(range(77)), "classify"),
            (list(range(1, 151)), "classify"),
            (list(range(300)), "regress"),  # more than a tenth of the rows
            (list(range(18, 90)), "regress"),
            ([x * 1000 for x in range(25)], "regress"),
            ([0.5, 1.5], "regress"),
            (["0.5", "-1e3", " 2 "], "regress"),
            ([x * x for x in range(1999)], "regress"),
            (["1.5"] * 99 + ["n/a"], "regress"),  # one in a hundred is a mistake, which `as_target` names
            (["1", "0"] * 49 + ["other"], "classify"),
            (["1.5", "high", "low"], "classify"),
            (["nan", "inf"], "classify"),
            (["1_000", "٣"], "classify"),
        ],
    )
    def test_numbers(self, targets, expected):
        assert task(*many(targets)) == (expected, False)

    def test_few_numbers(self):
        assert task(*many([0, 1, 1, 0], 4)) == ("classify", False)
        assert task(*many([0, 1, 2, 1], 4)) == ("classify", False)
        assert task(*many([10, 25, 31, 47, 52, 66], 6)) == ("regress", False)
        assert recognize(rows(*many([10, 25, 31], 3))).reason == (
            "regress: the targets are whole numbers, 3 different in 3 rows"
        )
        assert recognize(rows(*many([0.5, 25, 31]))).reason == (
            "regress: the targets are numbers with a fraction, 3 different in 2,000 rows"
        )
        assert (
            recognize(rows(*many([0, 1]))).reason == "classify: the targets are 2 different whole numbers in 2,000 rows"
        )

    def test_spelling_to_sounds(self):
        lexicon = {
            "dog": "D AO1 G",
            "light": "L AY1 T",
            "a": "AH0",
            "cat": "K AE1 T",
            "though": "DH OW1",
            "knee": "N IY1",
        }
        pairs = [(word + "s" * i, sounds + " Z" * i) for word, sounds in lexicon.items() for i in range(20)]
        assert task(*pairs) == ("transduce", False)
        assert task(*[(" ".join(word), sounds) for word, sounds in pairs]) == ("transduce", False)
        assert task(("appellation", "AE2 P AH0 L EY1 SH AH0 N")) == ("transduce", False)

    def test_translations(self):
        draw = random.Random(1)
        text = lambda: " ".join(draw.choices([f"w{i}" for i in range(500)], k=draw.randint(1, 12)))  # noqa: E731
        found = recognize(rows(*[(text(), text()) for _ in range(500)]))
        assert found.task == "transduce" and found.reason.startswith("transduce: the targets are texts, ")
        words = [(f"wort{i}", f"word{i}") for i in range(500)]
        assert task(*words) == ("transduce", False)

    def test_parallel_files(self):
        pairs = [("the dog", "DT NN")] * 20
        assert task(*pairs) == ("tag", False)
        assert task(*pairs, parallel=True) == ("transduce", False)
        assert recognize(rows(*pairs), parallel=True).reason == "transduce: the files are parallel, line by line"

    @pytest.mark.parametrize("asked", ["tag", "classify", "regress", "transduce"])
    def test_the_user_has_the_first_word(self, asked):
        assert task(*many(["a", "b"]), override=asked) == (asked, False)
        assert task(*many(["a", "b"]), override=asked, parallel=True) == (asked, False)
        assert recognize([], asked).reason == f"{asked}: as asked"
        assert task(*many([("a", "b"), ()]), override="classify") == ("classify", True)

    def test_an_unknown_task(self):
        with pytest.raises(
            UsageError, match=r"no task called 'clasify'; there are: classify, .* Did you mean 'classify'\?"
        ):
            recognize(rows(("a", "b")), "clasify")

    def test_no_targets(self):
        with pytest.raises(UsageError) as caught:
            recognize(rows(("good film,pos", None), ("bad", "")))
        assert str(caught.value) == (
            "no target was found in 2 rows; the first is a.tsv:1: 'good film,pos'. If the target stands in a column or "
            "under a key of its own, choose it: --data.source NAME --data.target NAME (a name in the first line, a "
            "key, or a number from 1). In a .tsv tabs part the columns, in a .csv commas"
        )
        with pytest.raises(UsageError, match="there are no examples to learn from"):
            recognize([])

    def test_rows_without_target_do_not_count(self):
        assert task(*many(["pos", None, "neg", ""])) == ("classify", False)

    @given(
        st.lists(
            st.tuples(
                st.text(min_size=1) | st.lists(st.text(min_size=1), min_size=1).map(tuple),
                st.none() | st.text() | st.integers() | st.floats() | st.lists(st.text()).map(tuple),
            ),
            max_size=30,
        ),
        st.booleans(),
    )
    def test_anything_is_some_task_and_every_row_fits_or_is_complained_about(self, pairs, parallel):
        try:
            found = recognize(rows(*pairs), parallel=parallel)
        except UsageError:
            return
        for example in rows(*pairs):
            try:
                ready = as_target(example, found.task, found.several)
            except DataError as error:
                assert str(error).startswith(str(example.where))
            else:
                assert as_target(ready, found.task, found.several) == ready


# ------------------------------------------------------------------------------------------------------------ as_target


def ready(source, target, task: str, several: bool = False, others: tuple = ()) -> Example:
    return as_target(Example(source, target, HERE, others), task, several)


def complaint(source, target, task: str, several: bool = False, others: tuple = ()) -> str:
    with pytest.raises(DataError) as caught:
        ready(source, target, task, several, others)
    assert caught.value.where == HERE
    return str(caught.value)


class TestAsTarget:
    def test_tag(self):
        expected = Example(("the", "dog"), ("DT", "NN"), HERE)
        assert ready(("the", "dog"), ("DT", "NN"), "tag") == expected
        assert ready("the  dog", " DT NN ", "tag") == expected
        assert ready("the dog", (" DT", "NN"), "tag") == expected
        assert ready("one", 1, "tag") == Example(("one",), ("1",), HERE)
        found = ready("the dog", "DT NN", "tag", others=("DT NN", "X Y"))
        assert found.others == (("DT", "NN"), ("X", "Y"))

    def test_tag_with_other_numbers_of_words_and_labels(self):
        assert complaint("the dog runs away now", "DT NN", "tag") == (
            "a.tsv:7: 5 words and 2 labels: every word needs one label; "
            "the words begin 'the dog runs away', the labels 'DT NN'"
        )
        assert complaint(("dog",), ("NN", "VB"), "tag").startswith("a.tsv:7: 1 word and 2 labels: every word needs one")
        assert complaint("dog", "", "tag").startswith("a.tsv:7: 1 word and 0 labels")
        assert complaint(("a", "b"), ("X", " "), "tag") == "a.tsv:7: a label is empty"
        assert complaint("the dog", "DT NN", "tag", others=("DT",)).startswith("a.tsv:7: 2 words and 1 label: every")

    def test_classify(self):
        assert ready("a", " pos ", "classify").target == "pos"
        assert ready("a", 3, "classify").target == "3"
        assert ready("a", 3.0, "classify").target == "3"
        assert ready("a", 0.5, "classify").target == "0.5"
        assert ready("a", ("pos",), "classify").target == "pos"
        assert ready("a", "pos", "classify", others=("neg",)).others == ("neg",)
        assert complaint("a", " ", "classify") == "a.tsv:7: the target is empty"
        assert complaint("a", ("x", "y", "z"), "classify") == (
            "a.tsv:7: 3 labels, and one is expected, as the first rows have one: 'x y z'"
        )
        assert complaint("a", (), "classify").startswith("a.tsv:7: 0 labels, and one is expected")

    def test_classify_with_several(self):
        assert ready("a", ("x ", "y", "x"), "classify", True).target == ("x", "y")
        assert ready("a", (), "classify", True).target == ()
        assert ready("a", "x", "classify", True).target == ("x",)
        assert complaint("a", ("x", ""), "classify", True) == "a.tsv:7: a label is empty"

    def test_regress(self):
        assert [ready("a", value, "regress").target for value in (2, 0.5, " -1.5e3 ", "+.5", "7.")] == [
            2.0,
            0.5,
            -1500.0,
            0.5,
            7.0,
        ]
        assert type(ready("a", 2, "regress").target) is float
        assert ready("a", 2, "regress", others=("3",)).others == (3.0,)
        for wrong in ("abc", "nan", "inf", "-Infinity", "1_000", "0x1", "٣", "1e999", ""):
            assert complaint("a", wrong, "regress") == (
                f"a.tsv:7: the target {wrong!r} is no finite number, and regress needs one"
            )
        assert complaint("a", math.nan, "regress").startswith("a.tsv:7: the target 'nan' is no finite number")
        assert complaint("a", 10**400, "regress").endswith("is no finite number, and regress needs one")
        assert complaint("a", "1,5", "regress").endswith("regress needs one; write a point and not a comma")
        assert complaint("a", ("1", "2"), "regress").startswith("a.tsv:7: the target '1 2' is no finite number")

    def test_transduce(self):
        assert ready("a", "b  c ", "transduce").target == "b  c "
        assert ready(("a",), ("b", "c"), "transduce") == Example(("a",), "b c", HERE)
        assert ready("a", 3, "transduce", others=("three", 3.0)).references == ("3", "three", "3")
        assert complaint("a", " ", "transduce") == "a.tsv:7: the target is empty"

    @pytest.mark.parametrize("task", ["tag", "classify", "regress", "transduce"])
    def test_no_target(self, task):
        assert complaint("a", None, task) == f"a.tsv:7: there is no target, and {task} needs one"

    def test_messages_are_printable(self):
        assert "\x1b" not in complaint("a\x1b[2J b", "x\x1b", "tag") + complaint("a", "\x1b", "regress")

    @given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
    def test_numbers_are_read_as_they_are_written(self, value):
        assert number(value) == number(str(value)) == number(f" {value!r} ")
        assert number(value) == (float(value) if abs(value) < 1e300 else number(value))

    def test_what_is_no_number(self):
        assert number(True) is None and number(("1",)) is None and number(None) is None
