"""Which task a data set asks for, by the shape of its targets; and examples brought into the form their task reads.

tag         a label for every element           source: words, target: as many labels
classify    a label, or several, for the whole  target: a label, or a tuple of labels
regress     a number for the whole              target: a float
transduce   a new sequence                      target: a text
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from headway.batch import Example, Value
from headway.data.files import words
from headway.data.settings import TaskName
from headway.data.sources._graphs import Graph
from headway.errors import DataError, UsageError, printable, unknown

NEARLY_ALL = 0.95
"""What so many rows have in common is meant; the others are mistakes, which `as_target` names line by line."""
MOST_LABELS = 1_000
"""A task has no more labels than this."""
MOST_CLASSES = 20
"""So many different whole numbers are labels wherever they repeat; more must be counted from 0 or 1 as well."""
LONGEST_LABEL = 5
"""Words in a label."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Recognized:
    """task: its name; several: whether a row may have several labels; reason: one sentence for the user."""

    task: TaskName
    several: bool
    reason: str


class NoTargets(UsageError):
    """No row has a target; `found` is that as a sentence without an end, the message adds how one is chosen."""

    def __init__(self, found: str, advice: str):
        super().__init__(f"{found}{advice}")
        self.found = found


def recognize(examples: Sequence[Example], override: str | None = None, parallel: bool = False) -> Recognized:
    """The task of the first rows of the training data, by the first rule that holds. Rows without target do not count.

    1. The user's word (`override`).
    2. Parallel files: transduce.
    3. Lists as targets: tag where nearly all have one label per word; else classify, with several labels where a list
       has not exactly one; transduce where the lists hardly repeat a word.
    4. Numbers in nearly all rows: classify if all are whole and repeat as labels do (`_are_labels`); else regress.
    5. Texts with one blank-separated item per word of the source in nearly all rows, two words or more in most of them,
       at most 1,000 different items, and fewer than half as many as there are words: tag.
    6. At most 1,000 different texts of at most five words, each standing twice on average: classify. In fewer than 20
       rows one repeated text of one word is enough. Beside sounds and vectors they must be single words mostly.
    7. Everything else: transduce.

    So `dog<TAB>D AO1 G` is transduce, for its source is one word, and so is `d o g<TAB>D AO1 G` as long as many words
    have silent letters. `你 好<TAB>nǐ hǎo` is tag once the labels repeat, `你好<TAB>nǐ hǎo` is transduce. Six reviews
    with `pos` and `neg` are classify. Stars from 1 to 5 are classify, classes from 0 to 76 as well, ages and prices are
    regress; and what was meant otherwise, `--data.task` says.

    Raises UsageError where no row has a target, and for an unknown task.
    """
    known = [example for example in examples if example.target is not None and example.target != ""]
    if override is not None:
        task = next((name for name in get_args(TaskName) if name == override), None)
        if task is None:
            raise UsageError(unknown("task", override, get_args(TaskName)))
        return Recognized(task, task == "classify" and _several(known), f"{task}: as asked")
    if not known:
        raise _no_targets(examples)
    rules = (_by_files(parallel), _by_lists, _by_numbers, _by_items, _by_classes, _by_text)
    return next(found for rule in rules if (found := rule(known)) is not None)


def _no_targets(examples: Sequence[Example]) -> UsageError:
    if not examples:
        return UsageError("there are no examples to learn from")
    first = examples[0]
    return NoTargets(
        f"no target was found in {_rows(examples)}; the first is {first.where}: {_shown(first.source)!r}. ",
        "If the target stands in a column or under a key of its own, choose it: --data.source NAME --data.target NAME "
        "(a name in the first line, a key, or a number from 1). In a .tsv tabs part the columns, in a .csv commas",
    )


# -------------------------------------------------------------------------------------------------------------- rules

_Rule = Callable[[Sequence[Example]], Recognized | None]


def _by_files(parallel: bool) -> _Rule:
    def rule(examples: Sequence[Example]) -> Recognized | None:
        return Recognized("transduce", False, "transduce: the files are parallel, line by line") if parallel else None

    return rule


def _by_lists(examples: Sequence[Example]) -> Recognized | None:
    lists = [example for example in examples if isinstance(example.target, tuple)]
    if len(lists) < len(examples) / 2:
        return None
    lengths = [(len(_elements(example.source)), len(example.target)) for example in lists]
    matching = sum(elements == labels for elements, labels in lengths)
    given_words = any(not isinstance(example.source, str) for example in lists)
    # Where the file gives words, a list that is as long is no accident, and those that are not are the mistakes.
    one_each = _nearly_all(matching, len(lists)) or (given_words and matching > len(lists) / 2)
    if one_each and (given_words or _long(lists)):
        return Recognized("tag", False, f"tag: {_count(lists, 'row')} with a list of one label for every word")
    items = [item for example in lists for item in example.target]
    if len(set(items)) <= min(MOST_LABELS, max(len(items) / 2, MOST_CLASSES)):
        several = _several(examples)
        how = "lists of labels, none or several for a row" if several else "lists of one label"
        return Recognized("classify", several, f"classify: the targets are {how}, {len(set(items)):,} different")
    return Recognized("transduce", False, f"transduce: the targets are lists with {len(set(items)):,} different items")


def _by_numbers(examples: Sequence[Example]) -> Recognized | None:
    values = [value for example in examples if (value := number(example.target)) is not None]
    if not _nearly_all(len(values), len(examples)):
        return None
    different = set(values)
    whole = all(value.is_integer() for value in different)
    if whole and _are_labels(different, len(examples)):
        return Recognized("classify", False, f"classify: {_different(different, examples, 'whole number')}")
    kind = "whole numbers" if whole else "numbers with a fraction"
    return Recognized(
        "regress", False, f"regress: the targets are {kind}, {len(different):,} different in {_rows(examples)}"
    )


def _are_labels(different: set[float], rows: int) -> bool:
    """Whether whole numbers are labels: few that repeat, or more that repeat often and count from 0 or 1."""
    counted = min(different) in (0, 1) and len(different) >= 0.9 * (max(different) - min(different) + 1)
    if len(different) <= MOST_CLASSES:
        return len(different) <= rows / 2 or (counted and len(different) < rows)
    return counted and len(different) <= min(rows / 10, MOST_LABELS)


def _by_items(examples: Sequence[Example]) -> Recognized | None:
    texts = [example for example in examples if isinstance(example.target, str)]
    sides = [(_elements(example.source), words(example.target)) for example in texts]
    matching = [labels for elements, labels in sides if len(elements) == len(labels)]
    if not _nearly_all(len(matching), len(examples)) or not _long(texts):
        return None
    labels = [label for row in matching for label in row]
    if not len(set(labels)) <= MOST_LABELS or not len(set(labels)) < len(labels) / 2:
        return None
    reason = f"tag: the target has one item for every word of the source, {_count(set(labels), 'different item')}"
    return Recognized("tag", False, f"{reason} in {_rows(examples)}")


def _by_classes(examples: Sequence[Example]) -> Recognized | None:
    labels = [_label(example.target) for example in examples]
    different = set(labels)
    longest = max(len(words(label)) for label in different)
    # Of very few rows half may differ by chance; a single word that comes again is hardly a translation.
    few = len(labels) < 20 and len(different) < len(labels) and longest <= 1
    source = examples[0].source
    heard = isinstance(source, Value) and not isinstance(source, Graph)
    if heard and sum(len(words(label)) for label in labels) >= 1.5 * len(labels):
        return None  # what was said, or the symbols of it, may come again and again
    if longest > LONGEST_LABEL or len(different) > MOST_LABELS or not (len(different) <= len(labels) / 2 or few):
        return None
    return Recognized("classify", False, f"classify: {_different(different, examples, 'label')}")


def _by_text(examples: Sequence[Example]) -> Recognized | None:
    different = len({_label(example.target) for example in examples})
    return Recognized(
        "transduce", False, f"transduce: the targets are texts, {different:,} different in {_rows(examples)}"
    )


def _several(examples: Sequence[Example]) -> bool:
    return any(isinstance(example.target, tuple) and len(example.target) != 1 for example in examples)


def _nearly_all(some: int, rows: int) -> bool:
    return some >= NEARLY_ALL * rows and some > 0


def _long(examples: Sequence[Example]) -> bool:
    """Whether most sources have two words or more."""
    return sum(len(_elements(example.source)) >= 2 for example in examples) > len(examples) / 2


def _elements(source: Any) -> Sequence[Any] | Value:
    return words(source) if isinstance(source, str) else source


def _different(labels: set[Any], examples: Sequence[Example], what: str) -> str:
    if len(labels) == 1:
        return f"the target of {_rows(examples)} is always {_shown(examples[0].target)!r}"
    return f"the targets are {_count(labels, f'different {what}')} in {_rows(examples)}"


def _rows(examples: Sequence[Example]) -> str:
    return _count(examples, "row")


def _count(things: Sequence[Any] | set[Any] | Value, what: str) -> str:
    return f"{len(things):,} {what}" + ("" if len(things) == 1 else "s")


# ------------------------------------------------------------------------------------------------------------- values


def number(value: Any) -> float | None:
    """The finite number that a target is or is written as (`-1.5`, `2e3`), or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None  # float() takes nan, inf, 1_000 and digits of other scripts as well
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def as_target(example: Example, task: str, several: bool = False) -> Example:
    """The example in the form its task reads, references included. Raises DataError with its file and line.

    several: for classify, whether a row may have several labels; its target is then a tuple.
    """
    if example.target is None:
        raise DataError(example.where, f"there is no target, and {task} needs one")
    if task == "tag":
        example = replace(example, source=_words_of(example))
    convert = {
        "tag": _labels_per_word,
        "classify": _labels if several else _one_label,
        "regress": _value,
        "transduce": _text,
    }
    if task not in convert:
        return example
    target, *others = (convert[task](example, target) for target in example.references)
    if target is example.target and not others:  # as most are: a copy would cost more than all of this
        return example
    return replace(example, target=target, others=tuple(others))


def _words_of(example: Example) -> Any:
    return words(example.source) if isinstance(example.source, str) else example.source


def _labels_per_word(example: Example, target: Any) -> tuple[str, ...]:
    labels = words(target) if isinstance(target, str) else target if isinstance(target, tuple) else (_label(target),)
    if len(labels) != len(example.source):
        if isinstance(example.source, Value):
            counts = f"{_count(example.source, 'element')} and {_count(labels, 'label')}"
            raise DataError(example.where, f"{counts}: every element needs one label")
        first = f"; the words begin {_shown(example.source[:4])!r}, the labels {_shown(labels[:4])!r}"
        problem = f"{_count(example.source, 'word')} and {_count(labels, 'label')}: every word needs one label{first}"
        raise DataError(example.where, problem)
    return _not_empty(example, labels)


def _labels(example: Example, target: Any) -> tuple[str, ...]:
    labels = target if isinstance(target, tuple) else (_label(target),)
    return tuple(dict.fromkeys(_not_empty(example, labels)))


def _one_label(example: Example, target: Any) -> str:
    if isinstance(target, tuple) and len(target) != 1:
        problem = f"{_count(target, 'label')}, and one is expected, as the first rows have one"
        raise DataError(example.where, f"{problem}: {_shown(target[:4])!r}")
    return _not_empty(example, target if isinstance(target, tuple) else (_label(target),))[0]


def _value(example: Example, target: Any) -> float:
    value = number(target[0] if isinstance(target, tuple) and len(target) == 1 else target)
    if value is None:
        comma = "; write a point and not a comma" if isinstance(target, str) and "," in target else ""
        problem = f"the target {_shown(target)!r} is no finite number, and regress needs one{comma}"
        raise DataError(example.where, problem)
    return value


def _text(example: Example, target: Any) -> str:
    text = " ".join(target) if isinstance(target, tuple) else target if isinstance(target, str) else _label(target)
    if not text.strip():
        raise DataError(example.where, "the target is empty")
    return text


def _not_empty(example: Example, labels: Sequence[Any]) -> tuple[str, ...]:
    found = tuple(_label(label) for label in labels)
    if "" in found:
        raise DataError(example.where, "a label is empty" if len(found) > 1 else "the target is empty")
    return found


def _label(value: Any) -> str:
    """A target as a label: text without blanks around it, 3 and 3.0 as `3`."""
    if isinstance(value, tuple):
        return " ".join(map(_label, value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _shown(value: Any) -> str:
    return printable(
        value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, Sequence) else value
    )
