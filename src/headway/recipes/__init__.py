"""Whole runs to start from: functions of what the data look like.  One file each; `headway train --recipe NAME`.

A file's `recipe(survey)` returns a Run. What a user sets is laid over it.
"""

import importlib
import pkgutil

from headway.data.survey import Survey
from headway.errors import UsageError, unknown
from headway.run import Run


def names() -> list[str]:
    """The recipes there are."""
    return sorted(name for _, name, _ in pkgutil.iter_modules(__path__) if not name.startswith("_"))


def choose(name: str | None, survey: Survey) -> tuple[str, Run]:
    """(the recipe's name, the run it gives): the one named, or that of what goes in and of the question.

    Text has a recipe for each question; every other kind has one of its own, for all of them. Raises UsageError.
    """
    name = name or (survey.task if survey.kind == "text" else survey.kind)
    if name not in names():
        raise UsageError(unknown("recipe", name, names()))
    run = importlib.import_module(f"headway.recipes.{name}").recipe(survey)
    if run.task != survey.task:
        raise UsageError(f"the recipe {name} answers {run.task}, and the data ask {survey.task}; --data.task overrides")
    if run.kind != survey.kind:
        raise UsageError(f"the recipe {name} reads {run.kind}, and the data are {survey.kind}; choose another --recipe")
    return name, run


def epochs_for(survey: Survey, tokens: int, epochs: int, least: int = 300, most: int = 20_000) -> int:
    """About so many passes over the training part: more where that is too few updates, fewer where it is too many."""
    an_epoch = max(1.0, survey.elements / tokens)
    return max(1, round(min(most, max(least, epochs * an_epoch)) / an_epoch))
