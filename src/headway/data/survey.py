"""What a training part looks like: the figures that a recipe chooses from, and that the user is told."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from headway.batch import Example
from headway.data.settings import TaskName
from headway.data.tokenizers.word import HAN

_HAN = re.compile(f"[{HAN}]")
LETTERS_OF = 20_000
"""Rows whose sources' letters are counted."""
SYMBOLS = 500
"""Different blank-separated items up to which targets are sequences of symbols (phones, notes) and not of words."""


@dataclass(frozen=True)
class Survey:
    """Figures of a training part.

    task             the question
    several          classify with several labels at once
    kind             what goes in: text, sound, graph, vectors; the figures of words and letters are of text alone
    examples         rows
    elements         words of all sources (characters, where a source is a single word or is written in Han)
    longest          elements of the longest source
    given_words      whether the files give words
    single_words     whether a source is a single word, whose elements are its characters
    han              share of the source's letters that are Han characters
    symbols          different items of the targets, where these are sequences of symbols; 0 where they are text
    single_targets   whether a target is a single word, whose elements are its characters
    same_script      whether sources and targets share most of their letters
    """

    task: TaskName
    several: bool
    examples: int
    elements: int
    longest: int
    given_words: bool
    single_words: bool
    han: float
    symbols: int = 0
    single_targets: bool = False
    same_script: bool = False
    kind: str = "text"


def survey(examples: Iterable[Example], task: TaskName, several: bool, kind: str = "text") -> Survey:
    """Look at every example of a training part, one at a time."""
    looked = _Looked(kind)
    for example in examples:
        looked.see(example, task == "transduce")
    return looked.survey(task, several)


class _Looked:
    """What is counted of sources and targets; of text by word and by character until it is known which it is."""

    def __init__(self, kind: str):
        self.kind, self.rows, self.given = kind, 0, False
        self.words = self.longest_words = self.characters = self.longest_characters = 0
        self.letters, self.own = Counter[str](), Counter[str]()
        self.items, self.count = set[str](), 0

    def see(self, example: Example, writes: bool) -> None:
        """One example more."""
        source = example.source
        if self.kind != "text":
            self._of_words(len(source))
        else:
            self.given = self.given or isinstance(source, tuple)
            text = " ".join(source) if isinstance(source, tuple) else source
            self._of_words(len(text.split()))
            self.characters += len(text)
            self.longest_characters = max(self.longest_characters, len(text))
            if self.rows < LETTERS_OF:
                self.letters.update(text)
        if writes:
            self._target(str(example.target))
        self.rows += 1

    def _of_words(self, number: int) -> None:
        self.words += number
        self.longest_words = max(self.longest_words, number)

    def _target(self, text: str) -> None:
        parts = text.split()
        self.count += len(parts)
        if len(self.items) <= SYMBOLS:
            self.items.update(parts)
        if len(self.own) < 5_000:
            self.own.update(text)

    def survey(self, task: TaskName, several: bool) -> Survey:
        """The figures of what was seen."""
        han, single = 0.0, False
        if self.kind == "text":
            total = sum(count for letter, count in self.letters.items() if letter.isalpha()) or 1
            han = sum(count for letter, count in self.letters.items() if _HAN.match(letter)) / total
            single = not self.given and self.words <= 1.2 * self.rows and han < 0.3
        by_letter = single or (han > 0.3 and not self.given)
        symbols, single_targets, alike = self._targets() if task == "transduce" else (0, False, False)
        return Survey(
            task=task,
            several=several,
            examples=self.rows,
            elements=self.characters if by_letter else self.words,
            longest=self.longest_characters if by_letter else self.longest_words,
            given_words=self.given,
            single_words=single,
            han=han,
            symbols=symbols,
            single_targets=single_targets,
            same_script=alike and self.kind == "text",
            kind=self.kind,
        )

    def _targets(self) -> tuple[int, bool, bool]:
        """(symbols, single_targets, same_script) of a survey."""
        items, count = len(self.items), self.count
        symbols = items <= SYMBOLS and count >= 1.5 * self.rows and count >= 10 * items
        common = sum((self.letters & self.own).values())
        alike = common > 0.5 * min(self.letters.total(), self.own.total())
        return items if symbols else 0, not symbols and count <= 1.2 * self.rows, alike
