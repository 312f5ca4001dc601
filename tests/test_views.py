"""One view, the same picture in a terminal, a page, a notebook, a figure and what a server sends."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import headway
from comparing import close
from headway.cli._looking import looked
from headway.cli._pictures import SHADES
from headway.errors import UsageError
from headway.functional.attention import scaled_dot, softmax, split_heads
from headway.inspection import AttentionMap, View
from headway.inspection.drawing import cells
from headway.inspection.scenes import laid_out
from headway.inspection.view import NOTE
from pages import Reader
from seen import VIEWS, hears, tags, writes


def printed(view: View, width: int = 90, **chosen) -> str:
    console = Console(width=width, force_terminal=False, color_system=None, highlight=False)
    with console.capture() as found:
        console.print(looked(view, view.picture(**chosen), width), soft_wrap=True)
    return found.get()


def drawn(page: str, part: str) -> list[str]:
    """The paths of the heat map of a part of a page, shade by shade."""
    panel = page[page.index(f'data-part="{part}"') :]
    table = panel[panel.index('class="cells"') :]
    return re.findall(r'<path class="c\d" d="([^"]*)"', table)[:7]


# ------------------------------------------------------------------------------------------------ one look, four places


TERMINAL = """\
abc
→ x

cross, layer 0, mean of 2 heads: what is written looks at the input
      a b c
    x ████
<end> ▒▒░░██

looked most at
  x      a 0.500   b 0.500
  <end>  c 0.500   a 0.313   b 0.188

it has none
what token 1: x follows
  integrated gradients: -1 without any of the input, -0.75 with it
  a    0.5  ████████████████████████
  b  -0.25  ▒▒▒▒▒▒▒▒▒▒▒▒
  c      0

how it was decided
     step  written      p  instead
        0  x        0.750  y 0.250
        1  <end>    0.500
"""
PATHS = ["", "", "M1 1h1v1h-1z", "", "M0 1h1v1h-1z", "", "M0 0h2v1h-2zM2 1h1v1h-1z"]


def test_the_picture_in_a_terminal():
    lines = [line.rstrip() for line in printed(writes()).splitlines()]
    assert "\n".join(lines).startswith("\n".join(line.rstrip() for line in TERMINAL.splitlines()))
    assert lines[-1] == NOTE


def test_the_same_picture_on_a_page_in_a_notebook_and_from_what_a_server_sends():
    view = writes()
    page, frame = view.html(), view._repr_html_()
    sent = View.read(json.loads(json.dumps(view.as_json())))
    assert drawn(page, "cross") == PATHS == cells(view.picture().shades())
    (inside,) = re.findall(r'<iframe srcdoc="([^"]*)"', frame)
    assert html.unescape(inside) == page
    assert sent.html() == page and printed(sent) == printed(view)


@pytest.mark.parametrize("name", VIEWS)
def test_every_head_of_every_view_has_one_picture(name):
    view = VIEWS[name]()
    sent = View.read(json.loads(json.dumps(view.as_json())))
    assert sent.as_json() == view.as_json() and sent.html() == view.html()
    for part, found in view.maps.items():
        assert drawn(view.html(), part) == cells(view.picture(part).shades())
        for layer in found.layers:
            for head in (None, *found.heads):
                one, other = view.picture(part, layer, head), sent.picture(part, layer, head)
                assert one.title == other.title and np.array_equal(one.values, other.values)
                for row, shades in zip(one.rows, one.shades(), strict=True):
                    letters = "".join(SHADES[shade] * 2 for shade in shades).rstrip()
                    assert f"{row} {letters}" in printed(view, part=part, layer=layer, head=head)


@pytest.mark.long
def test_a_figure_has_the_same_shades():
    pytest.importorskip("matplotlib")
    for view, axes in ((writes(), 1), (hears(), 2)):
        figure = view.figure()
        image = figure.axes[-1].images[0].get_array()
        assert len(figure.axes) == axes and np.array_equal(image, view.picture().shades())
        names = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
        assert names == list(view.picture().rows) and figure.get_suptitle() == view.picture().title


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="the script of the page runs in a browser")
@pytest.mark.parametrize("head", ["mean", "0", "1"])
def test_the_script_draws_what_python_draws(tmp_path, head):
    view, page = writes(), tmp_path / "page.html"
    chosen = view.html().replace(f'<option value="{head}">', f'<option value="{head}" selected="">')
    page.write_text(chosen)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    picture = view.picture(head=None if head == "mean" else int(head))
    assert drawn(seen, "cross") == cells(picture.shades())
    text = Reader(seen.replace("<!DOCTYPE html>", "")).text
    assert picture.title in text and f"all looked most at {picture.told()}" in text
    words = re.findall(r'<span class="s(\d)" data-column', seen[seen.index('data-part="cross"') :])
    assert list(map(int, words))[:3] == picture.row_shades() and 'class="choosers">' in seen


# --------------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("engine", ["definition", "matmul", "fused", "blockwise", "auto"])
def test_what_is_shown_is_the_definition_whichever_engine_answers(runs, engine):
    """Through the JSON that every place draws from; the layer's own input is caught on the way."""
    run = headway.load(runs("transduce"))
    stack = run.model.task.decoder.stack.blocks
    layers = {"encoder": run.model.encoder.blocks[0].mixer, "decoder": stack[0].mixer, "cross": stack[0].cross}
    run.model.requires_grad_(False)
    caught = {}
    for name, layer in layers.items():
        layer.engine = engine
        layer.register_forward_pre_hook(lambda _, given, name=name: caught.__setitem__(name, given))
    told = run.inspect("hgfedcb", target="bcdefgh").as_json()
    for each in told["maps"]:
        assert each["layers"] == [0]
        layer, (x, look, *rest) = layers[each["part"]], caught[each["part"]]
        asked = rest[1] if len(rest) > 1 and rest[1] is not None else x
        q, k = split_heads(layer.query(x), layer.heads), split_heads(layer.key(asked), layer.heads)
        if look.position is not None:
            q, k = look.position.turn(q), look.position.turn(k)
        expected = softmax(scaled_dot(q, k), look.mask.table(q.shape[2], k.shape[2]))[0]
        close(torch.tensor(each["weights"][0]), expected[:, : len(each["asking"])].detach(), 1e-5)


def test_a_view_is_of_the_runs_own_answer(runs):
    writer, judge, tagger = (headway.load(runs(asked)) for asked in ("transduce", "classify", "tag"))
    view = writer.inspect("abcd")
    (answer,) = writer.predict("abcd", trace=True, scores=True)
    assert view.answer == answer and view.trace == answer.trace and view.part == "cross"
    assert writer.inspect("abcd", target="hh").outputs == ("h", "h") and not writer.inspect("abcd", target="hh").trace
    assert judge.inspect("ant good").outputs == (str(judge.predict("ant good")[0]),)
    assert tagger.inspect("ant bee").outputs == tagger.predict("ant bee")[0].labels
    at_once = headway.load(runs("at_once")).inspect("abc")
    assert list(at_once.maps) == ["encoder"] and "autoregressive decoder" in at_once.missing["cross"]
    one = writer.inspect("abcd", layers=0, heads=[1])
    assert np.array_equal(one.picture(head=1).values, view.picture(head=1).values)


def test_what_there_is_not_is_refused_in_words(runs):
    view = writes()
    for chosen, message in [
        ({"part": "decoder"}, "it has none"),
        ({"part": "crss"}, r"no part of the model called 'crss'; .*Did you mean 'cross'\?"),
        ({"layer": 3}, "there is no layer 3 in this view: it has 0"),
        ({"head": -1}, "there is no head -1 in this view: it has 0, 1"),
    ]:
        with pytest.raises(UsageError, match=message):
            view.picture(**chosen)
    tagger = headway.load(runs("tag"))
    with pytest.raises(UsageError, match="there is no layer 7: they are numbered 0 to 0"):
        tagger.inspect("ant", layers=7)
    with pytest.raises(UsageError, match="a given target needs a run that writes"):
        tagger.inspect("ant", target="x")
    large = AttentionMap(np.zeros((2, 2, 700, 700), np.float32), ("a",) * 700, ("a",) * 700, (0, 1), (0, 1))
    with pytest.raises(UsageError, match="a page of 1,960,000 weights would be too large"):
        View("tag", "text", "a", tags().answer, {"encoder": large}).html()


@given(
    st.lists(st.lists(st.floats(0, 4, width=32), min_size=3, max_size=3), min_size=1, max_size=4),
    st.text(min_size=1, max_size=9),
)
def test_any_weights_and_names_come_back_and_break_no_page(rows, name):
    weights = np.array([[rows]], np.float32)
    names = tuple(f"{name}{n}" for n in range(len(rows)))
    found = AttentionMap(weights, names, (name,) * 3, (0,), (0,))
    view = View("tag", "text", name, tags().answer, {"encoder": found})
    sent = View.read(json.loads(json.dumps(view.as_json())))
    assert sent.as_json() == view.as_json()
    assert np.abs(sent.maps["encoder"].weights - weights).max() <= 1e-6
    assert not Reader(view.html()).problems
    assert "\x1b" not in printed(view)


# -------------------------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize("name", VIEWS)
def test_pages_are_whole_ask_no_network_and_run_one_script(name):
    page = VIEWS[name]().html()
    read = Reader(page)
    assert not read.problems and NOTE in read.text
    assert not re.findall(r"(?:src|href)=\"(?!#|data:,)", page) and "@import" not in page and "url(" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    data, script = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in page and json.loads(data)["note"] == NOTE
    assert all(
        svg.get("role") == "img" and svg.get("aria-label") for svg in read.of("svg") if "bar" not in svg["class"]
    )
    assert len([button for button in read.of("button") if button["aria-pressed"] == "true"]) == len(
        json.loads(data)["maps"]
    )


def test_nothing_in_an_input_becomes_markup():
    bad = '</script><script>alert(1)</script> "><b>'
    page = tags(bad, ("<i>", "&amp;")).html()
    assert len(re.findall(r"<script", page)) == 2 and "<b>" not in page.replace("<b>tag</b>", "")
    (told,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert json.loads(told)["source"] == bad and json.loads(told)["outputs"] == ["<i>", "&amp;"]


def test_long_inputs_are_put_together_in_a_terminal():
    names = tuple(f"w{n}" for n in range(200))
    weights = np.eye(200, dtype=np.float32)[None, None]
    view = View("tag", "text", "long", tags().answer, {"encoder": AttentionMap(weights, names, names, (0,), (0,))})
    lines = printed(view, 80).splitlines()
    assert "a cell is the mean of 5 × 6 weights" in lines and "  … and 160 more: --json or --html has them all" in lines
    assert max(map(len, lines[: lines.index("looked most at")])) <= 80


# ------------------------------------------------------------------------------------------------- sounds and graphs


def test_graphs_are_laid_out_the_same_every_time_neighbours_near():
    pairs = np.array([[n, (n + 1) % 8] for n in range(8)], np.int32)
    one = laid_out(8, pairs)
    assert np.array_equal(one, laid_out(8, pairs)) and one.min() == 0 and one.max() == 1
    apart = np.linalg.norm(one[:, None] - one[None], axis=-1)
    near = apart[pairs[:, 0], pairs[:, 1]]
    assert near.max() < np.median(apart[np.triu_indices(8, 1)]) and near.min() > 0.05
    assert laid_out(1, np.zeros((0, 2), np.int32)).tolist() == [[0.5, 0.5]]
    assert laid_out(0, np.zeros((0, 2), np.int32)).shape == (0, 2)


def test_a_graph_is_drawn_with_edges_as_thick_as_its_ends_look_at_each_other():
    page = VIEWS["connects"]().html()
    widths = re.findall(r'<title>C – N: ([\d.]+)</title><line stroke-width="([\d.]+)"', page)
    assert widths == [("0.375", "9.00")]  # (0.5 + 0.25) / 2, the thickest
    assert re.findall(r'<title>N – O: ([\d.]+)</title><line stroke-width="([\d.]+)"', page) == [("0.125", "3.67")]
    assert page.count('class="node w') == 3 and "●" in printed(VIEWS["connects"]())


def test_a_sound_stands_over_its_frames():
    page = hears().html()
    assert 'class="spectrogram"' in page and 'class="strip"' in page and "0.04 s" in page
    assert Path(headway.__file__).parent.joinpath("inspection", "page.js").is_file()
