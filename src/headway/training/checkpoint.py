"""Checkpoints: everything that training goes on from, in a folder that is whole or not there."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from headway import storage
from headway.errors import RunError
from headway.training import sharding
from headway.training.average import Average
from headway.training.distributed import ALONE, Group

KEPT = 2
"""Checkpoints that are kept: the last, and the one before in case the last is damaged."""
KINDS = ("weights", "optimizer", "average")
"""Of tensors: each is a file, or one of every process where a model is divided among them."""
PLAN = "plan.json"
"""What is fixed at the start, for a run that has no checkpoint yet."""


@dataclass
class Progress:
    """Where training is.

    step         updates done
    steps        updates in all, fixed at the start
    parts        of an update, side by side, fixed at the start
    every        updates between evaluations, fixed at the start; 0 in files of older versions
    epoch        passes over the data that are complete
    position     batches of the present pass that are done
    best         the best metric so far, on the valid part; None before the first evaluation
    best_step    when it was
    stale        evaluations since then
    evaluated    step of the last evaluation; -1 before the first
    seconds      time spent training, over all sessions
    tokens       tokens seen, padding left out
    split        batches that went through the model in pieces because memory was short
    begun        the loss of the first update; None before it
    worse        updates, one after another up to here, with a loss far above that
    """

    step: int = 0
    steps: int = 0
    parts: int = 1
    every: int = 0
    epoch: int = 0
    position: int = 0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    evaluated: int = -1
    seconds: float = 0.0
    tokens: int = 0
    split: int = 0
    begun: float | None = None
    worse: int = 0


def begin(folder: Path, progress: Progress) -> None:
    """Keep what is fixed before the first update. Raises RunError."""
    storage.write_sealed(folder / PLAN, asdict(progress))


def begun(folder: Path) -> Progress | None:
    """What `begin` kept; None where it kept nothing yet. Raises RunError."""
    return _progress_in(folder / PLAN) if (folder / PLAN).is_file() else None


def save(
    folder: Path,
    progress: Progress,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    average: Average,
    more: Callable[[Path], None] = lambda new: None,
    group: Group = ALONE,
) -> Path:
    """Write a checkpoint below `folder` and remove old ones; returns where it is. Raises RunError.

    more    writes what else belongs into it
    group   the processes among which the model is divided: each writes its shares, the first one all the rest
    """
    path = folder / f"step-{progress.step:09d}"
    if not group.of_first(_is_whole(path)):
        tensors = (dict(model.named_parameters()), optimizer_tensors(optimizers), average.state())
        if group.first:
            shutil.rmtree(path, ignore_errors=True)
            _write(path, progress, tensors, more, group)
        else:
            _write_shares(path.with_name(group.of_first("")), tensors, group)
    if not group.first:
        return path
    known = _steps(folder)  # also where nothing was written: a process may have been killed while it removed old ones
    kept = [one for one in known if one.name <= path.name][-KEPT:]  # one from a later step was passed over as damaged
    for old in known:
        if old not in kept:
            shutil.rmtree(old, ignore_errors=True)
    return path


def _write(
    path: Path,
    progress: Progress,
    tensors: Sequence[Mapping[str, Tensor]],
    more: Callable[[Path], None],
    group: Group,
) -> None:
    with storage.whole_folder(path) as new:
        group.of_first(new.name)
        _write_shares(new, tensors, group)
        storage.write_json(new / "progress.json", asdict(progress))
        more(new)


def _write_shares(new: Path, tensors: Sequence[Mapping[str, Tensor]], group: Group) -> None:
    """This process's part of a checkpoint; returns when every process has written its own."""
    if not new.is_dir():
        raise RunError(f"{new.parent} is not the folder that the first process writes: all machines must see it")
    for kind, named in zip(KINDS, tensors, strict=True):
        sharding.write(new, kind, named, group)
    group.wait()


def _is_whole(path: Path) -> bool:
    try:
        _verify(path)
    except RunError:
        return False
    return True


def _verify(path: Path) -> None:
    """Raises RunError where a checkpoint is not whole."""
    files = [name for kind in KINDS for name in sharding.files_of(path, kind)]
    storage.verified(path, [*files, "progress.json"])


def latest(folder: Path, warn: Callable[[str], object], before: int | None = None) -> Path | None:
    """The newest checkpoint that is whole; damaged ones are named through `warn` and passed over. None without any.

    before    a step: those from it on do not count
    """
    for path in reversed(_steps(folder)):
        if before is not None and int(path.name.removeprefix("step-")) >= before:
            continue
        try:
            _verify(path)
            return path
        except RunError as error:
            warn(f"checkpoint passed over: {error}")
    return None


def restore(path: Path, model: nn.Module, optimizers: Sequence[Optimizer], average: Average) -> Progress:
    """Put a checkpoint back. Raises RunError."""
    parameters = dict(model.named_parameters())
    weights = sharding.read(path, "weights")
    divided = {name: sharding.divided_as(w, parameters.get(name, w)) for name, w in weights.items()}
    storage.load_into(model, divided, path)
    restore_optimizers(optimizers, sharding.read(path, "optimizer"))
    average.restore(sharding.read(path, "average"))
    return read_progress(path)


def read_progress(path: Path) -> Progress:
    """Where the training was that wrote this checkpoint. Raises RunError."""
    return _progress_in(path / "progress.json")


def _progress_in(path: Path) -> Progress:
    try:
        return Progress(**storage.read_sealed(path))
    except TypeError as error:
        raise RunError(f"{path} is damaged: {error}") from error


def _steps(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if re.fullmatch(r"step-\d{9}", path.name))


def optimizer_tensors(optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """The state of optimizers as named tensors: optimizer.parameter.key."""
    found = {}
    for number, optimizer in enumerate(optimizers):
        for parameter, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                found[f"{number}.{parameter}.{key}"] = torch.as_tensor(value)
    return found


def restore_optimizers(optimizers: Sequence[Optimizer], tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave, laid out in memory as the parameters are, so that sums are the same."""
    for number, optimizer in enumerate(optimizers):
        own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            which, parameter, key = name.split(".")
            if int(which) == number:
                state.setdefault(int(parameter), {})[key] = _laid_out(tensor, own[int(parameter)])
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out(tensor: Tensor, parameter: Tensor) -> Tensor:
    if tensor.shape != parameter.shape:
        return tensor.clone()
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(sharding.divided_as(tensor, parameter))
