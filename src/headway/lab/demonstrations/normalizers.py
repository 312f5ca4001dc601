"""Softmax is one way to make weights of scores; ReLU and others are others, and ReLU's are softmax's reweighted."""

import torch
from torch import Tensor

from headway.functional.attention import softmax
from headway.functional.normalizers import rectified
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say, Table
from headway.normalizers import NORMALIZERS

S = 7


class Normalizers(Demonstration):
    """One row of scores through every normalizer; the last position is masked."""

    def run(self, say: Say) -> Findings:
        scores = torch.tensor([2.0, 1.0, 0.5, 0.0, -0.5, -1.5, 3.0], dtype=torch.float64)[None, None, None]
        mask = torch.arange(S)[None, None, None] < S - 1
        rows = {name: weights_of(name, scores, mask)[0, 0, 0] for name in NORMALIZERS.names()}

        columns = [f"{score:+.1f}" for score in scores.flatten().tolist()[:-1]] + ["masked"]
        found = Findings()
        found.show(
            f"{S} scores, the last of them masked. Where weights must sum to one, positions compete; where they need "
            "not, a position may take much from many, or nothing from any.",
            HeatMap(
                "weights over their sum", [(row / row.sum()).tolist() for row in rows.values()], list(rows), columns
            ),
            Table(
                "weights, by normalizer and score",
                ["", *columns, "sum"],
                [
                    [name, *(f"{weight:.3f}" for weight in (*row.tolist(), float(row.sum())))]
                    for name, row in rows.items()
                ],
            ),
        )
        summing = [name for name in ("softmax", "sparsemax", "entmax15") if name in rows]
        found.at_most(
            f"{', '.join(summing)}: the sum is one; largest error",
            max(abs(float(rows[name].sum()) - 1) for name in summing),
            1e-12,
        )
        found.at_most(
            "all: the largest weight of the masked position", max(float(row[-1]) for row in rows.values()), 0.0
        )
        found.at_most(
            "all: the largest fall of a weight where the score is higher",
            max(float(row[:-1].diff().max()) for row in rows.values()),
            0.0,
        )
        found.at_most("softmax: positions that get nothing", int((rows["softmax"][:-1] == 0).sum()), 0)
        found.at_least("ReLU: positions that get nothing", int((rows["relu"][:-1] == 0).sum()), 1)
        found.at_most("ReLU attention, and softmax of log ReLU times its sum: largest difference", reweighted(), 1e-12)
        return found


def weights_of(name: str, scores: Tensor, mask: Tensor | None) -> Tensor:
    """(1, 1, T, S) -> (1, 1, T, S)"""
    return NORMALIZERS.build(NORMALIZERS.choose(name), 1, 1).weights(scores, mask)


def reweighted() -> float:
    """max |relu(α) V − softmax(log relu(α)) V · Σ relu(α)| for random scores and values, null rows among them."""
    scores, values = torch.randn(1, 1, 9, S, dtype=torch.float64), torch.randn(1, 1, S, 4, dtype=torch.float64)
    scores[..., 0, :] = -1.0
    weights = rectified(scores)
    total = weights.sum(-1, keepdim=True)  # exp of the log-sum-exp of log relu(α)
    return float((weights @ values - softmax(weights.log(), weights > 0) @ values * total).abs().max())
