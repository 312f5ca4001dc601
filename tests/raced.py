"""A race that was never run: its figures are made up."""

from headway.lab.race.quality import Quality
from headway.lab.race.results import Results, Row


def row(name: str, bleu: float, speeds: dict[int, float], **more) -> Row:
    how = {"length_ratio": 0.98, "length_accuracy": 0.5, "repetitions": 0.01, "empty": 0.0} | more
    good = Quality({"bleu": bleu}, how.pop("decoder_calls", 9.5), **how)
    seconds = tuple((1 + i / 20) / speeds[1] for i in range(-10, 11))
    return Row("runs/a", name, name, good, seconds, speeds)


def results(*rows: Row) -> Results:
    machine = {"processor": "a chip", "gpu": None, "threads": 1, "cores": 2, "system": "Linux", "headway": "0"}
    return Results(
        rows=rows or (
            row("greedy", 30.0, {1: 20.0, 8: 100.0, 32: 200.0}, identical=1.0),
            row("verify", 30.0, {1: 50.0, 8: 120.0, 32: 150.0}, identical=1.0, decoder_calls=3.25),
            row("nat", 27.5, {1: 80.0, 8: 90.0, 32: 100.0}, identical=0.25, decoder_calls=1.0, repetitions=0.125),
        ),
        data="data/pairs", part="test", examples=1000, timed=(21, 128), lengths=tuple(range(4, 25)), unit="words",
        repetitions=0.004, signatures={"bleu": "BLEU|x"}, machine={**machine, "packages": {"torch": "2"}},
        command="headway race runs/a data/pairs",
    )  # fmt: skip
