"""The queue and the thread that answers, with questions whose answers are known."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from headway.batch import Example
from headway.errors import UsageError
from headway.predictor import Predictor
from headway.search import Watch
from headway.serve.batcher import ROWS, Batcher, Job
from headway.serve.limits import Refusal
from headway.serve.questions import Asked, Question
from headway.serve.turns import Turns
from headway.serve.window import Window


class Echo(Question):
    """Answers each text with itself, and keeps which were asked together."""

    def __init__(self, key: Any = "echo"):
        self.key = key
        self.batches: list[list[str]] = []

    def of(self, predictor: Predictor, rows: Sequence[Asked], watch: Watch) -> list[Any]:
        texts = [row.example.source for row in rows]
        self.batches.append(texts)
        if "bad" in texts:
            raise UsageError("bad was asked")
        while "stuck" in texts:
            watch(tuple)
            time.sleep(0.001)
        for number, text in enumerate(texts):
            for letter in text[:3]:
                told = [(number, ord(letter))]
                watch(lambda told=told: told)
        return texts


class Nothing:
    """What the worker does to a predictor between batches."""

    def __init__(self):
        self.codecs = self.source = self

    def refresh(self) -> None:
        pass


def nobody() -> Predictor:
    predictor = Predictor.__new__(Predictor)
    predictor.__dict__.update(codecs=Nothing())
    return predictor


@contextmanager
def working(window: float = 0.003, queue: int = 1000, seconds: float = 60.0):
    gate = threading.Lock()
    batcher = Batcher(nobody(), "1-a", gate, Window(window), lambda *_: None, queue, seconds)
    batcher.start()
    try:
        yield batcher, gate
    finally:
        if gate.locked():
            gate.release()
        batcher.close()
        batcher.join(10)
        assert not batcher.is_alive()


def asked(batcher: Batcher, question: Question, *texts: str, hears=None) -> Job:
    job = Job(question, [Example(text) for text in texts], hears)
    batcher.submit(job)
    return job


async def taken(batcher: Batcher) -> None:
    """Wait until the first batch has left the queue."""
    while batcher.waiting:
        await asyncio.sleep(0.002)


def test_what_waits_is_the_next_batch():
    async def clients():
        with working() as (batcher, gate):
            echo = Echo()
            gate.acquire()
            first = asked(batcher, echo, "a")
            await taken(batcher)
            others = [asked(batcher, echo, text) for text in ("b", "c", "d")]
            gate.release()
            assert [await job.done for job in (first, *others)] == [["a"], ["b"], ["c"], ["d"]]
            return echo.batches

    assert asyncio.run(clients()) == [["a"], ["b", "c", "d"]]


def test_a_window_of_nothing_asks_each_request_by_itself():
    async def clients():
        with working(window=0.0) as (batcher, gate):
            echo = Echo()
            gate.acquire()
            jobs = [asked(batcher, echo, text, text) for text in ("a", "b", "c")]
            gate.release()
            await asyncio.gather(*(job.done for job in jobs))
            return echo.batches

    assert asyncio.run(clients()) == [["a", "a"], ["b", "b"], ["c", "c"]]


def test_only_what_is_asked_alike_and_as_long_goes_together():
    async def clients():
        with working() as (batcher, gate):
            one, other = Echo("one"), Echo("other")
            gate.acquire()
            asked(batcher, one, "first")
            await taken(batcher)
            jobs = [asked(batcher, one, "a" * 40), asked(batcher, other, "b"), asked(batcher, one, "c" * 90)]
            jobs += [asked(batcher, one, "d" * 70), asked(batcher, one, "e")]
            gate.release()
            await asyncio.gather(*(job.done for job in jobs))
            return [[text[:1] for text in batch] for batch in one.batches], other.batches

    one, other = asyncio.run(clients())
    assert one == [["f"], ["a", "d"], ["c"], ["e"]] and other == [["b"]]


def test_the_pieces_of_a_long_request_come_behind_what_others_ask():
    async def clients():
        with working() as (batcher, gate):
            echo = Echo()
            batcher.batch = 60.0
            gate.acquire()
            long = asked(batcher, echo, *["x"] * (2 * ROWS + 5))
            while len(batcher.waiting) > ROWS + 5:
                await asyncio.sleep(0.002)
            short = [asked(batcher, echo, "s") for _ in range(3)]
            gate.release()
            await asyncio.gather(long.done, *(job.done for job in short))
            return echo.batches

    first, second, third = asyncio.run(clients())
    assert set(first) == {"x"} and len(first) == ROWS
    assert second[:3] == ["s"] * 3 and len(second) == ROWS and len(third) == 8


def test_what_fails_together_fails_only_whose_fault_it_is():
    async def clients():
        with working() as (batcher, gate):
            echo = Echo()
            gate.acquire()
            asked(batcher, echo, "first")
            await taken(batcher)
            good, bad, fine = asked(batcher, echo, "good"), asked(batcher, echo, "bad"), asked(batcher, echo, "fine")
            gate.release()
            assert await good.done == ["good"] and await fine.done == ["fine"]
            with pytest.raises(UsageError, match="bad was asked"):
                await bad.done

    asyncio.run(clients())


def test_what_nobody_waits_for_is_not_done_and_ends_at_its_next_step():
    async def clients():
        with working() as (batcher, gate):
            echo = Echo()
            gate.acquire()
            running = asked(batcher, echo, "stuck")
            await taken(batcher)
            waiting, other = asked(batcher, echo, "never"), asked(batcher, echo, "other")
            gate.release()
            while not echo.batches:
                await asyncio.sleep(0.002)
            waiting.cancel()
            running.cancel()
            assert await asyncio.wait_for(other.done, 20) == ["other"]
            return echo.batches

    assert asyncio.run(clients()) == [["stuck"], ["other"]]


def test_tokens_are_heard_by_their_own_request():
    async def clients():
        with working() as (batcher, gate):
            echo, heard = Echo(), {"a": [], "b": []}
            gate.acquire()
            asked(batcher, echo, "first")
            await taken(batcher)
            jobs = [
                asked(batcher, echo, name * 3, name.upper(), hears=lambda *told, name=name: heard[name].append(told))
                for name in heard
            ]
            gate.release()
            await asyncio.gather(*(job.done for job in jobs))
            return heard

    heard = asyncio.run(clients())
    assert heard == {name: [(0, ord(name))] * 3 + [(1, ord(name.upper()))] for name in "ab"}


def test_a_queue_is_full_by_number_and_by_time():
    async def clients():
        with working(queue=10, seconds=5.0) as (batcher, gate):
            echo = Echo()
            gate.acquire()
            asked(batcher, echo, "first")
            await taken(batcher)
            asked(batcher, echo, *"123456789")
            asked(batcher, echo, "0")
            with pytest.raises(Refusal, match="10 inputs wait already"):
                asked(batcher, echo, "a")
            batcher.queue, batcher.rate = 1000, 1.0  # a row a second: ten rows wait for longer than five seconds
            with pytest.raises(Refusal, match=r"for about 10\.0 s; ask again in 5 s") as found:
                asked(batcher, echo, "a")
            assert found.value.status == 503 and found.value.headers["Retry-After"] == "5"
        with pytest.raises(Refusal, match="stopping"):
            asked(batcher, echo, "a")

    asyncio.run(clients())


def test_it_answers_what_waits_before_it_ends():
    async def clients():
        with working() as (batcher, gate):
            gate.acquire()
            jobs = [asked(batcher, Echo(n), str(n)) for n in range(5)]
            batcher.close()
            gate.release()
            return await asyncio.gather(*(job.done for job in jobs))

    assert asyncio.run(clients()) == [["0"], ["1"], ["2"], ["3"], ["4"]]


# ------------------------------------------------------------------------------------------------------ what takes long


class Long(Echo):
    """Takes a step for every letter, and is told what was answered meanwhile."""

    long = True

    def __init__(self, others: Echo, step: threading.Semaphore):
        super().__init__(object())
        self.others, self.step, self.seen = others, step, list[int]()

    def of(self, predictor: Predictor, rows: Sequence[Asked], watch: Watch) -> list[Any]:
        for _ in rows[0].example.source:
            assert self.step.acquire(timeout=30)
            watch(tuple)
            self.seen.append(len(self.others.batches))
        return [row.example.source for row in rows]


def test_what_takes_long_gives_way_to_one_batch_a_step_and_not_to_what_takes_long_too():
    async def clients():
        with working() as (batcher, gate):
            echo, step = Echo(), threading.Semaphore(0)
            long, another = Long(echo, step), Long(echo, step)
            gate.acquire()
            jobs = [asked(batcher, long, "four")]
            await taken(batcher)
            gate.release()
            jobs += [asked(batcher, another, "one"), asked(batcher, echo, "a"), asked(batcher, echo, "bad")]
            jobs += [asked(batcher, echo, "c" * 99), asked(batcher, echo, "d" * 99)]
            step.release(7)
            found = await asyncio.gather(*(job.done for job in jobs), return_exceptions=True)
            return found, echo.batches, long.seen, another.seen, batcher.rate

    (first, second, a, bad, *rest), batches, seen, later, rate = asyncio.run(clients())
    assert (first, second, a, *rest) == (["four"], ["one"], ["a"], ["c" * 99], ["d" * 99])
    assert isinstance(bad, UsageError)
    assert [batch[0][:1] for batch in batches] == ["a", "a", "b", "c"] and len(batches[3]) == 2
    assert seen == [3, 4, 4, 4] and later == [4] * 3 and rate > 0


def test_who_leaves_what_takes_long_leaves_the_others_answered():
    async def clients():
        with working() as (batcher, _):
            echo, step = Echo(), threading.Semaphore(0)
            long = asked(batcher, Long(echo, step), "four")
            await taken(batcher)
            other = asked(batcher, echo, "a")
            step.release(1)
            assert await other.done == ["a"]
            long.cancel()
            step.release(1)
            assert await asked(batcher, echo, "b").done == ["b"]

    asyncio.run(clients())


def test_models_take_turns_in_the_order_in_which_they_came_and_what_takes_long_gives_way_to_another_model():
    turns, order = Turns(1), list[str]()

    class Noted(Long):
        def of(self, predictor: Predictor, rows: Sequence[Asked], watch: Watch) -> list[Any]:
            found = super().of(predictor, rows, watch)
            order.append("long")
            return found

    async def clients():
        window = (nobody(), "1-a", turns, Window(0.003), lambda *_: None, 1000, 60.0)
        one, other = Batcher(*window), Batcher(*window)
        one.start()
        other.start()
        echo, step = Echo(), threading.Semaphore(0)
        long = asked(one, Noted(echo, step), "four")
        await taken(one)
        short = asked(other, echo, "a")
        short.done.add_done_callback(lambda _: order.append("short"))
        await taken(other)
        while turns._drawn < 2:  # the other model waits for its turn
            await asyncio.sleep(0.002)
        step.release(1)
        assert await short.done == ["a"]
        step.release(3)
        assert await long.done == ["four"]
        for batcher in (one, other):
            batcher.close()
            batcher.join(10)

    asyncio.run(clients())
    assert order == ["short", "long"]
