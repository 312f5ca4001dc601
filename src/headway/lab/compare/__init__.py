"""A fair comparison on a user's own data: the same items, the same budget, several seeds, and what is chance."""

from headway.lab.compare.axes import Axis
from headway.lab.compare.comparing import compare
from headway.lab.compare.results import Results, results_of

__all__ = ["Axis", "Results", "compare", "results_of"]
