"""Each output becomes the next input, from BEGIN to END; a model that never learned END does not stop."""

from collections.abc import Callable, Sequence

import torch
from numpy.typing import NDArray

from headway.batch import BEGIN, END, PAD, SPECIALS, Example, Part
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner
from headway.search import Search

PAIRS = {
    "machine learning": "机器学习",
    "machine translation": "机器翻译",
    "machine": "机器",
    "deep learning": "深度学习",
    "learning": "学习",
    "translation": "翻译",
    "speech translation": "语音翻译",
    "speech": "语音",
    "speech recognition": "语音识别",
    "recognition": "识别",
    "deep network": "深度网络",
    "network": "网络",
}
ASKED = "machine learning"
STEPS, LIMIT = 120, 20


class Writing(Demonstration):
    """A dozen pairs learned by heart, and one of them written step by step."""

    def run(self, say: Say) -> Findings:
        examples = [Example(source, target) for source, target in PAIRS.items()]
        made = trained(examples, say)
        steps = written(made, ASKED)
        endless = trained(examples, say, with_end=False)
        stops, goes_on = (found(one, ASKED) for one in (made, endless))

        shown = Findings()
        shown.show(
            f"A tiny model has learned {len(PAIRS)} pairs and is asked for “{ASKED}”. At each step it gives every "
            "token a probability; the most probable is written, and read at the next step.",
            Table(
                "step by step",
                ["step", "reads", "writes", "probability"],
                [[f"{n}", _read(steps, n), best[0][0], best[0][1]] for n, best in enumerate(steps, 1)],
            ),
            *(
                Bars(f"step {n}: after {_read(steps, n)}, the five most probable", best)
                for n, best in enumerate(steps, 1)
            ),
        )
        text = "".join(best[0][0] for best in steps[:-1])
        shown.at_most(f"characters of “{text}” that are not those of {PAIRS[ASKED]}", _unlike(text, PAIRS[ASKED]), 0)
        shown.at_most("steps taken, beside the four characters and END: difference", abs(len(steps) - 5), 0)
        shown.at_least("the least probability of a token that was written", min(best[0][1] for best in steps), 0.5)
        shown.at_most("greedy search writes something else", int(stops != (PAIRS[ASKED], True)), 0)
        shown.show(
            f"The same model learned without END behind its targets, and allowed {LIMIT} tokens, writes: {goes_on[0]}"
        )
        shown.at_least("without END: tokens written, of the limit", len(goes_on[0]) / LIMIT, 1)
        shown.at_most("without END: whether it ended by itself", int(goes_on[1]), 0)
        return shown


def trained(examples: list[Example], say: Say, with_end: bool = True) -> Learner:
    """The pairs learned by heart."""
    say(f"training {'with' if with_end else 'without'} END: {STEPS} updates")
    made = learner(
        "transduce",
        examples,
        data__tokenizer="word",
        data__target_tokenizer="character",
        model__task__smoothing=0.0,
        training__steps=STEPS,
    )
    if not with_end:
        decoder = made.model.task.decoder
        decoder.collate = without_end(decoder.collate)
    made.train(examples)
    return made


def without_end(collate: Callable[[Sequence[NDArray]], Part]) -> Callable[[Sequence[NDArray]], Part]:
    """Targets in which END is not counted, as if they had none."""

    def hidden(rows: Sequence[NDArray]) -> Part:
        part = collate(rows)
        return part | {"write": part["write"].masked_fill(part["write"] == END, PAD)}

    return hidden


@torch.inference_mode()
def written(made: Learner, source: str) -> list[list[tuple[str, float]]]:
    """For every step until END (or the limit) the five most probable tokens with their probabilities."""
    decoder, names = made.model.task.decoder, [name.strip("<>").upper() for name in SPECIALS]
    names += made.writes.names()[len(SPECIALS) :]
    state, token, steps = decoder.start(memory_of(made, source)), BEGIN, []
    while token != END and len(steps) <= LIMIT:
        logits, state = decoder.step(torch.tensor([token]), state)
        probability, tokens = logits[0].softmax(-1).topk(5)
        steps.append([(names[t], p) for t, p in zip(tokens.tolist(), probability.tolist())])
        token = int(tokens[0])
    return steps


@torch.inference_mode()
def found(made: Learner, source: str) -> tuple[str, bool]:
    """What greedy search writes, and whether it came to END."""
    ((hypothesis,),) = made.model.task.decoder.generate(memory_of(made, source), Search(limit=LIMIT))
    return made.writes.decode(hypothesis.tokens), hypothesis.finished


def memory_of(made: Learner, source: str):
    """What the encoder makes of one source."""
    return made.model.encode(made.batch([Example(source)]))


def _read(steps: list[list[tuple[str, float]]], number: int) -> str:
    """What the decoder reads before a step."""
    return " ".join(["BEGIN", *(best[0][0] for best in steps[: number - 1])])


def _unlike(text: str, right: str) -> int:
    return sum(a != b for a, b in zip(text, right)) + abs(len(text) - len(right))
