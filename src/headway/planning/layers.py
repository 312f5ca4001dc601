"""What the user set, laid over a recipe and over the run that is started from."""

from collections.abc import Sequence
from pathlib import Path

from headway import recipes
from headway.data.loading import DataSet
from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.errors import UsageError
from headway.inputs import INPUTS
from headway.run import Run, RunFolder
from headway.settings import Assignment, Branch, changes, leaves, resolve
from headway.tasks import TASKS


def kind_of(layers: Sequence[Sequence[Assignment]], start: Path | str | None) -> str | None:
    """What goes in, as far as the user says it; None where the data show it."""
    chosen = [a.value for layer in layers for a in layer if a.path == "model.input"]
    if chosen:
        return INPUTS.name_of(INPUTS.choose(chosen[-1]))
    if start is None:
        return None
    RunFolder(start).manifest()
    return RunFolder(start).settings().kind


class _OnlyData(Branch):
    data: DataSettings = DataSettings()


def data_settings(layers: Sequence[Sequence[Assignment]]) -> DataSettings:
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


def chosen(
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
