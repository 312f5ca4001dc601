"""Small parts to test: shapes of different primes where they can be, no dropout unless it is asked for."""

from typing import Any

import torch
from torch import Tensor, nn

from comparing import randoms
from headway.batch import Memory
from headway.decoders import TargetSizes
from headway.decoders.autoregressive import Autoregressive
from headway.decoders.autoregressive import Settings as WriterSettings
from headway.functional.masks import padding
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers.attention import Settings as AttentionSettings

D = 12
"""Width: 3 heads of 4."""


def shape(heads: int = 3, **changed: Any) -> EncoderSettings:
    """Settings of an encoder: 2 layers of width 12, feed-forward 20, nothing dropped."""
    usual = {"layers": 2, "width": D, "hidden": 20, "dropout": 0.0, "mixer": AttentionSettings(heads=heads)}
    return EncoderSettings(**usual | changed)


def stirred(module: nn.Module, seed: int = 3, spread: float = 0.3) -> Any:
    """The same module with every weight moved a little, so that scales of one and shifts of zero are none."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter += spread * noise.to(parameter.dtype)
    return module


def memory_of(lengths: list[int], width: int = D, dtype: torch.dtype = torch.float32, seed: int = 7) -> Memory:
    """What an encoder could have given for rows of these lengths, with large numbers where there is padding."""
    S = max(lengths)
    (x,) = randoms((len(lengths), S, width), dtype=dtype, seed=seed)
    keys = padding(torch.tensor(lengths), S)
    return Memory(x.masked_fill(~keys[..., None], 50.0), None if min(lengths) == S else keys)


def writer(vocabulary: int = 11, changed: dict[str, Any] | None = None, **sizes: Any) -> Autoregressive:
    """An autoregressive decoder with weights that make its answers differ, ready to write."""
    changed = changed or {}
    settings = WriterSettings(**changed.pop("settings", {}))
    table = changed.pop("table", None)
    made = Autoregressive(settings, shape(**changed), TargetSizes(vocabulary, **sizes), table)
    return stirred(made).eval()


def no_gradient_is_missing(module: nn.Module, total: Tensor) -> None:
    """Every parameter gets a gradient that is not zero everywhere."""
    module.zero_grad()
    total.backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert parameter.grad.isfinite().all(), f"{name} has a gradient that is not finite"
        assert parameter.grad.any(), f"{name} has a gradient of zero"
