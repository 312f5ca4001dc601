"""The plan of a training that begins."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headway.data.encoding import check_windows
from headway.data.index import Index, is_index
from headway.data.loading import DataSet, open_data
from headway.errors import file_name
from headway.planning.codecs import metrics_for, state_of
from headway.planning.decided import Plan, skipped, surveyed
from headway.planning.layers import chosen, data_settings, kind_of
from headway.preparation import (
    Preparing,
    Stream,
    key_of,
    not_empty,
    one_target_each,
    prepare,
    print_of,
    refuse_other_reading,
    there,
)
from headway.run import RunFolder
from headway.settings import Assignment, assignments, dump
from headway.settings_file import read_yaml


def plan(
    data: Path | str | None,
    recipe: str | None = None,
    config: Path | str | None = None,
    settings: Sequence[Assignment] = (),
    start: Path | str | None = None,
    preparing: Preparing | None = None,
) -> Plan:
    """Read the training part, recognize the question, choose a recipe, and lay over it what the user set.

    Later ones win: the recipe, the run that is started from, the file of settings, the settings given one by one.

    preparing    where data too large for memory are prepared; without it they are read into memory all the same
    """
    layers = [read_yaml(Path(config)) if config is not None else [], list(settings)]
    wanted = data_settings(layers)
    found = open_data(Path(data) if data is not None else None, wanted, kind=kind_of(layers, start))
    if found.index is not None:
        return _plan_prepared(found, recipe, layers, start)
    if preparing is not None and preparing.takes(found):
        examples, looked = [], surveyed(found, not_empty(found))
    else:
        examples = found.examples("train")
        looked = surveyed(found, examples)
    name, run, origins = chosen(found, looked, recipe, layers, start)
    check_windows(run.task, run.data)
    said = [found.parts.how, found.recognized.reason, *skipped(found), f"recipe {name}"]
    made = Plan(run, origins, found, list(one_target_each(examples, run.task)), looked, said)
    return made if examples else _prepared(made, name, RunFolder(start) if start is not None else None, preparing)


def _prepared(made: Plan, recipe: str, start: RunFolder | None, preparing: Preparing | None) -> Plan:
    """The plan with its data prepared; what lies there is taken where it was made from the same."""
    assert preparing is not None
    state = state_of(made, start, Stream(made.data, made.run.task)) if start is not None else {}
    facts = {"key": key_of(made.data, made.run), "given": print_of(state)}
    index = there(preparing.folder, facts)
    return from_index(made, index or prepared_index(made, recipe, state, facts, preparing))


def prepared_index(
    made: Plan, recipe: str | None, state: Mapping[str, Any], facts: Mapping[str, Any], preparing: Preparing
) -> Index:
    """The training part, prepared."""
    folder = preparing.folder
    preparing.hear(f"the training part is prepared in {folder}, to be read from there and not to be kept in memory")
    if is_index(folder):  # of other data
        shutil.rmtree(folder)
    read_with = {"data": dump(made.run.data), "model": {"input": dump(made.run)["model"]["input"]}}
    facts = {**facts, "recipe": recipe, "settings": read_with}
    prepare(made.data, made.run, made.survey, metrics_for(made.survey), state, preparing, facts)
    return Index(folder)


def from_index(made: Plan, index: Index) -> Plan:
    """The plan with its data as they were prepared."""
    data = replace(made.data, index=index, parts=index.parts)
    return replace(made, data=data, train=index.kept("train"), said=[*made.said, *index.said()])


def _plan_prepared(
    found: DataSet, recipe: str | None, layers: Sequence[Sequence[Assignment]], start: Path | str | None
) -> Plan:
    """The plan of data that were prepared: what they were read with lies over the recipe."""
    index = found.index
    assert index is not None
    looked, before = index.survey, assignments(index.facts["settings"], f"as prepared in {file_name(index.folder)}")
    name, run, origins = chosen(found, looked, recipe or index.facts["recipe"], [before, *layers], start)
    refuse_other_reading(run, index)
    said = [found.parts.how, found.recognized.reason, *index.said(), f"recipe {name}"]
    return Plan(run, origins, found, index.kept("train"), looked, said)
