"""Every score × normalizer × bias × mask on every engine that does not refuse, in blocks so small that there are many.

A sample in which every two values of different axes meet runs always; the whole grid is long.
"""

import itertools
import random
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from attending import CASES, RUNNING, B, H, K, Kv, agree, by_loop, inputs_for, parts, request_of
from building import stirred
from comparing import DTYPES, close, randoms
from headway.functional.masks import Mask, padding
from headway.kernels.attention import additive, attention, blockwise, engine_named
from headway.kernels.attention._blocks import Blocks
from headway.kernels.attention._blockwise import Recipe
from headway.kernels.attention._weights import ReluWeights
from headway.normalizers import NORMALIZERS
from headway.positions import POSITIONS
from headway.scores import SCORES

BIASES = ["none", "alibi", "relative", "per row and head"]
AXES = (SCORES.names(), NORMALIZERS.names(), BIASES, list(CASES), DTYPES)
OURS = ["additive", "blockwise"]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(blockwise, "ELEMENTS", 20)
    monkeypatch.setattr(blockwise, "ROWS", 2)
    monkeypatch.setattr(additive, "ELEMENTS", 20)
    monkeypatch.setattr(additive, "ROWS", 3)
    monkeypatch.setattr(additive, "TILE", 37)


def every_two(axes: tuple[list, ...], seed: int = 0) -> list[tuple]:
    """Few points of the grid such that every two values of different axes are together in one of them."""
    points = list(itertools.product(*axes))
    random.Random(seed).shuffle(points)

    def together(point: tuple) -> Iterator[tuple]:
        return itertools.combinations(enumerate(point), 2)

    chosen, met = [], set()
    for fresh in range(len(axes) * (len(axes) - 1) // 2, 0, -1):
        for point in points:
            pairs = set(together(point)) - met
            if len(pairs) >= fresh:
                chosen.append(point)
                met |= pairs
    return chosen


def check(score: str, normalizer: str, bias: str, mask: str, dtype: torch.dtype) -> None:
    """Every engine that does not refuse is the definition at this point of the grid."""
    rules, T, S = CASES[mask]
    inputs = inputs_for(T, S, bias if bias == "per row and head" else "none", dtype)
    likeness, weighing = (stirred(part, spread=0.1).to(dtype) for part in parts(score, normalizer))
    learned, (q, k, *others) = list(inputs), inputs
    if bias in POSITIONS.names():
        position = stirred(POSITIONS.build(POSITIONS.choose(bias), H * K, H)).to(dtype)
        made = position.bias(T, S, rules.offset)
        learned += position.parameters()
        others += [] if made is None else [made]
    request = request_of([likeness.queries(q), likeness.keys(k), *others], rules, likeness, weighing)
    # The norm behind relu_normed divides rows of hardly any weight by hardly anything, and rounding with them.
    near = 1e-4 if normalizer == "relu_normed" and dtype == torch.float32 else None
    for engine in RUNNING:
        if engine_named(engine).refuses(request) is None:
            agree(request, by_loop(rules, T, S), engine, learned, near)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("score", "normalizer", "bias", "mask", "dtype"), every_two(AXES))
def test_every_two_together(score, normalizer, bias, mask, dtype):
    check(score, normalizer, bias, mask, dtype)


@pytest.mark.long
@pytest.mark.parametrize(("score", "normalizer", "bias"), list(itertools.product(*AXES[:3])))
def test_all_together(score, normalizer, bias):
    for mask, dtype in itertools.product(*AXES[3:]):
        check(score, normalizer, bias, mask, dtype)


def test_every_engine_of_this_machine_takes_part():
    assert {"additive", "blockwise", "definition", "fused", "matmul"} <= set(RUNNING)


# ---------------------------------------------------------------------------------- what the rest of a batch may not do


def taken(engine: str, normalizer: str, inputs: list[Tensor], mask: Mask) -> Tensor | None:
    """By this engine, in double precision; None where it refuses."""
    torch.manual_seed(2)
    score, weighing = parts("additive" if engine == "additive" else "scaled_dot", normalizer)
    request = request_of(inputs, mask, stirred(score.double()), weighing.double())
    return attention(request, engine) if engine_named(engine).refuses(request) is None else None


each_normalizer = pytest.mark.parametrize("normalizer", NORMALIZERS.names())
each_engine = pytest.mark.parametrize("engine", RUNNING)


@pytest.mark.sampled(4)
@each_normalizer
@each_engine
@pytest.mark.parametrize("causal", [False, True])
def test_more_padding_and_other_sequences_change_nothing(engine, normalizer, causal):
    lengths = torch.tensor([4, 7, 5])
    q, k, v = randoms((3, H, 7, K), (3, H, 7, K), (3, H, 7, Kv), dtype=torch.float64)
    together = taken(engine, normalizer, [q, k, v], Mask(padding(lengths, 7), causal))
    padded = [torch.cat([x, torch.full_like(x, 60.0)], 2) for x in (k, v)]
    longer = taken(engine, normalizer, [q, *padded], Mask(padding(lengths, 14), causal))
    for row, length in enumerate(lengths.tolist()) if together is not None else ():
        alone = [x[row : row + 1, :, :length] for x in (q, k, v)]
        expected = taken(engine, normalizer, alone, Mask(causal=causal))
        close(together[row : row + 1, :, :length], expected)
        close(longer[row : row + 1, :, :length], expected)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("engine", OURS)
@each_normalizer
def test_the_gradient_is_that_of_finite_differences_with_a_bias_a_mask_and_dropout(engine, normalizer):
    inputs = inputs_for(3, 4, "per head", torch.float64)
    score, weighing = parts("additive" if engine == "additive" else "scaled_dot", normalizer)
    score, weighing = score.double(), weighing.double()

    def again(*inputs: Tensor) -> Tensor:
        torch.manual_seed(4)
        return attention(request_of(list(inputs), Mask(causal=True, offset=1), score, weighing, 0.3), engine)

    assert torch.autograd.gradcheck(again, inputs, fast_mode=True)


# -------------------------------------------------------------------------------------------- errors the grid must see


@pytest.mark.parametrize("engine", OURS)
@pytest.mark.parametrize("shift", [-1, 1])
def test_a_block_whose_edge_is_off_by_one_fails_the_grid(engine, shift, monkeypatch):
    right = Blocks._high
    monkeypatch.setattr(Blocks, "_high", lambda blocks, row: max(0, right(blocks, row) + shift))
    score = "additive" if engine == "additive" else "dot"
    with pytest.raises(AssertionError, match="not close"):
        for mask in ("causal, fewer ask", "window"):
            check(score, "softmax", "none", mask, torch.float64)


@pytest.mark.parametrize("normalizer", ["relu", "sigmoid"])
def test_counting_padding_fails_the_grid(normalizer, monkeypatch):
    monkeypatch.setattr(Blocks, "counts", torch.full((1, 1, 5, 1), 7.0, dtype=torch.float64))
    with pytest.raises(AssertionError, match="not close"):
        check("dot", normalizer, "none", "padding", torch.float64)


def test_a_factor_that_is_forgotten_fails_the_grid(monkeypatch):
    monkeypatch.setattr(ReluWeights, "factor", lambda self, counts: None)
    with pytest.raises(AssertionError, match="not close"):
        check("dot", "relu", "none", "none", torch.float64)


def test_a_gradient_that_is_forgotten_fails_the_grid(monkeypatch):
    computed = Recipe.computed
    monkeypatch.setattr(Recipe, "computed", lambda *given: itertools.islice(computed(*given), 1, None))
    with pytest.raises(AssertionError, match="not close"):
        check("dot", "softmax", "none", "none", torch.float64)


def test_the_sample_has_every_two_values_of_different_axes():
    found = every_two(AXES)
    for one, other in itertools.combinations(range(len(AXES)), 2):
        assert {(point[one], point[other]) for point in found} == set(itertools.product(AXES[one], AXES[other]))
    assert len(found) < 2 * len(CASES) * len(NORMALIZERS.names()) and B == 2
