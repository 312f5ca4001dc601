"""What a person asks of a run as a `Search`: one that the run can do, or a complaint that says what to do instead."""

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from headway.errors import UsageError, unknown
from headway.search import Mode, Search

OF_MODES: Mapping[str, tuple[str, ...]] = {
    "beam": ("beam",),
    "length_penalty": ("beam", "rerank"),
    "candidates": ("rerank",),
    "tolerance": ("verify",),
    "temperature": ("sample",),
    "top_k": ("sample",),
    "top_p": ("sample",),
    "sampling_seed": ("sample",),
}
"""Options that only some modes have."""
SEVERAL = ("beam", "nat", "rerank")
"""Modes that find several hypotheses for an input."""
LEAST = {"nbest": 1, "beam": 1, "limit": 1, "candidates": 1, "top_k": 1, "sampling_seed": 0, "tolerance": 0}


def search_for(
    modes: Sequence[str],
    mode: str = "auto",
    *,
    scores: bool = False,
    trace: bool = False,
    alignments: bool = False,
    nbest: int = 1,
    limit: int | None = None,
    together: bool = False,
    **options: Any,
) -> Search:
    """The search that is asked for; `options` are those of `OF_MODES`, None where they are not given.

    modes       in which the run can answer, the default first
    together    whether it is an ensemble
    """
    given = {name: value for name, value in options.items() if value is not None}
    chosen = _mode(modes, mode, nbest, given)
    for name, number in {"nbest": nbest, "limit": limit, **given}.items():
        if name in LEAST and number is not None and number < LEAST[name]:
            raise UsageError(f"{said(name)} must be at least {LEAST[name]}, and is {number}")
    if not 0 < given.get("top_p", 1.0) <= 1:
        raise UsageError(f"top-p is a probability above 0 and at most 1, and is {given['top_p']}")
    if not given.get("temperature", 1.0) > 0:
        raise UsageError(f"temperature must be above 0, and is {given['temperature']}; mode greedy is its limit at 0")
    for name in given:
        if chosen not in OF_MODES[name]:
            raise UsageError(
                f"{said(name)} is of mode {' and '.join(OF_MODES[name])}, and this is mode {chosen}: "
                f"add --mode {OF_MODES[name][0]}, or leave {said(name)} away"
            )
    if nbest > 1 and chosen not in SEVERAL:
        raise UsageError(
            f"an n-best list comes from mode beam, and not from {chosen}"
            + (", which writes the one answer of greedy search" if chosen == "verify" else "")
        )
    if together and chosen in ("verify", "rerank"):
        raise UsageError(
            f"an ensemble has no mode {chosen}: "
            + ("greedy gives the same answers, step by step" if chosen == "verify" else "take greedy, beam or nat")
            + ", or ask one run alone"
        )
    known = cast(Mode, "auto" if chosen == "direct" else chosen)
    return _search(known, scores or nbest > 1, trace, alignments, nbest, limit, given)


def _search(
    mode: Mode, scores: bool, trace: bool, alignments: bool, nbest: int, limit: int | None, given: Mapping[str, Any]
) -> Search:
    usual = Search(mode, scores=scores, trace=trace, alignments=alignments, nbest=nbest, limit=limit)
    names = {"sampling_seed": "seed"}
    values = {names.get(name, name): value for name, value in given.items()}
    for name in ("beam", "candidates"):
        values[name] = max(values.get(name, getattr(usual, name)), nbest)
    return Search(**{**{name: getattr(usual, name) for name in usual.__dataclass_fields__}, **values})


def _mode(modes: Sequence[str], mode: str, nbest: int, given: Mapping[str, Any]) -> str:
    """The mode that is meant; `auto` is a beam where several hypotheses or the width of a beam are asked for."""
    if mode == "auto":
        wants_beam = nbest > 1 or "beam" in given
        return "beam" if wants_beam and "beam" in modes else "auto" if "greedy" in modes else modes[0]
    if mode in modes:
        return mode
    if mode not in get_args(Mode) or modes[0] == "direct":
        raise UsageError(unknown("mode", mode, [*modes, "auto"]))
    if "greedy" not in modes:
        raise UsageError(
            f"mode {mode} needs an autoregressive decoder, and this run has none: it writes all at once (mode nat). "
            "Train one that has both by --recipe transduce_joint, or model.task.decoder autoregressive with "
            "model.task.draft ctc"
        )
    raise UsageError(
        f"mode {mode} needs a draft, a second writer that writes all at once, and this run has none. Train one "
        "that has by --recipe transduce_joint, or model.task.draft ctc; this run has the modes " + ", ".join(modes)
    )


def said(name: str) -> str:
    """The name of an option as a person writes it."""
    return name.replace("_", "-")
