"""What a check is told of data before it begins: the question and the settings, from the first rows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from headway.data.checks import Setup
from headway.data.codecs import Sequences
from headway.data.encoding import Codecs
from headway.data.loading import DataSet, open_data, source_place
from headway.data.sources.text import SourceText
from headway.errors import DataError, UsageError
from headway.planning.codecs import metrics_for
from headway.planning.decided import surveyed
from headway.planning.layers import chosen, data_settings, kind_of
from headway.run import Run, build_codecs
from headway.settings import Assignment
from headway.settings_file import read_yaml

HEAD = 2_000
"""Rows of the training part that a check sees before it begins."""


def outline(
    data: Path | str | None,
    recipe: str | None = None,
    config: Path | str | None = None,
    settings: Sequence[Assignment] = (),
) -> tuple[DataSet, Setup, list[str]]:
    """(the data, what checks are told of them, what was recognized), from the first rows: the rest is not read yet."""
    layers = [read_yaml(Path(config)) if config is not None else [], list(settings)]
    wanted = data_settings(layers)
    found = open_data(
        Path(data) if data is not None else None, wanted.replace(on_bad="skip"), kind=kind_of(layers, None)
    )
    if found.index is not None:
        raise UsageError(f"{data} is prepared: numbers, of which nothing can be said; check what it was prepared from")
    found.settings = wanted
    head = list(islice(found.read(found.parts.part("train")), HEAD))
    if not head:
        raise DataError(source_place(found.parts.part("train")), f"no line can be used for {found.recognized.task}")
    looked = surveyed(found, head)
    long = max(looked.longest, _NO_LIMIT)  # there may be longer ones: a recipe takes its own limit then
    name, run, _ = chosen(found, replace(looked, longest=long), recipe, layers)
    told = [found.parts.how, found.recognized.reason, f"recipe {name}"]
    codecs = build_codecs(run, found.recognized.several, metrics_for(looked))
    setup = setup_of(run, found.recognized.several, codecs)
    texts, targets = [example.source for example in head], [example.target for example in head]
    if setup.source is not None:
        setup.source.fit([*texts, *targets] if run.data.joint else texts)
    if setup.target is not None and not run.data.joint:
        setup.target.fit(targets)
    return found, setup, told


_NO_LIMIT = 1_000_000


def setup_of(run: Run, several: bool, codecs: Codecs) -> Setup:
    """What checks are told."""
    source = codecs.source.tokenizer if isinstance(codecs.source, SourceText) else None
    target = codecs.target.tokenizer if isinstance(codecs.target, Sequences) else None
    return Setup(run.task, several, run.kind, run.data.max_length, run.data.over_long, source, target)
