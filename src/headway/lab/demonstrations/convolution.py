"""A convolution of k taps is a self-attention of k heads that each look at one distance; the converse is not true.

The construction of Cordonnier et al. 2020, "On the Relationship between Self-Attention and Convolutional Layers",
theorem 1, in one dimension: W_q = W_k = 0, and head h gives position j the score −α (j − i − Δ_h)², so that for large α
it looks at the position at distance Δ_h alone. Its values go through the h-th tap of the convolution. A position of
zeros that every head may fall back to, at a score between, stands for the zeros at both ends.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.functional.attention import attention, self_attention
from headway.functional.convolution import convolution
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say, Table

T, D, TAPS = 10, 6, 3
SHARP = 800.0
"""An α from which exp(−α/2) is nothing beside 1, and less than the smallest float64 beside the next position's."""


class Convolution(Demonstration):
    """A random convolution as attention, border positions included; and what attention does beyond it."""

    def run(self, say: Say) -> Findings:
        x = torch.randn(T, D, dtype=torch.float64)
        kernel = torch.randn(TAPS, D, D, dtype=torch.float64)
        (right,) = convolution(x[None], kernel, TAPS // 2)
        output, weights = as_attention(x, kernel, SHARP)
        without, _ = as_attention(x, kernel, SHARP, ends=False)

        found = Findings()
        columns = [*(str(j + 1) for j in range(T)), "0"]
        found.show(
            f"A convolution of {TAPS} taps with random weights, written as {TAPS} heads. Column 0 holds the zeros that "
            "are before the first and after the last position.",
            *(
                HeatMap(f"head {h + 1}: distance {h - TAPS // 2}", weights[h].tolist(), columns[:T], columns)
                for h in range(TAPS)
            ),
            Table(
                "the sharper the heads look, the nearer they are",
                ["α", "largest error"],
                [[alpha, _most(as_attention(x, kernel, alpha)[0] - right)] for alpha in (1.0, 10.0, 50.0, SHARP)],
            ),
        )
        found.at_most("the convolution, and the heads: largest difference", _most(output - right), 1e-12)
        found.at_most("without a position of zeros: difference inside", _most((without - right)[1:-1]), 1e-12)
        found.at_least("without a position of zeros: difference at the ends", _most((without - right)[[0, -1]]), 1e-2)
        self._converse(found)
        return found

    def _converse(self, found: Findings) -> None:
        """Attention weights depend on what is there, and no convolution's do."""
        kernel = torch.randn(TAPS, D, D, dtype=torch.float64)
        matrices = torch.randn(3, D, D, dtype=torch.float64) / D**0.5
        x, y, zero = *torch.randn(2, T, D, dtype=torch.float64), torch.zeros(T, D, dtype=torch.float64)

        def attend(x: Tensor) -> Tensor:
            return self_attention(x, *matrices)[0]

        def convolve(x: Tensor) -> Tensor:
            return convolution(x[None], kernel, TAPS // 2)[0]

        found.show(
            "The converse: a convolution of a sum is the sum of the convolutions, and attention's weights change with "
            "what is there. Even the best convolution over the whole sequence, fitted to 400 examples of a "
            "self-attention, misses a part of it in the next 400."
        )
        found.at_most(
            "convolution: f(x + y) against f(x) + f(y): difference",
            _most(convolve(x + y) - convolve(x) - convolve(y)),
            1e-12,
        )
        found.at_least(
            "attention: f(x + y) against f(x) + f(y) − f(0): difference",
            _most(attend(x + y) - attend(x) - attend(y) + attend(zero)),
            1e-2,
        )
        found.at_least(
            "the share of a self-attention's variance that the best convolution misses", missed(attend), 0.02
        )


def as_attention(x: Tensor, kernel: Tensor, alpha: float, ends: bool = True) -> tuple[Tensor, Tensor]:
    """(T, D) and the weights (heads, T, T + 1) of the heads that a kernel (taps, D, D) is; ends: with zeros outside."""
    T, heads = len(x), len(kernel)
    distance = torch.arange(heads, dtype=x.dtype) - heads // 2  # Δ_h
    j_minus_i = torch.arange(T, dtype=x.dtype) - torch.arange(T, dtype=x.dtype)[:, None]
    score = -alpha * (j_minus_i - distance[:, None, None]) ** 2
    nothing = -alpha / 2 if ends else -torch.inf
    score = F.pad(score, (0, 1), value=nothing)
    values = torch.einsum("sd,hed->hse", F.pad(x, (0, 0, 0, 1)), kernel)  # v = x W_vᵀ W_oᵀ of each head
    zeros = torch.zeros(1, heads, T + 1, 1, dtype=x.dtype)  # queries and keys: W_q = W_k = 0
    output, weights = attention(zeros[:, :, :T], zeros, values[None], bias=score[None])
    return output[0].sum(0), weights[0]


def missed(layer, examples: int = 400) -> float:
    """The share of a layer's variance on new inputs that the best convolution as wide as the sequence does not give."""
    x = torch.randn(2 * examples, T, D, dtype=torch.float64)
    y = torch.stack([layer(one) for one in x])
    windows = F.pad(x, (0, 0, T - 1, T - 1)).unfold(1, 2 * T - 1, 1).flatten(2)  # all 2T − 1 taps
    one = torch.ones(*windows.shape[:2], 1, dtype=x.dtype)
    windows = torch.cat([windows, one], -1)
    taps = torch.linalg.lstsq(windows[:examples].flatten(0, 1), y[:examples].flatten(0, 1)).solution
    rest = windows[examples:] @ taps - y[examples:]
    return float(rest.pow(2).mean() / y[examples:].var(0).mean())


def _most(x: Tensor) -> float:
    return float(x.abs().max())
