"""Which node follows which: the links of a graph, from what its nodes know and where they stand (Huang et al. 2022)."""

import torch
from torch import Tensor, nn

from headway.kernels.heads import split
from headway.kernels.linear import linear


class Links(nn.Module):
    """log E_ij = log Σ_h g_ih softmax_{j>i}(q_ih · k_jh / √K): attentions to later nodes, mixed by each node."""

    def __init__(self, heads: int, width: int):
        super().__init__()
        self.heads, self.size = heads, max(1, width // heads)
        pairs = 2 * heads * self.size
        self.pair, self.pair_place = nn.Linear(width, pairs), nn.Linear(width, pairs, bias=False)
        self.gate, self.gate_place = nn.Linear(width, heads), nn.Linear(width, heads, bias=False)

    def forward(self, states: Tensor, places: Tensor, nodes: Tensor) -> Tensor:
        """(B, N, N), −∞ for no link. states (B, N, D) and places (N, D) of the nodes, nodes (B) how many a row has."""
        q, k = split(_of_both(self.pair, self.pair_place, states, places), 2, self.heads)
        scores = (q @ k.mT).float() * self.size**-0.5
        gates = _of_both(self.gate, self.gate_place, states, places).float().log_softmax(-1)
        j = torch.arange(states.shape[1], device=states.device)
        allowed = ((j > j[:, None]) & (j < nodes[:, None, None]))[:, None]
        some = allowed | ~allowed.any(-1, keepdim=True)  # the last node leads nowhere, and a softmax of nothing is NaN
        log_p = scores.masked_fill(~some, -torch.inf).log_softmax(-1).masked_fill(~allowed, 0.0)
        mixed = (log_p + gates.mT[..., None]).logsumexp(1)
        return mixed.masked_fill(~allowed[:, 0], -torch.inf)


def _of_both(of_state: nn.Linear, of_place: nn.Linear, states: Tensor, places: Tensor) -> Tensor:
    """W [state ; place] + b; what is made of the places is the same for all rows."""
    return linear(states, of_state.weight, of_state.bias) + linear(places.to(states.dtype), of_place.weight)
