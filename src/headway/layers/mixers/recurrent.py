"""A recurrent network: a memory that each element changes in turn, from both ends (Schuster & Paliwal 1997)."""

from typing import Literal

import torch
from torch import Tensor, nn

from headway.errors import UsageError
from headway.kernels.linear import onednn_knows_bfloat16
from headway.layers.cache import Past
from headway.layers.mixers._ordered import Ordered
from headway.settings import Branch


class Settings(Branch):
    cell: Literal["lstm", "gru"] = "lstm"
    "Long short-term memory (Hochreiter & Schmidhuber 1997); or the gated unit of Cho et al. 2014, smaller."
    bidirectional: bool = True
    "Half of the width reads from the end, wherever the future may be seen; else all of it reads from the beginning."


class Recurrent(Ordered):
    """One layer of cells, without an output matrix: the feed-forward layer behind it mixes what both ends say.

    On a CPU, torch has an LSTM from oneDNN and no such GRU: over rows of 512 the GRU takes 1.8 times as long.
    """

    def __init__(self, settings: Settings, width: int, rate: float, causal: bool = False):
        super().__init__(causal)
        both = settings.bidirectional and not causal
        if both and width % 2:
            raise UsageError(
                f"two directions share the width, and {width} is odd: choose another, or bidirectional false"
            )
        size = width // 2 if both else width
        self.onward = cells(settings.cell, width, size)
        self.backward = cells(settings.cell, width, size) if both else None

    def read(self, x: Tensor, keys: Tensor | None, state: Past | None) -> Tensor:
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu") and not onednn_knows_bfloat16():
            with torch.autocast("cpu", enabled=False):  # the LSTM would go to oneDNN, which refuses
                return self.read(x.float(), keys, state)
        if state is not None:
            return self._step_by_step(x, state)
        ahead = self.onward(x)[0]
        if self.backward is None:
            return ahead
        back = turned(self.backward(turned(x, keys))[0], keys)
        return torch.cat([ahead, back], -1)

    def _step_by_step(self, x: Tensor, state: Past) -> Tensor:
        """One position after another, so that what the cells hold is known after each: h, or h and c of an LSTM."""
        parts, found = 2 if isinstance(self.onward, nn.LSTM) else 1, []
        for t in range(x.shape[1]):
            held = None
            if state.newest is not None:
                held = tuple(part.transpose(0, 1).contiguous() for part in state.newest.chunk(parts, -1))
                held = held if parts == 2 else held[0]
            y, held = self.onward(x[:, t : t + 1], held)
            state.append(torch.cat(held, -1).transpose(0, 1) if parts == 2 else held.transpose(0, 1))
            found.append(y)
        return torch.cat(found, 1)


def cells(kind: str, width: int, size: int) -> nn.LSTM | nn.GRU:
    """Cells of one direction. Recurrent matrices begin orthogonal, and an LSTM's gates begin by remembering.

    The bias of 1 on the forget gates is that of Jozefowicz et al. 2015.
    """
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(width, size, batch_first=True)
    inward, round_about, *biases = layer.all_weights[0]
    for gate in inward.split(size):
        nn.init.xavier_uniform_(gate)
    for gate in round_about.split(size):
        nn.init.orthogonal_(gate)
    for bias in biases:
        nn.init.zeros_(bias)
    if kind == "lstm":  # torch's order of gates: input, forget, cell, output
        nn.init.ones_(biases[0][size : 2 * size])
    return layer


def turned(x: Tensor, keys: Tensor | None) -> Tensor:
    """(B, T, D) with the elements of each row in reverse order and its padding where it was; undoes itself."""
    if keys is None:
        return x.flip(1)
    B, T, D = x.shape
    here = torch.arange(T, device=x.device)
    there = torch.where(keys, keys.sum(-1, keepdim=True) - 1 - here, here)
    there = there + T * torch.arange(B, device=x.device)[:, None]
    return x.reshape(B * T, D).index_select(0, there.flatten()).view(B, T, D)
