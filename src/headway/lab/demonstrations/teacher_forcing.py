"""Teacher forcing shows the right beginning; running free the model reads its own, and its mistakes add up.

The gap between the two is exposure bias: Ranzato et al. 2016, "Sequence Level Training with Recurrent Neural Networks".
"""

import random

import torch
from torch import Tensor

from headway.batch import BEGIN, Example
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, speller
from headway.report.charts import Line

STEPS, LENGTH = 300, 10
RING = "abcdefgh"


class TeacherForcing(Demonstration):
    """Walks on a ring of letters, where each letter follows from the one before it and from the source."""

    def run(self, say: Say) -> Findings:
        made, test = trained(walks(2000, seed=1), say), walks(300, seed=2)
        forced, free = ([values.tolist() for values in by_position(made, test, teacher)] for teacher in (True, False))

        found = Findings()
        positions = range(1, LENGTH + 1)
        found.show(
            f"The source says up, down or stay (+ − =), {LENGTH} times; the target is where one stands on the ring "
            f"{RING}. The model is trained for {STEPS} updates only, so that it makes mistakes. Forced, it reads the "
            "right letters and answers the next; free, it reads those it wrote.",
            Curves(
                "accuracy by position",
                [Line("free", list(zip(positions, free[0]))), Line("forced", list(zip(positions, forced[0])), "quiet")],
                "position",
            ),
            Curves(
                "cross entropy of the right letter by position",
                [Line("free", list(zip(positions, free[1]))), Line("forced", list(zip(positions, forced[1])), "quiet")],
                "position",
            ),
            Table(
                "by position",
                ["position", "forced: accuracy", "free: accuracy", "forced: loss", "free: loss"],
                [[t, forced[0][t - 1], free[0][t - 1], forced[1][t - 1], free[1][t - 1]] for t in positions],
            ),
        )
        gaps = [a - b for a, b in zip(forced[0], free[0])]
        found.at_most("at the first position both read BEGIN: difference of accuracy", abs(gaps[0]), 0.0)
        found.at_least("forced accuracy minus free accuracy, over all positions", sum(gaps) / LENGTH, 0.02)
        found.at_least("the same in the second half minus in the first half", _second(gaps) - _first(gaps), 0.02)
        found.at_least(
            "free loss minus forced loss, over all positions", (sum(free[1]) - sum(forced[1])) / LENGTH, 0.02
        )
        return found


def trained(examples: list[Example], say: Say) -> Learner:
    """Not to the end, so that it makes mistakes."""
    say(f"training on walks: {STEPS} updates")
    made = speller(examples, STEPS)
    made.train(examples)
    return made


def walks(count: int, seed: int) -> list[Example]:
    """Moves on the ring, and the letters that they lead to from its first."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        at, moves, letters = 0, draw.choices("+-=", k=LENGTH), []
        for move in moves:
            at = (at + {"+": 1, "-": -1, "=": 0}[move]) % len(RING)
            letters.append(RING[at])
        found.append(Example("".join(moves), "".join(letters)))
    return found


@torch.inference_mode()
def by_position(made: Learner, examples: list[Example], teacher: bool) -> tuple[Tensor, Tensor]:
    """(LENGTH) accuracy and loss; what is read next is the right token with a teacher, and the written one without."""
    batch, decoder = made.batch(examples), made.model.task.decoder
    right = batch.target["write"]
    state = decoder.start(made.model.encode(batch))
    tokens = torch.full((len(examples),), BEGIN)
    accuracy, loss = [], []
    for t in range(LENGTH):
        logits, state = decoder.step(tokens, state)
        accuracy.append((logits.argmax(-1) == right[:, t]).double().mean())
        loss.append(-logits.log_softmax(-1).gather(-1, right[:, t, None]).mean())
        tokens = right[:, t] if teacher else logits.argmax(-1)
    return torch.stack(accuracy), torch.stack(loss)


def _first(values: list[float]) -> float:
    return sum(values[: LENGTH // 2]) / (LENGTH // 2)


def _second(values: list[float]) -> float:
    return sum(values[LENGTH // 2 :]) / (LENGTH - LENGTH // 2)
