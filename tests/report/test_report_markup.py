"""Markup is whole whatever it holds."""

from hypothesis import given
from hypothesis import strategies as st

from headway.report.markup import NEW_LINE, Html, cut, escape, join, tag, visible
from pages import Reader

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202e\u2066\x00\x1b[31m\ud800</td></script>"


def test_elements():
    assert tag("td", "a < b", 3, class_="number") == '<td class="number">a &lt; b3</td>'
    assert tag("th", tag("b", "x"), None, scope="row") == '<th scope="row"><b>x</b></th>'
    assert tag("ul", [tag("li", n) for n in (1, 2)], (tag("li", 3),)) == "<ul><li>1</li><li>2</li><li>3</li></ul>"
    assert tag("p", (c for c in "ab")) == "<p>ab</p>"


def test_attributes():
    assert tag("rect", x=0, aria_hidden="true", hidden=None, inert=False) == '<rect x="0" aria-hidden="true"/>'
    assert tag("details", open=True) == "<details open></details>"
    assert tag("meta", http_equiv="a", content="'\"") == '<meta http-equiv="a" content="&#x27;&quot;"/>'


def test_markup_is_not_escaped_again_and_text_always_is():
    once = tag("b", "&")
    assert tag("p", once) == "<p><b>&amp;</b></p>"
    assert join(["<", Html("<br/>")], " & ") == "&lt; &amp; <br/>"
    assert join(["a", "b"], NEW_LINE) == "a\nb"


def test_text_that_would_break_out_is_only_text():
    shown = tag("p", HOSTILE, title=HOSTILE)
    reader = Reader(shown)
    assert [name for name, _ in reader.elements] == ["p"] and not reader.problems
    assert "<img" not in shown and "onerror=alert(1)&gt;" in shown
    assert "\u202e" not in shown and "\\u202e" in shown and "\\x1b[31m" in shown and "\\ud800" in shown
    shown.encode()


def test_what_is_hidden_is_spelled_out_and_what_joins_stays():
    assert visible("plain 北京 😀") == "plain 北京 😀"
    assert visible("a\tb\r\nc\u3000d\u00a0e\u2028f") == "a b  c d e f"
    assert visible("\u202e\u2066\u200b\ufeff\x07") == "\\u202e\\u2066\\u200b\\ufeff\\x07"
    assert visible("👩\u200d🔬 می\u200cخواهم") == "👩\u200d🔬 می\u200cخواهم"


@given(st.text())
def test_any_text_comes_back_as_its_visible_form(text: str):
    reader = Reader(tag("p", escape(text)))
    assert "".join(reader.texts) == visible(text) and not reader.problems


def test_long_texts_are_cut():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("abcd   efg", 6) == "abcd…"
    assert len(cut("北" * 1000)) == 400 and len(cut("\u202e" * 1000)) == 400
