"""What is missed: every head or layer of a run switched off in turn, and the change of its metric with an interval."""

from headway.lab.knockout.knocking import knockout
from headway.lab.knockout.results import Change, Results

__all__ = ["Change", "Results", "knockout"]
