"""Many heads are attentions side by side, and merging them is a sum: each head through its own columns of W_o."""

import torch

from headway.functional.attention import multi_head_attention, self_attention
from headway.functional.masks import Mask
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings

N, D, HEADS = 8, 24, 3
K = D // HEADS


class MultiHead(Demonstration):
    """Each head alone, by the formula of one head, against all of them at once."""

    def run(self, say: Say) -> Findings:
        layer = Attention(AttentionSettings(heads=HEADS), D, 0.0).double()
        with torch.no_grad():
            for projection in (layer.query, layer.key):
                projection.weight *= 3  # sharper weights, to look at
        W_q, W_k, W_v, W_o = (
            projection.weight.detach() for projection in (layer.query, layer.key, layer.value, layer.output)
        )
        x = torch.randn(N, D, dtype=torch.float64)
        heads = [slice(h * K, (h + 1) * K) for h in range(HEADS)]
        alone = [self_attention(x, W_q[h], W_k[h], W_v[h]) for h in heads]
        side_by_side = torch.cat([b for b, _ in alone], -1) @ W_o.T
        summed = sum((b @ W_o[:, h].T for h, (b, _) in zip(heads, alone)), torch.zeros_like(x))
        at_once, weights = multi_head_attention(x[None], x[None], W_q, W_k, W_v, W_o, HEADS)

        found = Findings()
        names = [str(i + 1) for i in range(N)]
        found.show(
            f"{HEADS} heads of {K} numbers make a width of {D}. Each looks in its own way:",
            *(HeatMap(f"head {h + 1}", A.tolist(), names, names) for h, (_, A) in enumerate(alone)),
        )
        found.at_most(
            "all heads at once, and each alone, side by side, through W_o: difference",
            _most(at_once[0] - side_by_side),
            1e-12,
        )
        found.at_most(
            "side by side through W_o, and summed over blocks of W_o: difference", _most(side_by_side - summed), 1e-12
        )
        layered = layer(x[None], Look(Mask()))[0].detach()
        found.at_most("the formula, and the layer that is trained: difference", _most(layered - at_once[0]), 1e-12)
        apart = min(_most(weights[0, i] - weights[0, j]) for i in range(HEADS) for j in range(i))
        found.at_least("how differently two heads look: least of the largest differences of weights", apart, 0.05)
        return found


def _most(x: torch.Tensor) -> float:
    return float(x.abs().max())
