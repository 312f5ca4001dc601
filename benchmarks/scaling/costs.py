"""What an update costs on several devices: seconds, bytes held, bytes sent.

Compute is what one device was measured to take for its share. Sums travel as rings inside a machine and as trees
between machines (Thakur, Rabenseifner & Gropp 2005; Sanders, Speck & Träff 2009, as in NCCL). Of the sums, what fits
beside the backward pass is hidden, but for the last bucket (Li et al. 2020). A divided model moves its weights twice
and its gradients once (Rajbhandari et al. 2020, section 7). Sizes are in bytes, times in seconds.
"""

import math
from dataclasses import dataclass

BUCKET = 25 << 20
BACKWARD = 2 / 3
"""The share of backward in the passes: twice as many products as forward."""
NUMBER = 4
"""Bytes of a weight, and of each number that is kept for it."""
KEPT = 5
"""Numbers for each weight: itself, its gradient, AdamW's two means, the average."""


@dataclass(frozen=True)
class Figures:
    """What one device takes, as it was measured.

    fixed     seconds of an update that do not hang on its tokens: forward and backward of an empty batch
    token     seconds for each token, forward and backward
    step      seconds of the optimizer, clipping and averaging, for the whole model
    program   bytes of the process before the model
    held      bytes of activations for each token that goes through at once
    """

    fixed: float
    token: float
    step: float
    program: float = 0.0
    held: float = 0.0


@dataclass(frozen=True)
class Wire:
    """Between devices: bytes a second that one of them sends while it receives as many, seconds until the first."""

    bandwidth: float
    latency: float


@dataclass(frozen=True)
class Cluster:
    """Machines of so many devices. `overlap`: whether sums travel while devices compute, as they do beside GPUs."""

    name: str
    devices: int
    inside: Wire
    between: Wire
    memory: float
    overlap: bool = True


@dataclass(frozen=True)
class Cost:
    """Of one update on all devices together; memory and traffic are of each device."""

    compute: float
    step: float
    exposed: float
    memory: float
    traffic: float
    tokens: float

    @property
    def seconds(self) -> float:
        return self.compute + self.step + self.exposed

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds


def cost(
    parameters: float, tokens: float, figures: Figures, cluster: Cluster, number: int, shard: bool = False
) -> Cost:
    """One update of so many tokens, over all devices."""
    share, weights = tokens / number, NUMBER * parameters
    compute = figures.fixed + figures.token * share
    sums = travel(weights, cluster, number)
    moved = sums * 1.5 if shard else sums  # a sum is a reduce-scatter and an all-gather; divided, one more gather
    beside = (compute if shard else BACKWARD * compute) if cluster.overlap else 0.0
    last = moved * min(1.0, BUCKET / weights)
    exposed = max(last, moved - beside) if number > 1 else 0.0
    kept = KEPT * weights / (number if shard else 1)
    kept += weights if number > 1 else 0.0  # gradients in buckets; of a divided model the whole, at every evaluation
    return Cost(
        compute=compute,
        step=figures.step / (number if shard else 1),
        exposed=exposed,
        memory=figures.program + kept + figures.held * share,
        traffic=(3 if shard else 2) * weights * (number - 1) / number,
        tokens=tokens,
    )


def travel(size: float, cluster: Cluster, number: int) -> float:
    """Seconds of the sum of so many bytes over all devices: scattered inside, summed between, gathered inside."""
    here = min(number, cluster.devices)
    machines = math.ceil(number / cluster.devices)
    inside = 2 * ((here - 1) / here * size / cluster.inside.bandwidth + (here - 1) * cluster.inside.latency)
    if machines == 1:
        return inside
    hops = 2 * math.ceil(math.log2(machines))
    sent = 2 * (machines - 1) / machines * size / here / cluster.between.bandwidth
    return inside + sent + hops * cluster.between.latency


def affine(few: tuple[float, float], many: tuple[float, float]) -> tuple[float, float]:
    """(fixed seconds, seconds a token) from two measured (tokens, seconds); what is fixed is never below 0."""
    token = (many[1] - few[1]) / (many[0] - few[0])
    fixed = many[1] - token * many[0]
    return (fixed, token) if fixed >= 0 else (0.0, many[1] / many[0])


# --------------------------------------------------------------------------------------------------- published figures


@dataclass(frozen=True)
class Published:
    """A GPU and its machine, as the vendor gives them: dense bfloat16 operations and bytes a second, bytes.

    NVLink is given in both directions together: half of it is sent. The network is a port for each GPU.
    """

    name: str
    operations: float
    memory: float
    nvlink: float
    network: float
    source: str


PUBLISHED = (
    Published("A100 80 GB", 312e12, 80e9, 600e9, 200e9 / 8, "NVIDIA A100 and DGX A100 datasheets: HDR InfiniBand"),
    Published("H100 SXM", 989e12, 80e9, 900e9, 400e9 / 8, "NVIDIA H100 and DGX H100 datasheets: NDR InfiniBand"),
    Published("H200 SXM", 989e12, 141e9, 900e9, 400e9 / 8, "NVIDIA H200 and DGX H200 datasheets: NDR InfiniBand"),
)
USED = 0.8
"""The share of a published bandwidth that a large sum reaches. An assumption."""
UTILIZATION = 0.3
"""The share of published operations that training reaches where no single-device figure was measured. An assumption."""
NEAR, FAR = 5e-6, 10e-6
"""Seconds until the first byte, inside a machine and between machines. An assumption."""


def machines_of(gpu: Published) -> Cluster:
    """Machines of eight such GPUs."""
    near, far = Wire(USED * gpu.nvlink / 2, NEAR), Wire(USED * gpu.network, FAR)
    return Cluster(gpu.name, 8, near, far, gpu.memory)


@dataclass(frozen=True)
class Shape:
    """An encoder and a decoder, and one table for source, target and output."""

    name: str
    width: int
    layers: int
    vocabulary: int

    @property
    def parameters(self) -> float:
        """Norms and biases, less than a hundredth, left out."""
        block = 12 * self.width**2  # attention 4, feed-forward 8; a decoder's block has another 4
        return self.layers * block + self.layers * (block + 4 * self.width**2) + self.width * self.vocabulary

    def operations(self) -> float:
        """For each target token with its source token, forward and backward: 6 for each weight (Kaplan et al. 2020)."""
        return 6 * self.parameters

    def held(self) -> float:
        """Bytes of activations for each token in 16 bits: 34 a number in a block (Korthikanti et al. 2022, equation 1,
        without its term of attention, which fused attention does not keep), 8 more for cross-attention."""
        return self.width * self.layers * (34 + 42)


SHAPES = (
    Shape("small: width 256, 3 + 3", 256, 3, 8_000),
    Shape("base: width 512, 6 + 6", 512, 6, 32_000),
    Shape("large: width 1,024, 12 + 12", 1024, 12, 32_000),
    Shape("1.4 billion: width 2,048, 12 + 12", 2048, 12, 64_000),
)


def assumed(shape: Shape, gpu: Published) -> Figures:
    """What a GPU would take at the assumed share of its published operations."""
    operations = UTILIZATION * gpu.operations
    step = KEPT * NUMBER * shape.parameters * 2 / 2e12  # read and written once, at 2 TB/s
    return Figures(1e-3, shape.operations() / operations, step, 1.5e9, shape.held())
