"""More positions than are needed, and END cuts: at the most probable place, and not at the first END that comes up."""

import torch
from torch import Tensor

from headway.batch import END, Example
from headway.decoders.bound import cut_values, first_cut
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner

PHRASES = {
    "thank you": ("vielen dank", "das ist sehr nett", "das ist wirklich nett"),
    "good bye": ("bis bald", "wir sehen uns wieder", "wir sehen dich wieder"),
    "of course": ("na klar", "ja das stimmt natürlich", "ja das geht natürlich"),
    "good luck": ("alles gute", "ich wünsche dir glück", "ich wünsche euch glück"),
    "well done": ("gut gemacht", "das war richtig stark", "das war unglaublich stark"),
    "never mind": ("schon gut", "das macht doch nichts", "das macht gar nichts"),
}
"""A short translation, and two long ones that differ in their third word."""
TIMES = (5, 4, 4)
"""How often each of the three is in the training data."""
STEPS = 200


class Bound(Demonstration):
    """Behind the second word END is the most probable of all, and yet a longer text is more probable as a whole."""

    def run(self, say: Say) -> Findings:
        made = trained(say)
        log_p, most = looked_at(made)
        best, end = log_p[..., END + 1 :].max(-1).values, log_p[..., END]
        values, firsts = cut_values(best, end, most, 1.0), first_cut(best, end, most).tolist()
        texts = {
            "the first END": [words(made, row, cut) for row, cut in zip(log_p, firsts)],
            "the best cut": [words(made, row, cut) for row, cut in zip(log_p, values.argmax(-1).tolist())],
        }
        right = {how: sum(map(is_right, PHRASES, written)) / len(PHRASES) for how, written in texts.items()}

        found = Findings()
        found.show(
            f"{len(PHRASES)} phrases, each with three translations: a short one, a little more often than each of two "
            "long ones. All positions that the longest might need are written in one pass, and each says how probable "
            "END is there. A text of l words is as probable as the best word at each position before its cut, END "
            "behind them, and END at all the others; two running sums give that of every l.",
            Table(
                f"“{next(iter(PHRASES))}”, position by position",
                ["position", "best word", "its probability", "probability of END", "log p of a cut before it"],
                [
                    [t + 1, words(made, log_p[0, t : t + 1], 1), *map(float, column)]
                    for t, column in enumerate(zip(best[0].exp(), end[0].exp(), values[0]))
                ],
            ),
            Table(
                "what is written",
                ["", *texts, "right are"],
                [[name, *row, " / ".join(PHRASES[name])] for name, *row in zip(PHRASES, *texts.values())],
            ),
            Bars("answers that are one of the translations", list(right.items())),
        )
        again = made.answers([Example(name) for name in PHRASES])
        found.at_most("log p of a cut, by running sums and added up: difference", error(log_p, most, values), 1e-4)
        found.at_least("right answers, by the best cut", right["the best cut"], 1.0)
        found.at_most("right answers, by the first END", right["the first END"], 0.2)
        gains = [float(row.max() - row[cut]) for row, cut in zip(values, firsts)]
        found.at_least("log p that the best cut has more than the first END, at least", min(gains), 0.1)
        found.at_most(
            "answers of the model that are cut elsewhere", sum(map(str.__ne__, again, texts["the best cut"])), 0
        )
        return found


def trained(say: Say) -> Learner:
    """All translations learned as often as they are there."""
    say(f"training a decoder with a bound: {STEPS} updates")
    examples = [
        Example(source, target)
        for source, targets in PHRASES.items()
        for target, times in zip(targets, TIMES)
        for _ in range(times)
    ]
    made = learner(
        "transduce",
        examples,
        data__tokenizer="word",
        data__target_tokenizer="word",
        model__encoder__position="sinusoidal",
        model__task__decoder="bound",
        model__task__decoder__ratio=1.0,
        model__task__decoder__extra=4,
        model__task__smoothing=0.0,
        training__steps=STEPS,
        training__tokens=1024,
    )
    made.train(examples)
    return made


@torch.inference_mode()
def looked_at(made: Learner) -> tuple[Tensor, Tensor]:
    """(B, room, V) log probabilities of every position, 0 behind the last of a row; (B) the bounds."""
    decoder, memory = made.model.task.decoder, made.model.encode(made.batch([Example(source) for source in PHRASES]))
    most = decoder.limits(memory)
    states, real = decoder.positions(memory, most)
    logits = states @ decoder.output.T + decoder.output_bias
    logits[..., :END] = -torch.inf
    return logits.log_softmax(-1).masked_fill(~real[..., None], 0.0), most


def words(made: Learner, log_p: Tensor, cut: int) -> str:
    """The best words before a cut; log_p (room, V)."""
    return made.writes.decode((log_p[:cut, END + 1 :].argmax(-1) + END + 1).tolist())


def is_right(source: str, answer: str) -> bool:
    """Whether it is one of the translations."""
    return answer in PHRASES[source]


def error(log_p: Tensor, most: Tensor, values: Tensor) -> float:
    """The largest difference between the values of all cuts and the same, added up one position after another."""
    worst = 0.0
    for row, U, found in zip(log_p, most.tolist(), values):
        for cut in range(U + 1):
            before = row[:cut, END + 1 :].max(-1).values.double().sum()
            worst = max(worst, abs(float(before + row[cut : U + 1, END].double().sum()) - float(found[cut])))
    return worst
