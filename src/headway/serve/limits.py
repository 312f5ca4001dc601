"""What one server takes, and the refusal of anything else: a status of HTTP, a code and a plain sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from headway.errors import DataError, HeadwayError, MissingPackage

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """
    body            bytes of one request
    inputs          inputs of one request
    characters      characters, numbers of a vector row or nodes that one input may have
    seconds         until a request is answered, or refused with 504
    queue           inputs that wait at most, of all requests together, for one model
    per_client      requests of one client at the same time; 0 for any number
    in_hand         bytes of all requests together that are held at the same time
    connections     connections at the same time; the longest idle makes room for a new one
    streams         streams of running trainings at the same time
    weights         numbers of attention that one input may be answered with
    """

    body: int = 16 * MIB
    inputs: int = 256
    characters: int = 20_000
    seconds: float = 30.0
    queue: int = 1024
    per_client: int = 64
    in_hand: int = 256 * MIB
    connections: int = 2048
    streams: int = 64
    weights: int = 300_000


REFUSALS: dict[str, tuple[int, str]] = {
    # who asks, and how
    "host": (421, "this server does not go by that name; --allow-host lets it"),
    "packed": (415, "a body is read as it is, and never unpacked: send it without Content-Encoding"),
    "body_size": (413, "a request may have {mebibytes:g} MiB, and this one has more"),
    "key": (401, "a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"),
    "per_client": (429, "{allowed:,} requests of yours are being answered, and no client may have more at a time"),
    "slow_body": (408, "the request did not come within {seconds:g} s: send it faster"),
    "bodies": (503, "too much is being sent at once: ask again in a second"),
    "queue": (
        503,
        "too much is asked at once: {waiting:,} inputs wait already, for about {seconds:.1f} s; ask again in {again} s",
    ),
    "late": (504, "no answer within {seconds:g} s, so it was given up: send fewer or shorter inputs, or a limit"),
    "streams": (503, "{found} streams are open, and no more are served"),
    "stopping": (503, "this server is stopping: ask another, or again in a moment"),
    "not_ready": (503, "not ready: the server is stopping"),
    "mistake": (500, "this server made a mistake that is not yours; its log says which"),
    "package": (501, "this server cannot do that: {said}"),
    "unknown_address": (404, "there is nothing at {said}; /openapi.json says what is"),
    "method": (405, "{said}"),
    "http": (400, "{said}"),
    # which model, which run
    "no_models": (422, "no model is served here, only trainings are watched"),
    "which_model": (422, "several models are served: say which by `model`: {said}"),
    "unknown_model": (422, "{said}"),
    "no_model": (404, "{said}"),
    "damaged": (404, "what {name} was made with is damaged in its folder, and cannot be told"),
    "not_watched": (404, "no trainings are watched: headway serve --watch RUNS shows those below a folder"),
    "unknown_run": (404, "{said}"),
    "no_events": (404, "the run has no events that can be read: {said}"),
    # what is asked
    "schema": (422, "{said}"),
    "question": (422, "{said}"),
    "data": (422, "{said}"),
    "media_type": (415, "{said}: send application/json, or a sound as it is with audio/wav, audio/flac, audio/ogg, …"),
    "query": (422, "with a body of JSON the options stand in it, and not behind a ? in the address"),
    "twice": (422, "{said} stands in the address twice"),
    "inputs": (422, "{found:,} inputs, and one request may have {allowed:,}: send them in several"),
    "reads": (415, "{name} reads {kind}: send JSON (Content-Type: application/json)"),
    "hears": (
        415,
        "this model hears: send the sound itself as the body, with Content-Type audio/wav, one a request; names of "
        "files and addresses are never opened",
    ),
    "no_text": (422, "input {input}: a text, or a list of words is expected, and not {said}"),
    "no_graph": (422, "input {input}: an object with nodes and edges, or a SMILES is expected, and not {said}"),
    "no_vectors": (
        422,
        "input {input}: a list of vectors is expected, each a list of as many finite numbers; names of files are "
        "never opened",
    ),
    "input_size": (422, "input {input} has {found:,} {unit}, and one may have {allowed:,}: cut it"),
    "no_sound": (422, "the body is no sound that can be read ({said}); wav, flac, ogg and mp3 are"),
    "empty_sound": (422, "the sound holds no samples"),
    "channels": (422, "the sound has {found} channels, and at most {allowed} are read"),
    "sound_length": (422, "the sound is {found:,.1f} seconds long or longer, and at most {allowed:,.1f} are read"),
    "stream_inputs": (422, "{found} inputs, and one stream has at most {allowed}: open several"),
    "stream_look": (422, "a stream gives no attention: ask for it without `stream`"),
    # looks
    "no_look": (
        422,
        "layers, heads, target, computation, attributions and outputs are those of a look: ask for attention, too",
    ),
    "one_head": (422, "a computation is that of one head: name one of layers and one of heads"),
    "outputs": (422, "outputs are those that are attributed to the input: ask for attributions, too"),
    "attributions": (422, "attributions are given for one input a request, and this one has {found:,}"),
    "view_size": (
        422,
        "input {input}: its attention is {found:,} numbers, and {allowed:,} are sent at most; choose layers and heads, "
        "or give a shorter input",
    ),
    "head_size": (422, "input {input}: one head is {found:,} numbers, and {allowed:,} are sent at most: cut it"),
}
"""Every kind of refusal by its code, which never changes: the status, and the sentence with its members."""


class Refusal(Exception):
    """What is not done for a client, and why.

    code       which kind, of REFUSALS
    said       what a sentence holds that is nothing but words; the members are told beside it
    members    the numbers and names of the sentence
    """

    def __init__(self, code: str, said: str = "", headers: Mapping[str, str] | None = None, **members: Any):
        self.code, self.headers, self.members = code, dict(headers or {}), members
        self.status, sentence = REFUSALS[code]
        self.sentence = sentence.format(said=said, **members)
        super().__init__(self.sentence)


def refusal(error: HeadwayError) -> Refusal:
    """What headway says of a question, as a refusal."""
    if isinstance(error, MissingPackage):
        return Refusal("package", str(error).splitlines()[0], package=error.package, extra=error.extra)
    return Refusal("data" if isinstance(error, DataError) else "question", str(error))


def problem(refused: Refusal) -> dict[str, Any]:
    """A refusal as JSON (RFC 9457): `code` and the members are extensions of it."""
    title = HTTPStatus(refused.status).phrase
    return {
        "title": title, "status": refused.status, "detail": refused.sentence, "code": refused.code, **refused.members,
    }  # fmt: skip
