"""Writing step by step with a state gives what the whole sequence gives at once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, memory_of, shape, stirred
from comparing import close, randoms
from headway.batch import Memory
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.mixers import MIXERS
from headway.positions import POSITIONS

T, LENGTHS = 11, [4, 7, 5]
PAIRS = [("attention", position) for position in POSITIONS.names()]
PAIRS += [(mixer, position) for mixer in MIXERS.names() for position in ("rotary", "learned") if mixer != "attention"]
"""Mixers and positions: attention with each; the others do not look at any that is not added to the vectors."""


def stack(position: str = "rotary", mixer: str = "attention", dtype: torch.dtype = torch.float64) -> DecoderStack:
    settings = StackSettings(mixer=mixer) if mixer != "attention" else StackSettings()
    return stirred(DecoderStack(settings, shape(position=position), causal=True)).to(dtype).eval()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("mixer", "position"), PAIRS)
@pytest.mark.parametrize("sizes", [[1] * T, [T], [2, 3, 1, 5], [7, 4]], ids=str)
def test_blocks_of_any_size_are_the_whole_at_once(sizes, position, mixer):
    decoder, memory = stack(position, mixer), memory_of(LENGTHS, dtype=torch.float64)
    (y,) = randoms((3, T, D), dtype=torch.float64)
    with torch.no_grad():
        whole, state, found = decoder(y, memory), decoder.start(memory), []
        for block in y.split(sizes, 1):
            found.append(decoder(block, memory, state=state))
    assert state.length == T
    close(torch.cat(found, 1), whole)


@pytest.mark.parametrize("position", POSITIONS.names())
def test_in_float32_too(position):
    decoder, memory = stack(position, dtype=torch.float32), memory_of(LENGTHS)
    (y,) = randoms((3, T, D))
    with torch.inference_mode():
        state = decoder.start(memory)
        found = torch.cat([decoder(block, memory, state=state) for block in y.split(1, 1)], 1)
        close(found, decoder(y, memory))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("mixer", "position"), [pair for pair in PAIRS if "attention" in pair or "rotary" in pair])
@given(
    plan=st.lists(
        st.tuples(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans()), max_size=5
    )
)
def test_rows_may_be_dropped_repeated_and_reordered_between_steps(mixer, position, plan):
    """After every selection each row goes on from its own past and looks at its own source."""
    decoder, memory = stack(position, mixer), memory_of(LENGTHS, dtype=torch.float64)
    state, past = decoder.start(memory), torch.zeros(3, 0, D, dtype=torch.float64)
    for number, (size, rows, cropped) in enumerate(plan):
        (block,) = randoms((len(past), size, D), dtype=torch.float64, seed=number)
        past = torch.cat([past, block], 1)
        with torch.no_grad():
            found = decoder(block, state.memory, state=state)
            close(found, decoder(past, memory)[:, -size:])
        which = torch.tensor(rows) % len(past)
        state.select(which)
        past, memory = past[which], memory.select(which)
        if cropped:
            state.crop(past.shape[1] - 1)
            past = past[:, :-1]
    assert state.length == past.shape[1]


def test_a_beam_that_keeps_its_sources_need_not_move_the_memory():
    decoder, memory = stack(), memory_of([7, 7, 5, 5], dtype=torch.float64)
    memory = Memory(memory.x[[0, 0, 2, 2]], memory.keys[[0, 0, 2, 2]])  # rows 0, 1 and 2, 3 have the same source
    (y,) = randoms((4, 3, D), dtype=torch.float64)
    rows = torch.tensor([1, 1, 3, 2])
    outputs = []
    with torch.no_grad():
        for same_sources in (True, False):
            state = decoder.start(memory)
            decoder(y[:, :2], memory, state=state)
            state.select(rows, same_sources)
            outputs.append(decoder(y[:, 2:], memory, state=state))
    close(outputs[0], outputs[1])


def test_selecting_before_the_first_step_repeats_the_sources():
    decoder, memory = stack(), memory_of(LENGTHS, dtype=torch.float64)
    rows = torch.tensor([0, 0, 1, 1, 2, 2])
    (y,) = randoms((6, 2, D), dtype=torch.float64)
    with torch.no_grad():
        state = decoder.start(memory)
        state.select(rows)
        close(decoder(y, state.memory, state=state), decoder(y, memory.select(rows)))


def test_the_memory_is_projected_once():
    decoder, memory = stack(), memory_of(LENGTHS, dtype=torch.float64)
    (y,) = randoms((3, 2, D), dtype=torch.float64)
    with torch.no_grad():
        state = decoder.start(memory)
        decoder(y[:, :1], memory, state=state)
        for _, cross in state.blocks:
            cross.values = torch.zeros_like(cross.values)  # what is kept is what later steps read
        elsewhere = Memory(memory.x + 1, memory.keys)
        close(decoder(y[:, 1:], elsewhere, state=state), decoder_without_source(decoder, y, memory))


def decoder_without_source(decoder: DecoderStack, y: torch.Tensor, memory: Memory) -> torch.Tensor:
    """The second step where the source has nothing to say in it."""
    state = decoder.start(memory)
    decoder(y[:, :1], memory, state=state)
    for _, cross in state.blocks:
        cross.keys, cross.values = cross.keys[:, :, :1], torch.zeros_like(cross.values[:, :, :1])
    state.source = type(state.source)(type(state.source.mask)())
    return decoder(y[:, 1:], memory, state=state)
