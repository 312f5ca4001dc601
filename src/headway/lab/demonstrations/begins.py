"""A decoder that writes all at once is given as many BEGINs as a classifier of the length says, and takes one pass."""

import torch

from headway.batch import Example, Memory
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner
from headway.lab.demonstrations.writing import ASKED, PAIRS
from headway.search import Search

STEPS = 200
LIKELY = 5
"""Lengths that are shown."""


class Begins(Demonstration):
    """A dozen pairs learned by heart; the length first, then all tokens, and then other lengths than the chosen one."""

    def run(self, say: Say) -> Findings:
        examples = [Example(source, target) for source, target in PAIRS.items()]
        made = by_heart(examples, say)
        chosen, text, calls = written(made, ASKED)
        lengths = likely(made, ASKED)
        right = [written(made, source)[:2] == (len(target), target) for source, target in PAIRS.items()]
        tried = {n: written(made, ASKED, n)[1] for n in range(1, 8)}

        found = Findings()
        found.show(
            f"A tiny model has learned {len(PAIRS)} pairs and is asked for “{ASKED}”. The mean of the encoder's "
            "vectors says how many tokens there will be; so many BEGINs go into the decoder, and every one of them "
            "becomes a token in the same pass.",
            Bars("the most probable lengths", [(f"{n} BEGINs", p) for n, p in lengths]),
            Table(
                "with other numbers of BEGINs than the classifier's",
                ["BEGINs", "written", "chosen"],
                [[n, text, "←" if n == chosen else ""] for n, text in tried.items()],
            ),
        )
        found.at_most(f"“{ASKED}”: BEGINs more or less than {PAIRS[ASKED]} has", abs(chosen - len(PAIRS[ASKED])), 0)
        found.at_least("probability of that length", dict(lengths).get(chosen, 0.0), 0.5)
        found.at_most(f"passes of the decoder for {len(text)} tokens", calls, 1)
        found.at_least("pairs whose length and text are right, of all", sum(right) / len(right), 1.0)
        found.at_most(
            "difference between BEGINs given and tokens written, over all numbers",
            max(abs(n - len(text)) for n, text in tried.items()),
            0,
        )
        found.at_most(
            "other numbers of BEGINs that give the right text", sum(t == PAIRS[ASKED] for t in tried.values()) - 1, 0
        )
        return found


def by_heart(examples: list[Example], say: Say) -> Learner:
    """The pairs learned by a decoder that begins with BEGINs alone."""
    say(f"training a decoder that writes all at once: {STEPS} updates")
    made = learner(
        "transduce",
        examples,
        data__tokenizer="word",
        data__target_tokenizer="character",
        model__encoder__position="sinusoidal",
        model__task__decoder="length",
        model__task__decoder__inputs="begin",
        model__task__smoothing=0.0,
        training__steps=STEPS,
    )
    made.train(examples)
    return made


@torch.inference_mode()
def written(made: Learner, source: str, length: int | None = None) -> tuple[int, str, int]:
    """(tokens, text, passes) of the length that the classifier chooses, or of one that is given."""
    decoder, memory = made.model.task.decoder, memory_of(made, source)
    if length is None:
        ((hypothesis,),) = decoder.generate(memory, Search())
    else:
        (hypothesis,) = decoder.write([(decoder, memory)], torch.tensor([length]), trace=False)
    return len(hypothesis.tokens), made.writes.decode(hypothesis.tokens), hypothesis.calls


@torch.inference_mode()
def likely(made: Learner, source: str) -> list[tuple[int, float]]:
    """The most probable lengths with their probabilities."""
    decoder, memory = made.model.task.decoder, memory_of(made, source)
    best = decoder.lengths(memory)[0].exp().topk(LIKELY)
    shift = memory.x.shape[1] - decoder.reach
    return sorted((n + shift, p) for n, p in zip(best.indices.tolist(), best.values.tolist()))


def memory_of(made: Learner, source: str) -> Memory:
    """What the encoder makes of one source."""
    return made.model.encode(made.batch([Example(source)]))
