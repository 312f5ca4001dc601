"""Small findings of every task."""

import random
from typing import Any

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.errors import Where
from headway.metrics import measures
from headway.report import Findings

METRICS = {
    "tag": ("accuracy",),
    "classify": ("accuracy", "macro_f1"),
    "regress": ("mae", "r2"),
    "transduce": ("phone_error_rate", "exact_match"),
}
TASKS = tuple(METRICS)
WORDS = ("the", "cat", "sat", "on", "a", "mat", "北京", "tea")


def pairs(task: str, count: int, seed: int = 0) -> tuple[list[Example], list[Answer]]:
    """So many examples and answers, most of them right."""
    draw = random.Random(seed)
    made = [_pair(task, number, draw) for number in range(count)]
    return [example for example, _ in made], [answer for _, answer in made]


def _pair(task: str, number: int, draw: random.Random) -> tuple[Example, Answer]:
    words = tuple(draw.choice(WORDS) for _ in range(draw.randint(2, 17)))
    where = Where("folder/test.tsv", number + 2)
    if task == "tag":
        right = tuple("N" if len(word) > 2 else "D" for word in words)
        return Example(words, right, where), TagAnswer(words, tuple(l if draw.random() < 0.9 else "V" for l in right))
    if task == "classify":
        right = draw.choice(("good", "bad"))
        given = right if draw.random() < 0.8 else "bad"
        return Example(" ".join(words), right, where), ClassifyAnswer((given,), draw.uniform(0.5, 1))
    if task == "regress":
        value = draw.gauss(0, 3)
        return Example(" ".join(words), value, where), RegressAnswer(value + draw.gauss(0, 1))
    written = " ".join(word if draw.random() < 0.9 else "x" for word in words)
    return Example(" ".join(words[::-1]), " ".join(words), where), TransduceAnswer(written)


def findings(task: str, count: int = 60, **more: Any) -> Findings:
    """What a training of this task may have come to."""
    examples, answers = pairs(task, count)
    metrics = measures(METRICS[task])
    for metric in metrics.values():
        metric.add(answers, examples)
    values = {name: metric.value() for name, metric in metrics.items()}
    given: dict[str, Any] = {
        "metrics": {"valid": values, "test": values},
        "signatures": {name: metric.signature() for name, metric in metrics.items()},
        "baselines": {"majority": {"valid": dict.fromkeys(values, 0.5), "test": dict.fromkeys(values, 0.5)}},
        "notes": {"majority": "the most frequent label"},
        "counts": {"valid": 31, "test": count},
        "facts": {"step": 100, "seconds": 66.0, "tokens": 123_456, "parameters": 8_719_234},
        "events": events(),
        "environment": {
            "machine": {"processor": "Abacus", "packages": {"torch": "2"}, "gpu": None},
            "data": {"how": "x"},
        },
        "settings": "model:\n  layers: 2 # recipe tag\n  width: 64\n",
        "said": ["recipe tag", "train: 3 examples"],
        "part": "test",
        "examples": examples,
        "answers": answers,
        "examined": 31,
        "asked": "--text '…'",
    }
    return Findings("my_run", task, **(given | more))


def events(steps: int = 100) -> list[dict[str, Any]]:
    """The log of a training with an evaluation every tenth step; the best is at step 70."""
    found: list[dict[str, Any]] = [{"event": "start", "step": 0, "steps": steps}]
    for step in range(1, steps + 1):
        values = {"loss": 3 / step, "learning_rate": 1e-3 * step / steps, "tokens": step, "tokens_per_second": 900.0}
        found.append({"event": "step", "step": step, **values})
        if step % 10 == 0:
            score = 1 - abs(step - 70) / 100
            measured = {"accuracy": score, "loss": 4 / step, "seconds": 1.0, "best": step <= 70}
            found.append({"event": "valid", "step": step, **measured})
    return [*found, {"event": "end", "step": steps}]
