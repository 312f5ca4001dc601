"""Without positions a decoder that writes all at once writes the same token everywhere, however long it is trained."""

import torch
from torch import Tensor

from headway.batch import Example, Memory
from headway.decoders import DECODERS, TargetSizes
from headway.errors import UsageError
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say, Table
from headway.lab.demonstrations._training import Learner, learner
from headway.lab.demonstrations.writing import PAIRS
from headway.layers.encoder import EncoderSettings
from headway.positions import POSITIONS, Position
from headway.search import Search

STEPS = 200
WIDTH, HEADS = 48, 2


class NoPositions(Demonstration):
    """The same decoder with positions that are added, with positions that only turn queries and keys, and with none."""

    def run(self, say: Say) -> Findings:
        examples = [Example(source, target) for source, target in PAIRS.items()]
        kept = {
            "added": trained(examples, None, say),
            "only turned": trained(examples, POSITIONS.build(POSITIONS.choose("rotary"), WIDTH, HEADS), say),
            "none": trained(examples, Position(), say),
        }
        answers = {name: [text_of(made, source) for source in PAIRS] for name, made in kept.items()}
        apart = {name: max(differences(made, source) for source in PAIRS) for name, made in kept.items()}
        right = {name: sum(map(str.__eq__, texts, PAIRS.values())) / len(PAIRS) for name, texts in answers.items()}

        found = Findings()
        found.show(
            f"{len(PAIRS)} pairs are learned by three decoders that begin with BEGINs alone. If no order is told, all "
            "positions hold the same vector and ask the same question; attention sums up equal vectors to the same "
            "one, whatever its weights are, so rotary positions, which change the weights alone, are no help either.",
            Table(
                "what is written, by the positions of the decoder",
                ["source", *answers, "right is"],
                [[source, *texts, PAIRS[source]] for source, *texts in zip(PAIRS, *answers.values())],
            ),
            Bars("largest difference of a probability between two positions", list(apart.items())),
            f"headway refuses to build it: {refusal()}",
        )
        found.at_least("positions added: right answers", right["added"], 1.0)
        for name in ("only turned", "none"):
            found.at_most(f"positions {name}: largest difference between two positions", apart[name], 1e-5)
            found.at_most(f"positions {name}: different tokens in an answer, at most", variety(answers[name]), 1)
            found.at_most(f"positions {name}: right answers", right[name], 0.0)
        found.at_least("positions added: largest difference between two positions", apart["added"], 0.5)
        return found


def trained(examples: list[Example], position: Position | None, say: Say) -> Learner:
    """The pairs learned with another position in the decoder than it is built with, where one is given."""
    say(f"training with positions {'added' if position is None else type(position).__name__}: {STEPS} updates")
    made = learner(
        "transduce",
        examples,
        data__tokenizer="word",
        data__target_tokenizer="character",
        model__encoder__width=WIDTH,
        model__encoder__mixer__heads=HEADS,
        model__encoder__position="sinusoidal",
        model__task__decoder="length",
        model__task__decoder__inputs="begin",
        model__task__smoothing=0.0,
        training__steps=STEPS,
    )
    if position is not None:  # taken out of what is built, for it would be refused
        made.model.task.decoder.stack.position = position
    made.train(examples)
    return made


@torch.inference_mode()
def text_of(made: Learner, source: str) -> str:
    """What is written, to the length that the classifier chooses."""
    ((hypothesis,),) = made.model.task.decoder.generate(memory_of(made, source), Search())
    return made.writes.decode(hypothesis.tokens)


@torch.inference_mode()
def differences(made: Learner, source: str) -> float:
    """The largest difference of a token's probability between two positions of as many as are right."""
    decoder, memory, T = made.model.task.decoder, memory_of(made, source), len(PAIRS[source])
    states = decoder.states(decoder.begun(memory, torch.tensor([T]), T), memory, torch.tensor([T]))[0]
    p: Tensor = (states @ decoder.output.T + decoder.output_bias).softmax(-1)
    return float((p[:, None] - p).abs().max())


def memory_of(made: Learner, source: str) -> Memory:
    """What the encoder makes of one source."""
    return made.model.encode(made.batch([Example(source)]))


def variety(answers: list[str]) -> int:
    """The most different letters in one of the answers."""
    return max(len(set(answer)) for answer in answers)


def refusal() -> str:
    """The complaint about a decoder without positions."""
    shape = EncoderSettings(width=WIDTH, position=POSITIONS.choose("none"))
    try:
        DECODERS.build(DECODERS.choose("length"), shape, TargetSizes(10), None)
    except UsageError as error:
        return str(error)
    return "it does not"
