"""Tiny models trained on the spot, by headway's own loop, and what they came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from headway.batch import Batch, Example
from headway.data.codecs import Sequences
from headway.data.encoding import Codecs, encode
from headway.data.tokenizers import Tokenizer
from headway.model import Model
from headway.run import Run, build_codecs, build_model
from headway.search import Search
from headway.settings import assignments, resolve
from headway.training.evaluation import answers
from headway.training.events import Listener
from headway.training.loop import Examined, Trainer

TINY: dict[str, Any] = {
    "model.encoder.layers": 1,
    "model.encoder.width": 48,
    "model.encoder.hidden": 96,
    "model.encoder.mixer.heads": 2,
    "model.encoder.dropout": 0.0,
    "training.tokens": 512,
    "training.learning_rate": 3e-3,
    "training.average": 0.0,
    "machine.device": "cpu",
    "machine.threads": 1,
}
"""What a model is like where nothing else is said: seconds of training on one core."""


class Curve(Listener):
    """Keeps the loss of every update that is told, and all that evaluations find."""

    def __init__(self) -> None:
        self.loss: list[tuple[int, float]] = []
        self.valid: list[tuple[int, Mapping[str, float]]] = []

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self.loss.append((step, values["loss"]))

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        self.valid.append((step, values))


@dataclass
class Learner:
    """A model, what it reads and writes, and how its training went."""

    run: Run
    codecs: Codecs
    model: Model
    curve: Curve = field(default_factory=Curve)

    def train(self, examples: Sequence[Example], valid: Sequence[Example] = ()) -> None:
        """Train on the examples as the run says, and evaluate on others where there are any."""
        encoded, examined = (encode(part, self.codecs, self.run.data) for part in (examples, valid))
        settings, device = (self.run.training, self.run.machine), torch.device("cpu")
        with TemporaryDirectory() as folder:
            Trainer(
                self.model,
                self.codecs,
                encoded,
                Examined(valid, examined),
                settings,
                device,
                Path(folder),
                lambda weights, step, best: None,
                self.curve,
            ).fit()
        self.model.eval()

    @property
    def writes(self) -> Tokenizer:
        """What cuts the targets, and puts them together again."""
        assert isinstance(self.codecs.target, Sequences)
        return self.codecs.target.tokenizer

    def batch(self, examples: Sequence[Example]) -> Batch:
        """All examples as one batch."""
        encoded = encode(examples, self.codecs, self.run.data)
        return encoded.batch(torch.arange(len(encoded)).numpy(), self.codecs.source, self.model.task)

    def answers(self, examples: Sequence[Example]) -> list[str]:
        """What the model answers, as text."""
        encoded = encode(examples, self.codecs, self.run.data, with_targets=False)
        budget, device = self.run.training.tokens, torch.device("cpu")
        return [str(one) for one in answers(self.model, self.codecs, encoded, examples, Search(), budget, device)]

    def exact(self, examples: Sequence[Example]) -> float:
        """The share of examples that are answered as they should be."""
        pairs = zip(self.answers(examples), examples)
        return sum(answer == example.target for answer, example in pairs) / len(examples)


def learner(task: str, examples: Sequence[Example], **changed: Any) -> Learner:
    """A model to be trained on these examples; `changed` are settings with __ for the dot: training__steps=100."""
    given = TINY | {"model.task": task} | {path.replace("__", "."): value for path, value in changed.items()}
    run, _ = resolve(Run, [assignments(given, "demonstration")])
    codecs = build_codecs(run)
    codecs.fit(examples)
    return Learner(run, codecs, build_model(run, codecs))


def speller(examples: Sequence[Example], steps: int) -> Learner:
    """A model that reads characters and writes characters."""
    return learner(
        "transduce",
        examples,
        data__tokenizer="character",
        model__encoder__position="sinusoidal",
        model__task__smoothing=0.0,
        training__steps=steps,
        training__learning_rate=4e-3,
    )
