"""English to German: captions of photographs, in the split that published tables use."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Package, Record, fold
from headway.errors import DataError, Where

PARTS = {
    "train": "train",
    "valid": "val",
    "test": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
    "test_2017_mscoco": "test_2017_mscoco",
}
"""The parts that are written, and what the corpus calls them."""


class Multi30k(Corpus):
    title = "Multi30k (English to German)"
    question = "transduce"
    about = "29,000 captions of about 12 words with one translation each; three official tests."
    package = Package("folder", ("multi30k",))
    members = tuple(f"{name}.{language}*" for name in PARTS.values() for language in ("en", "de"))
    licence = "as your copy says; see https://github.com/multi30k/dataset"
    origin = "Elliott et al. 2016, Multi30K: Multilingual English-German Image Descriptions."
    recipe = "The raw files, plain or gzipped, blanks folded. test is test_2016_flickr; those of 2017 lie beside it."
    official = True
    languages = ("en", "de")

    def records(self, root: Path) -> Iterator[Record]:
        for part, name in PARTS.items():
            sources, targets = (_lines(root, f"{name}.{language}") for language in ("en", "de"))
            if len(sources) != len(targets):
                problem = f"has {len(sources):,} lines, and {name}.de has {len(targets):,}: line must belong to line"
                raise DataError(Where(f"{name}.en"), problem)
            yield from (Record(part, source, target) for source, target in zip(sources, targets, strict=True))


def _lines(root: Path, name: str) -> list[str]:
    plain, packed = root / name, root / f"{name}.gz"
    if not plain.is_file() and not packed.is_file():
        raise DataError(Where(plain), "there is no such file, nor one that ends in .gz")
    data = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    return [fold(line) for line in data.decode("utf-8").removesuffix("\n").split("\n")]
