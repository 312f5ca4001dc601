"""What a training part looks like: the figures that a recipe chooses from, and that the user is told."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headway.batch import Example
from headway.data.settings import TaskName
from headway.data.tokenizers.word import HAN

_HAN = re.compile(f"[{HAN}]")
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


def survey(examples: Sequence[Example], task: TaskName, several: bool, kind: str = "text") -> Survey:
    """Look at every example of a training part."""
    if kind != "text":
        return _of_values(examples, task, several, kind)
    given = any(isinstance(example.source, tuple) for example in examples)
    texts = [" ".join(e.source) if isinstance(e.source, tuple) else e.source for e in examples]
    words = [len(text.split()) for text in texts]
    letters = Counter("".join(texts[:20_000]))
    total = sum(count for letter, count in letters.items() if letter.isalpha()) or 1
    han = sum(count for letter, count in letters.items() if _HAN.match(letter)) / total
    single = not given and sum(words) <= 1.2 * len(examples) and han < 0.3
    by_letter = single or (han > 0.3 and not given)
    lengths = [len(text) for text in texts] if by_letter else words
    symbols, single_targets, same_script = _targets(examples, letters) if task == "transduce" else (0, False, False)
    return Survey(
        task=task,
        several=several,
        examples=len(examples),
        elements=sum(lengths),
        longest=max(lengths, default=0),
        given_words=given,
        single_words=single,
        han=han,
        symbols=symbols,
        single_targets=single_targets,
        same_script=same_script,
    )


def _of_values(examples: Sequence[Example], task: TaskName, several: bool, kind: str) -> Survey:
    """The survey of sources that are no text."""
    lengths = [len(example.source) for example in examples]
    symbols, single_targets, _ = _targets(examples, Counter()) if task == "transduce" else (0, False, False)
    return Survey(
        task=task,
        several=several,
        examples=len(examples),
        elements=sum(lengths),
        longest=max(lengths, default=0),
        given_words=False,
        single_words=False,
        han=0.0,
        symbols=symbols,
        single_targets=single_targets,
        kind=kind,
    )


def _targets(examples: Sequence[Example], letters: Counter[str]) -> tuple[int, bool, bool]:
    """(symbols, single_targets, same_script) of a survey."""
    items: Counter[str] = Counter()
    own: Counter[str] = Counter()
    count = 0
    for example in examples:
        parts = str(example.target).split()
        items.update(parts)
        count += len(parts)
        own.update(str(example.target) if len(own) < 5_000 else "")
    symbols = len(items) <= SYMBOLS and count >= 1.5 * len(examples) and count >= 10 * len(items)
    common = sum((letters & own).values())
    alike = common > 0.5 * min(letters.total(), own.total())
    return len(items) if symbols else 0, not symbols and count <= 1.2 * len(examples), alike
