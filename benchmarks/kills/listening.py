"""Listeners of trainings in processes that are watched."""

from collections.abc import Mapping

from headway.training.events import Listener
from headway.training.loop import Trainer


class Says(Listener):
    """Prints what is said."""

    def said(self, text: str) -> None:
        print(text)


class Stops(Listener):
    """Stops a training after some updates, as a signal does."""

    def __init__(self, after: int):
        self.after = after

    def prepared(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        if step == self.after:
            self.trainer.stop.set()
