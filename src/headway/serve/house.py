"""What the routes share: the models with their workers, the watched trainings, limits and meters."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headway.errors import HeadwayError, UsageError, unknown
from headway.machine import cores
from headway.predictor import Predictor
from headway.run import RunFolder
from headway.serve import logs
from headway.serve.batcher import Batcher
from headway.serve.limits import Limits, Refusal
from headway.serve.meters import Meters
from headway.serve.trainings import Trainings
from headway.serve.turns import Turns
from headway.serve.window import Window
from headway.training.settings import MachineSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """How models are served.

    threads    that one batch may take; all cores where none are given. As many batches of different models run side
               by side as there are cores for
    window     seconds that a request waits for others at most; 0 for one request a batch
    """

    limits: Limits = field(default_factory=Limits)
    threads: int | None = None
    window: float = 0.003


class Served:
    """One model, with the worker that answers."""

    def __init__(self, name: str, folder: Path, turns: Turns, settings: Settings, meters: Meters):
        self.name, self.folder, self.settings = name, folder, settings
        predictor, version = self.loaded()
        limits = settings.limits
        told = lambda requests, rows, seconds: meters.batch(name, requests, rows, seconds)  # noqa: E731
        window = Window(settings.window)
        self.batcher = Batcher(predictor, version, turns, window, told, limits.queue, limits.seconds)
        meters.waiting.labels(name).set_function(lambda: len(self.batcher.waiting))
        meters.window.labels(name).set_function(lambda: float(self.batcher.window.open))

    @property
    def predictor(self) -> Predictor:
        return self.batcher.model[0]

    @property
    def version(self) -> str:
        return self.batcher.model[1]

    def loaded(self) -> tuple[Predictor, str]:
        """The model that the run folder holds now, and which it is. Raises RunError."""
        threads = self.settings.threads or cores()
        version = version_of(self.folder)
        return Predictor(self.folder, machine=MachineSettings(threads=threads)), version

    def renew(self) -> bool:
        """Take the weights that the run folder holds now, where they are others; what was begun ends with the old.

        Raises HeadwayError where they cannot be read, or answer another question: then the old ones stay.
        """
        if version_of(self.folder) == self.version:
            return False
        predictor, version = self.loaded()
        if (predictor.run.task, predictor.run.kind) != (self.predictor.run.task, self.predictor.run.kind):
            raise UsageError(f"{self.folder} answers another question than before: start the server anew")
        self.batcher.model = predictor, version
        return True


def version_of(folder: Path) -> str:
    """Which weights a run folder holds: their step and the begin of their checksum. Raises RunError."""
    manifest = RunFolder(folder).manifest()
    return f"{manifest['step']}-{manifest['files'][manifest['weights']][:8]}"


class House:
    """Everything that one server has.

    draining    whether it takes no new connections, and is about to end
    closing     set when streams without an end must end
    """

    def __init__(self, runs: Mapping[str, Path], watched: Sequence[Path] = (), settings: Settings | None = None):
        self.settings = settings or Settings()
        self.limits, self.meters = self.settings.limits, Meters()
        turns = Turns(max(1, cores() // (self.settings.threads or cores())))
        self.served = {name: Served(name, path, turns, self.settings, self.meters) for name, path in runs.items()}
        self.trainings = Trainings(watched) if watched else None
        self.draining = False
        self.closing = asyncio.Event()

    def start(self) -> None:
        """Let the workers begin."""
        for served in self.served.values():
            served.batcher.start()

    def close(self) -> None:
        """Let the workers answer what waits, and end."""
        for served in self.served.values():
            served.batcher.close()
        for served in self.served.values():
            if served.batcher.ident is not None:
                served.batcher.join()

    @property
    def ready(self) -> bool:
        """Whether a new request would be answered."""
        return not self.draining and all(served.batcher.is_alive() for served in self.served.values())

    def model(self, name: str | None) -> Served:
        """The model of that name; the only one where none is named. Raises Refusal."""
        if not self.served:
            raise Refusal("no_models")
        if name is None:
            if len(self.served) > 1:
                raise Refusal("which_model", ", ".join(self.served))
            return next(iter(self.served.values()))
        if name not in self.served:
            raise Refusal("unknown_model", unknown("model", name, self.served))
        return self.served[name]

    async def renew(self) -> None:
        """Take new weights of every run folder that has some; what cannot be read leaves the old ones."""
        for served in self.served.values():
            try:
                changed = await asyncio.to_thread(served.renew)
            except HeadwayError as error:
                logs.tell("not renewed", level=40, model=served.name, reason=str(error))
            else:
                logs.tell("renewed" if changed else "unchanged", model=served.name, version=served.version)


def names_of(runs: Sequence[str]) -> dict[str, Path]:
    """`RUN` or `NAME=RUN` as models by name. Raises UsageError where two have one name."""
    found: dict[str, Path] = {}
    for text in runs:
        name, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            name, path = Path(text).resolve().name, text
        if not name or name in found:
            raise UsageError(f"two models would be called {name!r}: name them, as in one={path} other=…")
        found[name] = Path(path)
    return found
