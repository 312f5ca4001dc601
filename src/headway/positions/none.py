"""No position at all: self-attention then answers the same set of vectors whatever their order."""

from headway.positions import Position
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class NoPosition(Position):
    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
