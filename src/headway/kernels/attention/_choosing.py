"""Which engine is the fastest for a request, as `benchmarks/attention` measured it."""

from headway.kernels.attention._contract import Request
from headway.normalizers.entmax15 import Entmax15
from headway.normalizers.softmax import Softmax
from headway.normalizers.softmax_plus_one import SoftmaxPlusOne
from headway.normalizers.sparsemax import Sparsemax

LONG = 512 * 512
"""T × S from which blocks beat whole tables on a CPU.

One thread of an AMD EPYC, 2,048 tokens, 4 heads of 64, forward and backward, milliseconds of two products / of blocks:
relu, causal: T = 512 87 / 46, T = 1,024 139 / 78, T = 2,048 446 / 142; softmax with dropout: T = 256 37 / 44,
T = 512 68 / 75, T = 1,024 237 / 148, T = 2,048 481 / 377. Under 512 blocks cost a third more, for their set-up.
"""
SHORT = 64 * 64
"""T × S up to which two products beat torch's fused softmax when it learns: T = 32 6.5 / 8.5, 64 9.5 / 11.1, 128 16.9 /
16.5. In bfloat16 that is so up to LONG, read as well: T = 32 6 / 23, T = 128 11 / 27, T = 512 41 / 48."""
LONG_TO_SORT = 64 * 64
"""T × S from which blocks find thresholds faster than the definition sorts: sparsemax, T = 64 18 / 16, 512 165 / 86."""
LONG_FOR_TANH = 24 * 24
"""T × S from which additive scores are faster without a tanh a pair: 64 rows of T = 16 47 / 69, of T = 24 172 / 86."""


def ranked(request: Request) -> tuple[str, tuple[str, ...]]:
    """(why, the engines from the fastest on); the last one takes every request."""
    pairs = request.q.shape[2] * request.k.shape[2]
    if not request.score.is_dot_product:
        if pairs >= LONG_FOR_TANH:
            return "no dot product, and long rows", ("additive", "definition")
        return "no dot product, and short rows", ("definition",)
    why, first = (_first_on_cpu if request.q.device.type == "cpu" else _first)(request, pairs)
    return why, tuple(dict.fromkeys((*first, "blockwise", "matmul", "definition")))


def _first(request: Request, pairs: int) -> tuple[str, tuple[str, ...]]:
    """Nothing is measured off the CPU: torch's kernel where it can, and `flex` by its name alone."""
    return "not on a CPU", ("fused", "blockwise" if pairs >= LONG else "matmul")


def _first_on_cpu(request: Request, pairs: int) -> tuple[str, tuple[str, ...]]:
    """torch's kernel draws its dropout mask one number after another, and wants every mask but "causal" as a table."""
    mask = request.mask
    if request.q.shape[2] == 1:
        return "one position asks", ("matmul",)
    if isinstance(request.normalizer, Sparsemax | Entmax15):
        return "thresholds of rows", ("blockwise" if pairs >= LONG_TO_SORT else "matmul",)
    if pairs >= LONG:
        if request.dropout:
            return "dropout on long rows", ("blockwise",)
        if mask.reach is not None or (mask.causal and mask.keys is not None):
            return "blocks of long rows are skipped", ("blockwise",)
    elif request.dropout:
        return "dropout on short rows", ("matmul",)
    if isinstance(request.normalizer, Softmax | SoftmaxPlusOne):
        short = pairs <= SHORT or (pairs < LONG and request.q.element_size() < 4)
        return ("softmax of short rows", ("matmul",)) if short else ("softmax", ("fused",))
    return ("long rows", ("blockwise",)) if pairs >= LONG else ("short rows", ("matmul",))
