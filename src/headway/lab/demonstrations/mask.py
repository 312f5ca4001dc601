"""What is masked has no influence at all, not on the output and not on the gradient."""

from dataclasses import replace

import torch
from torch import Tensor

from headway.functional.attention import attention
from headway.functional.masks import Mask, padding
from headway.kernels.attention import ENGINES, Request
from headway.kernels.attention import attention as by_engine
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say, Table
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings

H, T, K = 2, 9, 4


class Masked(Demonstration):
    """What may not be seen is replaced by large numbers: nothing may change."""

    def run(self, say: Say) -> Findings:
        q, k, v = torch.randn(3, 1, H, T, K)
        edges = torch.rand(1, T, T) < 0.4
        masks = {
            "padding": Mask(padding(torch.tensor([6]), T)),
            "causal": Mask(causal=True),
            "window": Mask(reach=2),
            "graph": Mask(edges=edges),
        }
        layer = Attention(AttentionSettings(heads=H), H * K, 0.0)
        found = Findings()
        names = [str(i + 1) for i in range(T)]
        tables = {name: mask.table(T, T).expand(1, 1, T, T)[0, 0] for name, mask in masks.items()}  # type: ignore[union-attr]
        found.show(
            "Four masks; a row may look where it is shaded. Then, row by row, the keys and values that it may not see "
            "become 1000 times as large, and the gradient of the row's output with respect to them is taken.",
            *(HeatMap(name, table.int().tolist(), names, names) for name, table in tables.items()),
        )
        rows = []
        for engine in ENGINES.names():
            for name, mask in masks.items():
                request = Request(q, k, v, mask, None, layer.score, layer.normalizer)
                if ENGINES.part(engine)().refuses(request) is None:
                    rows.append([f"{engine}, {name}", *influence(request, tables[name], engine)])
        found.show(Table("influence of what is masked", ["engine, mask", "on the output", "on the gradient"], rows))
        found.at_most("the largest change of an output, over all engines and masks", max(row[1] for row in rows), 0.0)
        found.at_most("the largest gradient of a masked position", max(row[2] for row in rows), 0.0)
        self._large_negative(found, q, k, v)
        return found

    def _large_negative(self, found: Findings, q: Tensor, k: Tensor, v: Tensor) -> None:
        """Why minus infinity and not −10⁹: a row that may look nowhere."""
        nowhere = torch.zeros(1, 1, T, T, dtype=torch.bool)
        right, _ = attention(q, k, v, nowhere)
        wrong, _ = attention(q, k, v, bias=torch.full((1, 1, T, T), -1e9))
        found.show("A row that may look nowhere takes nothing. With a score of −10⁹ it takes the mean of everything:")
        found.at_most("masked: the largest output of a row that may look nowhere", float(right.abs().max()), 0.0)
        error = float((wrong - v.mean(-2, keepdim=True)).abs().max())
        found.at_most("with −10⁹: difference of its output from the mean of all values", error, 1e-5)


def influence(request: Request, table: Tensor, engine: str) -> tuple[float, float]:
    """What masked positions change of any row's output, and the largest gradient that they get."""
    changed = gradient = 0.0
    before = by_engine(request, engine)
    for row in range(T):
        hidden = ~table[row]
        leaves = [torch.where(hidden[:, None], 1000 * x, x).requires_grad_() for x in (request.k, request.v)]
        output = by_engine(replace(request, k=leaves[0], v=leaves[1]), engine)[:, :, row]
        changed = max(changed, float((output - before[:, :, row]).detach().abs().max()))
        grads = torch.autograd.grad(output.pow(2).sum(), leaves)
        gradient = max(gradient, *(float(g[:, :, hidden].abs().max()) for g in grads if hidden.any()), 0.0)
    return changed, gradient
