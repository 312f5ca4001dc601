"""The attention layer: the formula with its own four matrices, its settings, and its weights on request."""

import math

import pytest
import torch

from building import D, memory_of, stirred
from comparing import DTYPES, close, randoms
from headway.errors import UsageError
from headway.functional.attention import merge_heads, multi_head_attention, softmax, split_heads
from headway.functional.masks import Mask, padding
from headway.kernels.attention import ENGINES, engine_named
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention, Settings, observed
from headway.positions.rotary import Rotary
from headway.positions.rotary import Settings as RotarySettings

B, T, S, HEADS = 2, 5, 7, 3


def layer(rate: float = 0.0, dtype: torch.dtype = torch.float32, **settings) -> Attention:
    return Attention(Settings(heads=HEADS, **settings), D, rate).to(dtype)


def plain_engines() -> list[str]:
    """The engines that take a softmax of scaled dot products."""
    request = layer().request(torch.zeros(1, T, D), Look(Mask()))
    return ["auto", *(name for name in ENGINES.names() if engine_named(name).refuses(request) is None)]


def matrices_of(made: Attention) -> list[torch.Tensor]:
    return [part.weight for part in (made.query, made.key, made.value, made.output)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("engine", plain_engines())
@pytest.mark.parametrize("cross", [False, True])
def test_it_is_multi_head_attention_with_four_matrices(cross, engine, dtype):
    made = layer(dtype=dtype, engine=engine)
    (x,), memory = randoms((B, T, D), dtype=dtype), memory_of([4, 7], dtype=dtype)
    asked = memory.x if cross else x
    mask = Mask(memory.keys) if cross else Mask(causal=True)
    found = made(x, Look(mask), None, memory.x if cross else None)
    table = mask.table(T, asked.shape[1])
    expected, _ = multi_head_attention(x, asked, *matrices_of(made), heads=HEADS, mask=table)  # biases begin as zeros
    close(found, expected)


def test_its_parameters_are_the_matrices_and_their_shifts_alone():
    names = {name for name, _ in layer().named_parameters()}
    assert names == {f"{part}.{kind}" for part in ("query", "key", "value", "output") for kind in ("weight", "bias")}
    assert sum(parameter.numel() for parameter in layer().parameters()) == 4 * D * D + 4 * D


def test_queries_keys_and_values_begin_as_one_xavier_matrix_of_three():
    made = Attention(Settings(heads=4), 256, 0.0)
    bound = math.sqrt(6 / (256 + 3 * 256))
    for part in (made.query, made.key, made.value):
        assert part.weight.abs().max() <= bound and part.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
        assert not part.bias.any()
    assert not made.output.bias.any()


def test_shifts_are_added_to_queries_keys_and_values():
    made = layer()
    (x,) = randoms((B, T, D))
    with torch.no_grad():
        for seed, part in enumerate((made.query, made.key, made.value, made.output)):
            part.bias.copy_(randoms((D,), seed=seed)[0])
    q, k, v = (split_heads(part(x), HEADS) for part in (made.query, made.key, made.value))
    weights = (q @ k.transpose(2, 3) / math.sqrt(D // HEADS)).softmax(-1)
    close(made(x, Look(Mask())), made.output(merge_heads(weights @ v)))


def test_positions_turn_queries_and_keys_and_not_values():
    made, position = layer(), Rotary(RotarySettings(), D, HEADS)
    (x,) = randoms((B, T, D))
    request = made.request(x, Look(Mask(), position=position, offset=3))
    plain = made.request(x, Look(Mask()))
    close(request.q, position.turn(plain.q, 3))
    close(request.k, position.turn(plain.k, 3))
    close(request.v, plain.v)


def test_a_bias_is_added_to_the_scores():
    made = layer()
    x, bias = randoms((B, T, D), (1, HEADS, T, T))
    q, k, v = (split_heads(x @ W.T, HEADS) for W in matrices_of(made)[:3])
    weights = softmax(q @ k.transpose(2, 3) / math.sqrt(D // HEADS) + bias)
    close(made(x, Look(Mask(), bias)), made.output(merge_heads(weights @ v)))


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize(("gate", "numbers"), [("head", HEADS), ("element", D)])
def test_a_gate_is_a_sigmoid_of_each_positions_own_vector_before_the_output_matrix(gate, numbers, cross):
    made, (x, memory) = stirred(layer(gate=gate)), randoms((B, T, D), (B, S, D))
    found = made(x, Look(Mask()), None, memory if cross else None)
    assert made.gate.weight.shape == (numbers, D) and made.gate.bias is None
    asked = memory if cross else x
    q, k, v = (split_heads(part(y), HEADS) for part, y in ((made.query, x), (made.key, asked), (made.value, asked)))
    heads = (q @ k.transpose(2, 3) / math.sqrt(D // HEADS)).softmax(-1) @ v
    share = (x @ made.gate.weight.T).sigmoid()
    each = share.repeat_interleave(D // HEADS, -1) if gate == "head" else share
    close(found, made.output(merge_heads(heads) * each))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("reach", [1, 2, 9])
def test_a_window_hides_what_is_farther_away_in_its_own_sequence_and_nothing_of_another(reach, causal):
    made, plain = stirred(layer(window=reach)), layer()
    plain.load_state_dict(made.state_dict())
    x, memory = randoms((B, T, D), (B, S, D))
    by_mask = plain(x, Look(Mask(causal=causal, reach=reach)))
    close(made(x, Look(Mask(causal=causal))), by_mask)
    close(made(x, Look(Mask()), None, memory), plain(x, Look(Mask()), None, memory))
    i, j = torch.meshgrid(torch.arange(T), torch.arange(T), indexing="ij")
    with observed([made]) as seen:
        made(x, Look(Mask(causal=causal)))
    seen_there = (seen[0][0] > 0)[0, 0]
    assert seen_there.equal(((i - j).abs() <= reach) & ((j <= i) | (not causal)))


@pytest.mark.parametrize(("own", "expected"), [(None, 0.4), (0.0, 0.0), (0.2, 0.2)])
def test_weights_are_dropped_at_its_own_rate_or_the_encoders_in_training_only(own, expected):
    made = layer(0.4, dropout=own)
    (x,) = randoms((B, T, D))
    assert made.train().request(x, Look(Mask())).dropout == expected
    assert made.eval().request(x, Look(Mask())).dropout == 0.0


def test_a_width_that_the_heads_cannot_divide_is_refused_in_words():
    with pytest.raises(UsageError, match="attention divides the width among its heads, and 12 is not a multiple of 7"):
        Attention(Settings(heads=7), D, 0.0)


def test_an_engine_that_is_not_there_is_named_with_its_neighbours():
    with pytest.raises(UsageError, match=r"no engine called 'fussed'; .*Did you mean 'fused'\?"):
        layer(engine="fussed")(torch.zeros(1, 2, D), Look(Mask()))


# ------------------------------------------------------------------------------------------------ weights on request


@pytest.mark.parametrize("engine", plain_engines())
@pytest.mark.parametrize("cross", [False, True])
def test_the_weights_observed_are_those_of_the_definition_whichever_engine_runs(cross, engine):
    made = layer(engine=engine).eval()
    (x,), memory = randoms((B, T, D)), memory_of([4, 7])
    look = Look(Mask(memory.keys) if cross else Mask(causal=True))
    with observed([made]) as seen:
        output = made(x, look, None, memory.x) if cross else made(x, look)
    asked = memory.x if cross else x
    table = look.mask.table(T, asked.shape[1])
    expected, weights = multi_head_attention(x, asked, *matrices_of(made), heads=HEADS, mask=table)
    close(seen[0][0], weights)
    close(output, expected)


def test_every_layer_and_every_call_is_observed_in_order_and_nothing_afterwards():
    first, second = layer().eval(), layer().eval()
    x, y = randoms((B, T, D), (1, S, D))
    with observed([first, second]) as seen:
        first(x, Look(Mask()))
        second(x, Look(Mask()))
        first(y, Look(Mask()))
    second(y, Look(Mask()))
    assert [[tuple(weights.shape) for weights in calls] for calls in seen] == [
        [(B, HEADS, T, T), (1, HEADS, S, S)],
        [(B, HEADS, T, T)],
    ]


def test_observing_changes_nothing_and_ends_even_after_an_error():
    made = layer().eval()
    (x,) = randoms((B, T, D))
    plain = made(x, Look(Mask()))
    with observed([made]) as seen:
        assert made(x, Look(Mask())).equal(plain)
    with pytest.raises(RuntimeError, match="on purpose"), observed([made]):
        raise RuntimeError("on purpose")
    made(x, Look(Mask()))
    assert len(seen[0]) == 1 and not made._forward_hooks


def test_rows_of_observed_weights_sum_to_one_and_padding_gets_none():
    made = layer().eval()
    (x,), keys = randoms((B, S, D)), padding(torch.tensor([4, 7]), S)
    with observed([made]) as seen:
        made(x, Look(Mask(keys)))
    close(seen[0][0].sum(-1), torch.ones(B, HEADS, S))
    assert not seen[0][0][0, :, :, 4:].any()
