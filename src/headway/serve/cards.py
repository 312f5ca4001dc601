"""`/v1/models/NAME/card` and `…/metrics`: what a served run says of itself, and no path of its machine."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as Named

from headway import settings, storage
from headway.errors import HeadwayError, unknown
from headway.run import RunFolder
from headway.serve import schemas
from headway.serve.describing import PROBLEMS, model_of, problems
from headway.serve.house import House, Served
from headway.serve.limits import Refusal
from headway.serve.trainings import FILE, news_of

MACHINE = ("headway", "python", "packages", "system", "processor", "cores", "gpu")
"""What is told of the machine that trained; not the command, which names folders."""
DATA = ("fingerprint", "format")
RESULTS = ("metrics", "signatures", "baselines", "facts")
Name = Annotated[str, Named(max_length=200, description="The name of a model, of `/v1/models`.")]
After = Annotated[str, Query(max_length=60, description="What `after` was before; empty for all events.")]
MISSING = problems({404: "No such model is served, or its folder does not say."})


def routes(house: House) -> APIRouter:
    """The routes that tell of one model."""
    router = APIRouter(tags=["models"])

    def served(name: str) -> Served:
        if name not in house.served:
            raise Refusal("no_model", unknown("model", name, house.served))
        return house.served[name]

    @router.get("/v1/models/{name:path}/card", response_model=schemas.Card, responses=PROBLEMS | MISSING)
    async def card(name: Name) -> Any:
        """A model card: what it does, how well, by which measure, beside which baselines, and what it was made with."""
        return await asyncio.to_thread(card_of, served(name))

    @router.get("/v1/models/{name:path}/metrics", response_model=schemas.Events, responses=PROBLEMS | MISSING)
    async def metrics(name: Name, after: After = "") -> Any:
        """What its training has written: `start`, `step`, `valid` and `end` with their figures."""
        path = RunFolder(served(name).folder).path / FILE
        return {"run": name, **asdict(await asyncio.to_thread(news_of, path, after))}

    return router


def card_of(served: Served) -> dict[str, Any]:
    """All that a card says. Raises Refusal where the folder holds it no more, or damaged."""
    folder = RunFolder(served.folder)
    try:
        results = storage.read_json(folder.path / "results.json") if (folder.path / "results.json").is_file() else {}
        facts = folder.facts() if folder.environment.is_file() else {"machine": {}, "data": {}}
    except HeadwayError:
        raise Refusal("damaged", name=served.name) from None
    return {
        "model": model_of(served),
        **{name: results.get(name, {}) for name in RESULTS},
        "settings": _without_paths(settings.dump(served.predictor.run)),
        "machine": {name: facts["machine"][name] for name in MACHINE if facts["machine"].get(name) is not None},
        "data": {name: facts["data"][name] for name in DATA if facts["data"].get(name)},
    }


def _without_paths(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that name files, and without those that say nothing."""
    kept: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            kept[name] = _without_paths(value)
        elif value not in (None, [], ()) and not any(len(Path(each).parts) > 1 for each in _texts(value)):
            kept[name] = list(value) if isinstance(value, tuple) else value
    return kept


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(each, str)]
