"""Requests of different clients as batches of one model: a queue, and one thread that answers.

Rows that came in while a batch was answered are the next batch: nobody waits for company while the worker is idle.
The oldest row decides what is asked and about how long the rows of the next batch are. What takes long gives way at
each of its steps.
"""

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from headway.batch import Example
from headway.machine import give_memory_back
from headway.predictor import TIDY, Predictor
from headway.search import Watch, Written
from headway.serve.limits import Refusal
from headway.serve.questions import Asked, Question
from headway.serve.window import Window

LOG = logging.getLogger("headway.serve")
ROWS = 64
"""Rows of a batch at most: more bring no further speed on a CPU, and each is answered with the last."""
SPREAD, SHORT = 2, 16
"""A row of a batch is at most so many times as long as the oldest, or as short; rows up to SHORT are all alike."""
TIDY_SECONDS = 30.0
"""Free memory goes back as often, however few rows were answered."""
GUESSED = 0.05
"""Seconds of a batch before one was measured."""
WEIGHT = 0.2
"""What the last batch counts in the running mean of rows a second."""

Hears = Callable[[int, int], None]
"""(number of the input, token): called in the thread of the event loop for every token that is written."""


class Stopped(Exception):
    """Nobody waits any more for any row of the batch."""


class Job:
    """One request while it is answered. Made and read in the thread of the event loop.

    hears      is told every token
    version    of the model that answered last
    """

    def __init__(self, question: Question, examples: Sequence[Example], hears: Hears | None = None):
        self.loop = asyncio.get_running_loop()
        self.question, self.examples, self.hears = question, examples, hears
        self.answers: list[Any] = [None] * len(examples)
        self.left = len(examples)
        self.cancelled = False
        self.version = ""
        self.done: asyncio.Future[list[Any]] = self.loop.create_future()
        self.whole: Callable[[int, Any], None] | None = None

    def cancel(self) -> None:
        """Nobody waits for it: what has not begun is not done, and what runs for nobody else ends at its next step."""
        self.cancelled = True
        self.done.cancel()

    def deliver(self, number: int, answer: Any) -> None:
        self.answers[number] = answer
        self.left -= 1
        if self.whole is not None:
            self.whole(number, answer)
        if not self.left and not self.done.done():
            self.done.set_result(self.answers)

    def fail(self, error: Exception) -> None:
        self.cancelled = True
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(eq=False, slots=True)
class Row:
    """One input in the queue.

    due       when its turn comes; the later pieces of a long request come behind what others asked meanwhile
    """

    job: Job
    asked: Asked
    length: int
    due: float


class Batcher(threading.Thread):
    """
    turns      held while a batch is answered, so that several models share the cores
    told       called with (requests, rows, seconds) of every batch
    queue      rows that wait at most
    seconds    that a row may wait: what would wait longer, as measured, is refused at once
    """

    def __init__(
        self,
        predictor: Predictor,
        version: str,
        turns: AbstractContextManager[Any],
        window: Window,
        told: Callable[[int, int, float], None],
        queue: int,
        seconds: float,
    ):
        super().__init__(name="headway-batcher", daemon=True)
        self.model = predictor, version
        self.turns, self.window, self.told, self.queue, self.seconds = turns, window, told, queue, seconds
        self.waiting: list[Row] = []
        self.rate, self.batch = 0.0, GUESSED
        self.closing = False
        self.changed = threading.Condition()
        self._since_tidy, self._tidied, self._away = 0, monotonic(), 0.0

    # ------------------------------------------------------------------------------------- in the event loop's thread

    def submit(self, job: Job) -> None:
        """Take a request. Raises Refusal where it would wait too long."""
        lengths = [len(example.source) for example in job.examples]
        with self.changed:
            self._check(len(lengths))
            now = monotonic()
            self.waiting += [
                Row(job, Asked(n, job.examples[n], job.question), length, now + n // ROWS * self.batch)
                for n, length in enumerate(lengths)
            ]
            self.changed.notify()

    def _check(self, rows: int) -> None:
        if self.closing or not self.is_alive():
            raise Refusal("stopping", headers={"Retry-After": "1"})
        waits = len(self.waiting) / self.rate if self.rate else 0.0
        if len(self.waiting) + rows > self.queue or waits > self.seconds:
            again = max(1, math.ceil(min(waits, self.seconds)))
            retry = {"Retry-After": str(again)}
            raise Refusal("queue", headers=retry, waiting=len(self.waiting), seconds=round(waits, 1), again=again)

    def close(self) -> None:
        """Answer what waits, and end."""
        with self.changed:
            self.closing = True
            self.changed.notify()

    # ------------------------------------------------------------------------------------------ in the worker's thread

    def run(self) -> None:
        while batch := self._next():
            self._settle(batch)

    def _settle(self, batch: list[Row]) -> None:
        """Answer it, or tell everybody who waits that it failed."""
        try:
            self._answer(batch)
        except Exception:
            LOG.exception("a batch failed")
            self._tell(batch[0].job.loop, [(row.job.fail, RuntimeError("a batch failed")) for row in batch])

    def _next(self) -> list[Row]:
        """The rows to be answered now; none where the server ends."""
        with self.changed:
            while not self._here():
                if self.closing:
                    return []
                self.changed.wait()
            until = monotonic() + self.window.wait(self._requests())
            while (left := until - monotonic()) > 0 and self._requests() < self.window.last and not self.closing:
                self.changed.wait(left)
            if not self._here():  # all of them have gone meanwhile
                return self._next()
            return self._taken(self.waiting)

    def _here(self) -> bool:
        if any(row.job.cancelled for row in self.waiting):
            self.waiting = [row for row in self.waiting if not row.job.cancelled]
        return bool(self.waiting)

    def _requests(self) -> int:
        return len({id(row.job) for row in self.waiting})

    def _taken(self, rows: list[Row]) -> list[Row]:
        """The oldest of these, and those that are asked the same and are about as long; they wait no more."""
        oldest = min(rows, key=lambda row: row.due)
        least, most = oldest.length / SPREAD, max(oldest.length * SPREAD, SHORT)
        key = oldest.job.question.key
        alike = [
            row
            for row in rows
            if (row.job is oldest.job or self.window.together)
            and row.job.question.key == key
            and (least <= row.length <= most or max(row.length, oldest.length) <= SHORT)
        ]
        chosen = sorted(alike, key=lambda row: row.due)[:ROWS]
        gone = set(map(id, chosen))
        self.waiting = [row for row in self.waiting if id(row) not in gone]
        return chosen

    def _give_way(self) -> None:
        """In the middle of something long: a batch of what is answered soon, and before it other models that wait."""
        began = monotonic()
        self.turns.__exit__(None, None, None)
        try:
            with self.changed:
                self._here()
                soon = [row for row in self.waiting if not row.job.question.long]
                batch = self._taken(soon) if soon else []
            if batch:
                self._settle(batch)
        finally:
            self.turns.__enter__()
            self._away += monotonic() - began

    def _answer(self, batch: list[Row]) -> None:
        predictor, version = self.model
        requests = len({id(row.job) for row in batch})
        question, rows, watch = batch[0].job.question, [row.asked for row in batch], self._watch(batch)
        try:
            with self.turns:
                began, away = monotonic(), self._away
                found = question.of(predictor, rows, watch)
                seconds = monotonic() - began - (self._away - away)
        except Stopped:
            return
        except Exception as error:  # the turn has been given back: what is asked once more takes its own
            self._apart(batch, error)
            return
        self._count(requests, len(batch), seconds)
        told: list[tuple[Callable[..., None], Any]] = []
        for row, answer in zip(batch, found, strict=True):
            told.append((self._deliver, (row, answer, version)))
        self._tell(batch[0].job.loop, told)
        self._tidy(predictor, len(batch))

    def _apart(self, batch: list[Row], error: Exception) -> None:
        """What failed together is asked once more request by request, so that it fails only whose fault it is."""
        jobs = {id(row.job): row.job for row in batch}
        if len(jobs) == 1:
            self._tell(batch[0].job.loop, [(batch[0].job.fail, error)])
            return
        for job in jobs.values():
            self._answer([row for row in batch if row.job is job])

    def _watch(self, batch: list[Row]) -> Watch:
        loop = batch[0].job.loop
        heard, long = any(row.job.hears is not None for row in batch), batch[0].job.question.long

        def watch(written: Written) -> None:
            if all(row.job.cancelled for row in batch):
                raise Stopped
            if heard:
                self._tell(loop, [(_hear, (batch[row], token)) for row, token in written()])
            if long:
                self._give_way()

        return watch

    @staticmethod
    def _deliver(told: tuple[Row, Any, str]) -> None:
        row, answer, version = told
        row.job.version = version
        if not row.job.cancelled:
            row.job.deliver(row.asked.number, answer)

    @staticmethod
    def _tell(loop: asyncio.AbstractEventLoop, told: Sequence[tuple[Callable[..., None], Any]]) -> None:
        """Call all of these in the thread of the event loop."""
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_call, told)

    def _count(self, requests: int, rows: int, seconds: float) -> None:
        rate = rows / max(seconds, 1e-6)
        self.rate = rate if not self.rate else (1 - WEIGHT) * self.rate + WEIGHT * rate
        self.batch = (1 - WEIGHT) * self.batch + WEIGHT * seconds
        self.window.answered(requests, rows)
        self.told(requests, rows, seconds)

    def _tidy(self, predictor: Predictor, rows: int) -> None:
        """What is remembered of single inputs, and memory that is free, does not grow with the number of requests."""
        predictor.codecs.source.refresh()
        self._since_tidy += rows
        if self._since_tidy >= TIDY or monotonic() - self._tidied >= TIDY_SECONDS:
            self._since_tidy, self._tidied = 0, monotonic()
            give_memory_back()


def _call(told: Sequence[tuple[Callable[..., None], Any]]) -> None:
    for call, what in told:
        call(what)


def _hear(told: tuple[Row, int]) -> None:
    row, token = told
    if row.job.hears is not None and not row.job.cancelled:
        row.job.hears(row.asked.number, token)
