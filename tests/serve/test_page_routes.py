"""What the server sends for its page, and what the page asks it: cards, figures, one head by its numbers."""

import gzip
import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from served import sentence, serving

from comparing import close
from headway.cli.inspect import _fitting
from headway.errors import UsageError
from headway.inspection import View
from headway.predictor import Predictor
from headway.serve import page
from seen import writes

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="module")
def server(runs):
    with serving({"joint": runs("joint"), "tagger": runs("tag")}) as made:
        yield made


def test_only_the_files_of_the_page_are_sent_each_as_what_it_is(server):
    get = server.http.get
    for name, kind in page.FILES.items():
        found = get("/" if name == "index.html" else f"/{name}")
        assert found.content == (page.FOLDER / name).read_bytes() and found.headers["content-type"] == kind
        assert get(found.url.path, headers={"if-none-match": found.headers["etag"]}).status_code == 304
    assert {path.name for path in page.FOLDER.iterdir()} == set(page.FILES)
    for path in ("/index.html", "/page.py", "/page/page.js", "/app.py", "/page.js%00", "/Page.js"):
        assert sentence(get(path), 404)


def test_the_page_asks_nothing_of_any_network_and_is_light():
    texts = {name: (page.FOLDER / name).read_text(encoding="utf-8") for name in page.FILES}
    assert sum(len(gzip.compress(text.encode())) for text in texts.values()) < 350_000
    index = texts["index.html"]
    assert (
        "<style" not in index and "style=" not in index and index.count("<script") == 1 and 'src="./page.js"' in index
    )
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"}
    for text in texts.values():
        for rest in text.replace("https:", "http:").split("http:")[1:]:
            assert any(f"http:{rest}".startswith(name) for name in names), rest[:60]
    assert "url(" not in texts["page.css"] and "@import" not in texts["page.css"]
    assert not [path for path in (WEB / "src").rglob("*.ts*") if "innerhtml" in path.read_text("utf-8").lower()]


def test_without_a_built_page_it_says_what_there_is_to_ask(server, tmp_path):
    (route,) = page.routes(server.house, tmp_path).routes
    assert getattr(route, "path", "") == "/"
    assert b"POST /v1/predict" in page._plain(server.house) and b"joint" in page._plain(server.house)


def test_a_model_says_what_its_page_draws(server):
    joint, tagger = server.http.get("/v1/models").json()["models"]
    assert joint["parts"] == {part: {"layers": 1, "heads": 2} for part in ("encoder", "decoder", "cross")}
    assert list(tagger["parts"]) == ["encoder"] and joint["graph"] is tagger["graph"] is None


def test_a_card_has_the_figures_of_the_run_and_no_path(server, runs):
    card = server.http.get("/v1/models/joint/card").json()
    results = json.loads((runs("joint") / "results.json").read_text())
    assert card["metrics"] == results["metrics"] and card["signatures"] == results["signatures"]
    assert card["model"] == server.http.get("/v1/models").json()["models"][0]
    assert card["settings"]["model"]["encoder"]["width"] == 16 and card["data"]["format"] == "tsv"
    assert card["machine"]["packages"]["torch"] and "command" not in card["machine"]
    assert str(runs.folder) not in json.dumps(card) and "/" not in json.dumps(card["settings"])
    assert "Did you mean 'joint'" in sentence(server.http.get("/v1/models/jiont/card"), 404)


def test_what_a_training_measured_is_told_from_its_beginning_or_from_a_place(server, runs):
    told = server.http.get("/v1/models/joint/metrics").json()
    lines = (runs("joint") / "metrics.jsonl").read_text().splitlines()
    assert [json.dumps(event) for event in told["events"]] == lines and not told["more"]
    again = server.http.get("/v1/models/joint/metrics", params={"after": told["after"]}).json()
    assert again["events"] == [] and not again["restarted"]


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_one_head_by_its_numbers_is_what_the_lecture_computes(part, server, runs):
    asked = {"attention": True, "layers": [0], "heads": [1], "computation": part, "model": "joint"}
    (answer,) = server.answers(["abcde"], **asked)
    steps = answer["computation"]
    of = {name: np.array(steps[name]) for name in ("x", "memory", "q", "k", "v", "scores", "weights", "output")}
    layer = Predictor(runs("joint")).model
    block = layer.encoder.blocks[0] if part == "encoder" else layer.task.decoder.stack.blocks[0]
    mixer = block.cross if part == "cross" else block.mixer
    own = slice(mixer.head_size, 2 * mixer.head_size)
    for name, matrix, given in (("q", mixer.query, "x"), ("k", mixer.key, "memory"), ("v", mixer.value, "memory")):
        weight, bias = matrix.weight[own].detach().numpy(), matrix.bias[own].detach().numpy()
        close(of[given] @ weight.T + bias, of[name], 1e-4)
    q, k = (np.array(steps["compared"][name]) for name in "qk") if steps["compared"] else (of["q"], of["k"])
    assert (steps["compared"] is None) == (part == "cross")  # rotary turns what is of one sequence
    close(q @ k.T / np.sqrt(mixer.head_size), of["scores"], 1e-4)
    scores = of["scores"] if steps["allowed"] is None else np.where(steps["allowed"], of["scores"], -np.inf)
    assert (steps["allowed"] is None) == (part != "decoder")
    raised = np.exp(scores - scores.max(1, keepdims=True))
    close(raised / raised.sum(1, keepdims=True), of["weights"], 1e-4)
    close(of["weights"] @ of["v"], of["output"], 1e-4)
    (seen,) = (one for one in answer["view"]["maps"] if one["part"] == part)
    assert seen["asking"] == steps["asking"] and seen["asked"] == steps["asked"]
    close(np.array(seen["weights"])[0, 0], of["weights"], 1e-5)
    assert (steps["score"], steps["normalizer"]) == ("scaled_dot", "softmax")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"computation": "cross"}, "ask for attention, too"),
        ({"target": "ab"}, "ask for attention, too"),
        ({"attention": True, "computation": "cross", "layers": [0]}, "one of layers and one of heads"),
        ({"attention": True, "computation": "cross", "layers": [0], "heads": [0, 1]}, "one of layers and one of heads"),
        ({"attention": True, "computation": "sideways", "layers": [0], "heads": [0]}, "computation"),
    ],
)
def test_what_is_no_head_has_no_numbers(asked, words, server):
    assert words in sentence(server.ask(["abc"], model="joint", **asked), 422)
    tagged = {"attention": True, "computation": "cross", "layers": [0], "heads": [0], "model": "tagger"}
    assert "autoregressive decoder" in sentence(server.ask(["ant bee"], **tagged), 422)


def test_a_given_target_is_looked_at_as_if_it_had_been_written(server, runs):
    (answer,) = server.answers(["abc"], model="joint", attention=True, target="dd")
    assert answer["view"]["outputs"] == ["d", "d"] and answer["tokens"] != ["d", "d"]
    expected = Predictor(runs("joint")).score([("abc", "dd")])[0]
    assert answer["view"]["answer"]["score"] == pytest.approx(sum(expected), abs=1e-4)


def test_an_answer_says_how_long_it_took(server):
    told = server.ask(["abc"], model="joint").headers["server-timing"]
    assert told.startswith("answer;dur=") and float(told.removeprefix("answer;dur=")) > 0


def test_a_view_can_be_narrowed_to_what_is_drawn():
    view = writes()
    for part, found in view.maps.items():
        for layer in found.layers:
            for head in found.heads:
                one = view.only(part, layer, head)
                assert list(one.maps) == [part] and np.array_equal(
                    one.picture(part, layer, head).values, view.picture(part, layer, head).values
                )
                assert one.size == found.weights[0, 0].size and View.read(one.as_json()).as_json() == one.as_json()
    assert view.only().as_json() == view.as_json()
    with pytest.raises(UsageError, match="no head 7"):
        view.only(head=7)


@pytest.mark.long
def test_a_drawn_molecule_is_the_same_as_smiles(tmp_path):
    """Random graphs of atoms, written by the page's own code and read by rdkit."""
    Chem = pytest.importorskip("rdkit.Chem")
    if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("npm, or what `make page` installs in web/node_modules, is not here")
    chance = random.Random(3)
    bonds = {"single": Chem.BondType.SINGLE, "double": Chem.BondType.DOUBLE, "triple": Chem.BondType.TRIPLE}
    drawn, expected = [], []
    for _ in range(40):
        names = [chance.choice(["C", "N", "O", "Cl", "Si"]) for _ in range(chance.randint(1, 12))]
        pairs = [(i, j) for i in range(len(names)) for j in range(i)]
        edges = [(*pair, chance.choice(list(bonds))) for pair in chance.sample(pairs, min(len(pairs), 14))]
        molecule = Chem.RWMol()
        for name in names:
            atom = Chem.Atom(name)
            atom.SetNoImplicit(True)
            molecule.AddAtom(atom)
        for i, j, kind in edges:
            molecule.AddBond(i, j, bonds[kind])
        expected.append(Chem.MolToSmiles(molecule))
        joined = [{"from": i, "to": j, "kind": kind} for i, j, kind in edges]
        drawn.append({"nodes": [{"name": name, "x": 0, "y": 0} for name in names], "edges": joined})
    built = ["npx", "rolldown", "src/ask/smiles.ts", "--format", "esm", "--file", tmp_path / "smiles.mjs"]
    subprocess.run(built, cwd=WEB, check=True, capture_output=True, timeout=60)
    (tmp_path / "drawn.json").write_text(json.dumps(drawn))
    script = (
        "import { smilesOf } from './smiles.mjs'; import { readFileSync } from 'fs';"
        "console.log(JSON.stringify(JSON.parse(readFileSync('drawn.json')).map(smilesOf)))"
    )
    node = ["node", "--input-type=module", "-e", script]
    written = json.loads(subprocess.run(node, cwd=tmp_path, check=True, capture_output=True, timeout=60).stdout)
    for smiles, right in zip(written, expected, strict=True):
        found = Chem.MolFromSmiles(smiles, sanitize=False)
        for atom in found.GetAtoms():
            atom.SetNoImplicit(True)
        assert Chem.MolToSmiles(found) == right, smiles


@pytest.mark.long
def test_the_page_that_is_kept_is_the_one_that_its_sources_build(tmp_path):
    if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("npm, or what `make page` installs in web/node_modules, is not here")
    made = subprocess.run(
        ["npx", "vite", "build", "--outDir", tmp_path / "page", "--logLevel", "error"],
        cwd=WEB, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    for name in page.FILES:
        assert (tmp_path / "page" / name).read_bytes() == (page.FOLDER / name).read_bytes(), f"{name}: run make page"


def test_a_page_of_a_long_input_holds_what_is_drawn_of_it(monkeypatch):
    view = writes()
    assert _fitting(view, "cross", 0, 1) is view
    monkeypatch.setattr("headway.inspection.page.MOST", view.size - 1)
    with pytest.raises(UsageError, match=r"layers=0, heads=\[0, 1\]\) or --layer 0 --head 1"):
        _fitting(view, None, None, None).html()
    assert "cross, layer 0" in _fitting(view, "cross", 0, 1).html()
