"""The recipe of `transduce`, deep and shallow: six layers read, one writes (Kasai et al. 2021)."""

from headway.data.survey import Survey
from headway.recipes import transduce
from headway.run import Run


def recipe(survey: Survey) -> Run:
    """Six layers of the encoder cost little, as all is read at once; what costs is each layer of every step."""
    return transduce.deep_shallow(survey, layers=6)
