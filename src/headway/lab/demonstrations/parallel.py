"""Attention computes all outputs at once; a recurrent network has to take one position after another."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from headway.functional.masks import Mask
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.report.charts import Line

D = 128
LENGTHS = [16, 32, 64, 128, 256, 512, 1024]
SECONDS = 0.5
"""Time for measuring one length of one layer."""


class Parallel(Demonstration):
    """How many operations wait for one another, and the time that a forward pass takes, over the length."""

    def run(self, say: Say) -> Findings:
        attention = Attention(AttentionSettings(heads=4), D, 0.0)
        by_definition = Attention(AttentionSettings(heads=4, engine="definition"), D, 0.0)
        lstm, cell = nn.LSTM(D, D, batch_first=True), nn.LSTMCell(D, D)
        depths, times = [], []
        for length in LENGTHS:
            say(f"length {length}")
            x = torch.randn(1, length, D)
            depths.append((depth(by_definition(x, Look(Mask()))), depth(unrolled(cell, x))))
            with torch.no_grad():
                times.append((seconds(lambda x=x: attention(x, Look(Mask()))), seconds(lambda x=x: lstm(x))))

        found = Findings()
        found.show(
            f"Self-attention of 4 heads and an LSTM, both of width {D}, on one sequence. Operations in a row: the "
            "longest chain in which each needs the result of the one before, which no number of processors shortens. "
            "The times are of this machine with one thread, where attention, too, pays for each of its N² weights.",
            _curves(times),
            Table(
                "operations in a row, and milliseconds",
                ["length", "attention: in a row", "LSTM: in a row", "attention: ms", "LSTM: ms", "times as fast"],
                [
                    [n, *deep, 1e3 * own, 1e3 * other, other / own]
                    for n, deep, (own, other) in zip(LENGTHS, depths, times)
                ],
            ),
        )
        ours, theirs = zip(*depths)
        found.at_most(
            "attention: operations in a row more at the largest length than at the smallest", ours[-1] - ours[0], 0
        )
        steps = (theirs[-1] - theirs[0]) / (LENGTHS[-1] - LENGTHS[0])
        found.at_least("LSTM: operations in a row for each further position", steps, 1)
        return found


def _curves(times: list[tuple[float, float]]) -> Curves:
    own, other = ([(n, 1e3 * pair[i]) for n, pair in zip(LENGTHS, times)] for i in (0, 1))
    return Curves("milliseconds over the length", [Line("attention", own), Line("LSTM", other, "quiet")], "length")


def unrolled(cell: nn.LSTMCell, x: Tensor) -> Tensor:
    """(B, T, D) -> (B, D) the last output, one position after another."""
    h = c = x.new_zeros(len(x), cell.hidden_size)
    for t in range(x.shape[1]):
        h, c = cell(x[:, t], (h, c))
    return h


def depth(value: Tensor) -> int:
    """Operations on the longest chain that leads to a value, in the graph that the gradient would go back through."""
    longest: dict[Any, int] = {}
    waiting = [value.grad_fn]
    while waiting:
        node = waiting[-1]
        before = [earlier for earlier, _ in node.next_functions if earlier is not None]  # type: ignore[union-attr]
        missing = [earlier for earlier in before if earlier not in longest]
        if missing:
            waiting += missing
            continue
        longest[waiting.pop()] = 1 + max((longest[earlier] for earlier in before), default=0)
    return longest[value.grad_fn]


def seconds(run: Callable[[], object]) -> float:
    """The shortest of as many runs as fit into the time."""
    run()
    best, begin = float("inf"), time.perf_counter()
    while (start := time.perf_counter()) - begin < SECONDS:
        run()
        best = min(best, time.perf_counter() - start)
    return best
