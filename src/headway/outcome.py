"""What a training came to: measured on whole parts, beside classical methods, and told as a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headway.batch import Answer, Example
from headway.lab.baselines import baselines_for
from headway.planning import Plan
from headway.predictor import Predictor
from headway.report import Findings, write_report
from headway.run import Run, RunFolder
from headway.storage import write_json
from headway.training.evaluation import measure
from headway.training.events import read_events

Parts = Mapping[str, list[Example]]
Answers = Mapping[str, list[Answer]]
"""By part, to every example of it."""
Figures = dict[str, dict[str, float]]
"""By part and name."""


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    metrics      by part and name, on the whole parts, with the best weights
    signatures   what the metrics are, exactly
    baselines    by method, part and name
    facts        steps, seconds, tokens, parameters, batches that were split for want of memory, and the process's peak
                 of main memory in bytes where it is known
    stopped      whether it was stopped before its end and can be resumed; then nothing was measured
    asked        what stands behind `headway predict RUN` to ask about one example
    """

    folder: Path
    metrics: Figures = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    baselines: dict[str, Figures] = field(default_factory=dict)
    facts: dict[str, int | float] = field(default_factory=dict)
    stopped: bool = False
    asked: str = "FILE"

    def write(self) -> None:
        """results.json of its folder."""
        told = {name: value for name, value in vars(self).items() if name not in ("folder", "asked")}
        write_json(self.folder / "results.json", told)


def measured(
    folder: RunFolder,
    run: Run,
    parts: Parts,
    facts: dict[str, int | float],
    beside: Callable[[Sequence[str]], dict[str, Figures]],
) -> tuple[Outcome, Answers]:
    """The best weights on the whole of every part, written as results.json; and the answers.

    facts    of the training
    beside   what classical methods reach, by these metrics
    """
    predictor = Predictor(folder.path, machine=run.machine)
    metrics, signatures, answers = Figures(), dict[str, str](), dict[str, list[Answer]]()
    for part, examples in parts.items():
        metrics[part], signatures, answers[part] = predictor.evaluate(examples)
    baselines, asked = beside(predictor.model.task.metrics), predictor.codecs.source.asked
    outcome = Outcome(folder.path, metrics, signatures, baselines, facts, asked=asked)
    outcome.write()
    return outcome, answers


def classical(
    plan: Plan, parts: Parts, names: Sequence[str], seconds: float, say: Callable[[str], None]
) -> tuple[dict[str, Figures], dict[str, str]]:
    """What classical methods reach on the same parts by these metrics, and what each is and learned from.

    They take a tenth of the `seconds` of training, and half a minute at most.
    """
    found, notes = dict[str, Figures](), dict[str, str]()
    for baseline in baselines_for(plan.run.task, budget=min(30.0, max(2.0, 0.1 * seconds))):
        if baseline.refuses(plan.train) is not None:
            continue
        baseline.fit(plan.train)
        learned, count = len(plan.train), plan.count
        some = "" if learned == count else f"; learned from {learned:,} of {count:,} examples"
        notes[baseline.name] = note = baseline.note + some
        say(f"baseline {baseline.name}: {note}")
        found[baseline.name] = {
            part: {
                name: metric.value() for name, metric in measure(names, baseline.predict(examples), examples).items()
            }
            for part, examples in parts.items()
        }
    return found, notes


def report(
    outcome: Outcome,
    answers: Answers,
    folder: RunFolder,
    run: Run,
    parts: Parts,
    *,
    examined: int,
    notes: dict[str, str],
    said: list[str],
) -> None:
    """report.html, with the answers of the test part, or else of the valid part.

    examined   examples of the valid part that training was evaluated on
    notes      what each classical method is
    said       what was said on the way
    """
    part = next((part for part in ("test", "valid") if part in answers), None)
    findings = Findings(
        title=folder.path.resolve().name,
        task=run.task,
        metrics=outcome.metrics,
        signatures=outcome.signatures,
        baselines=outcome.baselines,
        notes=notes,
        counts={name: len(examples) for name, examples in parts.items()},
        examined=examined,
        asked=outcome.asked,
        facts=outcome.facts,
        events=read_events(folder.metrics),
        environment=folder.facts(),
        settings=(folder.path / "run.yaml").read_text(encoding="utf-8"),
        said=said,
        part=part,
        examples=parts[part] if part else [],
        answers=answers[part] if part else [],
        stopped=outcome.stopped,
    )
    write_report(folder.report, findings)
