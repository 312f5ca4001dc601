"""What goes over the wire, as pydantic models: what a client may send is checked by them, and OpenAPI shows them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from headway.serve.limits import REFUSALS

HYPOTHESES = 32
"""Hypotheses, beams and candidates that an input may have."""
TOKENS = 1024
"""Tokens that a client may ask for."""
PREFIX = 4_000

Hypotheses = Annotated[int, Field(ge=1, le=HYPOTHESES)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Places = Annotated[list[Annotated[int, Field(ge=0, le=1000)]], Field(min_length=1, max_length=64)]
Explained = Annotated[list[Annotated[int, Field(ge=0, le=100_000)]], Field(min_length=1, max_length=12)]
Prefix = Annotated[str, Field(max_length=PREFIX)]


class Options(BaseModel):
    """How it is answered; what is not given is as in `headway predict`."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    model: Annotated[str, Field(max_length=200)] | None = None
    "Which model answers, of `/v1/models`; needed where several are served."
    mode: Annotated[str, Field(max_length=40)] = "auto"
    "`auto`, or one of the model's modes: greedy, beam, sample, verify, nat, rerank."
    scores: bool = False
    "Give the probability of each label, the log probability of each sequence."
    nbest: Hypotheses = 1
    "Hypotheses for each input, best first."
    beam: Hypotheses | None = None
    "Of mode beam: sequences side by side."
    length_penalty: Number | None = None
    "Of modes beam and rerank: 0 favours short outputs, 1 and more longer ones."
    candidates: Hypotheses | None = None
    "Of mode rerank: sequences that are written at once."
    tolerance: Annotated[Number, Field(ge=0)] | None = None
    "Of mode verify: how much less probable a drafted token may be than the best; above 0 answers are not greedy's."
    temperature: Annotated[Number, Field(gt=0)] | None = None
    "Of mode sample: below 1 the probable is drawn more often, above 1 less."
    top_k: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    "Of mode sample: draw of so many most probable tokens only."
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    "Of mode sample: draw of the most probable tokens only that have this probability together."
    sampling_seed: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    "Of mode sample: the same seed and the same inputs give the same answers."
    prefix: Prefix | Annotated[list[Prefix], Field(max_length=4096)] | None = None
    "What every new sequence begins with: one for all, or one for each input."
    alignments: bool = False
    "Give for each written token the source element that it looked at most."
    limit: Annotated[int, Field(ge=1, le=TOKENS)] | None = None
    "Tokens that a new sequence may have at most."
    trace: bool = False
    "Tell of each new sequence why it was written so, decision by decision."
    attention: bool = False
    "Give for each input a view: every map of attention, the trace, what stands behind the elements."
    layers: Places | None = None
    "With attention: only these layers, from 0."
    heads: Places | None = None
    "With attention: only these heads, from 0."
    computation: Literal["encoder", "decoder", "cross"] | None = None
    "With attention of one layer and one head: also the numbers of that head of this part, from q, k and v on."
    target: Prefix | None = None
    "With attention: what is written instead of the model's own answer, which is looked at as if it had been written."
    attributions: bool = False
    "With attention, of one input: also how much each element added to the outputs, by integrated gradients (captum)."
    outputs: Explained | None = None
    "With attributions: only of these outputs (labels, tokens), from 0; of the first dozen where none are named."
    stream: bool = False
    "Answer as server-sent events: `token` (in modes greedy and sample), `answer`, and `done` or `error`."


NODES: dict[str, Any] = {
    "type": "object",
    "required": ["nodes"],
    "properties": {"nodes": {"type": "array"}, "edges": {"type": "array"}, "directed": {"type": "boolean"}},
}
INPUT: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "description": "a text; a SMILES where the model reads graphs"},
        {"type": "array", "items": {"type": "string"}, "description": "words"},
        {"type": "array", "items": {"type": "array", "items": {"type": "number"}}, "description": "vectors"},
        {**NODES, "description": "a graph"},
    ]
}


class Ask(Options):
    """Inputs, and how they are answered."""

    inputs: Annotated[list[Any], Field(min_length=1, json_schema_extra={"items": INPUT})]
    "Texts, or lists of words; rows of vectors; graphs, as objects with `nodes` and `edges` or as SMILES."


class Answered(BaseModel):
    """One answer for each input, in order."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    model: str
    "Who answered."
    version: str
    "Which weights: another after the run folder has got new ones and the server was told."
    answers: list[dict[str, Any]]
    """`source`, and by the question: `elements` and `labels`; `label`, `labels` and `score`; `value`; `text` and
    `tokens`; with what was asked for beside it: `scores`, `alternatives`, `alignment`, `trace`, `view`,
    `computation`."""


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    title: str
    "The name of the status."
    status: int
    "The status."
    detail: str
    "A sentence: what was wrong, and what is allowed."
    code: Annotated[str, Field(json_schema_extra={"enum": list(REFUSALS)})]
    "Which kind of refusal, by a name that does not change. The numbers and names of its sentence stand beside it."
    input: int | None = None
    "Which input, from 0."
    found: float | None = None
    "How many there are, or how much."
    allowed: float | None = None
    "How many there may be, or how much."
    unit: str | None = None
    "Of what: characters, nodes or vectors."
    mebibytes: float | None = None
    "What a body may have."
    seconds: float | None = None
    "How long a request may take, or how long others wait already."
    waiting: int | None = None
    "Inputs that wait already."
    again: int | None = None
    "Seconds after which to ask again."
    name: str | None = None
    "Which model."
    kind: str | None = None
    "What it reads: text, sound, graph or vectors."
    package: str | None = None
    "What the server lacks."
    extra: str | None = None
    "The extra of headway that brings it."


class Model(BaseModel):
    """One served model."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    task: str
    "tag, classify, regress or transduce."
    input: str
    "text, sound, graph or vectors."
    modes: list[str]
    "How it can answer; the first is what `auto` takes."
    streams: bool
    "Whether it writes token by token."
    version: str
    parameters: int
    labels: list[str] | None
    "What it can answer, where that is a label."
    max_length: int
    "Elements that are read of an input; what follows is cut off, read in windows, or refused."
    over_long: str
    max_seconds: float | None
    "Of a sound."
    parts: dict[str, dict[str, int]]
    "The parts that have attention, each with its `layers` and the `heads` of a layer."
    attributions: Literal["given", "package", "decoder"]
    "Given where they are asked for; or what lacks: the package captum, an autoregressive decoder."
    graph: dict[str, Any] | None
    "Of a model that reads graphs: the `feature` by which `nodes` are known, those, and the types of `edges`."


class Models(BaseModel):
    """What is served, and what one request may ask."""

    models: list[Model]
    limits: dict[str, int | float]


class Card(BaseModel):
    """What a served run says of itself."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    model: Model
    metrics: dict[str, dict[str, float]]
    "By part: valid, test."
    signatures: dict[str, str]
    "By which measure, as papers quote it."
    baselines: dict[str, dict[str, dict[str, float]]]
    "The same figures of classical methods, by name and part."
    facts: dict[str, float]
    "Updates, seconds, tokens, parameters, peak memory of the training."
    settings: dict[str, Any]
    "Every setting but those that name files."
    machine: dict[str, Any]
    "What it was trained with."
    data: dict[str, str]
    "The fingerprint and the format of the training data."


class Running(BaseModel):
    """A training that is or was running."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    state: str
    "running, ended, or silent: it has not ended, and nothing was written for a while."
    step: int
    steps: int | None
    changed: float
    "Seconds since something was written."
    latest: dict[str, Any]
    "The last event of each kind: start, step, valid, end."


class Trainings(BaseModel):
    """The trainings below the watched folders."""

    runs: list[Running]


class Events(BaseModel):
    """What a training has written since."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    run: str
    events: list[dict[str, Any]]
    after: str
    "Ask for what follows with this."
    more: bool
    "Whether there is more already."
    restarted: bool
    "Whether the file is another than before: these events are from its beginning, and take the place of all others."


class Health(BaseModel):
    """How the server is."""

    status: str
