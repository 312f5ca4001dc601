"""The page: whole, closed in itself, the same each time, small, and legible whatever a training came to."""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from findings_for import TASKS, events, findings

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.errors import RunError, Where
from headway.report import Findings, page, write_report
from headway.report.sections.results import summary
from pages import Reader

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b</p>'\"&"
MOST_BYTES = 1_500_000


def hostile(task: str) -> Findings:
    """Text that would break the page stands wherever text comes from outside."""
    if task == "tag":
        rows: list[tuple[Example, Answer]] = [
            (Example((HOSTILE, "b"), (HOSTILE, "x")), TagAnswer((HOSTILE, "b"), ("x", HOSTILE)))
        ]
    elif task == "classify":
        rows = [(Example(HOSTILE, HOSTILE), ClassifyAnswer((HOSTILE + "!",), 0.9))]
    elif task == "regress":
        rows = [(Example(HOSTILE, 1.0), RegressAnswer(2.0))]
    else:
        rows = [(Example(HOSTILE, HOSTILE + "a b"), TransduceAnswer("a b" + HOSTILE))]
    rows = [(replace(example, where=Where(HOSTILE, 7)), answer) for example, answer in rows * 9]
    return Findings(
        HOSTILE,
        task,
        metrics={"test": {HOSTILE: 0.5}},
        signatures={HOSTILE: HOSTILE},
        baselines={HOSTILE: {"test": {HOSTILE: 0.25}}},
        notes={HOSTILE: HOSTILE},
        events=[*events(), {"event": "valid", "step": 100, HOSTILE: 0.5, "best": True}],
        environment={
            "machine": {HOSTILE: HOSTILE, "processor": HOSTILE, "command": [HOSTILE]},
            "data": {"x": {HOSTILE: 1}},
        },
        settings=f"a: {HOSTILE} # {HOSTILE}",
        said=[HOSTILE],
        part=HOSTILE,
        examples=[example for example, _ in rows],
        answers=[answer for _, answer in rows],
    )


STATES = {
    **{task: findings(task) for task in TASKS},
    **{f"hostile {task}": hostile(task) for task in TASKS},
    "nothing": Findings("run", "tag"),
    "stopped": findings("classify", metrics={}, baselines={}, examples=(), answers=(), part=None, stopped=True),
    "no parts": findings("classify", metrics={}, examples=(), answers=(), counts={}, part=None, events=events()[:5]),
    "one answer": findings("transduce", 1),
    "right answers only": findings(
        "regress",
        examples=[Example("x", 1.0)] * 9,
        answers=[RegressAnswer(1.0)] * 9,
        metrics={"test": {"r2": float("nan")}},
    ),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", STATES)
def test_markup_is_whole_and_names_are_used_once(name: str):
    reader = Reader(page(STATES[name]))
    assert reader.problems == []
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [str(attributes["href"]) for attributes in reader.of("a")]
    assert links and all(link.removeprefix("#") in ids for link in links)
    labelled = [a["aria-labelledby"] for _, a in reader.elements if "aria-labelledby" in a]
    assert set(labelled) <= set(ids)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", STATES)
def test_nothing_is_asked_of_a_network_and_nothing_runs(name: str):
    text = page(STATES[name])
    reader = Reader(text)
    assert "http://" not in text and "https://" not in text and "url(" not in text and "@import" not in text
    for element, attributes in reader.elements:
        assert element not in ("script", "img", "iframe", "object", "embed", "form", "base")
        assert not any(name.startswith("on") or name in ("src", "srcset", "style", "action") for name in attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
    policy = [a["content"] for a in reader.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and str(policy[0]).startswith("default-src 'none'")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", STATES)
def test_everyone_can_read_it(name: str):
    reader = Reader(page(STATES[name]))
    assert reader.of("html")[0]["lang"] == "en" and len(reader.of("h1")) == len(reader.of("main")) == 1
    levels = [int(element[1]) for element, _ in reader.elements if re.fullmatch("h[1-6]", element)]
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    for svg in reader.of("svg"):
        assert (svg.get("role") == "img" and svg["aria-label"]) or svg.get("aria-hidden") == "true"
    assert all(cell.get("scope") in ("row", "col", "colgroup") for cell in reader.of("th"))
    for _, attributes in reader.elements:
        if "tabindex" in attributes and attributes.get("role") == "region":
            assert attributes["aria-label"]


@pytest.mark.parametrize("task", TASKS)
def test_text_from_outside_is_text(task: str):
    text = page(hostile(task))
    assert "<img" not in text and "\u202e" not in text and "\x1b" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;\\u202e\\x1b&lt;/p&gt;&#x27;&quot;&amp;" in text


@pytest.mark.parametrize("task", TASKS)
def test_the_same_findings_give_the_same_page(task: str):
    assert page(findings(task)) == page(findings(task))


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS)
def test_the_same_page_in_another_process(task: str):
    """Python hashes strings anew in every process, so an order that came from a set would differ."""
    code = (
        f"from findings_for import findings; from headway.report import page; print(hash(page(findings({task!r}))) * 0)"
    )
    code += f"; import hashlib; print(hashlib.sha256(page(findings({task!r})).encode()).hexdigest())"
    found = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


# ----------------------------------------------------------------------------------------------------- what it says


def test_the_first_sentence():
    values = {"test": {"accuracy": 0.9}}
    below, above = {"majority": {"test": {"accuracy": 0.5}}}, {"ngram": {"test": {"accuracy": 0.95}}}
    given = Findings("run", "classify", metrics=values, counts={"test": 1234}, part="test")
    assert summary(given) == "Accuracy is 90.00% on the test part of 1,234 examples."
    assert summary(replace(given, baselines=below)).endswith(
        "The best baseline, majority, has 50.00%: the model is 40.00 points better."
    )
    assert summary(replace(given, baselines=below | above)).endswith(
        "The best baseline, ngram, has 95.00%: the model is 5.00 points worse."
    )
    assert summary(replace(given, baselines={"same": values})).endswith("The best baseline, same, has 90.00%, too.")
    assert summary(replace(given, stopped=True, facts={"step": 7})) == (
        "Training was stopped at step 7, before its end. Nothing was measured; it can be resumed."
    )
    assert summary(Findings("run", "tag")) == "There was no valid and no test part, so nothing was measured."


def test_lower_is_better_for_errors():
    given = Findings("run", "regress", metrics={"valid": {"mae": 0.5}}, baselines={"mean": {"valid": {"mae": 2.0}}})
    assert summary(given) == (
        "Mean absolute error is 0.5000 on the valid part. The best baseline, mean, has 2.000: the model is 1.5 better."
    )
    text = page(given)
    assert '<td class="number"><strong>0.5000</strong></td>' in text and '<td class="number">2.000</td>' in text


def test_the_best_of_each_column_is_bold_and_equals_share_it():
    rows = {"a": {"test": {"accuracy": 0.80001}}, "b": {"test": {"accuracy": 0.7}}}
    text = page(Findings("run", "classify", metrics={"test": {"accuracy": 0.8}}, baselines=rows))
    assert text.count("<strong>80.00%</strong>") == 2 and '<td class="number">70.00%</td>' in text


def test_a_tagger():
    text = Reader(page(findings("tag"))).text
    for words in ("What is taken for what", "By label", "precision", "taken for", "labels wrong", "test.tsv:"):
        assert words in text
    assert "Spans by type" not in text
    wrong = '<span class="wrong"><span>cat</span><small><del>V</del> › <ins>N</ins></small></span>'
    example = Example(("the", "cat"), ("D", "N"))
    assert wrong in page(findings("tag", examples=[example], answers=[TagAnswer(("the", "cat"), ("D", "V"))]))


def test_a_classifier_shows_what_it_was_surest_of():
    examples = [Example(text, "good") for text in ("alpha", "beta", "gamma")]
    answers = [ClassifyAnswer((label,), score) for label, score in (("bad", 0.6), ("good", 0.99), ("bad", 0.98))]
    text = Reader(page(findings("classify", examples=examples, answers=answers))).text
    worst = text[text.index("The worst") :]
    assert worst.index("gamma") < worst.index("alpha") and "beta" not in worst[: worst.index("Made with")]
    assert "given bad with 98.0%, right is good" in worst and "2 of 2 answers that are not right" in worst


def test_numbers_have_a_scatter_plot():
    text = page(findings("regress", examples=[Example("x", 1.0)], answers=[RegressAnswer(3.5)]))
    assert "Scatter plot of the values given over the right values, 1 answer" in text
    assert "given 3.5 , right is 1 , 2.5 too high" in Reader(text).text


def test_sequences_show_where_they_differ():
    example = Example("nine", "N AY N", others=("N IY N EH",))
    text = page(findings("transduce", examples=[example], answers=[TransduceAnswer("N AY T")]))
    assert "N AY <del>T</del>" in text and "N AY <ins>N</ins>" in text and "1 phone edit from right" in text
    assert "nearest of 2" in text


def test_what_was_cut_says_so():
    example = Example(("word",) * 300, ("a",) * 300)
    text = Reader(page(findings("tag", examples=[example], answers=[TagAnswer(example.source, ("b",) * 300)]))).text
    assert "… 220 more elements, 220 of them wrong" in text
    long = Reader(page(findings("classify", examples=[Example("x" * 900, "a")], answers=[ClassifyAnswer(("b",), 0.5)])))
    assert "x" * 399 + "…" in long.text and "x" * 400 not in long.text


def test_chinese_is_marked_as_chinese():
    example = Example("这家酒店很好", "good")
    assert '<p class="text" dir="auto" lang="zh">这家酒店很好</p>' in page(
        findings("classify", examples=[example], answers=[ClassifyAnswer(("bad",), 0.5)])
    )


def test_the_curves_say_what_is_kept_and_how_much_was_looked_at():
    text = Reader(page(findings("classify", counts={"valid": 62, "test": 60}))).text
    assert "the step whose weights are kept: they had the best accuracy on the valid part" in text
    assert "During training 31 of the 62 valid examples were answered" in text and "best 100.00% at step 70" in text
    assert "During training" not in Reader(page(findings("classify"))).text


def test_how_to_go_on():
    assert "headway predict my_run --text" in page(findings("tag"))
    assert "headway predict my_run FILE" in page(findings("tag", asked="FILE")), "of a sound nobody types a text"
    odd = page(findings("tag", stopped=True, metrics={}))
    assert "headway train DATA --out my_run --resume" in odd and "headway predict" not in odd
    spaced = replace(findings("tag"), title="my run")
    assert "headway evaluate &#x27;my run&#x27; DATA" in page(spaced)


def test_settings_keep_their_lines_and_origins():
    text = page(findings("tag"))
    assert "model:\n<b>  layers: 2<i> # recipe tag</i></b>\n  width: 64</code>" in text


# ------------------------------------------------------------------------------------------------------------- size


def many(task: str, count: int, steps: int = 20_000) -> Findings:
    """As much of everything as there can be."""
    long = "&<x> " * 2000
    labels = [f"{number}{chr(39) * 300}" for number in range(300)]
    rows: list[tuple[Example, Answer]] = []
    for number in range(count):
        label, other = labels[number % 300], labels[(7 * number + 1) % 300]
        source = long if number % 1000 == 0 else f"a & b {number % 37 * 'c '}"
        if task == "tag":
            size = 400 if number % 1000 == 0 else 6
            words = ("\u202e",) * size
            rows.append((Example(words, (label,) * size), TagAnswer(words, (other,) * size)))
        elif task == "classify":
            rows.append((Example(source, label), ClassifyAnswer((other,), 0.9)))
        elif task == "regress":
            rows.append((Example(source, float(number)), RegressAnswer(number / 3)))
        else:
            rows.append((Example(source, "& < " * 9), TransduceAnswer("< & x " * 8 if number % 1000 else long)))
    examples, answers = [example for example, _ in rows], [answer for _, answer in rows]
    log = [{"event": "valid", "step": step, "loss": 1.0, "best": False, "bleu": step / 7} for step in range(1, steps)]
    more = {"events": [*events(steps), *log], "settings": "a: b # c\n" * 9000, "said": [long] * 500}
    return findings(task, examples=examples, answers=answers, metrics={"test": {"bleu": 1.0}}, baselines={}, **more)


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS)
def test_fifty_thousand_examples_give_a_page_that_can_be_mailed(task: str):
    text = page(many(task, 50_000))
    assert len(text.encode()) < MOST_BYTES and not Reader(text).problems


@pytest.mark.sampled(4)
@pytest.mark.parametrize("task", TASKS)
def test_the_page_of_many_examples_is_bounded(task: str):
    assert len(page(many(task, 2_000, 2_000)).encode()) < MOST_BYTES


# -------------------------------------------------------------------------------------------------------- the file


def test_the_file_is_whole_or_not_there(tmp_path: Path):
    path = tmp_path / "report.html"
    write_report(path, findings("tag"))
    assert path.read_text(encoding="utf-8") == page(findings("tag")) and [*tmp_path.iterdir()] == [path]
    with pytest.raises(RunError, match=r"report\.html could not be written"):
        write_report(tmp_path / "missing" / "report.html", findings("tag"))


# ------------------------------------------------------------------------------------------------------- the colours

CSS = resources.files("headway.report").joinpath("report.css").read_text(encoding="utf-8")


def colours(number: int) -> dict[str, str]:
    """The colours of the light (0) and the dark (1) page."""
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[number]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_text_has_the_contrast_of_level_aa(theme: int):
    of = colours(theme)
    on_paper = [(name, "paper") for name in ("ink", "soft", "main", "wrong", "right")]
    on_washes = [("soft", "wash"), ("ink", "wash"), ("ink", "wrong-wash"), ("ink", "right-wash")]
    on_shades = [("on-light" if level < 6 else "on-dark", f"s{level}") for level in range(1, 8)]
    for text, ground in [*on_paper, *on_washes, *on_shades]:
        assert contrast(of[text], of[ground]) >= 4.5, (text, ground)
    assert contrast(of["quiet"], of["paper"]) >= 3 and contrast(of["main"], of["paper"]) >= 3


@pytest.mark.parametrize("theme", [0, 1])
def test_shades_go_one_way(theme: int):
    of = colours(theme)
    steps = [contrast(of[f"s{level}"], of["paper"]) for level in range(1, 8)]
    assert steps == sorted(steps) and all(b / a > 1.04 for a, b in itertools.pairwise(steps))


@pytest.mark.long
def test_every_class_of_the_style_sheet_is_used():
    spans = Example(("Li", "Wei"), ("B-PER", "I-PER"))
    more = [findings("tag", examples=[spans], answers=[TagAnswer(("Li", "Wei"), ("O", "O"))])]
    more.append(many("classify", 300, 100))
    used = set()
    for state in [*STATES.values(), *more]:
        for _, attributes in Reader(page(state)).elements:
            used |= set((attributes.get("class") or "").split())
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}|/\*.*?\*/", " ", CSS)))
    assert styled - {f"s{level}" for level in range(1, 8)} <= used


def test_both_themes_have_the_same_colours():
    assert colours(0).keys() == colours(1).keys()
