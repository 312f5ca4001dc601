"""Demonstrations: their claims hold, a wrong construction fails, and what they show is drawn as it is."""

import io
import math
import re
from itertools import pairwise

import pytest
import torch
from rich.console import Console

from headway.cli._pictures import together
from headway.lab.demonstrations import (
    DEMONSTRATIONS,
    Bars,
    Claim,
    Curves,
    Findings,
    HeatMap,
    Map,
    Table,
    bound,
    convolution,
    demonstrate,
    learned,
    matrix_form,
    movement,
    multi_head,
    no_positions,
    parallel,
    recurrence,
    teacher_forcing,
    title_of,
    two_answers,
    vectors,
    weighted_sum,
)
from headway.lab.demonstrations._page import page
from headway.positions import POSITIONS
from headway.report.charts import Line, heat_map, map_chart
from pages import Reader

AT_ONCE = {"begins", "bound", "two_answers", "no_positions"}
TRAINED_OR_TIMED = {"vectors", "writing", "teacher_forcing", "no_mask", "cross_entropy", "parallel", *AT_ONCE}
LECTURE = {
    *("vectors", "weighted_sum", "movement", "matrix_form", "learned", "order", "convolution", "recurrence", "mask"),
    *("parallel", "no_mask", "writing", "teacher_forcing", "cross_entropy", "additive", "normalizers", "multi_head"),
    *AT_ONCE,
}


SINUSOIDAL = POSITIONS.choose("sinusoidal")


def silent(_: str) -> None:
    """Says nothing."""


def failed(name: str) -> list[str]:
    return [claim.text for claim in demonstrate(name, silent).claims if not claim.holds]


def printed(*parts: object, width: int = 100) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(together(parts))
    return console.export_text()


# ----------------------------------------------------------------------------------------------------------- the claims


def test_every_claim_of_the_lecture_is_there():
    assert set(DEMONSTRATIONS.names()) >= LECTURE


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] * (name in TRAINED_OR_TIMED)) for name in DEMONSTRATIONS.names()],
)
def test_every_claim_holds(name):
    findings = demonstrate(name, silent)
    assert findings.claims and [claim for claim in findings.claims if not claim.holds] == []
    assert findings.hold and isinstance(findings.shown[0], str)
    Reader(page([(name, title_of(name), findings)]))


def test_two_runs_show_the_same_and_leave_the_random_numbers_alone():
    torch.manual_seed(5)
    first, number = demonstrate("order", silent), float(torch.rand(()))
    torch.manual_seed(5)
    assert float(torch.rand(())) == number
    assert demonstrate("order", silent) == first


# ------------------------------------------------------------------------------------ a wrong construction is found out


def test_heads_that_look_too_softly_are_no_convolution(monkeypatch):
    monkeypatch.setattr(convolution, "SHARP", 5.0)
    assert "the convolution, and the heads: largest difference" in failed("convolution")


def test_a_matrix_form_without_the_root_of_k_is_another(monkeypatch):
    right = matrix_form.self_attention
    monkeypatch.setattr(matrix_form, "self_attention", lambda a, q, k, v: right(a, q * math.sqrt(len(q)), k, v))
    assert len(failed("matrix_form")) == 2


def test_heads_merged_in_another_order_are_another_layer(monkeypatch):
    right = multi_head.multi_head_attention
    monkeypatch.setattr(
        multi_head, "multi_head_attention", lambda x, m, q, k, v, o, h: right(x, m, q, k, v.roll(8, 0), o, h)
    )
    assert len(failed("multi_head")) == 2


def test_a_recurrence_that_forgets_its_gates_is_no_attention_with_decay(monkeypatch):
    right = recurrence.running_mean
    monkeypatch.setattr(recurrence, "running_mean", lambda x, f, c=None: right(x, f.sqrt(), c))
    assert failed("recurrence") == ["gated recurrence, step by step and as attention: largest difference"]


def test_a_feed_forward_layer_that_mixes_positions_is_found_out(monkeypatch):
    class Mixing(movement.FeedForward):
        def forward(self, x):
            return super().forward(x) + x.roll(1, 0)

    monkeypatch.setattr(movement, "FeedForward", Mixing)
    assert failed("movement") == ["feed-forward: the largest influence of another position"]


def test_a_layer_with_a_further_weight_is_found_out(monkeypatch):
    class Scaled(learned.Attention):
        def __init__(self, *given):
            super().__init__(*given)
            self.temperature = torch.nn.Parameter(torch.ones(()))

        def forward(self, *given):
            return super().forward(*given) * self.temperature

    monkeypatch.setattr(learned, "Attention", Scaled)
    assert len(failed("learned")) == 2


def test_weights_that_do_not_sum_to_one_are_found_out(monkeypatch):
    right = weighted_sum.attention
    monkeypatch.setattr(weighted_sum, "attention", lambda *given, bias: tuple(2 * x for x in right(*given, bias=bias)))
    assert "the weights of a position sum to one: largest error" in failed("weighted_sum")


@pytest.mark.long
def test_a_cut_that_forgets_what_stands_behind_it_is_found_out(monkeypatch):
    right = bound.cut_values
    monkeypatch.setattr(bound, "cut_values", lambda best, end, most, fill: right(best, end, most, 0.0))
    assert "log p of a cut, by running sums and added up: difference" in failed("bound")


@pytest.mark.long
def test_positions_that_are_added_are_found_out_where_none_should_be(monkeypatch):
    monkeypatch.setattr(no_positions, "Position", lambda: no_positions.POSITIONS.build(SINUSOIDAL, 48, 2))
    assert len(failed("no_positions")) == 3


# ------------------------------------------------------------------------------------------ what they are measured with


def test_a_claim_holds_up_to_its_bound_and_what_is_no_number_never():
    assert Claim("", 1.0, 1.0).holds and Claim("", 1.0, 1.0, least=True).holds
    assert not Claim("", 1.1, 1.0).holds and not Claim("", 0.9, 1.0, least=True).holds
    assert not Claim("", math.nan, 1.0).holds and not Claim("", math.nan, 1.0, least=True).holds
    assert not Findings(["nothing is claimed"]).hold


def test_the_depth_is_the_longest_chain_of_operations():
    x = torch.ones(3, requires_grad=True)
    leaf = 1
    assert parallel.depth(x * 2) == leaf + 1
    assert parallel.depth((x * 2).exp() + x * 3) == leaf + 3
    cell = torch.nn.LSTMCell(2, 2)
    one, two, four = (parallel.depth(parallel.unrolled(cell, torch.ones(1, n, 2))) for n in (1, 2, 4))
    assert four - two == 2 * (two - one) > 0


def test_what_the_gradient_reaches_is_all_that_was_used():
    a, b, unused = (torch.ones(2, requires_grad=True) for _ in range(3))
    assert learned.leaves_of((a * b.exp() + a).sum()) == {id(a), id(b)} and unused.grad is None


def test_a_straight_line_is_no_curve():
    x = torch.randn(100, 3, dtype=torch.float64)
    assert recurrence.crooked(x, 2 * x + 1) < 1e-25 < 0.5 < recurrence.crooked(x, x * x)


def test_walks_end_where_their_moves_lead():
    for walk in teacher_forcing.walks(50, seed=3):
        up, down = walk.source.count("+"), walk.source.count("-")
        assert teacher_forcing.RING[(up - down) % 8] == walk.target[-1]


def test_every_cut_of_a_bound_is_added_up_position_by_position():
    log_p = torch.randn(2, 4, 9).log_softmax(-1)
    log_p[1, 3] = 0.0  # behind the last position of the second row
    most = torch.tensor([3, 2])
    values = bound.cut_values(log_p[..., 4:].max(-1).values, log_p[..., 3], most, 1.0)
    assert bound.error(log_p, most, values) < 1e-5 < 0.01 < bound.error(log_p, most, values + 0.1)


def test_long_translations_share_all_words_but_the_third_and_short_ones_none():
    for short, *long in bound.PHRASES.values():
        one, other = (text.split() for text in long)
        assert [a == b for a, b in zip(one, other, strict=True)] == [True, True, False, True]
        assert len(short.split()) == 2 and not any(a == b for a, b in zip(short.split(), one, strict=False))


def test_two_translations_are_of_one_length_and_share_no_word_at_any_place():
    for one, other in two_answers.PHRASES.values():
        assert not any(a == b for a, b in zip(one.split(), other.split(), strict=True))
    assert two_answers.is_right("thank you", "vielen dank") and not two_answers.is_right("thank you", "vielen schön")


def test_a_decoder_without_positions_is_refused_and_says_what_to_set():
    assert "model.task.decoder.position sinusoidal" in no_positions.refusal()
    assert no_positions.variety(["aaa", "abca"]) == 3


def test_the_plane_keeps_distances_of_what_lies_in_a_plane():
    flat = torch.randn(9, 2, dtype=torch.float64) @ torch.randn(2, 6, dtype=torch.float64)
    places = torch.tensor([place for _, *place in vectors.on_a_plane([str(i) for i in range(9)], flat)])
    torch.testing.assert_close(vectors.distances(places.double()), vectors.distances(flat), rtol=1e-5, atol=1e-5)


# ---------------------------------------------------------------------------------------------------------- the drawing

PICTURES = [
    "words with <b> and [bold]",
    Claim("it is small", 0.5, 1.0),
    Claim("it is large", 0.5, 1.0, least=True),
    Table("numbers", ["", "n"], [["<one>", 1], ["two", 2.5]]),
    HeatMap("heat", [[0.0, 1.0], [0.5, 0.25]], ["a", "b"], ["c", "longer"]),
    Bars("amounts", [("much", 4.0), ("little", 1.0), ("none", 0)]),
    Curves("curves", [Line("one", [(1, 1.0), (5, 2.0)]), Line("other", [(1, 0.5)], "quiet")], "length"),
    Map("places", [("here", 0.0, 0.0), ("here too", 0.0, 0.0), ("机器", 1.0, 1.0)]),
]


def test_the_terminal_shows_everything_in_letters():
    shown = printed(*PICTURES)
    for word in ("words with <b> and [bold]", "<one>", "2.5", "longer", "much", "length 1", "机器", "here too"):
        assert word in shown
    assert re.search(r"PASS +it is small +0.5 +≤ 1", shown) and re.search(r"FAIL +it is large +0.5 +≥ 1", shown)
    much, little = (next(line for line in shown.splitlines() if name in line).count("█") for name in ("much", "little"))
    assert much == 4 * little
    dark = next(line for line in shown.splitlines() if line.strip().startswith("a "))
    assert dark.rstrip().endswith("█" * 7) and dark.count("█") == 7


def test_the_page_is_whole_and_asks_nothing_of_a_network():
    written = page([("one", "The <first> claim.", Findings(PICTURES)), ("two", "Other.", Findings(PICTURES[:2]))])
    read = Reader(written)
    assert read.problems == [] and "The <first> claim." in read.text and "1 of 3 claims do not hold" in read.text
    assert {section["id"] for section in read.of("section")} == {"one", "two"}
    assert not re.search(r"https?:|//|url\(|@import", re.sub(r"/\*.*?\*/", "", written))
    assert not read.of("script") and [link["href"] for link in read.of("link")] == ["data:,"]
    assert read.text.count("holds") == 2 and read.text.count("fails") == 1


def test_every_square_of_a_heat_map_tells_its_number():
    chart = heat_map([[0.0, 0.5]], [[0, 7]], ["row"], ["x", "y"], "heat")
    assert [rect["style"] for rect in Reader(chart).of("rect")] == ["fill:var(--wash)", "fill:var(--s7)"]
    assert "row, x: 0" in chart and "row, y: 0.5" in chart and not Reader(chart).problems


def test_shades_go_evenly_up_to_the_largest_number():
    assert HeatMap("", [[0, 0.1, 0.5, 1.0]]).shades() == [[0, 1, 4, 7]]
    assert HeatMap("", [[0.0, 0.0]]).shades() == [[0, 0]]


def test_names_on_a_map_do_not_stand_on_each_other():
    chart = map_chart([("word", 0.0, 0.0)] * 8 + [("far", 1.0, 1.0)], "map")
    heights = sorted(float(text["y"] or 0) for text in Reader(chart).of("text"))[1:]
    assert len(heights) == 8 and min(b - a for a, b in pairwise(heights)) >= 12
