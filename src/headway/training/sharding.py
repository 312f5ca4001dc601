"""A model whose weights, gradients, averages and states of the optimizer are divided among the processes (FSDP2).

Each process holds a share of every tensor, cut along its first dimension, and has a block's weights whole only while it
is at work there (Zhao et al. 2023, PyTorch FSDP; Rajbhandari et al. 2020, ZeRO stage 3). Checkpoints are a file of
shares for each process, in safetensors, which any number of processes can put together again, also one.
"""

import copy
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headway import storage
from headway.errors import RunError
from headway.training.distributed import ALONE, Group, Processes

SHARE = re.compile(r"(?P<kind>\w+)-(?P<rank>\d{5})-of-(?P<size>\d{5})\.safetensors")
"""Names of files of shares: weights-00000-of-00002.safetensors, from 0."""


class Sharded:
    """A model that is divided among the processes of a group."""

    def __init__(self, model: nn.Module, group: Processes):
        """Every process's weights must be the same; `model` holds shares from here on."""
        from torch.distributed.device_mesh import DeviceMesh  # here: it takes a second, and most trainings want none
        from torch.distributed.fsdp import FSDPModule, fully_shard

        self.model = model
        self._bare = copy.deepcopy(model, {id(p): nn.Parameter(p.detach().to("meta")) for p in model.parameters()})
        mesh = DeviceMesh.from_group(group.training, next(model.parameters()).device.type)
        blocks = [block for m in model.modules() if isinstance(m, nn.ModuleList) for block in m]
        for module in (*blocks, model):
            fully_shard(module, mesh=mesh)
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.set_gradient_divide_factor(1.0)  # sums, which are divided once
                module.set_force_sum_reduction_for_comms(True)  # gloo knows no other

    def whole(self) -> Any:
        """A copy for this process alone, with the weights put together; every process must ask for it at once."""
        known = {
            id(bare): nn.Parameter(gathered(p.detach()), p.requires_grad)
            for bare, p in zip(self._bare.parameters(), self.model.parameters(), strict=True)
        }
        return copy.deepcopy(self._bare, known)


def is_divided(tensor: Tensor) -> bool:
    """Whether each process holds a share of this tensor; asked without importing what divides."""
    return hasattr(tensor, "full_tensor")


def own(tensor: Tensor) -> Tensor:
    """This process's share of a tensor, sharing its memory; a tensor that is not divided itself."""
    return tensor.to_local() if is_divided(tensor) else tensor  # type: ignore[attr-defined]


def gathered(tensor: Tensor) -> Tensor:
    """The whole of a tensor; every process must ask for it at once."""
    return tensor.full_tensor() if is_divided(tensor) else tensor  # type: ignore[attr-defined]


def divided_as(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, divided as another one is."""
    if not is_divided(like):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    where, how = like.device_mesh, like.placements  # type: ignore[attr-defined]
    return distribute_tensor(tensor.to(like.device), where, how, src_data_rank=None)


def norm_of(gradients: list[Tensor], group: Group = ALONE) -> Tensor:
    """The length of all gradients together, of which each process of the group has its shares."""
    length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    if group.size == 1:
        return length
    (squares,) = group.added([float(length.double().square())])
    return torch.tensor(squares).sqrt().to(length)


# ----------------------------------------------------------------------------------------------------- shares in files


def write(folder: Path, kind: str, tensors: Mapping[str, Tensor], group: Group) -> None:
    """Named tensors as KIND.safetensors, or this process's shares of them as KIND-RANK-of-SIZE.safetensors.

    What is not divided is in the first process's file. Raises RunError.
    """
    if group.size == 1:
        storage.write_tensors(folder / f"{kind}.safetensors", tensors)
        return
    shares = {name: own(t) for name, t in tensors.items() if group.first or is_divided(t)}
    storage.write_tensors(folder / f"{kind}-{group.rank:05}-of-{group.size:05}.safetensors", shares)


def read(folder: Path, kind: str) -> dict[str, Tensor]:
    """What `write` wrote, whole, however many processes wrote it. Raises RunError."""
    if (folder / f"{kind}.safetensors").is_file():
        return storage.read_tensors(folder / f"{kind}.safetensors")
    shares = defaultdict(list)
    for name in files_of(folder, kind):
        for key, tensor in storage.read_tensors(folder / name).items():
            shares[key].append(tensor)
    try:
        return {key: torch.cat(found) if len(found) > 1 else found[0] for key, found in shares.items()}
    except (RuntimeError, TypeError) as error:
        raise RunError(f"{folder} is damaged: its shares of {kind} do not fit together: {error}") from error


def files_of(folder: Path, kind: str) -> list[str]:
    """The files that hold a kind of tensors, whether they are there or not: one, or one of every process."""
    found = [SHARE.fullmatch(path.name) for path in folder.glob(f"{kind}-*.safetensors")]
    sizes = {int(match["size"]) for match in found if match is not None}
    if not sizes:
        return [f"{kind}.safetensors"]
    size = max(sizes)
    return [f"{kind}-{rank:05}-of-{size:05}.safetensors" for rank in range(size)]
