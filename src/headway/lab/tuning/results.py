"""What a search has found, from its folder alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway import storage
from headway.errors import RunError, UsageError, file_name
from headway.lab.tuning.study import study_in
from headway.report.wording import is_better_higher

TOLD = "tuning.json"


@dataclass(frozen=True)
class Tried:
    """One trial: what it was trained with and what it came to.

    state    finished, pruned, failed, or begun
    value    the valid part's first metric, of a trial that ended early the last that is known
    curve    [evaluation, value]
    """

    number: int
    state: str
    value: float | None
    choices: dict[str, Any]
    seconds: float | None = None
    parameters: int | None = None
    curve: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """All trials of a search; `told` is what tuning.json holds."""

    folder: Path
    told: dict[str, Any]
    trials: Sequence[Tried]

    @property
    def metric(self) -> str:
        """What is searched by."""
        return self.told.get("metric") or "valid"

    @property
    def best(self) -> Tried | None:
        """The best that was trained to its end; of equals the first."""
        sign = 1 if is_better_higher(self.metric) else -1
        done = [one for one in self.trials if one.state == "finished" and one.value is not None]
        return max(done, key=lambda one: (sign * (one.value or 0.0), -one.number), default=None)

    @property
    def ranked(self) -> list[Tried]:
        """The best first, then those that ended early, then the others."""
        sign, states = (-1 if is_better_higher(self.metric) else 1), ("finished", "pruned", "failed", "begun")
        return sorted(
            self.trials,
            key=lambda one: (states.index(one.state), 0.0 if one.value is None else sign * one.value, one.number),
        )

    @property
    def test(self) -> dict[str, float]:
        """What the best trial reaches on the test part, which nothing was chosen by."""
        if self.best is None:
            return {}
        result = storage.read_json(folder_of(self.folder, self.best.number) / "cell.json")
        return result["metrics"].get("test", {})


def folder_of(out: Path, number: int) -> Path:
    """Where a trial lies."""
    return out / "trials" / f"{number:05d}"


def told_of(out: Path) -> dict[str, Any]:
    """What a folder's search is. Raises UsageError where there is none, and RunError."""
    if not (out / TOLD).is_file():
        raise UsageError(f"{file_name(out)} holds no search: it has no {TOLD}")
    told = storage.read_sealed(out / TOLD)
    if not isinstance(told, dict) or "space" not in told:
        raise RunError(f"{out / TOLD} is damaged: it does not say what is searched for")
    return told


def results_of(out: Path) -> Results:
    """The trials of a folder. Raises UsageError and RunError."""
    told = told_of(out)
    return Results(out, told, [_tried(out, one) for one in study_in(out, told["metric"]).get_trials(deepcopy=False)])


def _tried(out: Path, trial: Any) -> Tried:
    names = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    state = names.get(trial.state.name, "begun")
    path = folder_of(out, trial.number) / "cell.json"
    facts = (storage.read_json(path) if path.is_file() else {}).get("facts", {})
    curve = sorted(trial.intermediate_values.items())
    value = trial.value if state == "finished" else (curve[-1][1] if curve else None)
    return Tried(trial.number, state, value, dict(trial.params), facts.get("seconds"), facts.get("parameters"), curve)
