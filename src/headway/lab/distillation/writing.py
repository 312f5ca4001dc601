"""The sources of a training part, cut into pieces of like length, and the model that writes a target for each."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headway.batch import Example
from headway.data.batching import in_order_of_length
from headway.data.encoding import encode
from headway.data.loading import DataSet, open_data
from headway.errors import RunError, UsageError
from headway.lab.distillation.task import Piece, Task, read_piece, write_piece
from headway.predictor import Predictor
from headway.training.settings import MachineSettings


def teacher(run: Path | str) -> Predictor:
    """The model that writes, on one thread: several processes have more of each core. Raises RunError."""
    return Predictor(run, machine=MachineSettings(threads=1))


def data_for(predictor: Predictor, data: Path) -> DataSet:
    """A data set, read as the run's own was: the same columns, keys or endings. Raises UsageError and DataError."""
    settings = predictor.run.data.replace(task="transduce", train=(), valid=(), test=())
    return open_data(data, settings)


class Writing:
    """A task with its model and its sources; pieces are known by their numbers."""

    def __init__(self, task: Task, predictor: Predictor, train: Sequence[Example], folder: Path):
        """folder    where the pieces lie"""
        self.task, self.predictor, self.folder = task, predictor, folder
        predictor.machine = predictor.machine.replace(micro_tokens=task.tokens)
        self.sources = once_each(train)
        encoded = encode(self.sources, predictor.codecs, predictor.run.data, with_targets=False)
        self.pieces: list[NDArray[np.int64]] = in_order_of_length(encoded.sources.lengths.clip(1), task.tokens)

    def piece(self, number: int) -> Piece | None:
        """What was written for the sources of that number; None before it is."""
        return read_piece(self.folder, number, len(self.pieces[number]))

    def left(self) -> list[int]:
        """The pieces that are not written."""
        return [number for number in range(len(self.pieces)) if self.piece(number) is None]

    def result(self) -> tuple[list[str], float]:
        """(the text for every source, the seconds that writing took) of all pieces. Raises RunError."""
        texts, seconds = [""] * len(self.sources), 0.0
        for number, rows in enumerate(self.pieces):
            piece = self.piece(number)
            if piece is None:
                raise RunError(f"a piece in {self.folder} is damaged or gone; the same command writes it again")
            seconds += piece.seconds
            for row, text in zip(rows.tolist(), piece.texts, strict=True):
                texts[row] = text
        return texts, seconds

    def write(self, numbers: Sequence[int]) -> Iterator[int]:
        """How many sources each piece has, once it is written and kept. Raises RunError."""
        task = self.task
        for number in numbers:
            begin = time.monotonic()
            rows = self.pieces[number].tolist()
            how = {"mode": task.mode, "beam": task.beam, "length_penalty": task.length_penalty}
            answers = self.predictor.predict([self.sources[row] for row in rows], **how)
            texts = [str(answer) for answer in answers]
            write_piece(self.folder, number, Piece(texts, time.monotonic() - begin))
            self.predictor.codecs.source.refresh()
            yield len(rows)


def once_each(examples: Sequence[Example]) -> list[Example]:
    """The first example of every source: further references of it are not written anew."""
    found: dict[object, Example] = {}
    for example in examples:
        if not isinstance(example.source, (str, tuple)):
            raise UsageError(
                f"{example.where}: distill writes sources that are text beside their new targets, and this one is none"
            )
        found.setdefault(example.source, example)
    return list(found.values())
