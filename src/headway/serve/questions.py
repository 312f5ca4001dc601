"""What is asked of rows: an answer by a search, or a look at where the model looked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headway.batch import Example, as_json
from headway.predictor import Predictor
from headway.search import Search, Watch
from headway.serve.limits import Refusal
from headway.serve.schemas import Options


class Question:
    """Rows with equal `key`s are answered together; what takes `long` lets others be answered in between."""

    key: Any
    long = False

    def of(self, predictor: Predictor, rows: Sequence["Asked"], watch: Watch) -> list[Any]:
        """The answer of each row, as plain data."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Asked:
    """One row of a batch: which input of its request, and what is asked of it."""

    number: int
    example: Example
    question: Question


class Answers(Question):
    """What `Predictor.predict` gives.

    search    as `Predictor.asked` made it of all inputs of one request
    """

    def __init__(self, search: Search):
        self.search = search
        alone = id(self) if search.trace else None  # which way is taken in mode auto depends on the batch, and is told
        plain = replace(search, prefixes=None, numbers=None)
        self.key = plain, search.prefixes is None, search.numbers is None, alone

    def of(self, predictor: Predictor, rows: Sequence[Asked], watch: Watch) -> list[Any]:
        asked = [(row.question.search, row.number) for row in rows if isinstance(row.question, Answers)]
        prefixes = [one.prefixes[number] for one, number in asked if one.prefixes is not None] or None
        numbers = [one.numbers[number] for one, number in asked if one.numbers is not None] or None
        search = replace(self.search, prefixes=prefixes, numbers=numbers, watch=watch)
        examples = [row.example for row in rows]
        answers = predictor.answered(examples, search)
        return [as_json(example, answer) for example, answer in zip(examples, answers, strict=True)]


class Looks(Question):
    """What `Predictor.inspect` and, where it is asked for, `Predictor.computation` give, one row at a time.

    Whoever asks for both, or for attributions, has the row answered once; nobody waits any more, and it ends.

    weights    numbers that a view, or a computation, may have
    """

    def __init__(self, options: Options, weights: int):
        self.options, self.weights, self.long = options, weights, options.attributions
        self.key = id(self)

    def of(self, predictor: Predictor, rows: Sequence[Asked], watch: Watch) -> list[Any]:
        found = []
        for row in rows:
            watch(tuple)
            found.append(self._seen(predictor, row, watch))
        return found

    def _seen(self, predictor: Predictor, row: Asked, watch: Watch) -> dict[str, Any]:
        wanted = self.options
        looked = predictor.look(row.example, target=wanted.target, mode=wanted.mode, watch=watch)
        view = looked.view(wanted.layers, wanted.heads)
        self._few("view_size", view.size, row)
        if wanted.attributions:
            view = replace(view, attributions=looked.attributions(wanted.outputs))
        if wanted.computation is None or not wanted.layers or not wanted.heads:
            return {"view": view.as_json()}
        steps = looked.computation(wanted.computation, wanted.layers[0], wanted.heads[0])
        self._few("head_size", steps.size, row)
        return {"view": view.as_json(), "computation": steps.as_json()}

    def _few(self, code: str, size: int, row: Asked) -> None:
        if size > self.weights:
            raise Refusal(code, input=row.number, found=size, allowed=self.weights)
