"""Only the boxed matrices are learned: W_q, W_k, W_v, and the output matrix of many heads; nothing else has weights."""

from typing import Any

import torch
from torch import Tensor

from headway.functional.masks import Mask
from headway.lab.demonstrations import Demonstration, Findings, Say, Table
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings

D, HEADS = 24, 3
BOXED = {"query": "W_q", "key": "W_k", "value": "W_v", "output": "W_o"}


class Learned(Demonstration):
    """The gradient of a loss is followed to everything that it reaches."""

    def run(self, say: Say) -> Findings:
        layer = Attention(AttentionSettings(heads=HEADS), D, 0.0).double()
        x, wanted = torch.randn(2, 4, 9, D, dtype=torch.float64)
        loss = (layer(x, Look(Mask(causal=True))) - wanted).pow(2).sum()
        reached = leaves_of(loss)
        parameters = dict(layer.named_parameters())
        loss.backward()
        lengths = {name: float(torch.linalg.vector_norm(p.grad)) for name, p in parameters.items()}  # type: ignore[arg-type]

        found = Findings()
        found.show(
            f"A layer of {HEADS} heads and width {D}, and a loss of its output. All weights that the layer has:",
            Table(
                "parameters",
                ["", "shape", "numbers", "length of the gradient"],
                [
                    [_named(name), " × ".join(map(str, p.shape)), p.numel(), lengths[name]]
                    for name, p in parameters.items()
                ],
            ),
            "Each matrix comes with a shift (bias). That of the keys adds one number to all scores of a row, which "
            "softmax takes out again: it learns nothing.",
        )
        strange = [name for name in parameters if name.partition(".")[0] not in BOXED]
        found.at_most("weights that belong to none of the four matrices", len(strange), 0)
        expected = 4 * (D * D + D)
        count = sum(p.numel() for p in parameters.values())
        found.at_most(f"numbers learned, beside 4 (D² + D) = {expected:,}: difference", abs(count - expected), 0)
        beyond = reached ^ {id(p) for p in parameters.values()}
        found.at_most(
            "tensors that the gradient reaches and that are no weights, or the other way round", len(beyond), 0
        )
        matrices = min(length for name, length in lengths.items() if name.endswith("weight"))
        found.at_least("the shortest gradient of a matrix", matrices, 1e-3)
        found.at_most("the gradient of the keys' shift, over that of their matrix", _idle(lengths), 1e-12)
        return found


def leaves_of(value: Tensor) -> set[int]:
    """The ids of all tensors that the gradient of a value is collected in."""
    found, seen, waiting = set[int](), set[Any](), [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if (leaf := getattr(node, "variable", None)) is not None:
            found.add(id(leaf))
        waiting += [before for before, _ in node.next_functions]
    return found


def _named(name: str) -> str:
    layer, _, kind = name.partition(".")
    return BOXED.get(layer, layer) + (", its shift" if kind == "bias" else "")


def _idle(lengths: dict[str, float]) -> float:
    return lengths["key.bias"] / lengths["key.weight"]
