"""CoNLL-U, the format of Universal Dependencies: ten columns, one word a line, a blank line between sentences.

The source is the column FORM, the target UPOS or the column chosen by name or number. Comments, ranges of words (1-2)
and empty nodes (1.1) are no words. A sentence whose every label is `_` has no target.
https://universaldependencies.org/format.html
"""

import re
from collections.abc import Iterator
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, place, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, column_number, folded
from headway.data.readers._sentences import Sentence, check_size, sentences
from headway.errors import DataError, UsageError, Where, printable, unknown

_NAMES = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_NOT_A_WORD = re.compile(r"\d+-\d+|\d+\.\d+", re.ASCII)


class Conllu(Reader):
    suffixes = (".conllu",)

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        source = _column(path, columns.source or "form")
        target = tuple(_column(path, choice) for choice in columns.target or ("upos",))

        def parse(sentence: Sentence) -> Example | None:
            check_size(path, sentence)
            found = _words(path, sentence)
            if not found:
                return None
            sides = [tuple(cells[i] for _, cells in found) for i in target]
            known = [side for i, side in zip(target, sides) if _NAMES[i] == "feats" or set(side) != {"_"}]
            words = tuple(cells[source] for _, cells in found)
            return Example(words, known[0] if known else None, place(path, found[0][0]), tuple(known[1:]))

        return examples(path, sentences(path), parse, complain)


def _column(path: Path, choice: str) -> int:
    if choice.strip().isdecimal():
        return column_number(path, choice.strip(), len(_NAMES))
    if folded(choice) not in _NAMES:
        raise UsageError(unknown("column of CoNLL-U", choice, _NAMES))
    return _NAMES.index(folded(choice))


def _words(path: Path, sentence: Sentence) -> list[tuple[int, list[str]]]:
    """(line, cells) of every word. Raises DataError."""
    found: list[tuple[int, list[str]]] = []
    for line, raw in sentence:
        where = place(path, line)
        text = text_of(raw, where)
        if text.startswith("#"):
            continue
        cells = text.split("\t")
        if len(cells) != len(_NAMES):
            advice = " (blanks do not part columns here)" if "\t" not in text else ""
            raise DataError(where, f"10 columns parted by tabs are expected, and this line has {len(cells)}{advice}")
        if _NOT_A_WORD.fullmatch(cells[0]):
            continue
        _check_word(cells, len(found) + 1, where)
        found.append((line, cells))
    return found


def _check_word(cells: list[str], expected: int, where: Where) -> None:
    if cells[0] != str(expected):
        advice = "; is a blank line between sentences missing?" if cells[0] == "1" else ""
        raise DataError(where, f"word {expected} is expected here, and its ID is {printable(cells[0], 20)!r}{advice}")
    for name, cell in zip(_NAMES, cells):
        if not cell.strip():
            raise DataError(where, f"the column {name.upper()} is empty; `_` stands for nothing")
