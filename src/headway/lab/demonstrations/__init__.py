"""What a lecture on self-attention and the Transformer claims, run.  One file a claim.

Every number is computed on the spot by headway's own functions and modules, from fixed seeds; a claim says what was
measured and the bound that it must keep.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import torch

from headway.lab.demonstrations._findings import Bars, Claim, Curves, Findings, HeatMap, Map, Shown, Table
from headway.settings import Room

__all__ = ["DEMONSTRATIONS", "Bars", "Claim", "Curves", "Demonstration", "Findings", "HeatMap", "Map", "Shown", "Table"]

Say = Callable[[str], None]
"""Is told what goes on while something is trained or timed."""


class Demonstration:
    """Runs under a minute on one core."""

    reads_run: ClassVar[bool] = False
    "Whether it can show its claim with a trained run of the user's."

    def __init__(self, run: Path | None = None):
        """run: the folder of a trained run, for one that `reads_run`."""
        self.run_folder = run

    def run(self, say: Say) -> Findings:
        """Compute everything and return what is shown. Raises RunError and UsageError for a run that does not fit."""
        raise NotImplementedError


DEMONSTRATIONS = Room(__name__, Demonstration, "demonstration")


def demonstrate(name: str, say: Say, run: Path | None = None) -> Findings:
    """What the demonstration of that name shows: the same at every call. Raises UsageError for a name there is not."""
    part = DEMONSTRATIONS.part(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return part(run if part.reads_run else None).run(say)


def title_of(name: str) -> str:
    """The claim of a demonstration in one line: the first of its file."""
    return (DEMONSTRATIONS.module(name).__doc__ or "").strip().partition("\n")[0]
