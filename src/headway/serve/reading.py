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
from headway.serve.limits import Limits, Refusal
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
            raise Refusal(422, "with a body of JSON the options stand in it, and not behind a ? in the address")
        ask = checked(Ask, body)
        served = house.model(ask.model)
        if len(ask.inputs) > house.limits.inputs:
            raise Refusal(
                422,
                f"{len(ask.inputs):,} inputs, and one request may have {house.limits.inputs:,}: send them in several",
            )
        given = [given_of(served.predictor, one, number, house.limits) for number, one in enumerate(ask.inputs)]
        return _wanted(house, served, ask, given)
    options = checked(Options, _by_name(query))
    served = house.model(options.model)
    reads = served.predictor.run.kind
    if reads != "sound":
        raise Refusal(415, f"{served.name} reads {reads}: send JSON (Content-Type: application/json)")
    return _wanted(house, served, options, [sound_of(body, served.predictor.run.data.max_seconds)])


def _wanted(house: House, served: Served, options: Options, given: Sequence[Any]) -> Wanted:
    how = {name: getattr(options, name) for name in OF_PREDICT}
    predictor = served.predictor
    if options.stream and options.mode == "auto" and predictor.modes[0] == "greedy" and options.nbest == 1:
        how["mode"] = "beam" if options.beam is not None else "greedy"  # the same answer, and every token as it comes
    try:
        examples, search = predictor.asked(given, **how)
    except MissingPackage as error:
        raise Refusal(501, f"this server cannot read that: {str(error).splitlines()[0]}") from None
    except (UsageError, DataError) as error:
        raise Refusal(422, str(error)) from None
    looks = None
    if options.attention:
        if options.computation and not len(options.layers or ()) == len(options.heads or ()) == 1:
            raise Refusal(422, "a computation is that of one head: name one of layers and one of heads")
        looks = Looks(options, house.limits.weights)
    elif options.layers or options.heads or options.target is not None or options.computation:
        raise Refusal(422, "layers, heads, target and computation are those of a look: ask for attention, too")
    return Wanted(served, options, examples, Answers(search), looks)


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
        raise Refusal(
            415,
            "this model hears: send the sound itself as the body, with Content-Type audio/wav, one a request; names "
            "of files and addresses are never opened",
        )
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
    takes = "a text, or a list of words" if kind == "text" else "an object with nodes and edges, or a SMILES"
    raise Refusal(422, f"input {number}: {takes} is expected, and not {printable(repr(value), 60)}")


def _vectors(value: Any, number: int, limits: Limits) -> np.ndarray:
    refusal = Refusal(
        422,
        f"input {number}: a list of vectors is expected, each a list of as many finite numbers; names of files are "
        "never opened",
    )
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        raise refusal
    _few(len(value), "vectors", number, limits)
    if not all(type(one) in (int, float) for row in value for one in row):
        raise refusal
    try:
        array = np.array(value, np.float64)
    except (ValueError, OverflowError):
        raise refusal from None
    if array.ndim != 2 or not array.size or not (np.abs(array) <= LARGEST).all():
        raise refusal
    return array.astype(np.float32)


def _few(found: int, what: str, number: int, limits: Limits) -> None:
    if found > limits.characters:
        raise Refusal(422, f"input {number} has {found:,} {what}, and one may have {limits.characters:,}: cut it")


def media(name: str | None) -> str:
    """The media type of a Content-Type: JSON, or a sound. Raises Refusal."""
    kind = (name or "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.startswith("audio/"):
        return kind
    said = f"Content-Type {printable(kind, 60)}" if kind else "no Content-Type"
    raise Refusal(415, f"{said}: send application/json, or a sound as it is with audio/wav, audio/flac, audio/ogg, …")


def _by_name(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A query as options: those that may be given several times as lists."""
    found: dict[str, Any] = {}
    for name, value in query:
        if name in ("layers", "heads"):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Refusal(422, f"{printable(name)} stands in the address twice")
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
        raise Refusal(422, "; ".join(told) + more) from None


def _mistake(schema: type[Options], error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        meant = nearest(place, schema.model_fields)
        return f"there is no field {printable(place)!r}" + (f"; did you mean {meant!r}?" if meant else "")
    said = printable(error["msg"], 200)
    return f"{printable(place)}: {said}" if place else f"the body is not as expected: {said}"
