"""A request as what is asked of a model; nothing that a client sends is taken for a path or an address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from headway.batch import Example
from headway.errors import DataError, MissingPackage, UsageError, nearest, printable
from headway.predictor import Predictor
from headway.serve.batcher import Hears, Job
from headway.serve.house import House, Served
from headway.serve.limits import Limits, Refusal, refusal
from headway.serve.questions import Answers, Looks
from headway.serve.schemas import Ask, Options
from headway.serve.sounds import sound_of

LARGEST = float(np.finfo(np.float32).max)
SHOWN = 3
"""Mistakes that a refusal names."""
OF_PREDICT = (
    "mode", "scores", "nbest", "beam", "length_penalty", "candidates", "tolerance", "temperature", "top_k", "top_p",
    "sampling_seed", "prefix", "alignments", "limit", "trace",
)  # fmt: skip
OF_LOOKS = ("layers", "heads", "target", "computation", "attributions", "outputs")
LISTS = ("layers", "heads", "outputs")
Schema = TypeVar("Schema", bound=Options)


@dataclass(frozen=True)
class Wanted:
    """What one request asks, read and checked.

    looks    the same inputs, to be looked at, where attention was asked for
    """

    served: Served
    options: Options
    examples: list[Example]
    answers: Answers
    looks: Looks | None


def wanted(house: House, body: bytes, kind: str, query: Sequence[tuple[str, str]]) -> Wanted:
    """The body of a request as what is asked: JSON, or a sound whose options stand in the query. Raises Refusal.

    kind    the media type
    """
    if kind == "application/json":
        if query:
            raise Refusal("query")
        ask = checked(Ask, body)
        served = house.model(ask.model)
        if len(ask.inputs) > house.limits.inputs:
            raise Refusal("inputs", found=len(ask.inputs), allowed=house.limits.inputs)
        given = [given_of(served.predictor, one, number, house.limits) for number, one in enumerate(ask.inputs)]
        return _wanted(house, served, ask, given)
    options = checked(Options, _by_name(query))
    served = house.model(options.model)
    reads = served.predictor.run.kind
    if reads != "sound":
        raise Refusal("reads", name=served.name, kind=reads)
    return _wanted(house, served, options, [sound_of(body, served.predictor.run.data.max_seconds)])


def _wanted(house: House, served: Served, options: Options, given: Sequence[Any]) -> Wanted:
    how = {name: getattr(options, name) for name in OF_PREDICT}
    predictor = served.predictor
    if options.stream and options.mode == "auto" and predictor.modes[0] == "greedy" and options.nbest == 1:
        how["mode"] = "beam" if options.beam is not None else "greedy"  # the same answer, and every token as it comes
    try:
        examples, search = predictor.asked(given, **how)
    except (UsageError, DataError, MissingPackage) as error:
        raise refusal(error) from None
    return Wanted(served, options, examples, Answers(search), _looks(options, len(examples), house.limits))


def _looks(options: Options, inputs: int, limits: Limits) -> Looks | None:
    """What is to be looked at; None where attention was not asked for. Raises Refusal."""
    if not options.attention:
        if any(getattr(options, name) not in (None, False) for name in OF_LOOKS):
            raise Refusal("no_look")
        return None
    if options.computation and not len(options.layers or ()) == len(options.heads or ()) == 1:
        raise Refusal("one_head")
    if options.outputs and not options.attributions:
        raise Refusal("outputs")
    if options.attributions and inputs > 1:
        raise Refusal("attributions", found=inputs)
    return Looks(options, limits.weights)


def submitted(found: Wanted, hears: Hears | None = None) -> list[Job]:
    """The answers, and the looks where they were asked for, in the queue. Raises Refusal, and then neither is."""
    made = [Job(found.answers, found.examples, hears)]
    if found.looks is not None:
        made.append(Job(found.looks, found.examples))
    try:
        for job in made:
            found.served.batcher.submit(job)
    except Refusal:
        for job in made:
            job.cancel()
        raise
    return made


def given_of(predictor: Predictor, value: Any, number: int, limits: Limits) -> Any:
    """One input of JSON as what `Predictor` takes. Raises Refusal."""
    kind = predictor.run.kind
    if kind == "sound":
        raise Refusal("hears")
    if kind == "vectors":
        return _vectors(value, number, limits)
    if kind == "graph" and isinstance(value, Mapping):
        _few(len(value["nodes"]) if isinstance(value.get("nodes"), list) else 0, "nodes", number, limits)
        return value
    if isinstance(value, str):
        _few(len(value), "characters", number, limits)
        return value
    if kind == "text" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        _few(sum(map(len, value)) + len(value), "characters", number, limits)
        return tuple(value)
    raise Refusal("no_text" if kind == "text" else "no_graph", printable(repr(value), 60), input=number)


def _vectors(value: Any, number: int, limits: Limits) -> np.ndarray:
    bad = Refusal("no_vectors", input=number)
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        raise bad
    _few(len(value), "vectors", number, limits)
    if not all(type(one) in (int, float) for row in value for one in row):
        raise bad
    try:
        array = np.array(value, np.float64)
    except (ValueError, OverflowError):
        raise bad from None
    if array.ndim != 2 or not array.size or not (np.abs(array) <= LARGEST).all():
        raise bad
    return array.astype(np.float32)


def _few(found: int, what: str, number: int, limits: Limits) -> None:
    if found > limits.characters:
        raise Refusal("input_size", input=number, found=found, unit=what, allowed=limits.characters)


def media(name: str | None) -> str:
    """The media type of a Content-Type: JSON, or a sound. Raises Refusal."""
    kind = (name or "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.startswith("audio/"):
        return kind
    said = f"Content-Type {printable(kind, 60)}" if kind else "no Content-Type"
    raise Refusal("media_type", said)


def _by_name(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A query as options: those that may be given several times as lists."""
    found: dict[str, Any] = {}
    for name, value in query:
        if name in LISTS:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Refusal("twice", printable(name))
        else:
            found[name] = value
    return found


def checked(schema: type[Schema], given: bytes | Mapping[str, Any]) -> Schema:
    """What was sent, as the schema has it. Raises Refusal that names what is wrong."""
    try:
        if isinstance(given, bytes):
            return schema.model_validate_json(given, strict=True)
        return schema.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        told = [_mistake(schema, one) for one in mistakes[:SHOWN]]
        more = f"; and {len(mistakes) - SHOWN} more" if len(mistakes) > SHOWN else ""
        raise Refusal("schema", "; ".join(told) + more) from None


def _mistake(schema: type[Options], error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        meant = nearest(place, schema.model_fields)
        return f"there is no field {printable(place)!r}" + (f"; did you mean {meant!r}?" if meant else "")
    said = printable(error["msg"], 200)
    return f"{printable(place)}: {said}" if place else f"the body is not as expected: {said}"
