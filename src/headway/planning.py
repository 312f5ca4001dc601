"""From a data set to a plan: what is asked, which recipe, every setting with its origin, before anything is trained."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from headway import recipes
from headway.batch import Example
from headway.data.checks import Setup
from headway.data.codecs import Sequences, label_set
from headway.data.encoding import Codecs, Encoded, check_windows, encode
from headway.data.index import Index, fingerprint, is_index
from headway.data.loading import DataSet, open_data, source_place
from headway.data.settings import DataSettings
from headway.data.sources.text import SourceText
from headway.data.survey import Survey, survey
from headway.errors import DataError, UsageError, Where, file_name
from headway.inputs import INPUTS
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
from headway.run import Run, RunFolder, build_codecs
from headway.settings import Assignment, Branch, assignments, changes, dump, leaves, resolve
from headway.settings_file import read_yaml
from headway.tasks import TASKS


@dataclass
class Plan:
    """Everything that is decided before the first step.

    train      the examples to learn from; of prepared data those that are there as text
    said       sentences for the user: what was recognized and chosen
    """

    run: Run
    origins: dict[str, str]
    data: DataSet
    train: list[Example]
    survey: Survey
    said: list[str] = field(default_factory=list)

    @property
    def index(self) -> Index | None:
        """Of data that were prepared: what is learned from, as numbers."""
        return self.data.index

    @property
    def count(self) -> int:
        """Examples to learn from."""
        return len(self.train) if self.index is None else self.index.count

    @property
    def fingerprint(self) -> str:
        """A hash of what is learned from."""
        return fingerprint(self.train) if self.index is None else self.index.fingerprint

    def encoded(self, codecs: Codecs) -> Encoded:
        """What is learned from, as rows of numbers. Raises DataError for an example that is too long, and RunError."""
        return encode(self.train, codecs, self.run.data) if self.index is None else self.index.encoded(codecs)

    def place(self, example: int) -> Where:
        """Where an example to learn from came from."""
        return self.train[example].where if self.index is None else self.index.place(example)

    def example(self, number: int) -> Example:
        """An example to learn from; of prepared data, which are numbers, its place alone."""
        return self.train[number] if self.index is None else Example(None, where=self.index.place(number))


def _kind(layers: Sequence[Sequence[Assignment]], start: Path | str | None) -> str | None:
    """What goes in, as far as the user says it; None where the data show it."""
    chosen = [a.value for layer in layers for a in layer if a.path == "model.input"]
    if chosen:
        return INPUTS.name_of(INPUTS.choose(chosen[-1]))
    if start is None:
        return None
    RunFolder(start).manifest()
    return RunFolder(start).settings().kind


def _surveyed(found: DataSet, examples: Iterable[Example]) -> Survey:
    recognized = found.recognized
    return survey(examples, recognized.task, recognized.several, found.kind)  # type: ignore[arg-type]


class _OnlyData(Branch):
    data: DataSettings = DataSettings()


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
    wanted = _data_settings(layers)
    found = open_data(Path(data) if data is not None else None, wanted, kind=_kind(layers, start))
    if found.index is not None:
        return _plan_prepared(found, recipe, layers, start)
    if preparing is not None and preparing.takes(found):
        examples, looked = [], _surveyed(found, not_empty(found))
    else:
        examples = found.examples("train")
        looked = _surveyed(found, examples)
    name, run, origins = _chosen(found, looked, recipe, layers, start)
    check_windows(run.task, run.data)
    said = [found.parts.how, found.recognized.reason, *skipped(found), f"recipe {name}"]
    made = Plan(run, origins, found, list(one_target_each(examples, run.task)), looked, said)
    return made if examples else _prepared(made, name, RunFolder(start) if start is not None else None, preparing)


def _prepared(made: Plan, recipe: str, start: RunFolder | None, preparing: Preparing | None) -> Plan:
    """The plan with its data prepared; what lies there is taken where it was made from the same."""
    assert preparing is not None
    state = _state_of(made, start, Stream(made.data, made.run.task)) if start is not None else {}
    facts = {"key": key_of(made.data, made.run), "given": print_of(state)}
    index = there(preparing.folder, facts)
    return _from_index(made, index or _index(made, recipe, state, facts, preparing))


def _index(
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


def _from_index(made: Plan, index: Index) -> Plan:
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
    name, run, origins = _chosen(found, looked, recipe or index.facts["recipe"], [before, *layers], start)
    refuse_other_reading(run, index)
    said = [found.parts.how, found.recognized.reason, *index.said(), f"recipe {name}"]
    return Plan(run, origins, found, index.kept("train"), looked, said)


def _chosen(
    found: DataSet,
    looked: Survey,
    recipe: str | None,
    layers: Sequence[Sequence[Assignment]],
    start: Path | str | None = None,
) -> tuple[str, Run, dict[str, str]]:
    """(the recipe's name, the run that it and the user make, where each setting comes from)."""
    name, base = recipes.choose(recipe, looked)
    below = [changes(base, f"recipe {name}")]
    if start is not None:
        below.append(_from_run(RunFolder(start), looked))
    run, origins = resolve(Run, [*below, *layers])
    if run.task != looked.task:
        raise UsageError(
            f"model.task is {run.task}, and the data are read for {looked.task} ({found.recognized.reason}): set only "
            "one of model.task and data.task"
        )
    return name, run, origins


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
    wanted = _data_settings(layers)
    found = open_data(Path(data) if data is not None else None, wanted.replace(on_bad="skip"), kind=_kind(layers, None))
    if found.index is not None:
        raise UsageError(f"{data} is prepared: numbers, of which nothing can be said; check what it was prepared from")
    found.settings = wanted
    head = list(islice(found.read(found.parts.part("train")), HEAD))
    if not head:
        raise DataError(source_place(found.parts.part("train")), f"no line can be used for {found.recognized.task}")
    looked = _surveyed(found, head)
    long = max(looked.longest, _NO_LIMIT)  # there may be longer ones: a recipe takes its own limit then
    name, run, _ = _chosen(found, replace(looked, longest=long), recipe, layers)
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


def plan_again(
    data: Path | str | None,
    folder: RunFolder,
    config: Path | str | None,
    settings: Sequence[Assignment],
    preparing: Preparing | None = None,
) -> Plan:
    """The plan of a run that was begun, to go on with it. Raises UsageError where other settings are asked for."""
    stored = folder.settings()
    layers = [read_yaml(Path(config)) if config is not None else [], list(settings)]
    run, origins = resolve(Run, [changes(stored, str(folder.path / "run.yaml")), *layers])
    _refuse_changes(stored, run, folder)
    found = open_data(Path(data) if data is not None else None, run.data.replace(task=run.task), kind=run.kind)
    if found.index is not None:
        refuse_other_reading(run, found.index)
        return Plan(run, origins, found, found.index.kept("train"), found.index.survey, [found.parts.how])
    if preparing is not None and preparing.takes(found):
        return _again_from_index(run, origins, found, folder, preparing)
    examples = found.examples("train")
    looked = _surveyed(found, examples)
    said = [found.parts.how, *skipped(found)]
    return Plan(run, origins, found, list(one_target_each(examples, run.task)), looked, said)


def _again_from_index(
    run: Run, origins: dict[str, str], found: DataSet, folder: RunFolder, preparing: Preparing
) -> Plan:
    """What was prepared when the run was begun, where it is still there; else it is prepared again."""
    state, facts = folder.codec_state(), {"key": key_of(found, run)}
    index = there(preparing.folder, facts)
    looked = index.survey if index is not None else _surveyed(found, not_empty(found))
    made = Plan(run, origins, found, [], looked, [found.parts.how, *skipped(found)])
    if index is None or index.codecs != state:
        index = _index(made, None, state, {**facts, "given": print_of(state)}, preparing)
    return _from_index(made, index)


MAY_CHANGE = (
    "machine.device",
    "machine.threads",
    "machine.micro_tokens",
    "machine.shard",
    "machine.recompute",
    "training.time_limit",
    "training.patience",
    "data.train",
    "data.valid",
    "data.test",
)
"""Settings that a resumed run may be given anew: they say where it runs and when it ends, not what is computed."""


def _refuse_changes(stored: Run, wanted: Run, folder: RunFolder) -> None:
    before = dict(leaves(stored))
    other = [
        f"  {path}: {before.get(path)} there, {value} now"
        for path, value in leaves(wanted)
        if before.get(path, value) != value and path not in MAY_CHANGE
    ]
    if other:
        raise UsageError(
            f"{folder.path} was begun with other settings, and a resumed run is the same run:\n"
            + "\n".join(other)
            + "\ngive the same, or train into another --out (--from takes the weights along)"
        )


def _data_settings(layers: Sequence[Sequence[Assignment]]) -> DataSettings:
    """What the user says about the data, before there is a recipe; a task chosen for the model is the data's task.

    The tokenizers wait for the recipe, since a setting of theirs may be of the one that it chooses.
    """
    later = ("data.tokenizer", "data.target_tokenizer")
    only = [[a for a in layer if f"{a.path}.".startswith("data.") and not a.path.startswith(later)] for layer in layers]
    chosen = [
        Assignment("data.task", TASKS.name_of(a.value) if isinstance(a.value, Branch) else a.value, a.origin)
        for layer in layers
        for a in layer
        if a.path == "model.task"
    ]
    return resolve(_OnlyData, [chosen, *only])[0].data


def _from_run(folder: RunFolder, looked: Survey) -> list[Assignment]:
    """The settings of an earlier run that its weights need to fit: the model's, and how text is cut.

    All of them and not only those that differ from the defaults, for they lie over a recipe.
    """
    folder.manifest()
    old = folder.settings()
    same_task = old.task == looked.task
    cut = ("data.tokenizer", "data.target_tokenizer", "data.joint") if same_task else ("data.tokenizer",)
    model = ("model.",) if same_task else ("model.input", "model.encoder")
    return [
        Assignment(path, value, f"from {folder.path}") for path, value in leaves(old) if path.startswith(model + cut)
    ]


def skipped(data: DataSet, before: int = 0) -> list[str]:
    """What is to be said of the lines that were left out, beyond so many that are known."""
    return left_out(data.complaints.taken[before:], "data.on_bad skip")


def left_out(taken: Sequence[DataError], why: str) -> list[str]:
    """How many lines were left out, and the first of them; nothing where none were."""
    if not taken:
        return []
    shown = "\n".join(f"  {error}" for error in taken[:5])
    rest = f"\n  and {len(taken) - 5:,} more" if len(taken) > 5 else ""
    lines = "line was" if len(taken) == 1 else "lines were"
    return [f"{len(taken):,} {lines} skipped ({why}):\n{shown}{rest}"]


def codecs_for(plan: Plan, start: RunFolder | None = None) -> Codecs:
    """Codecs fitted on the training part; with `start`, those of that run as far as they still fit."""
    several, metrics = plan.data.recognized.several, metrics_for(plan.survey)
    if plan.index is not None:
        refuse_other_reading(plan.run, plan.index)
        if start is not None:
            _refuse_other_vocabulary(plan.index, plan.run, start)
        return build_codecs(plan.run, several, metrics, plan.index.codecs)
    state = _state_of(plan, start, plan.train) if start is not None else {}
    codecs = build_codecs(plan.run, several, metrics, state)
    codecs.fit(plan.train, known=state)
    return codecs


def _state_of(plan: Plan, start: RunFolder, examples: Iterable[Example]) -> dict[str, Any]:
    """What a run that is started from keeps of its codecs, as far as it fits the examples to learn from."""
    old = start.codec_state()
    _refuse_other_elements(plan.run, start)
    state = {"source": old["source"]}
    if start.settings().task == plan.run.task and _covers(old["target"], plan, examples):
        state["target"] = old["target"]
    return state


def _refuse_other_vocabulary(index: Index, run: Run, start: RunFolder) -> None:
    """Refuse prepared data whose numbers are of another vocabulary than a run's. Raises UsageError."""
    _refuse_other_elements(run, start)
    if index.codecs["source"] != start.codec_state()["source"]:
        raise UsageError(
            f"{file_name(index.folder)} was prepared with a vocabulary of its own, and the vectors of {start.path} "
            f"belong to another: prepare the data with --from {start.path}, or train without it"
        )


def _refuse_other_elements(run: Run, start: RunFolder) -> None:
    """Refuse another tokenizer than that of the run that is started from. Raises UsageError."""
    there = start.settings()
    names = ["tokenizer", *(["target_tokenizer", "joint"] if there.task == run.task else [])]
    for name in names:
        if getattr(run.data, name) != getattr(there.data, name):
            raise UsageError(
                f"data.{name} is not that of {start.path}, whose vectors belong to its own elements: leave it out, or "
                "train without --from"
            )


def _covers(target: Mapping[str, Any], plan: Plan, examples: Iterable[Example]) -> bool:
    """Whether a run's labels are all that the examples need; numbers and sequences always are."""
    labels = target.get("labels")
    if plan.data.recognized.several and not target.get("several", True):
        return False
    return labels is None or {label for e in examples for label in label_set(e.target)} <= set(labels)


def metrics_for(survey: Survey) -> tuple[str, ...]:
    """What a new sequence is measured by, where the user does not say."""
    if survey.symbols:
        return ("phone_error_rate", "sequence_error_rate")
    if survey.single_targets:
        return ("character_error_rate", "exact_match")
    return ("word_error_rate", "character_error_rate") if survey.kind == "sound" else ("bleu", "chrf")
