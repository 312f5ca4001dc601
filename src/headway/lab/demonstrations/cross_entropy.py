"""Cross entropy falls as accuracy rises, which is why it may be minimized instead; but the two are not the same."""

import random
from typing import Any

import torch

from headway.batch import Example
from headway.functional.losses import cross_entropy
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Curve, learner
from headway.report.charts import Line

GOOD, BAD = [f"good{i}" for i in range(12)], [f"bad{i}" for i in range(12)]
NEUTRAL = [f"word{i}" for i in range(30)]


class CrossEntropy(Demonstration):
    """A classifier with many examples, and one with few that is trained for too long."""

    def run(self, say: Say) -> Findings:
        valid = reviews(400, seed=2)
        say("training on 1,000 examples: 60 updates")
        many = curve(reviews(1000, seed=1), valid, training__steps=60, training__evaluate_every=3)
        say("training on 60 examples: 300 updates")
        few = curve(reviews(60, seed=3), valid, training__steps=300, training__evaluate_every=15)
        best = min(range(len(few.valid)), key=lambda n: few.valid[n][1]["loss"])

        found = Findings()
        found.show(
            "Made-up reviews of ten words, most of them neutral; the label is what most of the others are, and one in "
            "ten is wrong. Accuracy moves in jumps and has no gradient; cross entropy has one everywhere.",
            *(
                Curves(title, [_line(one, "loss", "main"), _line(one, "accuracy", "quiet")])
                for title, one in (("1,000 examples: new reviews", many), ("60 examples: new reviews", few))
            ),
            Table(
                "60 examples: cross entropy can rise while accuracy stays",
                ["at", "cross entropy", "accuracy"],
                [
                    [f"step {step}", values["loss"], values["accuracy"]]
                    for step, values in (few.valid[0], few.valid[best], few.valid[-1])
                ],
            ),
        )
        together = correlation(many)
        found.at_most("1,000 examples: correlation of cross entropy and accuracy", together, -0.8)
        lowest, last = few.valid[best][1], few.valid[-1][1]
        found.at_least("60 examples: cross entropy at the end over its lowest", last["loss"] / lowest["loss"], 1.2)
        found.at_most("60 examples: accuracy lost since then", lowest["accuracy"] - last["accuracy"], 0.03)
        self._sharper(found)
        return found

    def _sharper(self, found: Findings) -> None:
        """The same answers, said with more certainty."""
        logits, targets = torch.randn(200, 5, dtype=torch.float64), torch.randint(5, (200,))
        counted = torch.ones(200, dtype=torch.bool)
        before, after = (float(cross_entropy(t * logits, targets, counted)[0]) / 200 for t in (1, 10))
        same = (logits.argmax(-1) == (10 * logits).argmax(-1)).double().mean()
        found.show("All logits ten times as large are the same answers, given with more certainty:")
        found.at_least("share of answers that stay", float(same), 1)
        found.at_least(
            "cross entropy of answers that know nothing, ten times as certain, over before", after / before, 2
        )


def reviews(count: int, seed: int) -> list[Example]:
    """Ten words, three of which judge; one label in ten is wrong."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        judging = [draw.choice(draw.choice((GOOD, BAD))) for _ in range(3)]
        label = "good" if sum(word in GOOD for word in judging) > 1 else "bad"
        if draw.random() < 0.1:
            label = "bad" if label == "good" else "good"
        words = judging + draw.choices(NEUTRAL, k=7)
        draw.shuffle(words)
        found.append(Example(" ".join(words), label))
    return found


def curve(train: list[Example], valid: list[Example], **changed: Any) -> Curve:
    """How a training of a small classifier went."""
    made = learner("classify", train, model__encoder__width=32, training__learning_rate=2e-3, **changed)
    made.train(train, valid)
    return made.curve


def correlation(curve: Curve) -> float:
    pairs = torch.tensor([[values["loss"], values["accuracy"]] for _, values in curve.valid], dtype=torch.float64)
    return float(torch.corrcoef(pairs.T)[0, 1])


def _line(curve: Curve, name: str, look: str) -> Line:
    return Line(
        "cross entropy" if name == "loss" else name, [(step, values[name]) for step, values in curve.valid], look
    )
