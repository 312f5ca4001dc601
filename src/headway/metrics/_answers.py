"""What every metric is given: answers of a kind that it measures, beside examples whose right target is known."""

import importlib
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TypeVar

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.errors import MissingPackage, UsageError
from headway.metrics import Metric
from headway.version import __version__

TASKS: dict[type, str] = {
    TagAnswer: "tag",
    ClassifyAnswer: "classify",
    RegressAnswer: "regress",
    TransduceAnswer: "transduce",
}
"""Which task gives which kind of answer."""

Kind = TypeVar("Kind", bound=Answer)


def known(
    metric: Metric, kinds: tuple[type[Kind], ...], answers: Sequence[Answer], examples: Sequence[Example]
) -> Iterator[tuple[Kind, Example]]:
    """Each answer with its example; examples without a target are left out, as nothing is known of them.

    Raises UsageError where the answers are not of the kinds that this metric measures.
    """
    for answer, example in zip(answers, examples, strict=True):
        if not isinstance(answer, kinds):
            raise UsageError(
                f"the metric {name_of(metric)} measures {' and '.join(TASKS[kind] for kind in kinds)}, "
                f"and was given answers of {TASKS[type(answer)]}; choose others with --model.task.metrics"
            )
        if example.target is not None:
            yield answer, example


def texts(example: Example) -> list[str]:
    """The different right texts of an example, in the order given."""
    return list(dict.fromkeys(str(target) for target in example.references if target is not None))


def name_of(metric: Metric) -> str:
    """The name of the metric's file, which is what a person writes."""
    return type(metric).__module__.rpartition(".")[2]


def own_signature(metric: Metric, **options: str) -> str:
    """A signature in sacreBLEU's form for what headway counts itself: `mae|version:headway-0.1.0`."""
    parts = [name_of(metric), *(f"{name}:{value}" for name, value in options.items()), f"version:headway-{__version__}"]
    return "|".join(parts)


def scorer_package(metric: Metric, package: str) -> ModuleType:
    """The package that computes this metric. Raises MissingPackage, with the line that installs it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise MissingPackage(error.name or package, "metrics", f"the metric {name_of(metric)}") from None
