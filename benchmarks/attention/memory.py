"""What an attention takes of memory beside its inputs, forward and backward: twice the length must not take four times.

    python -m benchmarks.attention.memory [--lengths 2048 4096]

One sequence, 4 heads of 64. Each figure is of a process of its own: the peak behind the work less the peak before it.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

KINDS = {
    "additive": ("additive", "softmax"),
    "blockwise": ("scaled_dot", "softmax"),
    "fused": ("scaled_dot", "softmax"),
}
MB = 1_000_000


def measured(kind: str, T: int) -> int:
    """Bytes that one attention takes in this process."""
    import torch

    from headway.functional.masks import Mask
    from headway.kernels.attention import Request, attention
    from headway.machine import peak_memory
    from headway.normalizers import NORMALIZERS
    from headway.scores import SCORES

    torch.set_num_threads(1)
    H, K, (score, normalizer) = 4, 64, KINDS[kind]
    likeness = SCORES.build(SCORES.choose(score), H, K)
    weighing = NORMALIZERS.build(NORMALIZERS.choose(normalizer), H, K)

    def learn(T: int) -> int:
        q, k, v = (torch.randn(1, H, T, K, requires_grad=True) for _ in range(3))
        before = peak_memory() or 0
        attention(Request(q, k, v, Mask(), None, likeness, weighing), kind).sum().backward()
        return (peak_memory() or 0) - before

    learn(16)  # what libraries take at their first call
    return learn(T)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", nargs="+", type=int, default=[2048, 4096])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(measured(given.one[0], int(given.one[1])))
        return
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        for T in given.lengths:
            command = [sys.executable, "-m", "benchmarks.attention.memory", "--one", kind, str(T)]
            taken = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            rows.append({"engine": kind, "length": T, "MB": round(taken / MB, 1)})
            print(json.dumps(rows[-1]), flush=True)

    from benchmarks.timing import record  # last: it imports torch, and a child begins as large as its parent

    print(f"kept in {record('attention_memory', rows)}")


if __name__ == "__main__":
    main()
