"""Optuna's part: a study in a journal of JSON lines, trials that are asked for, told and pruned.

Every trial is drawn by a sampler of its own, seeded by (seed, number of the trial), so that a search that was
interrupted draws what one that was not would have drawn.
"""

import hashlib
from pathlib import Path
from typing import Any

from headway.errors import MissingPackage
from headway.report.wording import is_better_higher

NAME = "headway"
RANDOM = 8
"""Trials that are drawn at random before the others are learned from."""
BEFORE_PRUNING, EVALUATIONS = 4, 3
"""Trials that are finished, and evaluations that a trial has, before one is ended because it lags behind."""


def optuna() -> Any:
    """The package. Raises MissingPackage, with the line that installs it."""
    try:
        import optuna
    except ModuleNotFoundError:
        raise MissingPackage("optuna", "tune", "headway tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def study_in(out: Path, metric: str) -> Any:
    """The study of a folder, begun where there is none."""
    package = optuna()
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return package.create_study(
        storage=JournalStorage(JournalFileBackend(str(out / "journal.log"))),
        pruner=package.pruners.MedianPruner(BEFORE_PRUNING, EVALUATIONS),
        direction="maximize" if is_better_higher(metric) else "minimize",
        study_name=NAME,
        load_if_exists=True,
    )


def asked(study: Any, seed: int) -> Any:
    """The trial that comes next."""
    number = len(study.get_trials(deepcopy=False))
    drawn = int.from_bytes(hashlib.blake2b(f"{seed} {number}".encode(), digest_size=4).digest(), "big")
    study.sampler = optuna().samplers.TPESampler(seed=drawn, n_startup_trials=RANDOM)
    return study.ask()


def begun(study: Any) -> list[Any]:
    """The trials that were interrupted, to go on with."""
    package = optuna()
    running = (package.trial.TrialState.RUNNING,)
    return [
        package.trial.Trial(study, one._trial_id)  # what Optuna itself makes of a trial that is stored
        for one in study.get_trials(deepcopy=False, states=running)
    ]


def tell(study: Any, trial: Any, value: float | None, state: str) -> None:
    """How a trial ended: finished, pruned or failed."""
    states = optuna().trial.TrialState
    chosen = {"finished": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}[state]
    study.tell(trial, value if state == "finished" else None, state=chosen)
