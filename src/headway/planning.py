"""From a data set to a plan: what is asked, which recipe, every setting with its origin, before anything is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from headway import recipes
from headway.batch import Example
from headway.data.checks import Setup
from headway.data.codecs import Sequences, label_set
from headway.data.encoding import Codecs, check_windows
from headway.data.loading import DataSet, open_data, source_place
from headway.data.settings import DataSettings
from headway.data.sources.text import SourceText
from headway.data.survey import Survey, survey
from headway.errors import DataError, UsageError
from headway.inputs import INPUTS
from headway.run import Run, RunFolder, build_codecs
from headway.settings import Assignment, Branch, changes, leaves, resolve
from headway.settings_file import read_yaml
from headway.tasks import TASKS


@dataclass
class Plan:
    """Everything that is decided before the first step.

    said       sentences for the user: what was recognized and chosen
    """

    run: Run
    origins: dict[str, str]
    data: DataSet
    train: list[Example]
    survey: Survey
    said: list[str] = field(default_factory=list)


def _kind(layers: Sequence[Sequence[Assignment]], start: Path | str | None) -> str | None:
    """What goes in, as far as the user says it; None where the data show it."""
    chosen = [a.value for layer in layers for a in layer if a.path == "model.input"]
    if chosen:
        return INPUTS.name_of(INPUTS.choose(chosen[-1]))
    if start is None:
        return None
    RunFolder(start).manifest()
    return RunFolder(start).settings().kind


def _surveyed(found: DataSet, examples: Sequence[Example]) -> Survey:
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
) -> Plan:
    """Read the training part, recognize the question, choose a recipe, and lay over it what the user set.

    Later ones win: the recipe, the run that is started from, the file of settings, the settings given one by one.
    """
    layers = [read_yaml(Path(config)) if config is not None else [], list(settings)]
    wanted = _data_settings(layers)
    found = open_data(Path(data) if data is not None else None, wanted, kind=_kind(layers, start))
    examples = found.examples("train")
    looked = _surveyed(found, examples)
    name, run, origins = _chosen(found, looked, recipe, layers, start)
    check_windows(run.task, run.data)
    said = [found.parts.how, found.recognized.reason, *skipped(found), f"recipe {name}"]
    return Plan(run, origins, found, _one_target_each(examples, run.task), looked, said)


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
    data: Path | str | None, folder: RunFolder, config: Path | str | None, settings: Sequence[Assignment]
) -> Plan:
    """The plan of a run that was begun, to go on with it. Raises UsageError where other settings are asked for."""
    stored = folder.settings()
    layers = [read_yaml(Path(config)) if config is not None else [], list(settings)]
    run, origins = resolve(Run, [changes(stored, str(folder.path / "run.yaml")), *layers])
    _refuse_changes(stored, run, folder)
    found = open_data(Path(data) if data is not None else None, run.data.replace(task=run.task), kind=run.kind)
    examples = found.examples("train")
    looked = _surveyed(found, examples)
    said = [found.parts.how, *skipped(found)]
    return Plan(run, origins, found, _one_target_each(examples, run.task), looked, said)


MAY_CHANGE = (
    "machine.device",
    "machine.threads",
    "machine.micro_tokens",
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


def _one_target_each(examples: list[Example], task: str) -> list[Example]:
    """Several right targets of a source are as many examples to learn from."""
    if task != "transduce":
        return examples
    return [replace(example, target=target, others=()) for example in examples for target in example.references]


def skipped(data: DataSet, before: int = 0) -> list[str]:
    """What is to be said of the lines that were left out, beyond so many that are known."""
    taken = data.complaints.taken[before:]
    if not taken:
        return []
    shown = "\n".join(f"  {error}" for error in taken[:5])
    rest = f"\n  and {len(taken) - 5:,} more" if len(taken) > 5 else ""
    lines = "line was" if len(taken) == 1 else "lines were"
    return [f"{len(taken):,} {lines} skipped (data.on_bad skip):\n{shown}{rest}"]


def codecs_for(plan: Plan, start: RunFolder | None = None) -> Codecs:
    """Codecs fitted on the training part; with `start`, those of that run as far as they still fit."""
    state = {}
    if start is not None:
        old = start.codec_state()
        _refuse_other_elements(plan.run, start)
        state["source"] = old["source"]
        if start.settings().task == plan.run.task and _covers(old["target"], plan):
            state["target"] = old["target"]
    codecs = build_codecs(plan.run, plan.data.recognized.several, metrics_for(plan.survey), state)
    codecs.fit(plan.train, known=state)
    return codecs


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


def _covers(target: Mapping[str, Any], plan: Plan) -> bool:
    """Whether a run's labels are all that the examples need; numbers and sequences always are."""
    labels = target.get("labels")
    if plan.data.recognized.several and not target.get("several", True):
        return False
    return labels is None or {label for e in plan.train for label in label_set(e.target)} <= set(labels)


def metrics_for(survey: Survey) -> tuple[str, ...]:
    """What a new sequence is measured by, where the user does not say."""
    if survey.symbols:
        return ("phone_error_rate", "sequence_error_rate")
    if survey.single_targets:
        return ("character_error_rate", "exact_match")
    return ("word_error_rate", "character_error_rate") if survey.kind == "sound" else ("bleu", "chrf")
