"""Checkpoints: everything that training goes on from, in a folder that is whole or not there."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from headway import storage
from headway.errors import RunError
from headway.training.average import Average

KEPT = 2
"""Checkpoints that are kept: the last, and the one before in case the last is damaged."""
FILES = ("weights.safetensors", "optimizer.safetensors", "average.safetensors", "progress.json")
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
) -> Path:
    """Write a checkpoint below `folder` and remove old ones; returns where it is. Raises RunError.

    more    writes what else belongs into it
    """
    path = folder / f"step-{progress.step:09d}"
    if not _is_whole(path):
        shutil.rmtree(path, ignore_errors=True)
        _write(path, progress, model, optimizers, average, more)
    known = _steps(folder)  # also where nothing was written: a process may have been killed while it removed old ones
    kept = [one for one in known if one.name <= path.name][-KEPT:]  # one from a later step was passed over as damaged
    for old in known:
        if old not in kept:
            shutil.rmtree(old, ignore_errors=True)
    return path


def _write(
    path: Path,
    progress: Progress,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    average: Average,
    more: Callable[[Path], None],
) -> None:
    with storage.whole_folder(path) as new:
        storage.write_tensors(new / "weights.safetensors", dict(model.named_parameters()))
        storage.write_tensors(new / "optimizer.safetensors", optimizer_tensors(optimizers))
        storage.write_tensors(new / "average.safetensors", average.state())
        storage.write_json(new / "progress.json", asdict(progress))
        more(new)


def _is_whole(path: Path) -> bool:
    try:
        storage.verified(path, FILES)
    except RunError:
        return False
    return True


def latest(folder: Path, warn: Callable[[str], object], before: int | None = None) -> Path | None:
    """The newest checkpoint that is whole; damaged ones are named through `warn` and passed over. None without any.

    before    a step: those from it on do not count
    """
    for path in reversed(_steps(folder)):
        if before is not None and int(path.name.removeprefix("step-")) >= before:
            continue
        try:
            storage.verified(path, FILES)
            return path
        except RunError as error:
            warn(f"checkpoint passed over: {error}")
    return None


def restore(path: Path, model: nn.Module, optimizers: Sequence[Optimizer], average: Average) -> Progress:
    """Put a checkpoint back. Raises RunError."""
    storage.load_into(model, storage.read_tensors(path / "weights.safetensors"), path)
    restore_optimizers(optimizers, storage.read_tensors(path / "optimizer.safetensors"))
    average.restore(storage.read_tensors(path / "average.safetensors"))
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
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
