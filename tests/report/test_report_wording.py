"""Numbers and names for people."""

import math

import pytest

from headway.report.wording import (
    duration,
    figure,
    is_better_higher,
    is_percent,
    large,
    measured,
    metric_name,
    plural,
    significant,
    small_count,
)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("accuracy", 0.87654, "87.65%"),
        ("bleu", 27.128, "27.13"),
        ("mae", 0.33412, "0.3341"),
        ("mae", 1234.5678, "1,235"),
        ("r2", -0.5, "−0.5000"),
        ("accuracy", math.nan, "–"),
        ("bleu", math.nan, "–"),
    ],
)
def test_metrics(name: str, value: float, words: str):
    assert measured(name, value) == words


def test_names():
    assert [metric_name(n) for n in ("macro_f1", "bleu", "r2", "my.own_metric")] == [
        "macro F1",
        "BLEU",
        "R²",
        "own metric",
    ]
    assert is_percent("accuracy") and not is_percent("bleu") and not is_percent("not.known")
    assert is_better_higher("accuracy") and not is_better_higher("mae") and is_better_higher("not.known")


def test_digits_that_count():
    assert [significant(x) for x in (12345.6, 0.00012346, 0.5, 0, -2.0, 1e-9)] == [
        *("12,346", "0.0001235", "0.5", "0", "-2", "1e-09"),
    ]
    assert significant(0.5, trim=False) == "0.5000" and figure(9.99996) == "10.000"


def test_large_and_small_counts():
    assert [large(x) for x in (950, 121707, 1003081, 87192340, 1.2e9)] == [
        *("950", "121,707", "1.00 million", "87.2 million", "1.20 billion"),
    ]
    assert [small_count(x) for x in (0, 9999, 10_000, 99_999, 999_999, 1_000_000, 12_345_678)] == [
        *("0", "9999", "10k", "99k", "999k", "1.0M", "12M"),
    ]


def test_times():
    assert [duration(x) for x in (0.52, 9.4, 59.4, 59.6, 66.1, 3723, 7200, 180000)] == [
        *("0.52 s", "9.4 s", "59 s", "1 min", "1 min 6 s", "1 h 2 min", "2 h", "2 d 2 h"),
    ]


def test_plurals():
    assert [plural(n, "example") for n in (0, 1, 1234)] == ["0 examples", "1 example", "1,234 examples"]
