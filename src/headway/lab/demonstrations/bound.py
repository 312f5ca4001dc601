"""More positions than are needed, and END cuts: at the most probable place, and not where one END slipped in early."""

import random

import torch
from torch import Tensor

from headway.batch import END, Example
from headway.decoders.bound import cut_values, first_cut
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner
from headway.report.charts import Line

STEPS = 400


class Bound(Demonstration):
    """Words written backwards by a decoder that always has the same positions and learns where to stop."""

    def run(self, say: Say) -> Findings:
        made, test = trained(backwards(2000, seed=1), say), backwards(400, seed=2)
        log_p, most = looked_at(made, test)
        best, end = log_p[..., END + 1 :].max(-1).values, log_p[..., END]
        values = cut_values(best, end, most, 1.0)
        cuts, firsts = values.argmax(-1), first_cut(best, end, most)
        lengths = torch.tensor([len(example.target) for example in test])
        differs = [i for i in range(len(test)) if cuts[i] != firsts[i]]
        shown = next((i for i in differs if cuts[i] == lengths[i]), 0)

        found = Findings()
        found.show(
            "Words of 2 to 9 letters are written backwards. For every source there are positions for the longest "
            "target that it may have, all written in one pass; each also says how probable END is there. A cut after l "
            "tokens is as probable as the best token at every position before it, END behind them, and END at all the "
            "others: two running sums give that of every l.",
            Table(
                f"“{test[shown].source}”, to be cut after {int(lengths[shown])}",
                ["position", "best letter", "its probability", "probability of END", "log p of a cut before it"],
                [
                    [t + 1, letter(made, log_p[shown, t]), *map(float, column)]
                    for t, column in enumerate(zip(best[shown].exp(), end[shown].exp(), values[shown]))
                    if t <= most[shown]
                ],
            ),
            Curves(
                "log p of a cut, over its place",
                [Line("log p", [(l, float(values[shown, l])) for l in range(int(most[shown]) + 1)])],
                "tokens",
            ),
            f"Of {len(test)} words {len(differs)} are cut at another place by the first position that would write END "
            "by itself.",
        )
        _claim(found, (log_p, most), (values, cuts, firsts), lengths)
        return found


def _claim(found: Findings, given: tuple[Tensor, Tensor], cut: tuple[Tensor, Tensor, Tensor], lengths: Tensor) -> None:
    values, cuts, firsts = cut
    found.at_most(
        "log p of every cut, by running sums and term by term: largest difference", error(*given, values), 1e-4
    )
    ended = firsts < values.shape[1]
    there = values.gather(1, firsts.clamp(max=values.shape[1] - 1)[:, None])[:, 0]
    lost = (values.max(-1).values - there)[ended & there.isfinite()]
    found.at_most("log p that the best cut loses to the first END, at most", float(-lost.min()), 0.0)
    right, first = (float((each == lengths).double().mean()) for each in (cuts, firsts))
    found.at_least("words cut at the right place: best cut", right, 0.8)
    found.at_least("the same, less those of the first END", right - first, 0.0)


def trained(examples: list[Example], say: Say) -> Learner:
    """Not to the end, so that END slips in now and then."""
    say(f"training a decoder with a bound: {STEPS} updates")
    made = learner(
        "transduce",
        examples,
        data__tokenizer="character",
        model__encoder__position="sinusoidal",
        model__task__decoder="bound",
        model__task__smoothing=0.0,
        training__steps=STEPS,
        training__learning_rate=4e-3,
    )
    made.train(examples)
    return made


def backwards(count: int, seed: int) -> list[Example]:
    """Random words of 2 to 9 letters, and the same from their end."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefgh", k=draw.randint(2, 9))) for _ in range(count)]
    return [Example(word, word[::-1]) for word in words]


@torch.inference_mode()
def looked_at(made: Learner, examples: list[Example]) -> tuple[Tensor, Tensor]:
    """(B, room, V) log probabilities of every position, 0 behind the last of a row; (B) the bounds."""
    decoder, memory = made.model.task.decoder, made.model.encode(made.batch(examples))
    most = decoder.limits(memory)
    states, real = decoder.positions(memory, most)
    logits = states @ decoder.output.T + decoder.output_bias
    logits[..., :END] = -torch.inf
    return logits.log_softmax(-1).masked_fill(~real[..., None], 0.0), most


def letter(made: Learner, log_p: Tensor) -> str:
    """The most probable letter of a position."""
    return made.writes.decode([int(log_p[END + 1 :].argmax()) + END + 1])


def error(log_p: Tensor, most: Tensor, values: Tensor) -> float:
    """The largest difference between the values of all cuts and the same, added up one position after another."""
    worst = 0.0
    for row, U, found in zip(log_p, most.tolist(), values):
        for cut in range(U + 1):
            letters = row[:cut, END + 1 :].max(-1).values.double().sum()
            worst = max(worst, abs(float(letters + row[cut : U + 1, END].double().sum()) - float(found[cut])))
    return worst
