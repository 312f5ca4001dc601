"""Sentences that stand on several lines, one word a line, with a blank line between."""

from collections.abc import Iterator
from pathlib import Path

from headway.data.files import LONGEST, numbered, place, text_of
from headway.errors import DataError

Sentence = list[tuple[int, bytes]]


def sentences(path: Path) -> Iterator[Sentence]:
    """The numbered lines between blank lines. Of a sentence larger than LONGEST only the beginning is held."""
    sentence: Sentence = []
    size = 0
    for number, raw in numbered(path):
        if not raw.strip():
            if sentence:
                yield sentence
            sentence, size = [], 0
        elif size <= LONGEST:
            sentence.append((number, raw))
            size += len(raw) + 1
    if sentence:
        yield sentence


def check_size(path: Path, sentence: Sentence) -> None:
    """Raise a DataError for a sentence that was not held to its end."""
    if sum(len(raw) + 1 for _, raw in sentence) > LONGEST:
        problem = (
            f"the sentence that begins here has more than {LONGEST:,} bytes; are there blank lines between sentences?"
        )
        for line, raw in sentence:
            if len(raw) > LONGEST:
                text_of(raw, place(path, line))  # which says that this one line is too long
        raise DataError(place(path, sentence[0][0]), problem)
