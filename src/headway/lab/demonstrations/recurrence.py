"""Some recurrent networks are attentions: linear attention, and a gated linear recurrence; an LSTM is not.

Linear attention as a recurrent network: Katharopoulos et al. 2020, "Transformers are RNNs", equations 16 to 20. The
gated recurrence is the SSRU of Kim et al. 2019: c_t = f_t ⊙ c_{t−1} + (1 − f_t) ⊙ x̃_t with gates of the input alone.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headway.functional.attention import attention, dot
from headway.functional.masks import causal
from headway.functional.recurrence import running_mean
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say

T, K = 12, 6


class Recurrence(Demonstration):
    """Each in both forms: step by step with a state, and all positions at once with weights."""

    def run(self, say: Say) -> Findings:
        found = Findings()
        q, k, v = torch.randn(3, T, K, dtype=torch.float64)
        stepwise = linear_attention_stepwise(q, k, v)
        at_once, weights = linear_attention(q, k, v)
        x, gate = torch.randn(2, T, K, dtype=torch.float64)
        (c,) = running_mean(x[None], gate.sigmoid()[None])
        weighted, decay = gated(x, gate.sigmoid())
        names = [str(t + 1) for t in range(T)]
        found.show(
            "Linear attention weighs by φ(q)·φ(k) with φ = elu + 1. Step by step it keeps S = Σ φ(k) vᵀ and "
            f"z = Σ φ(k), {K * K + K} numbers whatever the length. The gated recurrence weighs an earlier "
            "input by the product of the gates since then.",
            HeatMap("linear attention: its weights", weights.tolist(), names, names),
            HeatMap("gated recurrence: the weights of its first number", decay[0].tolist(), names, names),
        )
        found.at_most(
            "linear attention, step by step and at once: largest difference", _most(stepwise - at_once), 1e-12
        )
        found.at_most("gated recurrence, step by step and as attention: largest difference", _most(c - weighted), 1e-12)
        self._lstm(found)
        return found

    def _lstm(self, found: Findings) -> None:
        """If the weights do not depend on the state, the last state is a straight-line function of the first."""
        inputs, starts = torch.randn(4, K, dtype=torch.float64), torch.randn(400, K, dtype=torch.float64)
        gates = torch.randn(4, K, dtype=torch.float64).sigmoid()
        cell = nn.LSTMCell(K, K).double()
        for weight in cell.parameters():
            nn.init.normal_(weight, std=1.0)
        ours = running_mean(inputs.expand(len(starts), 4, K), gates.expand(len(starts), 4, K), starts)[:, -1]
        with torch.no_grad():
            h, c = starts.tanh(), starts
            for x in inputs:
                h, c = cell(x.expand(len(starts), K), (h, c))
        found.show(
            "In attention the weight of an earlier position may depend on the inputs, and not on the state. Then, with "
            "the same inputs, the state four steps later is a straight-line function of the state before. The best "
            "such function is fitted to 200 states and asked about 200 others."
        )
        found.at_most(
            "gated recurrence: share of the variance that no straight line gives", crooked(starts, ours), 1e-20
        )
        found.at_least("LSTM: share of the variance that no straight line gives", crooked(starts, c), 0.01)


def linear_attention(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """All at once: attention with the score φ(q)·φ(k), divided by its sum. (T, K) each -> (T, K), (T, T)"""

    def by_sum(scores: Tensor, mask: Tensor | None) -> Tensor:
        scores = scores if mask is None else scores * mask
        return scores / scores.sum(-1, keepdim=True)

    mask = causal(len(q), len(k))[None, None]
    parts = (phi(q)[None, None], phi(k)[None, None], v[None, None])
    output, weights = attention(*parts, mask, score=dot, normalizer=by_sum)
    return output[0, 0], weights[0, 0]


def linear_attention_stepwise(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same as a recurrent network: S_t = S_{t−1} + φ(k_t) v_tᵀ, z_t = z_{t−1} + φ(k_t)."""
    S, z, outputs = q.new_zeros(q.shape[1], v.shape[1]), q.new_zeros(q.shape[1]), []
    for t in range(len(q)):
        S, z = S + phi(k[t])[:, None] * v[t], z + phi(k[t])
        outputs.append(phi(q[t]) @ S / (phi(q[t]) @ z))
    return torch.stack(outputs)


def phi(x: Tensor) -> Tensor:
    return F.elu(x) + 1


def gated(x: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
    """The same as attention: each number a head, s weighs exp(F_t − F_s) (1 − f_s), with F = Σ log f."""
    total = f.log().cumsum(0).T  # (K, T)
    score = total[:, :, None] - total[:, None, :] + (1 - f).log().T[:, None, :]
    zeros = torch.zeros(1, *total.shape, 1, dtype=x.dtype)

    def exp(scores: Tensor, mask: Tensor | None) -> Tensor:
        return (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).exp()

    mask = causal(len(x), len(x))[None, None]
    output, weights = attention(zeros, zeros, x.T[None, :, :, None], mask, score[None], normalizer=exp)
    return output[0, :, :, 0].T, weights[0]


def crooked(before: Tensor, after: Tensor) -> float:
    """The share of the variance that the best affine function of `before`, fitted to one half, misses in the other."""
    known = torch.cat([before, torch.ones(len(before), 1, dtype=before.dtype)], -1)
    half = len(before) // 2
    fitted = torch.linalg.lstsq(known[:half], after[:half]).solution
    return float((known[half:] @ fitted - after[half:]).pow(2).mean() / after[half:].var(0).mean())


def _most(x: Tensor) -> float:
    return float(x.abs().max())
