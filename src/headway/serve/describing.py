"""What OpenAPI and `/v1/models` say of the server, with examples."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from headway.data.codecs import Labels
from headway.data.sources._graphs import WORD
from headway.data.sources._molecules import ATOM
from headway.data.sources.graph import MEASURES, SourceGraph
from headway.decoders.autoregressive import Autoregressive
from headway.inspection.maps import parts_of
from headway.predictor import Predictor
from headway.serve.house import Served
from headway.serve.schemas import Ask, Options
from headway.tasks.transduce import Transduce

STATUSES = {
    400: "The request is no HTTP that can be read.",
    401: "A key is needed, and none that is known was given.",
    408: "The request did not come in time.",
    413: "The body is larger than a request may be.",
    415: "The body is of another kind than the model reads.",
    421: "The server does not go by the name in `Host`.",
    422: "Something in the request is wrong; `detail` says what and what is allowed.",
    429: "The client has as many requests under way as it may have.",
    500: "A mistake of the server.",
    501: "The server lacks an optional package.",
    503: "Too much is asked at once, or the server is stopping; `Retry-After` says when to ask again.",
    504: "Not answered in time.",
}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def problems(statuses: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Refusals as OpenAPI has them."""
    return {status: {"description": told, "content": _PROBLEM} for status, told in statuses.items()}


PROBLEMS = problems(STATUSES)
"""Every refusal that a route may answer with."""
SHOWN = 200
"""Words for nodes and edges that are told at most."""
EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
    "required": ["event", "data"],
}
"""One event of a stream, as readers of OpenAPI 3.1 take the schema of a stream; its data are JSON."""
_WRITTEN = {
    "model": "speaker",
    "version": "1200-0f3a9c11",
    "answers": [{"source": "headway", "text": "HH EH D W EY", "tokens": ["HH", "EH", "D", "W", "EY"], "score": -0.21}],
}
_JUDGED = {
    "model": "critic",
    "version": "800-77aa01bd",
    "answers": [{"source": "a wise film .", "label": "pos", "labels": ["pos"], "score": 0.93}],
}
EXAMPLES = {
    "application/json": {
        "examples": {
            "a new sequence": {"value": _WRITTEN},
            "a label for the whole": {"value": _JUDGED},
        }
    },
    "text/event-stream": {
        "schema": EVENT,
        "examples": {
            "token by token": {
                "value": 'event: token\ndata: {"input": 0, "position": 0, "piece": "HH", "text": "HH"}\n\n'
                'event: done\ndata: {"model": "speaker", "version": "1200-0f3a9c11"}\n\n'
            }
        },
    },
}
_ASKED = {
    "texts": {"value": {"inputs": ["headway", "transformer"]}},
    "words": {"value": {"inputs": [["the", "dog", "barks"]], "scores": True}},
    "an n-best list of a beam": {"value": {"inputs": ["headway"], "mode": "beam", "beam": 5, "nbest": 3}},
    "drawn, the same each time": {
        "value": {"inputs": ["headway"], "mode": "sample", "temperature": 0.8, "sampling_seed": 7}
    },
    "where the model looked": {"value": {"inputs": ["headway"], "attention": True, "layers": [0], "trace": True}},
    "what an output follows": {
        "value": {"inputs": ["headway"], "attention": True, "layers": [0], "attributions": True, "outputs": [0]}
    },
    "token by token": {"value": {"inputs": ["headway"], "stream": True}},
    "vectors": {"value": {"inputs": [[[0.1, 0.2], [0.3, 0.4]]]}},
    "a graph": {"value": {"inputs": [{"nodes": ["C", "C", "O"], "edges": [[0, 1], [1, 2, "double"]]}]}},
}


def request_body() -> dict[str, Any]:
    """The body of `/v1/predict`, and the options of a sound, which stand in the query."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    schema = Ask.model_json_schema()
    options = Options.model_json_schema()["properties"]
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "examples": _ASKED},
                **{f"audio/{kind}": binary for kind in ("wav", "flac", "ogg", "mpeg")},
            },
        },
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": f"With a sound as the body. {told.get('description', '')}",
                "schema": {key: value for key, value in told.items() if key not in ("description", "default")},
            }
            for name, told in options.items()
        ],
    }


def model_of(served: Served) -> dict[str, Any]:
    """What `/v1/models` says of one model."""
    predictor = served.predictor
    target, data = predictor.codecs.target, predictor.run.data
    return {
        "name": served.name,
        "task": predictor.task,
        "input": predictor.run.kind,
        "modes": list(predictor.modes),
        "streams": "greedy" in predictor.modes,
        "version": served.version,
        "parameters": sum(parameter.numel() for parameter in predictor.model.parameters()),
        "labels": list(target.labels) if isinstance(target, Labels) else None,
        "max_length": data.max_length,
        "over_long": data.over_long,
        "max_seconds": data.max_seconds if predictor.run.kind == "sound" else None,
        "parts": {
            part: {"layers": layers, "heads": heads} for part, (layers, heads) in parts_of(predictor.model).items()
        },
        "attributions": _attributions(predictor),
        "graph": _graph_of(predictor.codecs.source),
    }


def _attributions(predictor: Predictor) -> str:
    """Whether it can be told what the elements added to an output, or what lacks."""
    task = predictor.model.task
    if isinstance(task, Transduce) and not isinstance(task.decoder, Autoregressive):
        return "decoder"
    return "given" if find_spec("captum") else "package"


def _graph_of(codec: Any) -> dict[str, Any] | None:
    """What the nodes and edges of a graph may be called: of an atom its element, of others the first feature."""
    if not isinstance(codec, SourceGraph):
        return None
    named = [name for name in codec.values if name not in MEASURES]
    feature = next((name for name in (WORD, ATOM[0], *named) if name in named), "")
    nodes = codec.values[feature][:SHOWN] if feature else ()
    return {"feature": feature, "nodes": list(nodes), "edges": list(codec.types[:SHOWN])}
