"""Where the largest number of each row stands.

On a CPU torch looks at one number after another (32 rows of 8,000: 440 µs); numpy compares many at once (22 µs).
"""

import numpy as np
import torch
from torch import Tensor


def argmax(x: Tensor) -> Tensor:
    """(R, V) -> (R) the place of the largest number in each row, the first of several that are equal."""
    if x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(x.numpy().argmax(-1))
    return x.argmax(-1)


def best_and_lead(x: Tensor) -> tuple[Tensor, Tensor]:
    """(R, V) -> (R) the place of the largest number in each row, and (R) how much larger it is than the second.

    Of several that are equal any may be named; the lead is 0 then.
    """
    if x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64):
        best, places = x.topk(2, dim=-1)
        return places[:, 0], best[:, 0] - best[:, 1]
    numbers = x.numpy()
    places = numbers.argmax(-1)
    rows = np.arange(len(numbers))
    largest = numbers[rows, places]
    numbers[rows, places] = -np.inf
    lead = largest - numbers.max(-1)
    numbers[rows, places] = largest
    return torch.from_numpy(places), torch.from_numpy(lead)
