"""Sampling: every token as often as its probability says, and the same draws for the same row."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scripted import BEGIN, END, Told, everything, greedily, random_table, scored, step_of

from building import memory_of, writer
from headway.search import Search
from headway.search.sample import drawn, sample

CPU = torch.device("cpu")
V = 3
GRID = 20_000
"""Numbers between 0 and 1 at which draws are looked at."""


def shares(logits: list[float], **how) -> list[float]:
    """How much of the interval [0, 1) draws each token."""
    noise = (torch.arange(GRID, dtype=torch.float64) + 0.5) / GRID
    tokens = drawn(torch.tensor([logits]).expand(GRID, -1), noise.float(), **how)
    return (torch.bincount(tokens, minlength=len(logits)) / GRID).tolist()


def probabilities(logits: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """The same by hand: sorted, cut to k, cut to the fewest that have the probability p together, and divided."""
    powers = [math.exp(logit / temperature) for logit in logits]
    order = sorted(range(len(logits)), key=lambda i: -powers[i])[:top_k]
    whole, kept, together = sum(powers[i] for i in order), [], 0.0
    for i in order:
        if together >= top_p:
            break
        kept.append(i)
        together += powers[i] / whole
    left = sum(powers[i] for i in kept)
    return [powers[i] / left if i in kept else 0.0 for i in range(len(logits))]


LOGITS = st.lists(st.integers(-30, 30).map(lambda x: x / 10), min_size=1, max_size=6, unique=True)


@given(LOGITS, st.sampled_from([0.3, 1.0, 2.0]), st.integers(1, 7), st.sampled_from([0.05, 0.31, 0.77, 1.0]))
def test_each_token_has_the_share_that_its_probability_says(logits, temperature, top_k, top_p):
    found = shares(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    assert found == pytest.approx(probabilities(logits, temperature, top_k, top_p), abs=3 / GRID)


def test_what_can_never_be_written_never_is():
    for noise in (0.0, 1 - 2**-24):
        for logits in ([-torch.inf, 0.0, -torch.inf], [-torch.inf] * 2 + [1e-3, 5.0] + [-torch.inf] * 3):
            token = int(drawn(torch.tensor([logits]), torch.tensor([noise])))
            assert logits[token] > -torch.inf


def search(table, numbers, limit=6, seed=0, **how):
    state = Told([0] * len(numbers))
    limits = [limit] * len(numbers)
    found = sample(step_of(table), state, BEGIN, END, limits, CPU, seed, numbers, scores=True, **how)
    return [one for (one,) in found]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_whole_sequences_come_as_often_as_they_should(temperature):
    """Of 4,000 draws: χ² of all sequences of at most 2 tokens stays below what one in a thousand goes beyond."""
    table, number = random_table(2, 5), 4_000
    found = Counter(
        one.tokens if one.finished else None for one in search(table, range(number), 2, temperature=temperature)
    )
    expected = {}
    for tokens in everything(2, 2):
        cold = 1.0
        for i, token in enumerate((*tokens, END)):
            powers = [math.exp(logit / temperature) for logit in table(0, tokens[:i])]
            cold *= powers[token - END] / sum(powers)
        expected[tokens] = number * cold
    expected[None] = number - sum(expected.values())
    chi = sum((found[key] - count) ** 2 / count for key, count in expected.items())
    assert len(expected) == 8 and chi < 24.3  # 7 degrees of freedom


@given(st.integers(0, 99), st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_a_row_draws_by_its_number_whoever_stands_beside_it(seed, numbers):
    table = random_table(V, 1)
    together = search(table, numbers, seed=seed)
    for number, one in zip(numbers, together, strict=True):
        assert search(table, [number], limit=6, seed=seed) == [one]
    assert search(table, numbers, seed=seed) == together


def test_other_numbers_and_other_seeds_draw_otherwise():
    table = random_table(V, 1)
    assert len({one.tokens for one in search(table, range(30))}) > 5
    assert search(table, range(9), seed=0) != search(table, range(9), seed=1)


@given(st.integers(0, 99))
def test_scores_are_the_models_own_whatever_the_temperature(seed):
    table = random_table(V, seed)
    for one in search(table, range(4), seed=seed, temperature=0.4, top_k=2):
        assert one.log_p == pytest.approx(scored(table, 0, one.tokens, one.finished), abs=1e-5)
        assert one.calls == len(one.tokens) + 1


@given(st.integers(0, 99), st.sampled_from([{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-3}]))
def test_at_its_limits_it_is_greedy(seed, how):
    table = random_table(V, seed)
    tokens, finished = greedily(table, 0, V, 6)
    assert all((one.tokens, one.finished) == (tokens, finished) for one in search(table, range(3), **how))


def test_a_prefix_comes_first_and_a_trace_tells_what_was_drawn():
    table = random_table(V, 2)
    for one in search(table, range(5), prefixes=[[5, 5]] * 5, trace=True):
        assert one.tokens[:2] == (5, 5)
        assert [choice.taken for choice in one.trace] == [*one.tokens, END][: len(one.log_p)]


def test_a_decoder_draws_the_same_alone_and_beside_others():
    decoder, memory = writer(11), memory_of([4, 7, 5])
    search = Search("sample", scores=True, seed=3, temperature=1.5)
    with torch.inference_mode():
        found = decoder.generate(memory, Search(**{**vars_of(search), "numbers": [8, 2, 5]}))
        for row, number in enumerate([8, 2, 5]):
            alone = memory.select(torch.tensor([row]))
            ((one,),) = decoder.generate(alone, Search(**{**vars_of(search), "numbers": [number]}))
            assert one.tokens == found[row][0].tokens


def vars_of(search: Search) -> dict:
    return {name: getattr(search, name) for name in search.__dataclass_fields__}
