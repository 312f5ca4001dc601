"""The sum over all paths of a graph and its gradient: scaled products beside logsumexp by autograd, in turn.

    python -m benchmarks.nat.dag_recursion [--rounds 7] [--threads 1]

Prints graphs a second, forward and backward, and how many times as fast the products are: beside the definition, whose
gradient is free of NaN, and beside the usual loop of logsumexp, whose gradient is not. By the processor's time, so that
what else runs on the machine counts little.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.timing import ratios, record, spread, take_turns
from headway.functional import dag as formula
from headway.kernels.dag import log_likelihood
from headway.machine import set_up
from headway.training.settings import MachineSettings

SIZES = [(16, 10, 40), (32, 15, 56), (32, 15, 112), (16, 25, 200)]
"""Rows, tokens and nodes."""


def inputs(B: int, T: int, N: int) -> tuple[Tensor, Tensor]:
    """log p of the tokens at the nodes, and log E of random links to later nodes."""
    links = torch.randn(B, N, N).masked_fill(~torch.ones(N, N, dtype=torch.bool).triu(1), -torch.inf)
    links[:, -1] = 0.0
    links = links.log_softmax(-1)
    links[:, -1] = -torch.inf
    return torch.randn(B, T, N) - 2, links


def usual(match: Tensor, links: Tensor) -> Tensor:
    """The recursion as it is mostly written."""
    arrived = links[:, 0]
    for t in range(match.shape[1]):
        arrived = ((arrived + match[:, t])[:, :, None] + links).logsumexp(1)
    return arrived[:, -1]


def compare(B: int, T: int, N: int, rounds: int, threads: int) -> dict[str, object]:
    """One row of the table."""
    match, links = inputs(B, T, N)
    lengths, nodes = torch.full((B,), T), torch.full((B,), N)
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "products": lambda match, links: log_likelihood(match, links, lengths, nodes),
        "definition": formula.log_likelihood,
        "usual": usual,
    }

    def gradients(way: str) -> tuple[Tensor, ...]:
        given = [x.clone().requires_grad_() for x in (match, links)]
        return torch.autograd.grad(ways[way](*given).sum(), given)

    broken = {way: bool(any(gradient.isnan().any() for gradient in gradients(way))) for way in ways}
    torch.testing.assert_close(gradients("products"), gradients("definition"), rtol=1e-3, atol=1e-5)
    repeats = max(1, 200_000 // (B * N * N))

    def work(way: str) -> float:
        for _ in range(repeats):
            gradients(way)
        return repeats * B

    found = take_turns({way: lambda way=way: work(way) for way in ways}, rounds, threads, clock=time.process_time)
    beside = {way: ratios(found, "products", way) for way in ways if way != "products"}
    print(
        f"{B:3} rows {T:3} tokens {N:4} nodes  products {spread(found['products'])}  "
        + "  ".join(f"x {way} {spread(ratio)}" for way, ratio in beside.items())
        + f"  NaN: {', '.join(way for way, nan in broken.items() if nan) or 'none'}",
        flush=True,
    )
    return {
        "rows": B,
        "tokens": T,
        "nodes": N,
        "threads": threads,
        "graphs_per_processor_second": found,
        "ratio": {way: statistics.median(ratio) for way, ratio in beside.items()},
        "ratios": beside,
        "nan_in_gradient": broken,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    set_up(MachineSettings(threads=given.threads, device="cpu"))
    torch.manual_seed(0)
    print(f"graphs a second of the processor's time, {given.threads} threads: median (range)")
    rows = [compare(*size, given.rounds, given.threads) for size in SIZES]
    print(f"kept in {record('nat_dag_recursion', rows)}")


if __name__ == "__main__":
    main()
