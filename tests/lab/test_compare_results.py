"""What a comparison says, from right and wrong answers that are given: table, verdict, Markdown, page."""

import json
import re
from html.parser import HTMLParser
from importlib import resources

import pytest

from compared import comparison, some
from headway.errors import RunError
from headway.lab.compare.results import results_of
from headway.lab.compare.table import table
from headway.lab.compare.verdict import apart, verdict
from headway.lab.compare.writing import write_results

NEARLY = {0: some([1]), 1: some([2])}
"""Two seeds, each with one mistake in 40."""
CLEARLY = {0: some(range(20, 32)), 1: some(range(20, 33))}
"""Twelve and thirteen mistakes."""
TURNED = {0: some(range(20, 38)), 1: some([])}
"""Eighteen mistakes, and none: larger than items explain, and of two signs beside NEARLY."""


def said(folder, right, **more) -> str:
    return " ".join(verdict(results_of(comparison(folder / "out", right, **more))))


def test_a_difference_larger_than_chance_is_named_with_the_number_of_comparisons(tmp_path):
    told = said(tmp_path, {"attention": CLEARLY, "convolution": NEARLY})
    assert "The best accuracy has convolution: 97.50% on the test part." in told
    assert "It is better than attention by 28.75 points: more than chance." in told
    assert "1 comparison by paired bootstrap over 40 items (2,000 resamples), the probability" in told


def test_a_difference_that_can_be_chance_is_called_so(tmp_path):
    told = said(tmp_path, {"a": {0: some([1, 2]), 1: some([1, 2])}, "b": NEARLY})
    assert "That it is better than a (2.50 points) can be chance." in told


def test_what_differs_by_items_and_not_for_every_seed_is_not_more_than_chance(tmp_path):
    told = said(tmp_path, {"a": TURNED, "b": NEARLY})
    assert "better than a (20.00 points) can be chance: for a it is larger than the choice of test items" in told
    pair = results_of(tmp_path / "out").pairs[0]
    assert pair.beyond_items and not pair.every_seed and not pair.holds


def test_what_is_equal_is_called_equal(tmp_path):
    told = said(tmp_path, {"a": NEARLY, "b": NEARLY, "c": CLEARLY})
    assert "The best accuracy has a" in told and "b is exactly as good." in told
    assert "Among the others, b is better than c by 28.75 points: more than chance." in told
    assert "3 comparisons" in told and "p-values adjusted for that number by Holm" in told


def test_cells_that_are_missing_or_diverged_are_said(tmp_path):
    told = said(tmp_path, {"a": {0: some([1])}, "b": {0: some([2]), 1: "the loss is nan"}, "c": {}})
    assert "So far 3 of 6 cells are finished" in told and "b, seed 1, is left out: the loss is nan." in told
    assert said(tmp_path / "more", {"a": {}, "b": {}}) == "Nothing is finished yet: 0 of 4 cells."


def test_one_seed_tells_nothing_of_seeds(tmp_path):
    assert "With one seed it is not known" in said(tmp_path, {"a": {0: some([1])}, "b": {0: some([2])}}, seeds=[0])


def test_pairs_use_the_seeds_that_both_have(tmp_path):
    results = results_of(comparison(tmp_path / "out", {"a": {0: some([1])}, "b": NEARLY}))
    assert results.pairs[0].by_seed == (0.0,) and results.arms[1].metrics["accuracy"].by_seed == (0.975, 0.975)


def test_apart_is_in_points_with_a_true_minus():
    assert apart("accuracy", -0.0123) == "1.23 points" and apart("accuracy", -0.0123, sign=True) == "−1.23"
    assert apart("bleu", 1.234, sign=True) == "+1.23"


def test_the_table_has_what_was_reached_and_what_it_took(tmp_path):
    found = table(results_of(comparison(tmp_path / "out", {"attention": CLEARLY, "convolution": NEARLY})))
    assert found.columns[: found.costs] == ("accuracy", "95 % interval", "over seeds", "from the first arm")
    first, second, baseline = found.rows
    assert (first.best, second.best, baseline.baseline) == (False, True, True)
    assert first.cells[0] == "68.75%" and first.cells[2] == "67.50 … 70.00%" and first.cells[3] == "–"
    assert second.cells[3].startswith("+28.75 (+") and second.cells[3].endswith(")*")
    told = ("1,000", "6.50 million", "2,500", "1 min 6 s", "302 MB", "12", "9")
    assert first.cells[4:] == told and baseline.cells[0] == "25.00%" and set(baseline.cells[1:]) == {"–"}


GOLDEN = """\
# model.encoder.mixer

The best accuracy has b\\|c: 97.50% on the test part.
That it is better than a (2.50 points) can be chance.
More than chance means: 1 comparison by paired bootstrap over 40 items (2,000 resamples), the probability of even \
one false finding below 5%, and the same sign for both seeds.

| arm | accuracy | 95 % interval | over seeds | from the first arm | parameters | FLOPs a token | tokens/s | seconds \
| peak memory | updates | best after |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| a | 95.00% | 87.50 … 100.00% | 95.00% | – | 1,000 | 6.50 million | 2,500 | 1 min 6 s | 302 MB | 12 | 9 |
| b\\|c | **97.50%** | 93.75 … 100.00% | 97.50% | +2.50 (+0.00 … +6.25) | 1,000 | 6.50 million | 2,500 | 1 min 6 s \
| 303 MB | 12 | 10 |
| *majority* | 25.00% | – | – | – | – | – | – | – | – | – | – |

The interval is over the items of the test part (bootstrap, mean of the seeds); over seeds, the lowest and the \
highest; from the first arm, the difference with its 95 % interval (paired bootstrap), * where it is larger than \
chance. FLOPs are for training, forward and back; time and updates are means over seeds, memory is the most.

Learning rates tried, by the valid part:

| arm | × 0.5 | × 1 |
|---|---:|---:|
| a | – | **90.00%** |
| b\\|c | – | **90.00%** |

- the first
- and the second
- accuracy\\|version:0
- FLOPs: counted

```
headway compare news --axis model.encoder.mixer=a,b
```
"""
LADDER = [{"factor": 0.5, "rate": 0.002, "value": None}, {"factor": 1.0, "rate": 0.004, "value": 0.9}]


def test_the_markdown_is_exactly_this(tmp_path):
    right = {"a": {0: some([1, 2]), 1: some([1, 2])}, "b|c": NEARLY}
    write_results(results_of(comparison(tmp_path / "out", right, ladder=LADDER)))
    assert (tmp_path / "out" / "compare.md").read_text(encoding="utf-8") == GOLDEN


class Whole(HTMLParser):
    """Complains of elements that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nothing_of_a_network(tmp_path):
    arms = {"a": CLEARLY, "<b>": NEARLY, "c": NEARLY}
    write_results(results_of(comparison(tmp_path / "out", arms, ladder=LADDER)))
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    read = Whole()
    read.feed(page)
    assert not read.open and "script" not in read.seen and read.seen.count("svg") == 3
    assert "http" not in page.replace("http-equiv", "") and "&lt;b&gt;" in page and "<b>attention" not in page
    for title in ("Results", "What it took", "Over time", "By length", "Every pair", "Learning rates", "Made with"):
        assert f">{title}<" in page


def test_a_page_before_anything_is_finished(tmp_path):
    write_results(results_of(comparison(tmp_path / "out", {"a": {}, "b": {}})))
    assert "Nothing is finished yet" in (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")


def test_the_json_has_everything(tmp_path):
    write_results(results_of(comparison(tmp_path / "out", {"a": CLEARLY, "b": NEARLY})))
    told = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))
    assert told["best"] == "b" and told["pairs"][0]["holds"] and len(told["cells"]) == 4
    assert told["arms"][0]["metrics"]["accuracy"]["mean"] == 0.6875
    assert told["arms"][0]["facts"]["peak_memory"] == 302_000_000


def test_a_folder_that_holds_no_comparison(tmp_path):
    with pytest.raises(RunError, match="holds no comparison"):
        results_of(tmp_path)
    (tmp_path / "plan.json").write_text("[]")
    with pytest.raises(RunError, match="is no plan of a comparison"):
        results_of(tmp_path)


def test_every_class_of_the_style_sheet_is_used(tmp_path):
    arms = {f"arm{n}": NEARLY for n in range(8)}
    write_results(results_of(comparison(tmp_path / "out", arms)))
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    style = resources.files("headway.lab.compare").joinpath("compare.css").read_text(encoding="utf-8")
    used = {name for words in re.findall(r'class="([^"]*)"', page) for name in words.split()}
    assert style in page and set(re.findall(r"\.([a-z]\w*)", style)) - {"css", "html"} <= used
