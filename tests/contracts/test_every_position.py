"""What every position promises: three hooks, each the same whether a sequence comes at once or step by step."""

import pytest
import torch
from torch import nn

from building import no_gradient_is_missing
from comparing import close, randoms
from headway.positions import POSITIONS, Position

B, H, T, D = 2, 3, 7, 12
NAMES = pytest.mark.parametrize("name", POSITIONS.names())


def made(name: str, causal: bool = False) -> Position:
    torch.manual_seed(4)
    return POSITIONS.build(POSITIONS.choose(name), D, H, causal)


@NAMES
@pytest.mark.parametrize("causal", [False, True])
def test_vectors_queries_and_scores_keep_their_shapes(name, causal):
    position, (x, q) = made(name, causal), randoms((B, T, D), (B, H, T, D // H))
    assert position.add(x).shape == x.shape and position.turn(q).shape == q.shape
    bias = position.bias(T, T)
    assert position.gives_bias == (bias is not None)
    assert bias is None or (bias.shape[0] == 1 and bias.shape[1] in (1, H) and bias.shape[2:] == (T, T))


@NAMES
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("start", [0, 1, 3, 6])
def test_a_step_is_a_part_of_the_whole(name, start, causal):
    position, (x, q) = made(name, causal), randoms((B, T, D), (B, H, T, D // H))
    close(position.add(x[:, start:], start), position.add(x)[:, start:])
    close(position.turn(q[:, :, start:], start), position.turn(q)[:, :, start:])
    bias = position.bias(T, T)
    if bias is None:
        assert position.bias(T - start, T, start) is None
    else:
        close(position.bias(T - start, T, start), bias[:, :, start:])


@NAMES
def test_the_first_positions_do_not_depend_on_how_many_follow(name):
    position, (x, q) = made(name), randoms((B, T, D), (B, H, T, D // H))
    close(position.add(x[:, :3]), position.add(x)[:, :3])
    close(position.turn(q[:, :, :3]), position.turn(q)[:, :, :3])
    if position.gives_bias:
        close(position.bias(3, 3), position.bias(T, T)[:, :, :3, :3])


@NAMES
def test_the_same_twice_and_the_input_stays(name):
    position, (x, q) = made(name).eval(), randoms((B, T, D), (B, H, T, D // H))
    before = x.clone(), q.clone()
    assert position.add(x).equal(position.add(x)) and position.turn(q).equal(position.turn(q))
    assert x.equal(before[0]) and q.equal(before[1])


@NAMES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_type_of_the_numbers_is_kept(name, dtype):
    position, (x, q) = made(name), randoms((B, T, D), (B, H, T, D // H), dtype=dtype)
    assert position.add(x).dtype == dtype and position.turn(q).dtype == dtype


@NAMES
def test_every_weight_learns(name):
    position, (x, q) = made(name), randoms((B, 512, D), (B, H, 512, D // H))
    total = (position.add(x) * x).sum() + (position.turn(q) * q).sum()
    bias = position.bias(512, 512)
    if bias is not None:
        total = total + (bias * torch.randn_like(bias)).sum()
    if list(position.parameters()):
        no_gradient_is_missing(position, total)


@NAMES
def test_what_is_computed_is_not_saved(name):
    assert set(made(name).state_dict()) == {key for key, _ in made(name).named_parameters()}


@NAMES
def test_it_moves_with_the_model(name):
    model = nn.ModuleList([made(name)]).to("meta")
    assert all(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])
