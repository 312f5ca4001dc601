"""Two right answers become a wrong one where every position decides alone: a word of this one, the next of that one.

Gu et al. 2018, "Non-Autoregressive Neural Machine Translation", section 3.1: the multimodality problem.
"""

import torch
from torch import Tensor

from headway.batch import END, Example
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner

PHRASES = {
    "thank you": ("danke schön", "vielen dank"),
    "good bye": ("auf wiedersehen", "bis bald"),
    "of course": ("aber sicher", "na klar"),
    "good luck": ("viel glück", "alles gute"),
    "well done": ("gut gemacht", "sehr schön"),
    "never mind": ("macht doch nichts", "schon gut so"),
    "how are you": ("wie geht es dir", "was macht dein leben"),
    "i am sorry": ("es tut mir leid", "ich bitte um verzeihung"),
    "see you soon": ("bis zum nächsten mal", "wir sehen uns bald"),
    "i do not know": ("ich weiß es nicht", "das kann niemand sagen"),
}
STEPS = 250


class TwoAnswers(Demonstration):
    """Phrases with two translations that share no word at any place, learned by both kinds of decoder."""

    def run(self, say: Say) -> Findings:
        both = [Example(source, target) for source, targets in PHRASES.items() for target in targets]
        asked = [Example(source) for source in PHRASES]
        step, once = (trained(both, decoder, say) for decoder in ("autoregressive", "length"))
        learned = step.answers(asked)
        distilled = trained(list(map(Example, PHRASES, learned)), "length", say)
        answers = {"one after another": learned, "all at once": once.answers(asked)}
        answers["all at once, distilled"] = distilled.answers(asked)
        valid = {name: sum(map(is_right, PHRASES, texts)) / len(PHRASES) for name, texts in answers.items()}
        chance = sum(drawn_right(once, source) for source in PHRASES) / len(PHRASES)
        spread = max(float((chances(once, source) - 0.5).abs().max()) for source in PHRASES)

        found = Findings()
        found.show(
            f"{len(PHRASES)} phrases, each with two translations in the training data, equally often. A decoder that "
            "writes one word after another decides by its first word, and the rest follows. All at once, every "
            "position sees both words half probable and takes either, whatever its neighbours take.",
            Table(
                "what is written",
                ["", *answers, "right are"],
                [[source, *texts, " / ".join(PHRASES[source])] for source, *texts in zip(PHRASES, *answers.values())],
            ),
            Bars("answers that are one of the two translations", list(valid.items())),
            "Distilled: the same decoder, trained on what the first one writes, which is one translation of each.",
        )
        found.at_least("one after another: right answers", valid["one after another"], 1.0)
        found.at_most("all at once: the largest distance of a right word's probability from a half", spread, 0.25)
        found.at_most("all at once: probability that words drawn position by position make a right answer", chance, 0.5)
        found.at_most("all at once: right answers", valid["all at once"], 0.8)
        found.at_least("all at once, distilled: right answers", valid["all at once, distilled"], 1.0)
        return found


def trained(examples: list[Example], decoder: str, say: Say) -> Learner:
    """Pairs learned by heart."""
    say(f"training a decoder {decoder} on {len(examples)} pairs: {STEPS} updates")
    made = learner(
        "transduce",
        examples,
        data__tokenizer="word",
        data__target_tokenizer="word",
        model__encoder__position="sinusoidal",
        model__task__decoder=decoder,
        model__task__smoothing=0.0,
        training__steps=STEPS,
    )
    made.train(examples)
    return made


def is_right(source: str, answer: str) -> bool:
    """Whether it is one of the two translations."""
    return answer in PHRASES[source]


@torch.inference_mode()
def chances(made: Learner, source: str) -> Tensor:
    """(2, T) the probability of every word of the first translation, and of the second."""
    batch, decoder = made.batch([Example(source, target) for target in PHRASES[source]]), made.model.task.decoder
    memory, right = made.model.encode(batch), batch.target["tokens"]
    lengths = torch.full((2,), right.shape[1])
    states = decoder.states(decoder.begun(memory, lengths, right.shape[1]), memory, lengths)
    logits = states @ decoder.output.T + decoder.output_bias
    logits[..., : END + 1] = -torch.inf
    return logits.softmax(-1).gather(-1, right[..., None])[..., 0]


def drawn_right(made: Learner, source: str) -> float:
    """The probability that words drawn at every position alone make one of the two translations."""
    return float(chances(made, source).prod(-1).sum())
