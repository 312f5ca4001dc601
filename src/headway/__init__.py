"""headway: train, explain and serve a Transformer of your own on sequences of your own.

import headway

headway.train("news", out="tagger")
tagger = headway.load("tagger")
for word, tag in tagger.predict("我 爱 北京")[0]:
    print(word, tag)
"""

from typing import TYPE_CHECKING, Any

from headway.version import __version__

if TYPE_CHECKING:
    from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
    from headway.data.sources.graph import Graph
    from headway.errors import DataError, HeadwayError, RunError, UsageError
    from headway.experiment import evaluate, load, train
    from headway.lab.compare import compare
    from headway.lab.distillation import distill
    from headway.lab.race import race
    from headway.predictor import Predictor
    from headway.run import Run

_HOMES = {
    "ClassifyAnswer": "headway.batch",
    "DataError": "headway.errors",
    "Example": "headway.batch",
    "Graph": "headway.data.sources.graph",
    "HeadwayError": "headway.errors",
    "Predictor": "headway.predictor",
    "RegressAnswer": "headway.batch",
    "Run": "headway.run",
    "RunError": "headway.errors",
    "TagAnswer": "headway.batch",
    "TransduceAnswer": "headway.batch",
    "UsageError": "headway.errors",
    "compare": "headway.lab.compare",
    "distill": "headway.lab.distillation",
    "evaluate": "headway.experiment",
    "load": "headway.experiment",
    "race": "headway.lab.race",
    "train": "headway.experiment",
}

__all__ = [
    "ClassifyAnswer",
    "DataError",
    "Example",
    "Graph",
    "HeadwayError",
    "Predictor",
    "RegressAnswer",
    "Run",
    "RunError",
    "TagAnswer",
    "TransduceAnswer",
    "UsageError",
    "__version__",
    "compare",
    "distill",
    "evaluate",
    "load",
    "race",
    "train",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import headway` is quick and imports no torch."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'headway' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
