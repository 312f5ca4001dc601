"""The frozen decoder stack writes exactly what the stack it was made of writes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from building import D, memory_of, shape, stirred
from comparing import close, randoms
from headway.batch import Memory
from headway.functional.masks import padding
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.frozen import GROWTH, FrozenStack, refuses
from headway.normalizers import Normalizer
from headway.positions import POSITIONS
from headway.scores import Score

T, LENGTHS = 11, [4, 7, 5]


def stack(**changed) -> DecoderStack:
    return stirred(DecoderStack(StackSettings(), shape(**changed), causal=True)).double().eval()


def agree(made: DecoderStack, sizes: list[int], memory: Memory) -> None:
    """Block by block the frozen stack gives what the whole gives at once."""
    (y,) = randoms((len(memory.x), sum(sizes), D), dtype=torch.float64)
    assert refuses(made) is None
    with torch.inference_mode():
        frozen = FrozenStack(made)
        state = frozen.start(memory)
        found = [frozen(block, state) for block in y.split(sizes, 1)]
        assert state.length == sum(sizes)
        close(torch.cat(found, 1), made(y, memory))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("position", POSITIONS.names())
@pytest.mark.parametrize("sizes", [[1] * T, [T], [2, 3, 1, 5]], ids=str)
def test_every_position_and_block_size(sizes, position):
    agree(stack(position=position), sizes, memory_of(LENGTHS, dtype=torch.float64))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("feedforward", ["relu", "gelu", "swiglu"])
@pytest.mark.parametrize(("norm", "place"), [("layer", "pre"), ("layer", "post"), ("rms", "pre"), ("rms", "post")])
@pytest.mark.parametrize("padded", [False, True])
def test_every_kind_of_block(padded, norm, place, feedforward):
    memory = memory_of(LENGTHS if padded else [5, 5], dtype=torch.float64)
    agree(stack(norm=norm, norm_place=place, feedforward=feedforward), [1, 1, 2], memory)


@pytest.mark.parametrize("score", ["dot", "scaled_dot", "bilinear", "cosine"])
def test_every_score_that_is_a_dot_product(score):
    agree(stack(mixer={"kind": "attention", "heads": 3, "score": score}), [1, 2], memory_of([5], dtype=torch.float64))


def test_longer_than_the_room_it_begins_with():
    agree(stack(), [1] * (GROWTH - 1) + [2, 40, 1, 1], memory_of(LENGTHS, dtype=torch.float64))


@given(
    plan=st.lists(
        st.tuples(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans()), max_size=5
    )
)
def test_rows_may_be_dropped_repeated_reordered_and_cut_between_steps(plan):
    made, memory = stack(), memory_of(LENGTHS, dtype=torch.float64)
    with torch.inference_mode():
        frozen = FrozenStack(made)
        state, past = frozen.start(memory), torch.zeros(3, 0, D, dtype=torch.float64)
        for number, (size, rows, cropped) in enumerate(plan):
            (block,) = randoms((len(past), size, D), dtype=torch.float64, seed=number)
            past = torch.cat([past, block], 1)
            close(frozen(block, state), made(past, memory)[:, -size:])
            which = torch.tensor(rows) % len(past)
            state.select(which)
            past, memory = past[which], memory.select(which)
            if cropped:
                state.crop(past.shape[1] - 1)
                past = past[:, :-1]
        assert state.length == past.shape[1]


def test_rows_that_keep_their_sources_need_not_move_them():
    made, memory = stack(), memory_of([7, 7, 5, 5], dtype=torch.float64)
    memory = Memory(memory.x[[0, 0, 2, 2]], memory.keys[[0, 0, 2, 2]])
    (y,) = randoms((4, 3, D), dtype=torch.float64)
    rows, outputs = torch.tensor([1, 1, 3, 2]), []
    with torch.inference_mode():
        frozen = FrozenStack(made)
        for same_sources in (True, False):
            state = frozen.start(memory)
            frozen(y[:, :2], state)
            state.select(rows, same_sources)
            outputs.append(frozen(y[:, 2:], state))
    close(outputs[0], outputs[1])


@pytest.mark.parametrize("lengths", [[0, 5], [0, 0]])
def test_a_source_without_elements_says_nothing(lengths):
    x = memory_of([5, 5], dtype=torch.float64).x[:, : max(lengths)]
    agree(stack(), [1, 2], Memory(x, padding(torch.tensor(lengths), max(lengths))))


class Distance(Score):
    is_dot_product = False

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return -(q[:, :, :, None] - k[:, :, None]).abs().sum(-1)


class Share(Normalizer):
    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return scores.sigmoid()


@pytest.mark.parametrize("layer", ["mixer", "cross"])
def test_it_says_what_it_cannot_freeze(layer):
    made = stack()
    getattr(made.blocks[1], layer).score = Distance()
    assert refuses(made) == "a score is not a dot product of changed queries and keys"
    made = stack()
    getattr(made.blocks[0], layer).normalizer = Share()
    assert refuses(made) == "a normalizer is not softmax"
    made = stack()
    getattr(made.blocks[1], layer).gate = torch.nn.Linear(D, 3, bias=False)
    assert refuses(made) == "an attention has a gate"
    made = stack()
    setattr(made.blocks[1], layer, torch.nn.Identity())
    assert refuses(made) == "Identity is no attention"


def test_a_window_is_none_of_its_business_where_the_source_is_looked_at():
    mixer = {"kind": "attention", "heads": 3, "window": 2}
    assert refuses(stack(mixer=mixer)) == "an attention has a window"
    made = DecoderStack(StackSettings(cross=mixer), shape(), causal=True)
    agree(stirred(made).double().eval(), [1, 2], memory_of(LENGTHS, dtype=torch.float64))
