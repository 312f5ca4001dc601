"""A number for the whole: the model of `classify`, with another last layer."""

from headway.data.survey import Survey
from headway.recipes import classify
from headway.run import Run
from headway.tasks import regress


def recipe(survey: Survey) -> Run:
    """The same as for a label."""
    run = classify.recipe(survey)
    return run.replace(model=run.model.replace(task=regress.Settings()))
