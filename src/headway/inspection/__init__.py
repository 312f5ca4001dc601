"""Where a model looks: exact weights as a value, and the pictures that a terminal, a notebook and a page draw of it."""

from headway.inspection.computing import Computation
from headway.inspection.maps import PARTS, AttentionMap, Inspector
from headway.inspection.view import View

__all__ = ["PARTS", "AttentionMap", "Computation", "Inspector", "View"]
