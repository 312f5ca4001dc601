"""Attention alone: headway's engines beside the naive definition and torch's fused kernel, in turn, in one process.

    python -m benchmarks.attention.engines [--rounds 7] [--lengths 32 128 512 2048 8192] [--threads 2] [--batch N]

Prints microseconds a position, forward and forward + backward, and how many times as long as a reference each takes:
dot-product scores beside torch's fused kernel alone (at most 1.1), relu and sigmoid beside the same fused softmax (at
most 2.5), additive scores beside the naive definition (an eighth at 128), headway's attention layer beside
torch.nn.MultiheadAttention. 4 heads of 64; as many sequences as make 2,048 positions, or those asked for.

torch as it stands gives large tables back to the system after every use, and fetches them anew page by page, which the
naive definition suffers from most; `--keep-memory` measures without that, as everything runs in headway's trainings.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.timing import ratios, record, take_turns
from headway.functional.masks import Mask
from headway.kernels.attention import Request, attention
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.machine import keep_memory
from headway.normalizers import NORMALIZERS
from headway.scores import SCORES

POSITIONS, H, K = 2_048, 4, 64
ROOM = 2e9
"""Bytes that the tables of a naive definition may take; a larger one is left out."""
TABLES = 4
"""Tables of all pairs that the naive definition holds at once, forward and backward."""


@dataclass(frozen=True)
class Subject:
    """One way to compute an attention, and the one that it is compared with."""

    name: str
    make: Callable[[int, int, bool], Callable[[], Tensor]]
    beside: str | None = None
    most: int = 1 << 30
    "The longest row that there is room for."


def fused(B: int, T: int, causal: bool) -> Callable[[], Tensor]:
    q, k, v = inputs(B, T)
    return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal)


def ours(score: str, normalizer: str, engine: str = "auto") -> Callable[[int, int, bool], Callable[[], Tensor]]:
    """headway's attention of heads that are split already, with what a score does to queries and keys."""

    def make(B: int, T: int, causal: bool) -> Callable[[], Tensor]:
        q, k, v = inputs(B, T)
        likeness = SCORES.build(SCORES.choose(score), H, K)
        weighing = NORMALIZERS.build(NORMALIZERS.choose(normalizer), H, K)

        def work() -> Tensor:
            mask = Mask(causal=causal)
            return attention(Request(likeness.queries(q), likeness.keys(k), v, mask, None, likeness, weighing), engine)

        return work

    return make


def layer(B: int, T: int, causal: bool) -> Callable[[], Tensor]:
    mixer, x = Attention(AttentionSettings(heads=H), H * K, 0.0), torch.randn(B, T, H * K, requires_grad=True)
    return lambda: mixer(x, Look(Mask(causal=causal)))


def torchs_layer(B: int, T: int, causal: bool) -> Callable[[], Tensor]:
    mixer, x = nn.MultiheadAttention(H * K, H, batch_first=True), torch.randn(B, T, H * K, requires_grad=True)
    mask = nn.Transformer.generate_square_subsequent_mask(T) if causal else None
    return lambda: mixer(x, x, x, attn_mask=mask, is_causal=causal, need_weights=False)[0]


def inputs(B: int, T: int) -> list[Tensor]:
    return [torch.randn(B, H, T, K, requires_grad=True) for _ in range(3)]


def longest(numbers_a_pair: int) -> int:
    """The longest row whose tables, of so many numbers for every pair of positions, there is room for."""
    pairs = ROOM / (TABLES * 4 * H * numbers_a_pair)
    return max(T for T in (1 << n for n in range(20)) if max(1, POSITIONS // T) * T * T <= pairs)


FUSED, NAIVE, NAIVE_ADDITIVE, LAYER = (
    "fused kernel alone",
    "definition",
    "additive, definition",
    "nn.MultiheadAttention",
)
SUBJECTS = [
    Subject(FUSED, fused),
    Subject(NAIVE, ours("scaled_dot", "softmax", "definition"), FUSED, longest(1)),
    *(Subject(score, ours(score, "softmax"), FUSED) for score in ("scaled_dot", "dot", "bilinear", "cosine")),
    Subject("softmax_plus_one", ours("scaled_dot", "softmax_plus_one"), FUSED),
    *(Subject(name, ours("scaled_dot", name), FUSED) for name in ("relu", "relu_normed", "sigmoid")),
    *(Subject(name, ours("scaled_dot", name), FUSED) for name in ("sparsemax", "entmax15")),
    Subject(NAIVE_ADDITIVE, ours("additive", "softmax", "definition"), None, longest(K)),
    Subject("additive", ours("additive", "softmax", "additive"), NAIVE_ADDITIVE),
    Subject(LAYER, torchs_layer),
    Subject("headway's layer", layer, LAYER),
]


def learning(work: Callable[[], Tensor]) -> Callable[[], Any]:
    gradient = torch.randn_like(work())
    return lambda: work().backward(gradient)


def compare(T: int, backward: bool, given: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for every subject asked for, and for what it is compared with."""
    B = given.batch or max(1, POSITIONS // T)
    asked = [subject for subject in SUBJECTS if not given.subjects or subject.name in given.subjects]
    asked = [subject for subject in SUBJECTS if subject in asked or subject.name in {one.beside for one in asked}]
    subjects: dict[str, Callable[[], float]] = {}
    for subject in asked:
        if subject.most < T:
            print(f"{T:5} {subject.name} left out: its tables would take more than {ROOM / 1e9:.0f} GB")
        else:
            subjects[subject.name] = counted(subject.make(B, T, given.causal), B * T, backward)
    found = take_turns(subjects, given.rounds, given.threads)
    head = {"length": T, "batch": B, "causal": given.causal, "backward": backward, "threads": given.threads}
    rows = [head | row_of(subject, found) for subject in asked if subject.name in found]
    for row in rows:
        beside = f"{row['times']:6.2f} × {row['beside']}" if "times" in row else ""
        what = "learn" if backward else "read"
        print(f"{T:5} {what:5} {row['subject']:22} {row['microseconds_a_position']:9.3f} µs a position  {beside}")
    sys.stdout.flush()
    return rows


def row_of(subject: Subject, found: Mapping[str, list[float]]) -> dict[str, Any]:
    """What was measured of a subject: how long, and how many times as long as the one beside it."""
    row: dict[str, Any] = {"subject": subject.name}
    row["microseconds_a_position"] = 1e6 / statistics.median(found[subject.name])
    if subject.beside is not None and subject.beside in found:
        row["beside"], row["times"] = subject.beside, statistics.median(ratios(found, subject.beside, subject.name))
    return row


def counted(work: Callable[[], Tensor], positions: int, backward: bool) -> Callable[[], float]:
    """The work as `take_turns` wants it: called once, it says for how many positions."""
    learn = learning(work) if backward else None

    def turn() -> float:
        if learn is not None:
            learn()
        else:
            with torch.no_grad():
                work()
        return float(positions)

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lengths", nargs="+", type=int, default=[32, 128, 512, 2048, 8192])
    parser.add_argument("--subjects", nargs="+", default=[], choices=[subject.name for subject in SUBJECTS])
    parser.add_argument("--batch", type=int, help="sequences, whatever their length")
    parser.add_argument("--causal", action="store_true", help="with the future hidden")
    parser.add_argument("--keep-memory", action="store_true", help="that torch frees, as headway does when it trains")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.keep_memory:
        keep_memory()
    rows = [row for T in given.lengths for backward in (False, True) for row in compare(T, backward, given)]
    kinds = given.subjects or ["causal"] * given.causal + ["keeping_memory"] * given.keep_memory
    name = "_".join(["attention_engines", *kinds])
    print(f"kept in {record(name, rows)}")


if __name__ == "__main__":
    main()
