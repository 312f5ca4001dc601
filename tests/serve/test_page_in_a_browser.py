"""The page as a person meets it: each function of it in a real browser, by mouse and by keyboard, and what axe says."""

import json
import math
import time

import pytest
from browsed import browser, chooser, opened, paths, texts
from served import serving

import graphs
import sounds
from headway.inspection.drawing import cells
from headway.predictor import Predictor
from headway.serve.edge import Door
from headway.serve.keys import Keys
from little import TINY, quick, tiny

pytestmark = pytest.mark.long
STEPS = TINY | {"training.steps": 3}


@pytest.fixture(scope="module")
def chromium():
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("page")
    quick(sounds.glides(made / "sounds"), made / "hears", settings=tiny("transduce", STEPS | {"training.tokens": 400}))
    quick(graphs.folder(made / "drawn", "classify"), made / "connects", settings=STEPS)
    return made


@pytest.fixture(scope="module")
def server(runs, folder):
    served = {"joint": runs("joint"), "tagger": runs("tag"), "judge": runs("classify")}
    served |= {"hears": folder / "hears", "connects": folder / "connects"}
    with serving(served, [runs.folder]) as made:
        yield made


@pytest.fixture
def at(chromium, server):
    with opened(chromium, server.port) as made:
        yield made


# ------------------------------------------------------------------------------------------------- asking and looking


def test_what_is_typed_is_answered_and_every_head_is_the_picture_of_python(at, runs):
    page = at.goto("#/ask?model=joint")
    at.ask("Text", "abcdef")
    predictor = Predictor(runs("joint"))
    view = predictor.inspect("abcdef")
    assert page.locator(".whole").inner_text() == (view.answer.text or "nothing")
    assert tuple(texts(page, ".piece span")) == view.answer.tokens
    for part in view.maps:
        chooser(page, "Part").select_option(part)
        for head in ("mean", "0", "1"):
            chooser(page, "Head").select_option(head)
            picture = view.picture(part, 0, None if head == "mean" else int(head))
            assert paths(page) == cells(picture.shades())
            assert page.locator(".told").inner_text() == f"all looked most at {picture.told()}"
    assert "input=abcdef" in page.url and len(view.answer.tokens) > 0


def test_tokens_are_shown_as_they_come(at):
    page = at.goto("#/ask?model=joint")
    streams = []
    page.on("response", lambda found: streams.append(found.headers["content-type"]))
    at.ask("Text", "abc")
    assert any(kind.startswith("text/event-stream") for kind in streams)
    chooser(page, "Mode").select_option("beam")
    page.get_by_label("Answers").fill("3")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("heading", name="Other answers").wait_for()
    assert page.locator(".others li").count() == 2


def test_a_piece_of_the_answer_shows_what_it_looked_at(at, runs):
    page = at.goto("#/ask?model=tagger")
    at.ask("Words", "ant bee cat")
    picture = Predictor(runs("tag")).inspect("ant bee cat").picture()
    page.locator(".piece").nth(1).click()
    assert page.locator(".piece").nth(1).get_attribute("aria-pressed") == "true"
    assert page.locator(".told").inner_text() == f"bee looked most at {picture.told(1)}"
    classes = [one.get_attribute("class") for one in page.locator(".words span").all()]
    assert classes == [f"s{shade}" for shade in picture.row_shades(1)]
    page.get_by_text("The same as a table of numbers").click()
    found = texts(page, "table.numbers tbody td")
    assert found == [f"{math.floor(1000 * weight + 0.5) / 1000:.3f}" for row in picture.values for weight in row]
    page.get_by_role("button", name="Another beside it").click()
    page.get_by_text("Every head").click()
    page.get_by_role("button", name="layer 0, head 1").click()
    view = Predictor(runs("tag")).inspect("ant bee cat")
    assert paths(page, 0) == cells(view.picture("encoder", 0, 1).shades())
    assert paths(page, 1) == cells(view.picture("encoder", 0, 0).shades())
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON").click()
    assert json.loads(saved.value.path().read_text())["maps"] == view.as_json()["maps"]


def test_by_keyboard_alone(at):
    page = at.goto("#/ask?model=tagger")
    page.get_by_label("Words").focus()
    page.keyboard.type("ant bee cat")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "piece":
            break
    page.keyboard.press("Enter")
    assert page.locator(".piece").first.get_attribute("aria-pressed") == "true"
    page.locator(".askers button").nth(1).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".piece").nth(1).get_attribute("aria-pressed") == "true"
    page.goto(f"{at.address}/#/ask?model=joint")
    page.reload()
    page.wait_for_selector("form")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_sound_is_dropped_and_seen(at, folder):
    page = at.goto("#/ask?model=hears")
    page.set_input_files("input[type=file]", folder / "sounds" / "sounds" / "0.wav")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".panel .spectrogram")
    view = Predictor(folder / "hears").inspect(str(folder / "sounds" / "sounds" / "0.wav"))
    assert page.locator(".whole").inner_text() == str(view.answer)
    assert paths(page) == cells(view.picture().shades())
    assert page.locator("audio").get_attribute("src").startswith("blob:")


def test_a_graph_is_drawn_by_mouse_and_by_keyboard(at, folder):
    page = at.goto("#/ask?model=connects")
    board = page.locator(".board").bounding_box()
    for x, y in ((0.2, 0.5), (0.5, 0.3)):
        page.mouse.click(board["x"] + x * board["width"], board["y"] + y * board["height"])
    chooser(page, "Node").select_option("N")
    page.get_by_role("button", name="Add a node").focus()
    page.keyboard.press("Enter")
    page.locator(".board .node").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.locator(".board .node").first.focus()
    page.keyboard.press("Enter")
    page.locator(".board .node").nth(2).focus()
    page.keyboard.press("Enter")
    assert "3 nodes, 3 edges" in page.locator(".drawn-graph").inner_text()
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".panel .graph")
    first = page.locator(".board .node").first.get_attribute("aria-label").split()[0]
    drawn = {"nodes": [first, first, "N"], "edges": [[0, 1], [1, 2], [0, 2]]}
    view = Predictor(folder / "connects").inspect(drawn)
    assert page.locator(".whole").inner_text() == str(view.answer) and paths(page) == cells(view.picture().shades())
    page.locator(".panel .node").nth(2).press("Enter")
    assert page.locator(".told").inner_text() == f"N looked most at {view.picture().told(2)}"


FOLLOWS = "What the output follows"


def signed(value):
    short = float(f"{value:.3g}")
    return f"{short:+.9f}".rstrip("0").rstrip(".").replace("-", "−") if short else "0"


def test_what_the_chosen_output_follows_stands_beside_where_it_looked(at, runs):
    pytest.importorskip("captum")
    page = at.goto("#/ask?model=tagger")
    at.ask("Words", "ant bee cat")
    view = Predictor(runs("tag")).inspect("ant bee cat", attributions=True)
    page.locator(".piece").nth(1).click()
    page.get_by_role("button", name=FOLLOWS).focus()
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name=FOLLOWS)
    group.locator(".told").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == FOLLOWS
    for number, found in ((1, view.attributions[1]), (2, view.attributions[2])):
        page.locator(".piece").nth(number).click() if number == 2 else None
        group.get_by_role(
            "heading", name=f"{FOLLOWS}: {view.answer.elements[number]} {view.outputs[number]}"
        ).wait_for()
        assert texts(group, "td.number") == [signed(value) for value in found.values]
        most = max(map(abs, found.values))
        sides = ["n" if value < 0 else "p" for value in found.values]
        levels = [min(3, int(4 * abs(value) / most)) for value in found.values]
        classes = [one.get_attribute("class") for one in group.locator(".words span").all()]
        assert classes == [f"{side}{level}" for side, level in zip(sides, levels, strict=True)]
        assert "Integrated gradients" in group.inner_text() and "sums to the difference up to" in group.inner_text()
    assert "Attention alone is not an explanation" in page.locator(".note").inner_text()
    chooser(page, "Output").select_option("0")
    group.get_by_role("heading", name=f"{FOLLOWS}: ant").wait_for()
    assert page.locator(".piece").first.get_attribute("aria-pressed") == "true"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON").click()
    kept = json.loads(saved.value.path().read_text())["attributions"]
    assert [one["of"] for one in kept] == [one.of for one in view.attributions]
    group.get_by_role("button", name="Close").click()
    assert group.count() == 0 and page.evaluate("document.activeElement.textContent") == FOLLOWS


def test_sounds_graphs_and_sequences_show_what_an_output_follows(at, folder):
    pytest.importorskip("captum")
    page = at.goto("#/ask?model=hears")
    page.set_input_files("input[type=file]", folder / "sounds" / "sounds" / "0.wav")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name=FOLLOWS).click()
    page.locator(".strip .p3, .strip .n3").first.wait_for(state="attached")
    page = at.goto("#/ask?model=connects")
    page.get_by_role("button", name="Add a node").click()
    page.get_by_role("button", name="Add a node").click()
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name=FOLLOWS).click()
    page.locator(".node.still").first.wait_for()
    assert page.locator(".node.still .below").count() == 2
    page = at.goto("#/ask?model=joint")
    at.ask("Text", "abcd")
    page.get_by_role("button", name=FOLLOWS).click()
    chooser(page, "Output").wait_for()
    assert "<end>" in texts(page, ".panel select option")[-1]
    chooser(page, "Output").select_option(str(chooser(page, "Output").locator("option").count() - 1))
    page.get_by_role("heading", name=f"{FOLLOWS}: <end>").wait_for()


def test_the_button_says_why_there_are_no_attributions(chromium, runs, monkeypatch):
    monkeypatch.setattr("headway.serve.describing.find_spec", lambda name: None)
    served = {"tagger": runs("tag"), "at_once": runs("at_once")}
    with serving(served) as server, opened(chromium, server.port) as at:
        page = at.goto("#/ask?model=tagger&input=ant")
        button = page.get_by_role("button", name=f"{FOLLOWS} (the server lacks captum: pip install 'headway[explain]')")
        button.wait_for()
        page = at.goto("#/ask?model=at_once&input=abc")
        other = page.get_by_role("button", name=f"{FOLLOWS} (only of what an autoregressive decoder writes)")
        other.wait_for()
        assert other.is_disabled()


# -------------------------------------------------------------------------------------------- walking, racing, watching


def test_one_head_is_walked_through_with_its_real_numbers(at, runs):
    page = at.goto("#/ask?model=joint")
    at.ask("Text", "abcd")
    chooser(page, "Head").select_option("1")
    page.get_by_role("button", name="Walk through this head").click()
    page.wait_for_selector(".vector")
    steps = Predictor(runs("joint")).computation("abcd", "cross", 0, 1)
    chooser(page, "Who asks (i)").select_option("1")
    chooser(page, "Who is asked (j)").select_option("2")

    def said(values):
        return [f"{value + 0.0:.3f}".replace("-", "−").replace("−0.000", "0.000") for value in values]

    vectors = [texts(page, f".walk .vector >> nth={n} >> li") for n in range(3)]
    assert vectors == [said(steps.q[1]), said(steps.k[2]), said(steps.v[2])]
    page.get_by_role("button", name="Next").click()
    (alpha,) = said([steps.scores[1, 2]])
    assert page.locator(".walk .formula").inner_text().endswith(alpha)
    assert texts(page, ".everyone tbody tr td:nth-child(3)") == said(steps.scores[1])
    page.get_by_role("button", name="Next").click()
    assert texts(page, ".everyone tbody tr td:nth-child(5)") == said(steps.weights[1])
    page.get_by_role("button", name="Next").click()
    assert texts(page, ".walk .vector li") == said(steps.output[1])
    assert page.get_by_role("button", name="Next").is_disabled()


def test_greedy_verify_and_nat_race_on_one_input(at, runs):
    page = at.goto("#/race")
    page.get_by_label("Text").fill("abcdef")
    page.get_by_role("button", name="Race").click()
    page.wait_for_selector(".lane .whole")
    predictor = Predictor(runs("joint"))
    modes = ("greedy", "verify", "nat")
    answers = [predictor.predict("abcdef", mode=mode, trace=True)[0] for mode in modes]
    assert texts(page, ".lane .whole") == [answer.text for answer in answers]
    kinds = [{decision.what for decision in answer.trace} for answer in answers]
    lanes = page.locator(".lane").all()
    for lane, answer, kind in zip(lanes, answers, kinds, strict=True):
        assert lane.locator(".chip").count() == len(answer.trace)
        assert {one.get_attribute("class").split()[1] for one in lane.locator(".chip").all()} == kind
    page.get_by_role("slider").fill("0")
    assert page.locator(".chip").count() == 0


def test_a_training_is_seen_while_it_runs(chromium, tmp_path):
    folder = tmp_path / "watched" / "first"
    folder.mkdir(parents=True)
    file = folder / "metrics.jsonl"
    file.write_text('{"event": "start", "step": 0, "steps": 40}\n')
    with serving({}, [tmp_path / "watched"]) as server, opened(chromium, server.port) as at:
        page = at.goto("")
        page.get_by_role("button", name="first").click()
        page.get_by_text("Nothing was measured yet.").wait_for()
        for step in range(1, 5):
            with open(file, "a") as log:
                log.write(json.dumps({"event": "step", "loss": 4 / step, "step": step}) + "\n")
                log.write(json.dumps({"event": "valid", "accuracy": step / 10, "best": True, "step": step}) + "\n")
        page.get_by_text("best 0.4 at update 4").wait_for()
        assert page.locator(".chart").count() == 2
        page.get_by_text("update 4 of 40").wait_for()
        line = page.locator(".chart .line.strong").first
        before = line.get_attribute("d")
        with open(file, "a") as log:
            log.write(json.dumps({"event": "valid", "accuracy": 0.9, "best": True, "step": 5}) + "\n")
        page.get_by_text("best 0.9 at update 5").wait_for()
        assert line.get_attribute("d") != before


def test_a_model_card(at, runs):
    page = at.goto("#/models?model=tagger")
    page.wait_for_selector(".pairs")
    results = json.loads((runs("tag") / "results.json").read_text())
    figures = [value for part in results["metrics"].values() for value in part.values()]
    found = [float(text) for text in texts(page, "tr.ours td.number")]
    assert found == pytest.approx(figures, abs=1e-3)
    assert page.get_by_role("heading", name="What it does not do").is_visible() and page.locator(".chart").count() >= 2


# ----------------------------------------------------------------------------------------------- everybody, everywhere


PLACES = {"ask": "#/ask?model=tagger&input=ant+bee+cat", "race": "#/race", "trainings": "#/trainings?run=tag-0",
          "models": "#/models?model=joint", "drawn": "#/ask?model=connects", "heard": "#/ask?model=hears"}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(language, look, chromium, server):
    locale = {"en": "en-US", "zh": "zh-CN"}[language]
    with opened(chromium, server.port, locale=locale, color_scheme=look) as at:
        for name, place in PLACES.items():
            page = at.goto(place)
            if name == "ask":
                page.wait_for_selector(".panel")
                page.locator(".piece").first.click()
                page.locator(".choosers select").nth(2).select_option("1")
                page.locator(".panel .row button").first.click()
                page.wait_for_selector(".vector")
                page.locator("button[aria-expanded]").click()
                page.wait_for_selector(".panel .told + .quiet")
                page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
                page.locator(".steps button").nth(1).click()
            if name == "race":
                page.locator("input[type=text]").fill("abc")
                page.locator("button.main").click()
                page.wait_for_selector(".lane .whole")
            if name in ("trainings", "models"):
                page.wait_for_selector(".chart")
            if name == "drawn":
                page.locator(".drawn-graph .row button").first.click()
            found = at.violations()
            assert not found, (name, found)
            assert page.evaluate("document.documentElement.lang").startswith(language)


def test_on_a_phone_nothing_stands_beside_the_screen(chromium, server):
    with opened(chromium, server.port, viewport={"width": 340, "height": 700}, has_touch=True) as at:
        for name, place in PLACES.items():
            page = at.goto(place)
            if name == "ask":
                page.wait_for_selector(".panel")
                page.locator(".piece").first.tap()
                page.locator("button[aria-expanded]").tap()
                page.wait_for_selector(".panel .told + .quiet")
            time.sleep(0.2)
            assert page.evaluate("document.documentElement.scrollWidth") <= 340, name


def test_in_chinese_and_in_the_dark_as_chosen(at):
    page = at.goto("#/ask?model=tagger")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    chooser(page, "Language").select_option("zh")
    chooser(page, "浅色或深色").select_option("dark")
    page.get_by_role("button", name="提问").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    page.get_by_role("button", name="提问").wait_for()


def test_what_is_typed_is_text_and_never_markup(at):
    page = at.goto("#/ask?model=tagger")
    at.ask("Words", "<img src=x onerror=alert(1)> <script>alert(2)</script>")
    assert page.locator("main img, main script").count() == 0
    assert "<img" in page.locator(".whole").inner_text()


def test_a_refusal_is_a_sentence(at):
    page = at.goto("#/ask?model=tagger")
    page.get_by_label("Words").fill("a " * 10_001)
    page.get_by_label("Words").press("Enter")
    assert "and one may have 20,000" in page.get_by_role("alert").inner_text()


def test_a_refusal_speaks_the_language_of_the_page_where_it_has_a_code(chromium, server):
    with opened(chromium, server.port, locale="zh-CN") as at:
        page = at.goto("#/ask?model=tagger")
        page.get_by_label("词，用空格隔开").fill("a " * 10_001)
        page.get_by_role("button", name="提问").click()
        assert page.get_by_role("alert").inner_text() == "第 1 个输入有 20,002 个字符，最多 20,000 个：请截短。"
        page = at.goto("#/ask?model=connects")
        page.get_by_label("或者写成 SMILES").fill("no molecule")
        page.get_by_role("button", name="提问").click()
        assert page.get_by_role("alert").inner_text().isascii()  # what is wrong with data is said by the server


def test_a_server_with_keys_is_asked_with_one(chromium, runs):
    door = Door(Keys({"ann": "k" * 20}), frozenset({"127.0.0.1"}))
    with serving({"tagger": runs("tag")}, door=door) as server, opened(chromium, server.port) as at:
        page = at.goto("#/ask")
        page.get_by_label("Key").fill("k" * 20)
        page.get_by_role("button", name="Use this key").click()
        at.ask("Words", "ant bee")
        assert page.locator(".piece").count() == 2
