"""Operations for one token of training, counted while a batch goes through a model, forward and back."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, bmm_flop, mm_flop, sdpa_backward_flop_count, sdpa_flop_count

from headway.batch import Batch
from headway.model import Model

COUNTED_BY = (
    "multiplications and additions of products, attentions, convolutions and recurrences, forward and back, of one "
    "batch, counted by torch.utils.flop_counter, which was told of oneDNN's; divided by its tokens without padding"
)


def _onednn_linear(x: Any, weight: Any, *_: Any, **__: Any) -> int:
    """x (…, D) times (F, D): 2 × rows × D × F."""
    return 2 * prod(x[:-1]) * weight[0] * weight[1]


def _added_product(added: Any, left: Any, right: Any, *_: Any, **__: Any) -> int:
    return (mm_flop if len(left) == 2 else bmm_flop)(left, right)


def _cpu_attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _cpu_attention_backward(gradient: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


def _lstm(x: Any, of_x: Any, of_h: Any, *_: Any, **__: Any) -> int:
    """x (T, B, D) through four gates of size K, of_x (4K, D) and of_h (4K, K): 2 × T × B × 4K × (D + K)."""
    return 2 * x[0] * x[1] * of_x[0] * (of_x[1] + of_h[1])


def _lstm_backward(*shapes: Any, **__: Any) -> int:
    return 2 * _lstm(*shapes)


def _formulae() -> Mapping[Any, Any]:
    """What torch's counter does not know, and a CPU calls."""
    aten, found = torch.ops.aten, {}
    found[aten.addmm_] = found[aten.baddbmm_] = _added_product
    found[aten._scaled_dot_product_flash_attention_for_cpu] = _cpu_attention
    found[aten._scaled_dot_product_flash_attention_for_cpu_backward] = _cpu_attention_backward
    found[aten.mkldnn_rnn_layer], found[aten.mkldnn_rnn_layer_backward] = _lstm, _lstm_backward
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        found[torch.ops.mkldnn._linear_pointwise] = _onednn_linear
    return found


def flops_of(model: Model, batch: Batch) -> int:
    """Operations of one forward and backward pass over a batch in training mode; the model stays as it was."""
    training = model.training
    model.train()
    with torch.random.fork_rng(devices=[]), FlopCounterMode(display=False, custom_mapping=dict(_formulae())) as counter:
        model(batch).total.backward()
    model.train(training)
    model.zero_grad(set_to_none=True)
    return counter.get_total_flops()
