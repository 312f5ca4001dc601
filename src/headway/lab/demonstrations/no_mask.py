"""Without the causal mask, training looks easy and writing is broken: each position has seen its own answer."""

import random
from collections.abc import Sequence

from headway.batch import Example
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, speller
from headway.report.charts import Line

STEPS = 400


class NoMask(Demonstration):
    """The same tiny model twice, on strings and their reversal; what differs is whether the decoder sees the future."""

    def run(self, say: Say) -> Findings:
        train, test = reversals(2000, seed=1), reversals(200, seed=2)
        masked, open_ = (trained(train, causal, say) for causal in (True, False))
        loss = {name: ending(made) for name, made in (("masked", masked), ("open", open_))}
        exact = {name: made.exact(test) for name, made in (("masked", masked), ("open", open_))}

        found = Findings()
        found.show(
            f"{len(train):,} strings of 2 to 5 letters and their reversals, {STEPS} updates. In training the decoder "
            "reads the right output, moved by one. Without the mask position t also reads what stands at t + 1, which "
            "is what it has to write: it learns to copy it. In writing nothing stands there yet.",
            Curves(
                "training loss", [Line("no mask", thinned(open_), "main"), Line("masked", thinned(masked), "quiet")]
            ),
            Table(
                "training and writing",
                ["decoder", "training loss at the end", "exact match on 200 new strings"],
                [["masked", loss["masked"], exact["masked"]], ["no mask", loss["open"], exact["open"]]],
            ),
            Table("what they write", ["string", "right", "masked", "no mask"], written(masked, open_, test[:4])),
        )
        found.at_most("no mask: training loss at the end", loss["open"], 0.1)
        found.at_most("no mask: its training loss over that with the mask, halfway", half(open_) / half(masked), 0.8)
        found.at_most("no mask: share of new strings written right", exact["open"], 0.05)
        found.at_least("masked: share of new strings written right", exact["masked"], 0.7)
        return found


def reversals(count: int, seed: int) -> list[Example]:
    """Strings of 2 to 5 of six letters, with what they are backwards."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdef", k=draw.randint(2, 5))) for _ in range(count)]
    return [Example(word, word[::-1]) for word in words]


def trained(examples: Sequence[Example], causal: bool, say: Say) -> Learner:
    say(f"training {'with' if causal else 'without'} the mask: {STEPS} updates")
    made = speller(examples, STEPS)
    made.model.task.decoder.stack.causal = causal
    made.train(examples)
    return made


def ending(made: Learner) -> float:
    """The mean loss of the last updates."""
    return sum(loss for _, loss in made.curve.loss[-20:]) / 20


def half(made: Learner) -> float:
    """The mean loss of the updates in the middle."""
    middle = [loss for step, loss in made.curve.loss if 0.4 * STEPS < step <= 0.6 * STEPS]
    return sum(middle) / len(middle)


def thinned(made: Learner) -> list[tuple[int, float]]:
    """Means of ten updates each, which batches of different length do not shake."""
    points = made.curve.loss
    return [(points[i][0], sum(loss for _, loss in points[i : i + 10]) / 10) for i in range(0, len(points) - 9, 10)]


def written(masked: Learner, open_: Learner, examples: Sequence[Example]) -> list[list[str]]:
    answers = zip(masked.answers(examples), open_.answers(examples))
    return [[one.source, one.target, *both] for one, both in zip(examples, answers)]
