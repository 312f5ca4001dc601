"""What a report is made of: all that is known of a training when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headway.batch import Answer, Example
from headway.report.wording import Number


@dataclass(frozen=True)
class Findings:
    """One training as the page shows it; whatever is not known is left empty, and the page leaves it out.

    title         the name of the run folder
    task          tag, classify, regress or transduce
    metrics       by part and name, on the whole parts, with the best weights
    signatures    what the metrics are, exactly
    baselines     by method, part and name
    notes         by method, what it is
    counts        examples of each part
    examined      examples of the valid part that evaluations during training answered
    asked         what stands behind `headway predict RUN` to ask about one example
    facts         step, seconds, tokens, parameters
    events        the lines of metrics.jsonl
    environment   environment.json: `machine` and `data`
    settings      run.yaml, as text
    said          sentences about the data and the choices
    part          the part that examples and answers are from
    stopped       whether training was stopped before its end and can be resumed
    """

    title: str
    task: str
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    examined: int | None = None
    asked: str = "FILE"
    facts: Mapping[str, Number] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    settings: str = ""
    said: Sequence[str] = ()
    part: str | None = None
    examples: Sequence[Example] = ()
    answers: Sequence[Answer] = ()
    stopped: bool = False

    @property
    def metric_names(self) -> list[str]:
        """Every metric that was measured, the one that decides first."""
        return list(dict.fromkeys(name for values in self.metrics.values() for name in values))
