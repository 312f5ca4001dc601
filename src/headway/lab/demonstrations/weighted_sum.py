"""b¹ is the weighted sum of all values: the larger the weight of v², the nearer b¹ is to v²."""

import torch

from headway.functional.attention import attention
from headway.lab.demonstrations import Curves, Demonstration, Findings, Say, Table
from headway.report.charts import Line

N, K = 5, 8


class WeightedSum(Demonstration):
    """The score of one pair is raised, everything else stays."""

    def run(self, say: Say) -> Findings:
        q, k, v = torch.randn(3, 1, 1, N, K, dtype=torch.float64)
        raised = torch.arange(-4.0, 9.0, dtype=torch.float64)
        bias = torch.zeros(len(raised), 1, N, N, dtype=torch.float64)
        bias[:, 0, 0, 1] = raised  # what is added to the score of q¹ and k²
        b, weights = attention(*(x.expand(len(raised), 1, N, K) for x in (q, k, v)), bias=bias)
        b, weights, v = b[:, 0, 0], weights[:, 0, 0], v[0, 0]
        weight, distance = weights[:, 1], (b - v[1]).norm(dim=-1)
        others = weights.clone()
        others[:, 1] = 0
        rest = (others / others.sum(-1, keepdim=True)) @ v  # what b¹ would be without v²: the same at every weight

        found = Findings()
        found.show(
            f"q, k and v of {N} positions are random. The score of q¹ and k² is raised from −4 to +8.",
            Curves("distance of b¹ from v² over the weight of v²", [_line(weight, distance)], "weight"),
            Table(
                "weights of b¹, and how far it is from v²",
                ["raised by", *(f"α'₁{j + 1}" for j in range(N)), "‖b¹ − v²‖"],
                [[f"{r:+.0f}", *w, d] for r, w, d in zip(raised[::3].tolist(), _few(weights), distance[::3].tolist())],
            ),
        )
        found.at_most("the weights of a position sum to one: largest error", _largest(weights.sum(-1) - 1), 1e-12)
        found.at_most("every larger weight brings b¹ nearer: largest change of the distance", _most(distance), 0.0)
        line = (1 - weight) * (rest[0] - v[1]).norm()
        found.at_most("the distance is (1 − α'₁₂) · ‖rest − v²‖: largest error", _largest(distance - line), 1e-12)
        found.at_most("at the largest weight b¹ is v²: distance over that at the beginning", _last(distance), 0.05)
        return found


def _line(x: torch.Tensor, y: torch.Tensor) -> Line:
    return Line("‖b¹ − v²‖", list(zip(x.tolist(), y.tolist())))


def _few(rows: torch.Tensor) -> list[list[float]]:
    return rows[::3].tolist()


def _largest(x: torch.Tensor) -> float:
    return float(x.abs().max())


def _most(distance: torch.Tensor) -> float:
    return float(distance.diff().max())


def _last(distance: torch.Tensor) -> float:
    return float(distance[-1] / distance[0])
