"""The recipe of `transduce` with a draft on the same encoder: greedy's answers in a few calls, or all at once."""

from headway.data.survey import Survey
from headway.decoders import ctc
from headway.recipes import transduce
from headway.run import Run


def recipe(survey: Survey) -> Run:
    """The draft is a CTC head without layers of its own: it costs one product, and no pass through a decoder."""
    run = transduce.recipe(survey)
    draft = ctc.Settings(layers=0, tie="all" if run.data.joint else "output")
    return transduce.changed(run, draft=draft, draft_weight=0.5)
