"""The plan of a run that was begun, to go on with it."""

from collections.abc import Sequence
from pathlib import Path

from headway.data.loading import DataSet, open_data
from headway.errors import UsageError
from headway.planning.decided import Plan, skipped, surveyed
from headway.planning.planned import from_index, prepared_index
from headway.preparation import Preparing, key_of, not_empty, one_target_each, print_of, refuse_other_reading, there
from headway.run import Run, RunFolder
from headway.settings import Assignment, changes, leaves, resolve
from headway.settings_file import read_yaml


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
    looked = surveyed(found, examples)
    said = [found.parts.how, *skipped(found)]
    return Plan(run, origins, found, list(one_target_each(examples, run.task)), looked, said)


def _again_from_index(
    run: Run, origins: dict[str, str], found: DataSet, folder: RunFolder, preparing: Preparing
) -> Plan:
    """What was prepared when the run was begun, where it is still there; else it is prepared again."""
    state, facts = folder.codec_state(), {"key": key_of(found, run)}
    index = there(preparing.folder, facts)
    looked = index.survey if index is not None else surveyed(found, not_empty(found))
    made = Plan(run, origins, found, [], looked, [found.parts.how, *skipped(found)])
    if index is None or index.codecs != state:
        index = prepared_index(made, None, state, {**facts, "given": print_of(state)}, preparing)
    return from_index(made, index)


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
