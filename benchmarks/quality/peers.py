"""The classical methods, each trained on the training part of the same split and measured on its test part."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from headway.batch import Answer, ClassifyAnswer, Example
from headway.lab.baselines import BASELINES


def tnt(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """A trigram tagger (Brants 2000), headway's own `lab/baselines/tag_ngram`."""
    return _baseline("tag_ngram", train, test)


def nearest(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """The target of the most similar training source: headway's own `lab/baselines/transduce_ngram`."""
    return _baseline("transduce_ngram", train, test)


def tfidf(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """scikit-learn: tf-idf of n-grams and logistic regression, the better of its usual settings on a tenth of training.

    Words 1-2 where blanks part words, characters 1-3 otherwise; sublinear counts; C of 1, 4, 16.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = [e.source for e in train], [e.target for e in train]
    blanks = sum(text.count(" ") for text in texts) / sum(map(len, texts)) > 0.05
    options = {"sublinear_tf": True, "min_df": 2}
    options |= {"ngram_range": (1, 2)} if blanks else {"analyzer": "char", "ngram_range": (1, 3)}
    cut = len(texts) * 9 // 10

    def fitted(C: float, count: int):
        model = make_pipeline(TfidfVectorizer(**options), LogisticRegression(C=C, max_iter=1000))
        return model.fit(texts[:count], labels[:count])

    best = max((1.0, 4.0, 16.0), key=lambda C: fitted(C, cut).score(texts[cut:], labels[cut:]))
    return [ClassifyAnswer((str(label),), 1.0) for label in fitted(best, len(texts)).predict([e.source for e in test])]


def ridge(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """Ridge regression on the 1-4 grams of SMILES as text: headway's own `lab/baselines/regress_ngram`."""
    return _baseline("regress_ngram", *([replace(e, source=str(e.source)) for e in part] for part in (train, test)))


def pieces(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """Logistic regression on the n-grams of SMILES as text: headway's own `lab/baselines/classify_ngram`."""
    return _baseline("classify_ngram", *([replace(e, source=str(e.source)) for e in part] for part in (train, test)))


def subtrees(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """Ridge regression on the surroundings of nodes: headway's own `lab/baselines/regress_subtree`."""
    return _baseline("regress_subtree", train, test)


def neighbours(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """The label that most neighbours have: headway's own `lab/baselines/classify_neighbours`."""
    return _baseline("classify_neighbours", train, test)


def dependencies(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """Logistic regression on what a node is joined to: headway's own `lab/baselines/classify_subtree`."""
    return _baseline("classify_subtree", train, test)


def spectrum(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """Logistic regression on log-mel bands at 16 moments: headway's own `lab/baselines/classify_spectrum`."""
    return _baseline("classify_spectrum", train, test)


def nearest_sound(train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    """The target of the nearest sound by its spectrum: headway's own `lab/baselines/transduce_spectrum`."""
    return _baseline("transduce_spectrum", train, test)


def _baseline(name: str, train: Sequence[Example], test: Sequence[Example]) -> list[Answer]:
    method = BASELINES.part(name)(600.0)
    method.fit(train)
    return method.predict(test)


PEERS: dict[str, Callable[[Sequence[Example], Sequence[Example]], list[Answer]]] = {
    "tnt": tnt,
    "nearest": nearest,
    "tfidf": tfidf,
    "ridge": ridge,
    "pieces": pieces,
    "spectrum": spectrum,
    "nearest_sound": nearest_sound,
    "subtrees": subtrees,
    "neighbours": neighbours,
    "dependencies": dependencies,
}
