"""One-hot vectors hold all words equally far apart; a trained embedding gathers words that are used alike."""

import random
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.batch import SPECIALS, Example
from headway.data.sources.text import SourceText
from headway.errors import UsageError
from headway.lab.demonstrations import Demonstration, Findings, Map, Say, Table
from headway.lab.demonstrations._training import learner
from headway.run import RunFolder

STEPS = 300
CLASSES = {
    "people": "child woman man teacher farmer singer",
    "animals": "dog cat horse cow sheep goat",
    "foods": "bread apple cheese rice soup cake",
    "texts": "book letter poem story note song",
    "colours": "red green white black brown yellow",
    "eating": "eats tastes wants swallows",
    "reading": "reads writes hears knows",
    "moving": "runs sleeps jumps waits",
}
WORDS = {name: words.split() for name, words in CLASSES.items()}
MOST = 40
"""Elements of a run that are shown and compared: the most frequent ones."""


class Vectors(Demonstration):
    """The table of a tiny model that learns to write sentences, or that of a run of the user's."""

    reads_run: ClassVar[bool] = True

    def run(self, say: Say) -> Findings:
        found = Findings()
        one_hot = F.one_hot(torch.arange(MOST)).double()
        found.show("One-hot: every word is a 1 in a place of its own, and all are √2 = 1.414… from each other.")
        found.at_most("one-hot: largest distance minus smallest", float(_spread(distances(one_hot))), 1e-12)
        if self.run_folder is not None:
            self._of_run(found)
        else:
            self._of_grammar(found, say)
        return found

    def _of_grammar(self, found: Findings, say: Say) -> None:
        """Words of eight classes; no class is ever named."""
        examples = [Example(".", sentence) for sentence in sentences(3000, seed=1)]
        say(f"training to write sentences: {STEPS} updates")
        made = learner(
            "transduce",
            examples,
            data__tokenizer="word",
            model__encoder__width=24,
            model__task__smoothing=0.0,
            training__steps=STEPS,
            training__learning_rate=2e-2,
        )
        names = [word for words in WORDS.values() for word in words]
        numbers = made.writes.encode(" ".join(names)).tolist()
        before = made.model.task.decoder.embedding.detach()[numbers].clone()
        made.train(examples)
        after = made.model.task.decoder.embedding.detach()[numbers]
        classes = [name for name, words in WORDS.items() for _ in words]
        alike = torch.tensor([[a == b for b in classes] for a in classes])
        found.show(
            f"A tiny decoder learns from {len(examples):,} sentences of a small grammar, such as “{examples[0].target}”"
            ". It is never told that there are people, animals, foods, texts, colours and three kinds of verbs; it "
            "only predicts the next word. Its table of vectors, on the plane of their two largest directions:",
            Map("words after training", on_a_plane(names, after)),
            nearest_table(names, after, range(0, len(names), 6)),
        )
        found.at_least("trained: share of words whose nearest neighbour is of their class", _pure(after, alike), 0.8)
        found.at_most("untrained: the same share", _pure(before, alike), 0.4)
        found.at_most("trained: mean distance inside a class over that between classes", gathered(after, alike), 0.8)

    def _of_run(self, found: Findings) -> None:
        """What can be said of vectors whose words have no known classes: they are no longer evenly apart."""
        assert self.run_folder is not None
        _, codecs, model = RunFolder(self.run_folder).load()
        table = getattr(model.input, "embedding", None)
        if not isinstance(codecs.source, SourceText):
            raise UsageError(f"{self.run_folder} reads no text, and has no elements with a vector each to look at")
        names = codecs.source.tokenizer.names()[len(SPECIALS) :][:MOST]
        if table is None or len(names) < 4:
            raise UsageError(
                f"{self.run_folder} has no table of vectors to look at: its input is one-hot, or too small"
            )
        vectors = table.detach()[len(SPECIALS) : len(SPECIALS) + len(names)].double()
        found.show(
            f"The {len(names)} most frequent elements of {self.run_folder}, on the plane of their two largest "
            "directions:",
            Map("elements of the run", on_a_plane(names, vectors)),
            nearest_table(names, vectors, range(min(12, len(names)))),
        )
        random_ = torch.randn_like(vectors)
        found.at_least(
            "spread of the distances over their mean, against that of as many random vectors",
            _unevenness(vectors) / _unevenness(random_),
            1,
        )


def sentences(count: int, seed: int) -> list[str]:
    """Who eats, reads or moves what: each verb takes the nouns that go with it."""
    draw = random.Random(seed)

    def noun(name: str) -> str:
        colour = f"{draw.choice(WORDS['colours'])} " if draw.random() < 0.4 else ""
        return f"the {colour}{draw.choice(WORDS[name])}"

    def sentence() -> str:
        who = draw.choice(("people", "animals"))
        doing = draw.choice(("eating", "reading", "moving") if who == "people" else ("eating", "moving"))
        what = {"eating": "foods", "reading": "texts"}.get(doing)
        return f"{noun(who)} {draw.choice(WORDS[doing])}" + (f" {noun(what)}" if what else "")

    return [sentence() for _ in range(count)]


def distances(vectors: Tensor) -> Tensor:
    """(N, N)"""
    return (vectors[:, None] - vectors).norm(dim=-1)


def on_a_plane(names: list[str], vectors: Tensor) -> list[tuple[str, float, float]]:
    """Principal component analysis: the two directions in which the vectors differ most."""
    centred = vectors.double() - vectors.double().mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    return [(name, *place) for name, place in zip(names, (centred @ directions.T).tolist())]


def nearest_table(names: list[str], vectors: Tensor, rows: range) -> Table:
    """The three nearest neighbours of some words, by the angle."""
    order = cosines(vectors).argsort(-1, descending=True)[:, :3].tolist()
    return Table(
        "nearest neighbours", ["word", "1", "2", "3"], [[names[i], *(names[j] for j in order[i])] for i in rows]
    )


def cosines(vectors: Tensor) -> Tensor:
    """(N, N) of the angles, and less than any for a vector with itself."""
    unit = F.normalize(vectors, dim=-1)
    return (unit @ unit.T).fill_diagonal_(-2.0)


def gathered(vectors: Tensor, alike: Tensor) -> float:
    """The mean distance of two that are alike over that of two that are not."""
    apart, others = distances(vectors), ~torch.eye(len(vectors), dtype=torch.bool)
    return float(apart[alike & others].mean() / apart[~alike].mean())


def _pure(vectors: Tensor, alike: Tensor) -> float:
    nearest = cosines(vectors).argmax(-1)
    return float(alike[torch.arange(len(vectors)), nearest].double().mean())


def _spread(apart: Tensor) -> Tensor:
    found = apart[~torch.eye(len(apart), dtype=torch.bool)]
    return found.max() - found.min()


def _unevenness(vectors: Tensor) -> float:
    apart = distances(vectors)[~torch.eye(len(vectors), dtype=torch.bool)]
    return float(apart.std() / apart.mean())
