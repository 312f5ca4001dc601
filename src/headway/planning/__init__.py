"""From a data set to a plan: what is asked, which recipe, every setting with its origin, before anything is trained."""

from headway.planning.again import plan_again
from headway.planning.codecs import codecs_for, metrics_for
from headway.planning.decided import Plan, left_out, skipped
from headway.planning.outline import outline, setup_of
from headway.planning.planned import plan

__all__ = [
    "Plan",
    "codecs_for",
    "left_out",
    "metrics_for",
    "outline",
    "plan",
    "plan_again",
    "setup_of",
    "skipped",
]
