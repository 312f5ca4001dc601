"""The codecs of a plan, fitted on its training part or taken from an earlier run; the metrics of new sequences."""

from collections.abc import Iterable, Mapping
from typing import Any

from headway.batch import Example
from headway.data.codecs import label_set
from headway.data.encoding import Codecs
from headway.data.index import Index
from headway.data.survey import Survey
from headway.errors import UsageError, file_name
from headway.planning.decided import Plan
from headway.preparation import refuse_other_reading
from headway.run import Run, RunFolder, build_codecs


def codecs_for(plan: Plan, start: RunFolder | None = None) -> Codecs:
    """Codecs fitted on the training part; with `start`, those of that run as far as they still fit."""
    several, metrics = plan.data.recognized.several, metrics_for(plan.survey)
    if plan.index is not None:
        refuse_other_reading(plan.run, plan.index)
        if start is not None:
            _refuse_other_vocabulary(plan.index, plan.run, start)
        return build_codecs(plan.run, several, metrics, plan.index.codecs)
    state = state_of(plan, start, plan.train) if start is not None else {}
    codecs = build_codecs(plan.run, several, metrics, state)
    codecs.fit(plan.train, known=state)
    return codecs


def state_of(plan: Plan, start: RunFolder, examples: Iterable[Example]) -> dict[str, Any]:
    """What a run that is started from keeps of its codecs, as far as it fits the examples to learn from."""
    old = start.codec_state()
    _refuse_other_elements(plan.run, start)
    state = {"source": old["source"]}
    if start.settings().task == plan.run.task and _covers(old["target"], plan, examples):
        state["target"] = old["target"]
    return state


def _refuse_other_vocabulary(index: Index, run: Run, start: RunFolder) -> None:
    """Refuse prepared data whose numbers are of another vocabulary than a run's. Raises UsageError."""
    _refuse_other_elements(run, start)
    if index.codecs["source"] != start.codec_state()["source"]:
        raise UsageError(
            f"{file_name(index.folder)} was prepared with a vocabulary of its own, and the vectors of {start.path} "
            f"belong to another: prepare the data with --from {start.path}, or train without it"
        )


def _refuse_other_elements(run: Run, start: RunFolder) -> None:
    """Refuse another tokenizer than that of the run that is started from. Raises UsageError."""
    there = start.settings()
    names = ["tokenizer", *(["target_tokenizer", "joint"] if there.task == run.task else [])]
    for name in names:
        if getattr(run.data, name) != getattr(there.data, name):
            raise UsageError(
                f"data.{name} is not that of {start.path}, whose vectors belong to its own elements: leave it out, or "
                "train without --from"
            )


def _covers(target: Mapping[str, Any], plan: Plan, examples: Iterable[Example]) -> bool:
    """Whether a run's labels are all that the examples need; numbers and sequences always are."""
    labels = target.get("labels")
    if plan.data.recognized.several and not target.get("several", True):
        return False
    return labels is None or {label for e in examples for label in label_set(e.target)} <= set(labels)


def metrics_for(survey: Survey) -> tuple[str, ...]:
    """What a new sequence is measured by, where the user does not say."""
    if survey.symbols:
        return ("phone_error_rate", "sequence_error_rate")
    if survey.single_targets:
        return ("character_error_rate", "exact_match")
    return ("word_error_rate", "character_error_rate") if survey.kind == "sound" else ("bleu", "chrf")
