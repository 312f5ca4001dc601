"""The classical methods that read n-grams: their formulas, beside scikit-learn's."""

import random
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.multiclass import OneVsRestClassifier

from headway.batch import ClassifyAnswer, Example
from headway.lab.baselines import Baseline, baselines_for
from headway.lab.baselines._lbfgs import minimise
from headway.lab.baselines._logistic import Logistic
from headway.lab.baselines._nearest import Index
from headway.lab.baselines._ridge import ALPHAS, Ridge
from headway.lab.baselines._sparse import BUCKETS, Sparse, TfIdf, counts, unit_of

# ------------------------------------------------------------------------------------------------------ n-grams, tf-idf

WORDS = ["the", "a", "good", "bad", "film", "was", "not", "very", "it", "is", "!", "dull", "bright"]
CORPUS = [" ".join(random.Random(seed).choices(WORDS, k=3 + seed % 17)) for seed in range(60)]
THEIRS = {"word": {"token_pattern": r"\w+|[^\w\s]"}, "character": {"analyzer": "char"}}


def dense(rows: Sparse, columns: int) -> np.ndarray:
    return csr_matrix((rows.values, rows.columns, rows.starts), shape=(len(rows), columns)).toarray()


@pytest.mark.parametrize("unit", ["word", "character"])
def test_counts_as_scikit_learn_has_them(unit, monkeypatch):
    monkeypatch.setattr("headway.lab.baselines._sparse.CHUNK", 101)  # several chunks
    seen = counts([*CORPUS, "", "x"], unit, 3)
    theirs = CountVectorizer(ngram_range=(1, 3), **THEIRS[unit]).fit_transform([*CORPUS, "", "x"])
    assert len(seen) == theirs.shape[0]
    for row in range(len(seen)):
        part = slice(seen.starts[row], seen.starts[row + 1])
        assert sorted(seen.values[part]) == sorted(theirs[row].data)
    assert len(np.unique(seen.columns)) == theirs.shape[1]


@pytest.mark.parametrize("unit", ["word", "character"])
@pytest.mark.parametrize("least", [1, 2])
def test_weights_as_scikit_learn_has_them(unit, least: int):
    weigh = TfIdf(counts(CORPUS[:40], unit, 2), least)
    theirs = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=least, **THEIRS[unit]).fit(CORPUS[:40])
    ours = dense(weigh(counts(CORPUS, unit, 2)), len(weigh.columns))
    expected = theirs.transform(CORPUS).toarray()
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours @ ours.T, expected @ expected.T, atol=1e-12)  # the order of columns is free


@given(st.lists(st.text(max_size=9), max_size=7), st.sampled_from(["word", "character"]))
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_counted(texts, unit):
    seen = counts(texts, unit, 3)
    assert len(seen) == len(texts) and (seen.columns < BUCKETS).all()
    if unit == "character":
        lengths = np.array([len(text) for text in texts], int)
        expected = sum(np.maximum(lengths - n, 0) for n in range(3))
        np.testing.assert_array_equal(np.bincount(seen.rows, seen.values, len(seen)), expected * np.ones(len(texts)))


def test_products_with_sparse_rows():
    rows = counts(CORPUS[:7], "word", 2)
    place = {column: number for number, column in enumerate(np.unique(rows.columns))}
    rows = Sparse(rows.starts, np.array([place[c] for c in rows.columns], np.int32), rows.values)
    table, dice = dense(rows, len(place)), np.random.default_rng(0)
    x, r = dice.normal(size=len(place)), dice.normal(size=7)
    np.testing.assert_allclose(rows @ x, table @ x)
    np.testing.assert_allclose(rows.transposed(r, len(place)), table.T @ r)
    np.testing.assert_allclose(rows.take(np.array([5, 0, 5])) @ x, table[[5, 0, 5]] @ x)


@pytest.mark.parametrize(
    ("texts", "unit"),
    [
        (["a good film", "so dull"], "word"),
        (["Donaudampfschifffahrt ist lang"], "word"),
        (["小熊宝宝我觉得孩子不喜欢，能换别的吗", "用 Python 写的，不错不错不错不错不错"], "character"),
        (["CC(C)(C)C1=CC", "CCO"], "character"),
    ],
)
def test_what_is_counted(texts, unit):
    assert unit_of(texts) == unit


# ------------------------------------------------------------------------------------------------------------ classify


def test_minimising_a_bent_valley():
    def rosenbrock(p):
        x, y = p
        bend = y - x * x
        return (1 - x) ** 2 + 100 * bend**2, np.array([-2 * (1 - x) - 400 * x * bend, 200 * bend])

    np.testing.assert_allclose(minimise(rosenbrock, np.array([-1.2, 1.0]), 200, 1e-9), [1, 1], atol=1e-6)
    np.testing.assert_array_equal(minimise(rosenbrock, np.array([1.0, 1.0]), 200, 1e-9), [1, 1])


def test_minimising_from_a_summit():
    # x⁴ − 8x² curves the other way up to 1.15, where a step says nothing of the valley, which is at 2
    found = minimise(lambda x: (float(x[0] ** 4 - 8 * x[0] ** 2), 4 * x**3 - 16 * x), np.array([0.1]), 200, 1e-9)
    assert found[0] == pytest.approx(2)


def weighed(texts: list[str]) -> tuple[Sparse, np.ndarray]:
    seen = counts(texts, "word", 2)
    weigh = TfIdf(seen)
    rows = weigh(seen)
    return rows, dense(rows, len(weigh.columns))


@pytest.mark.parametrize("labels", [2, 3])
def test_logistic_regression_as_scikit_learn(labels: int):
    rows, table = weighed(CORPUS)
    truth = np.array([number * 7 % 11 % labels for number in range(len(CORPUS))])
    model = Logistic(exclusive=labels > 2, C=3.0, steps=500, tolerance=1e-8)
    targets = np.eye(labels)[truth]
    model.fit(rows, table.shape[1], targets[:, 1:] if labels == 2 else targets)
    theirs = LogisticRegression(C=3.0, tol=1e-8, max_iter=1000).fit(table, truth).predict_proba(table)
    np.testing.assert_allclose(model.chances(rows), theirs[:, 1:] if labels == 2 else theirs, atol=1e-5)


def test_several_labels_are_one_against_the_rest():
    rows, table = weighed(CORPUS)
    targets = np.array([[number % 2, number % 3 == 0, number % 5 == 0] for number in range(len(CORPUS))], float)
    model = Logistic(exclusive=False, C=3.0, steps=500, tolerance=1e-8)
    model.fit(rows, table.shape[1], targets)
    theirs = OneVsRestClassifier(LogisticRegression(C=3.0, tol=1e-8, max_iter=1000)).fit(table, targets.astype(int))
    np.testing.assert_allclose(model.chances(rows), theirs.predict_proba(table), atol=1e-5)


def fitted(examples: list[Example], place: int = 1) -> Baseline:
    baseline = [each for each in baselines_for("classify") if each.name in ("majority", "ngram")][place]
    baseline.fit(examples)
    return baseline


def test_one_label_of_two_and_of_three():
    for labels in (("bad", "good"), ("bad", "fair", "good")):
        examples = [Example(f"it is {label} indeed", label) for label in labels for _ in range(3)]
        answers = fitted(examples).predict([Example(f"{label} !") for label in labels])
        assert [answer.label for answer in answers] == list(labels)
        for answer in answers:
            assert set(answer.scores) == set(labels) and sum(answer.scores.values()) == pytest.approx(1)
            assert answer.score == max(answer.scores.values())


def test_several_labels_none_and_one():
    rows = [("red round", ("round", "red")), ("red", ("red",)), ("round", ("round",)), ("plain", ())]
    ngram = fitted([Example(text, labels) for text, labels in rows * 9])
    answers = ngram.predict([Example(text) for text, _ in rows])
    assert [set(answer.labels) for answer in answers] == [set(labels) for _, labels in rows]
    assert answers[0].score == min(answers[0].scores.values())
    assert answers[3].score == 1 - max(answers[3].scores.values())


def test_a_single_label_is_always_right():
    assert fitted([Example("a b", "x"), Example("c d", "x")]).predict([Example("e")])[0].label == "x"


def test_letters_speak_where_there_are_no_blanks():
    ngram = fitted([Example("孩子很喜欢", "good"), Example("质量不好", "bad"), Example("喜欢喜欢", "good")] * 3)
    assert ngram.note == "logistic regression on tf-idf of character 1-2 grams"
    assert [answer.label for answer in ngram.predict([Example("我喜欢"), Example("真不好")])] == ["good", "bad"]


def test_the_most_frequent_label_or_set():
    majority = fitted([Example("", "b"), Example("", "a"), Example("", "b")], place=0)
    assert majority.predict([Example("x")]) == [ClassifyAnswer(("b",), 2 / 3)]
    majority = fitted([Example("", ("b", "a")), Example("", ("a", "b")), Example("", ("a",))], place=0)
    assert majority.predict([Example("x")]) == [ClassifyAnswer(("a", "b"), 2 / 3)]


# ------------------------------------------------------------------------------------------------------------- regress


@pytest.mark.parametrize("alpha", [0.5, 10.0])
def test_ridge_as_scikit_learn(alpha: float):
    rows, table = weighed(CORPUS)
    targets = np.array([len(text) + 50.0 for text in CORPUS])
    model = Ridge(alpha, tolerance=1e-10)
    model.fit(rows, table.shape[1], targets)
    expected = TheirRidge(alpha=alpha).fit(table, targets).predict(table)
    np.testing.assert_allclose(model.values(rows), expected, rtol=1e-6)


def test_the_penalty_is_chosen_by_rows_held_out():
    rows, table = weighed(CORPUS)
    rows.values *= 100  # long rows can be learned from in spite of a small penalty
    signal, noise = Ridge(), Ridge()
    signal.fit(rows, table.shape[1], table @ np.ones(table.shape[1]))
    noise.fit(rows, table.shape[1], np.random.default_rng(0).normal(size=len(CORPUS)))
    assert signal.alpha == ALPHAS[0] and noise.alpha == ALPHAS[-1]


def test_numbers_that_letters_add_up_to():
    mean, ngram, *_ = baselines_for("regress")
    dice = random.Random(0)
    texts = ["".join(dice.choices("CNOc", k=dice.randint(2, 12))) for _ in range(200)]
    value = {"C": 1.0, "N": 2.0, "O": -3.0, "c": 5.0}
    examples = [Example(text, log(1 + text.count("O")) + value[text[0]]) for text in texts]
    mean.fit(examples)
    ngram.fit(examples)
    target = np.array([example.target for example in examples])
    found = np.array([answer.value for answer in ngram.predict(examples)])
    assert mean.predict(examples[:1])[0].value == pytest.approx(target.mean())
    assert ((found - target) ** 2).sum() < ((target - target.mean()) ** 2).sum() / 5
    one = np.array([ngram.predict([Example(text)])[0].value for text in ("CCC", "ccc")])
    assert one[1] > one[0]  # upper case is not lower case


# ----------------------------------------------------------------------------------------------------------- transduce


def test_the_nearest_row_is_the_one_of_highest_cosine():
    weigh = TfIdf(counts(CORPUS, "character", 3))
    rows, asked = weigh(counts(CORPUS, "character", 3)), weigh(counts([text[3:-2] for text in CORPUS], "character", 3))
    index = Index(rows, len(weigh.columns), most=10**6)
    expected = dense(asked, len(weigh.columns)) @ dense(rows, len(weigh.columns)).T
    for row in range(len(asked)):
        part = slice(asked.starts[row], asked.starts[row + 1])
        found = index.nearest(asked.columns[part], asked.values[part])
        assert expected[row, found] == pytest.approx(expected[row].max())


def test_few_entries_read_still_find_the_text_itself():
    weigh = TfIdf(counts(CORPUS, "character", 3))
    rows = weigh(counts(CORPUS, "character", 3))
    index = Index(rows, len(weigh.columns), most=20)
    for row, text in enumerate(CORPUS):
        part = slice(rows.starts[row], rows.starts[row + 1])
        assert CORPUS[index.nearest(rows.columns[part], rows.values[part])] == text


def test_copy_and_nearest():
    copy, ngram, *_ = baselines_for("transduce")
    examples = [Example("cats", "K AE T S"), Example("dog", "D AO G"), Example(("two", "words"), "T UW")]
    copy.fit(examples)
    ngram.fit(examples)
    asked = [Example("cat"), Example("dogs"), Example(("words",)), Example("")]
    assert [answer.text for answer in copy.predict(asked)] == ["cat", "dogs", "words", ""]
    assert [answer.text for answer in ngram.predict(asked)] == ["K AE T S", "D AO G", "T UW", "D AO G"]
