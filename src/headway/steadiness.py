"""Does an answer depend on who is answered beside it?  Proved on a run and a user's own data, mode by mode.

The reference is every example alone. Beside it stand batches of several sizes, in order and shuffled, each with the
longest example among them, and those that `predict` makes. The same tokens or labels are asked, and scores that agree
to 1e-5: products of other shapes are summed in another order, so the last digits are never the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.data.codecs import Numbers
from headway.data.encoding import encode
from headway.errors import Where
from headway.predictor import Predictor
from headway.search import Search
from headway.search.asking import search_for
from headway.training.evaluation import answers

TOLERANCE = 1e-5
"""How far scores may be apart, of their size where that is above 1."""
EXAMPLES = 64
"""Examples that are answered where nobody says."""
UNBOUNDED = 1 << 40
"""Tokens of a batch, where the batch is given."""

Group = Sequence[int]
"""The examples of one batch, by number."""


@dataclass(frozen=True)
class Difference:
    """The first example that was answered otherwise: where it is, what it is alone and beside others."""

    where: Where
    alone: str
    beside: str


@dataclass(frozen=True)
class Compared:
    """One mode in one way of making batches, beside every example alone.

    different   examples with other tokens, labels, or a number further off than the tolerance
    apart       the largest difference of scores, of their size where that is above 1
    """

    mode: str
    way: str
    examples: int
    different: int
    apart: float
    first: Difference | None = None

    @property
    def holds(self) -> bool:
        """Whether all are the same, and scores agree to the tolerance."""
        return not self.different and self.apart <= TOLERANCE


def steadiness(
    predictor: Predictor,
    examples: Sequence[Example],
    most: int = EXAMPLES,
    heard: Callable[[str], None] = lambda what: None,
) -> Iterator[Compared]:
    """Answer some examples in every mode of the run and in every way of making batches.

    most    examples that are answered, evenly taken from all
    heard   is told what is being done
    """
    few = list(examples[:: max(1, len(examples) // most)][:most])
    greedy: list[Answer] | None = None
    for mode in predictor.modes:
        search = search_for(predictor.modes, mode, scores=True)
        heard(f"{mode}: one by one")
        alone = _answered(predictor, few, search, [[number] for number in range(len(few))])
        for way, groups in ways(predictor, few).items():
            heard(f"{mode}: {way}")
            yield compared(mode, way, few, alone, _answered(predictor, few, search, groups), _unit(predictor))
        if mode == "greedy":
            greedy = alone
        elif mode == "verify" and greedy is not None:
            yield compared(mode, "what greedy writes", few, greedy, alone, _unit(predictor))


def ways(predictor: Predictor, examples: Sequence[Example]) -> dict[str, list[list[int]]]:
    """The batches of each way, by the numbers of their examples."""
    numbers, longest = list(range(len(examples))), _longest(examples)
    mixed = np.random.Generator(np.random.PCG64(0)).permutation(len(examples)).tolist()
    found = {f"batches of {size}": _cut(numbers, size) for size in (2, 7, 32) if len(numbers) > size // 2}
    if len(numbers) > 3:
        found["batches of 7, shuffled"] = _cut(mixed, 7)
        found["beside the longest"] = [[*group, longest] for group in _cut([n for n in mixed if n != longest], 3)]
    if len(numbers) > 1:
        found["all at once"] = [numbers]
    return found


def compared(
    mode: str, way: str, examples: Sequence[Example], alone: Sequence[Answer], beside: Sequence[Answer], unit: float
) -> Compared:
    """What differs. `unit` is what a number's difference is measured in."""
    first, different, apart = None, 0, 0.0
    for example, one, other in zip(examples, alone, beside, strict=True):
        (said, scores), (again, others) = _told(one, unit), _told(other, unit)
        far = max((_apart(*pair) for pair in zip(scores, others)), default=0.0) if said == again else 0.0
        apart = max(apart, far)
        if said != again or far > TOLERANCE:
            different += said != again
            first = first or Difference(example.where, f"{one}", f"{other}")
    return Compared(mode, way, len(examples), different, apart, first)


def _answered(
    predictor: Predictor, examples: Sequence[Example], search: Search, groups: Sequence[Group]
) -> list[Answer]:
    """The answer of each example, where exactly these are answered together."""
    found: dict[int, Answer] = {}
    for group in groups:
        some = [examples[number] for number in group]
        asked = replace(search, numbers=list(group)) if search.mode == "sample" else search
        encoded = encode(some, predictor.codecs, predictor.run.data, with_targets=False)
        model, codecs, device = predictor.model, predictor.codecs, predictor.device
        found |= zip(group, answers(model, codecs, encoded, some, asked, UNBOUNDED, device), strict=True)
    return [found[number] for number in range(len(examples))]


def _told(answer: Answer, unit: float) -> tuple[Any, tuple[float, ...]]:
    """(what must be the same, what may differ in the last digits)."""
    if isinstance(answer, TagAnswer):
        return answer.labels, answer.scores or ()
    if isinstance(answer, ClassifyAnswer):
        return answer.labels, tuple(score for _, score in sorted((answer.scores or {}).items()))
    if isinstance(answer, RegressAnswer):
        return (), (answer.value / unit,)
    assert isinstance(answer, TransduceAnswer)
    return answer.tokens, () if answer.score is None else (answer.score,)


def _apart(one: float, other: float) -> float:
    return abs(one - other) / max(1.0, abs(one))


def _unit(predictor: Predictor) -> float:
    """What numbers are learned in."""
    target = predictor.codecs.target
    return target.spread or 1.0 if isinstance(target, Numbers) else 1.0


def _longest(examples: Sequence[Example]) -> int:
    return max(range(len(examples)), key=lambda number: len(examples[number].source))


def _cut(numbers: Sequence[int], size: int) -> list[list[int]]:
    return [list(numbers[begin : begin + size]) for begin in range(0, len(numbers), size)]


def reservations(predictor: Predictor) -> list[str]:
    """What breaks this, where it is run: sentences."""
    said = []
    if predictor.device.type == "cuda":
        said.append(
            "on a GPU another batch size takes another kernel: scores differ more than on a CPU, and two runs of one "
            "seed are bit-identical only with machine.deterministic, on one kind of GPU and one version of torch"
        )
    if torch.get_float32_matmul_precision() != "highest":
        said.append("machine.precision medium rounds products to bfloat16: scores agree to three digits")
    if predictor.machine.precision == "bfloat16":
        said.append("machine.precision bfloat16: scores agree to two digits, and close ties may fall either way")
    return said
