"""Self-attention as a few products of matrices is the sum that is written out term by term."""

import torch

from headway.functional.attention import self_attention, self_attention_by_hand
from headway.functional.masks import Mask
from headway.kernels.attention import ENGINES, Request, attention
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say, Table
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings

N, D, K = 7, 12, 8


class MatrixForm(Demonstration):
    """The same numbers four times: by hand, as matrices, and by every engine."""

    def run(self, say: Say) -> Findings:
        a, *matrices = torch.randn(N, D).double(), *(torch.randn(3, K, D).double() / D**0.5)
        by_hand, weights = self_attention_by_hand(a, *matrices)
        b, A = self_attention(a, *matrices)
        q, k, v = (a @ W.T for W in matrices)

        found = Findings()
        found.show(
            f"{N} vectors of {D} numbers are random, and so are W_q, W_k, W_v. By hand: every α and every product on "
            "its own. As matrices: Q = a W_qᵀ, K = a W_kᵀ, V = a W_vᵀ, A = Q Kᵀ / √K, A' = softmax(A), O = A' V.",
            HeatMap("A': how much each row takes of each column", A.tolist(), _names("b"), _names("v")),
            Table(
                "shapes",
                ["", "I", "Q, K, V", "A, A'", "O"],
                [["rows × columns", f"{N} × {D}", f"{N} × {K}", f"{N} × {N}", f"{N} × {K}"]],
            ),
        )
        found.at_most("outputs, by hand and as matrices: largest difference", _largest(b - by_hand), 1e-12)
        found.at_most("weights, by hand and as matrices: largest difference", _largest(A - weights), 1e-12)
        layer = Attention(AttentionSettings(heads=1), K, 0.0)
        request = Request(q[None, None], k[None, None], v[None, None], Mask(), None, layer.score, layer.normalizer)
        for name in ENGINES.names():
            if ENGINES.part(name)().refuses(request) is None:
                error = _largest(attention(request, name)[0, 0] - by_hand)
                found.at_most(f"outputs, by hand and by the engine {name}: largest difference", error, 1e-12)
        return found


def _names(letter: str) -> list[str]:
    return [f"{letter}{'¹²³⁴⁵⁶⁷'[i]}" for i in range(N)]


def _largest(x: torch.Tensor) -> float:
    return float(x.detach().abs().max())
