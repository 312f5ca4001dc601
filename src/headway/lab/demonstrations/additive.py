"""Bahdanau's additive score is no dot product of the same size, and no multiple of a query makes it large."""

import torch
from torch import Tensor

from headway.lab.demonstrations import Curves, Demonstration, Findings, HeatMap, Say, Table
from headway.report.charts import Line
from headway.scores import SCORES, Score

N, K = 40, 4


class Additive(Demonstration):
    """The scores of 40 queries and 40 keys of 4 numbers each: how many directions do they span?"""

    def run(self, say: Say) -> Findings:
        q, k = torch.randn(2, 1, 1, N, K, dtype=torch.float64)
        scores = {name: score_named(name) for name in ("scaled_dot", "additive")}
        tables = {name: score.scores(q, k)[0, 0].detach() for name, score in scores.items()}
        sizes = {name: torch.linalg.svdvals(table) / torch.linalg.svdvals(table)[0] for name, table in tables.items()}
        grown = {
            name: [(t, _most(score.scores(t * q, k))) for t in (1, 2, 4, 8, 16, 32)] for name, score in scores.items()
        }

        found = Findings()
        shown = {name: (table - table.min())[:12, :12] for name, table in tables.items()}
        found.show(
            f"A table of dot products of vectors of {K} numbers is a product of an (N × {K}) and a ({K} × N) matrix: "
            f"no more than {K} of its singular values are not zero. wᵀ tanh(W q + U k + b) has more.",
            *(HeatMap(f"{name}: scores, above the lowest", table.tolist()) for name, table in shown.items()),
            Table(
                "singular values, over the first",
                ["", *(str(i + 1) for i in range(K + 3))],
                [[name, *values[: K + 3].tolist()] for name, values in sizes.items()],
            ),
            Curves(
                "largest score when every query is multiplied",
                [Line("scaled dot", grown["scaled_dot"]), Line("additive", grown["additive"], "quiet")],
                "times",
            ),
        )
        found.at_most(f"dot product: singular value {K + 1} over the first", float(sizes["scaled_dot"][K]), 1e-12)
        found.at_least(f"additive: singular value {K + 1} over the first", float(sizes["additive"][K]), 1e-3)
        found.at_least("dot product: the largest score, 32 times as large a query", _times(grown["scaled_dot"]), 31.99)
        limit = float(dict(scores["additive"].named_parameters())["weight"].detach().abs().sum())
        found.at_most(
            f"additive: the largest score, which Σ |w| = {limit:.3f} bounds",
            grown["additive"][-1][1],
            limit * (1 + 1e-12),
        )
        return found


def score_named(name: str) -> Score:
    """One head, in float64; weights of spread 1 where there are any, so that tanh bends."""
    score = SCORES.build(SCORES.choose(name), 1, K).double()
    with torch.no_grad():
        for parameter in score.parameters():
            parameter.normal_()
    return score


def _most(scores: Tensor) -> float:
    return float(scores.detach().abs().max())


def _times(points: list[tuple[int, float]]) -> float:
    return points[-1][1] / points[0][1]
