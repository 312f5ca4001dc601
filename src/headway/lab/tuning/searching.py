"""`tune`: trial after trial within a space of settings, each a process; the best is written as a file of settings."""

import shutil
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headway import storage
from headway.errors import HeadwayError, UsageError, file_name
from headway.lab.compare.axes import applied
from headway.lab.compare.budget import Budget, seconds_of
from headway.lab.compare.cells import Cell
from headway.lab.tuning import study as studies
from headway.lab.tuning.page import write_pages
from headway.lab.tuning.results import TOLD, Results, folder_of, results_of, told_of
from headway.lab.tuning.space import Dimension, space_for
from headway.lab.tuning.trying import tried, value_of
from headway.machine import cores
from headway.planning import Plan, codecs_for, plan
from headway.preparation import Preparing
from headway.run import Run, as_yaml, build_model
from headway.settings import Assignment, assignments, changes, resolve
from headway.version import __version__


class Watcher:
    """Hears of a search; each method may be left out. Called from several threads."""

    def said(self, text: str) -> None:
        """Something a person should know."""

    def began(self, number: int, choices: Mapping[str, Any]) -> None:
        """A trial is being trained."""

    def heard(self, number: int, event: Mapping[str, Any]) -> None:
        """A trial told something: `started`, `step`, `valid`, `measuring`."""

    def ended(self, number: int, state: str, value: float | None, best: bool) -> None:
        """A trial has ended: finished, pruned or failed; `best` of all so far."""


def tune(
    data: Path | str | None,
    trials: int = 20,
    out: Path | str = "tuning",
    *,
    space: Sequence[Dimension] = (),
    time: float | int | str | None = None,
    steps: int | None = None,
    jobs: int = 1,
    recipe: str | None = None,
    config: Path | str | None = None,
    settings: Sequence[Assignment] | Mapping[str, Any] = (),
    watch: Watcher | None = None,
    stop: threading.Event | None = None,
) -> Results:
    """Search for settings by the valid part, and write those that are best.

    data           as for `train`; it needs a valid part
    trials         how many there are to be in all
    out            the folder of the search; one that was begun is gone on with
    space          what is searched for beside what the recipe suggests, or in its place
    time, steps    the budget of a trial: training time (seconds, 5m), or updates; at most one
    jobs           trials side by side, with one thread each where there are several
    settings       what is the same in every trial
    stop           set from outside, it saves and ends

    Raises UsageError, DataError, RunError, and HeadwayError where no trial could be trained.
    """
    given = assignments(settings, "given") if isinstance(settings, Mapping) else list(settings)
    for name, number in (("trials", trials), ("jobs", jobs)):
        if number < 1:
            raise UsageError(f"--{name} must be at least 1, and is {number}")
    studies.optuna()
    budget = Budget(seconds_of(time), None, steps)
    budget.check(given)
    if jobs > 1 and all(one.path != "machine.threads" for one in given):
        given.append(Assignment("machine.threads", 1, f"--jobs {jobs}"))
    with storage.work_folder(Path(out), "tune", [TOLD], ["prepared"]):
        watch = watch or Watcher()
        preparing = Preparing(Path(out) / "prepared", workers=cores(), hear=watch.said)
        made = plan(data, recipe, config, given, preparing=preparing)
        data = data if made.index is None else made.index.folder  # one preparation for all trials
        search = _Search(made, data, Path(out), space, budget, given, watch, stop or threading.Event())
        return search.run(trials, jobs)


class _Search:
    """One search: what is asked, and the study that it is kept in."""

    def __init__(
        self,
        made: Plan,
        data: Path | str | None,
        out: Path,
        space: Sequence[Dimension],
        budget: Budget,
        given: Sequence[Assignment],
        watch: Watcher,
        stop: threading.Event,
    ):
        if "valid" not in made.data:
            raise UsageError("there is no valid part to choose by: --data.valid FILE gives one")
        self.plan, self.data, self.out, self.watch, self.stop = made, data, out, watch, stop
        self.base = _within(made.run, budget)
        self.space = space_for(made.run, space, {one.path: one.value for one in given})
        self._check()
        codecs = codecs_for(made)
        self.metric = build_model(made.run, codecs).task.metrics[0]
        self.prints = {"train": made.fingerprint}
        self.lock, self.failures = threading.Lock(), list[str]()
        self._begin()
        self.study = studies.study_in(out, self.metric)

    def _check(self) -> None:
        """Refuse a setting that there is not, and a value that it cannot have. Raises UsageError."""
        for one in self.space:
            if not any(one.path.startswith(f"{other.path}.") for other in self.space):
                for value in one.values or (one.low, one.high):
                    resolve(Run, [changes(self.base, "base"), [Assignment(one.path, value, f"--space {one}")]])

    def _begin(self) -> None:
        """Keep what is searched for; refuse a folder of another search. Raises UsageError."""
        told = {
            "version": __version__,
            "space": [str(one) for one in self.space],
            "metric": self.metric,
            "base": as_yaml(self.base, {}),
            "prints": self.prints,
        }
        if (self.out / TOLD).is_file():
            before = told_of(self.out)
            other = [name for name in ("space", "metric", "base", "prints") if before.get(name) != told[name]]
            if other:
                names = {"base": "settings or budget", "prints": "data"}
                raise UsageError(
                    f"{file_name(self.out)} holds another search ({', '.join(names.get(n, n) for n in other)} differ): "
                    "give the same, or choose another --out"
                )
        else:
            storage.write_sealed(self.out / TOLD, told)

    def run(self, trials: int, jobs: int) -> Results:
        """Trials until there are so many."""
        waiting = studies.begun(self.study)
        there = len(self.study.get_trials(deepcopy=False))
        if there:
            self.watch.said(
                f"going on with {file_name(self.out)}: {there - len(waiting)} of {trials} trials have ended"
            )

        def work() -> None:
            while not self.stop.is_set():
                with self.lock:
                    if waiting:
                        trial = waiting.pop(0)
                    elif len(self.study.get_trials(deepcopy=False)) < trials:
                        trial = studies.asked(self.study, self.base.machine.seed)
                        for one in self.space:
                            one.suggested(trial)
                    else:
                        return
                self._try(trial)

        with ThreadPoolExecutor(jobs) as threads:
            futures = [threads.submit(work) for _ in range(jobs)]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self.stop.set()
                raise
        found = results_of(self.out)
        if found.best is None and self.failures and not self.stop.is_set():
            raise HeadwayError(f"no trial could be trained; the first: {self.failures[0]}")
        return found

    # ------------------------------------------------------------------------------------------------------ a trial

    def _try(self, trial: Any) -> None:
        cell = self._cell(trial)
        self.watch.began(trial.number, trial.params)
        every = 1

        def hear(event: Mapping[str, Any]) -> bool:
            nonlocal every
            self.watch.heard(trial.number, event)
            if event["event"] == "started":
                every = max(1, int(event["evaluate_every"]))
            if event["event"] != "valid" or self.metric not in event["values"]:
                return False
            with self.lock:
                return self._reported(trial, -(-int(event["step"]) // every), event["values"][self.metric])

        problem = tried(cell, hear, self.stop)
        with self.lock:
            self._ended(trial, cell, problem)

    def _reported(self, trial: Any, evaluation: int, value: float) -> bool:
        """Whether a trial lags so far behind that it is to be ended."""
        known = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        if evaluation not in known:  # a trial that is gone on with may evaluate again
            trial.report(value, evaluation)
        return bool(trial.should_prune())

    def _ended(self, trial: Any, cell: Cell, problem: str | None) -> None:
        """Tell the study, keep the weights of the best trial only, and write what is known."""
        value = value_of(cell.result)
        if self.stop.is_set() and cell.result is None and problem is None:
            return  # to be gone on with
        state = "finished" if value is not None else "failed" if problem is not None else "pruned"
        if problem is not None:
            self.failures.append(problem)
            self.watch.said(f"trial {trial.number}: {problem}")
        before = results_of(self.out).best
        studies.tell(self.study, trial, value, state)
        found = results_of(self.out)
        best = found.best is not None and found.best.number == trial.number
        for number in [trial.number] if not best else [before.number] if before is not None else []:
            shutil.rmtree(folder_of(self.out, number) / "run", ignore_errors=True)
        if best:
            text = as_yaml(cell.run, dict.fromkeys(trial.params, f"trial {trial.number}"))
            storage.write(self.out / "best.yaml", text.encode())
        write_pages(found)
        self.watch.ended(trial.number, state, value, best)

    def _cell(self, trial: Any) -> Cell:
        run, _, _ = applied(self.base, [Assignment(path, value, "tune") for path, value in trial.params.items()])
        data = str(self.data) if self.data is not None else None
        folder = folder_of(self.out, trial.number)
        return Cell(folder, f"trial {trial.number}", run.machine.seed, run, data, self.prints, None)


def _within(run: Run, budget: Budget) -> Run:
    """The run with the budget of a trial, where one is given."""
    if budget == Budget():
        return run
    training = run.training.replace(steps=budget.steps, epochs=None, time_limit=budget.seconds)
    return run.replace(training=training)


def as_json(results: Results) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        **results.told,
        "best": None if results.best is None else results.best.number,
        "test": results.test,
        "trials": [asdict(one) for one in results.trials],
    }
