"""The model of costs: its formulae by hand, and what must hold of any number of devices."""

import math

import pytest
from benchmarks.scaling.costs import (
    KEPT,
    NUMBER,
    PUBLISHED,
    SHAPES,
    Cluster,
    Figures,
    Wire,
    affine,
    assumed,
    cost,
    machines_of,
    travel,
)
from hypothesis import given
from hypothesis import strategies as st

PLAIN = Cluster("plain", 4, Wire(100.0, 0.5), Wire(10.0, 2.0), 1e9, overlap=False)


def test_a_sum_by_hand():
    """1,000 bytes: two rings of 3/4 among four; then a quarter of it between two machines, and back."""
    assert travel(1000, PLAIN, 1) == 0
    assert travel(1000, PLAIN, 4) == pytest.approx(2 * (750 / 100 + 3 * 0.5))
    assert travel(1000, PLAIN, 8) == pytest.approx(2 * (750 / 100 + 1.5) + 2 * 0.5 * 250 / 10 + 2 * 1 * 2.0)
    assert travel(1000, PLAIN, 16) == pytest.approx(2 * (750 / 100 + 1.5) + 2 * 0.75 * 250 / 10 + 2 * 2 * 2.0)


def test_an_update_by_hand():
    figures = Figures(fixed=1.0, token=0.01, step=2.0, program=500.0, held=3.0)
    one, two = (cost(250, 400, figures, PLAIN, number) for number in (1, 2))
    assert one.seconds == 1 + 4 + 2 and one.traffic == 0 and one.memory == 500 + KEPT * 1000 + 1200
    assert two.compute == 3 and two.step == 2 and two.exposed == pytest.approx(2 * (500 / 100 + 0.5))
    assert two.traffic == 1000 and two.tokens_per_second == pytest.approx(400 / (5 + 11))
    half = cost(250, 400, figures, PLAIN, 2, shard=True)
    assert half.traffic == 1500 and half.memory == 500 + KEPT * 500 + 1000 + 600 and half.step == 1


def test_two_measured_updates_give_what_is_fixed_and_what_each_token_takes():
    assert affine((100, 3.0), (200, 5.0)) == pytest.approx((1.0, 0.02))
    assert affine((100, 1.0), (200, 5.0)) == pytest.approx((0.0, 0.025)), "nothing takes less than no time"


@given(
    gpu=st.sampled_from(PUBLISHED), shape=st.sampled_from(SHAPES), number=st.integers(0, 10), tokens=st.floats(1e3, 1e5)
)
def test_more_devices_are_faster_and_never_more_than_so_many_times(gpu, shape, number, tokens):
    figures, cluster = assumed(shape, gpu), machines_of(gpu)
    one, many = (cost(shape.parameters, tokens * n, figures, cluster, n) for n in (1, 2**number))
    assert one.tokens_per_second <= many.tokens_per_second * 1.0001
    assert many.tokens_per_second <= 2**number * one.tokens_per_second * 1.0001
    divided = cost(shape.parameters, tokens * 2**number, figures, cluster, 2**number, shard=True)
    assert divided.memory <= many.memory and divided.traffic == pytest.approx(1.5 * many.traffic)


def test_weights_are_counted_as_a_transformer_has_them():
    shape = SHAPES[1]
    block = 4 * 512**2 + 2 * 512 * 2048
    assert shape.parameters == 6 * block + 6 * (block + 4 * 512**2) + 512 * 32_000
    assert math.isclose(assumed(shape, PUBLISHED[0]).token, 6 * shape.parameters / (0.3 * 312e12)) and NUMBER == 4
