"""Tagged words, one sentence a line: `The/at jury/nn said/vbd`. The last slash parts a word from its tag."""

from collections.abc import Iterator
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, place, rows, text_of, words
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, refuse_columns
from headway.errors import DataError, Where, printable


class Slash(Reader):
    suffixes = (".slash", ".tagged")

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        refuse_columns(columns, "slash")

        def parse(row: tuple[int, bytes]) -> Example | None:
            where = place(path, row[0])
            return _sentence(text_of(row[1], where), where)

        return examples(path, rows(path), parse, complain)


def _sentence(text: str, where: Where) -> Example | None:
    """The words and tags of a line; None for an empty one, as corpora have between their sentences."""
    source, target = [], []
    for number, token in enumerate(words(text), 1):
        word, slash, tag = token.rpartition("/")
        if not word or not tag:
            wrong = "has no word" if tag and slash else "has no tag" if slash else "has no slash"
            raise DataError(where, f"token {number}, {printable(token, 40)!r}, {wrong}; word/tag is expected")
        source.append(word)
        target.append(tag)
    return Example(tuple(source), tuple(target), where) if source else None
