"""Graphs by the commands: train, predict, evaluate, and what is said of bad ones."""

import json
from pathlib import Path

import pytest

import graphs
import headway as package
from headway import Graph
from headway.errors import Where
from headway.positions.none import Settings as NoPosition
from little import TINY, options, quick

STEPS = TINY | {"training.learning_rate": 0.02}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """`made("regress")` is (data, run), trained when it is first asked for."""
    folder, found = tmp_path_factory.mktemp("graphs"), dict[str, tuple[Path, Path]]()

    def of(what: str) -> tuple[Path, Path]:
        if what not in found:
            writers = {"molecules": graphs.molecules, "large": graphs.large}
            data = folder / what
            data = writers[what](data) if what in writers else graphs.folder(data, what)
            task = {"data.task": "transduce"} if what == "transduce" else {}
            quick(data, folder / f"{what}-run", settings=STEPS | task)
            found[what] = data, folder / f"{what}-run"
        return found[what]

    return of


@pytest.mark.sampled(3)
@pytest.mark.parametrize("what", ["regress", "classify", "tag", "transduce", "molecules", "large"])
def test_a_run_of_every_question_answers_its_own_files(headway, made, what):
    data, run = made(what)
    test = next(data.glob("test.*"))
    printed = headway("predict", run, test)
    assert printed.code == 0 and len(printed.lines) == graphs.PARTS["test"]
    as_json = [json.loads(line) for line in headway("predict", run, test, "--json").lines]
    assert all(row["source"] for row in as_json)
    assert headway("evaluate", run, data).code == 0


def test_training_says_what_it_recognized(headway, tmp_path):
    data = graphs.molecules(tmp_path / "data")
    printed = headway("train", data, "--out", tmp_path / "run", *options(STEPS | {"training.steps": 2}))
    assert printed.code == 0, printed.err
    for said in ("recipe graph", "features of nodes: 7", "types of edges: 2"):
        assert said in printed.err + printed.out
    assert package.load(tmp_path / "run").run.model.encoder.position == NoPosition()


def test_smiles_are_answered_as_text(headway, made):
    _, run = made("molecules")
    printed = headway("predict", run, "--text", "CCO", "--text", "CC=O")
    assert printed.code == 0 and len(printed.lines) == 2 and float(printed.lines[0]) != float(printed.lines[1])
    bad = headway("predict", run, "--text", "C1C")
    assert bad.code == 3 and "the SMILES 'C1C' is no molecule" in bad.err


def test_smiles_without_a_header_are_graphs_where_that_is_said(headway, tmp_path):
    data = graphs.molecules(tmp_path / "data")
    for path in data.iterdir():
        path.write_text(path.read_text().partition("\n")[2])
    changed = STEPS | {"training.steps": 2, "model.input": "graph"}
    assert headway("train", data, "--out", tmp_path / "run", *options(changed)).code == 0
    assert package.load(tmp_path / "run").run.kind == "graph"


def test_bad_smiles_end_training_or_are_skipped_counted_and_listed(headway, tmp_path):
    data = graphs.molecules(tmp_path / "data")
    with (data / "train.tsv").open("a") as file:
        file.write("C1CC\t3.5\nCC\tmuch\n")
    steps = options(STEPS | {"training.steps": 2})
    printed = headway("train", data, "--out", tmp_path / "run", *steps)
    assert printed.code == 3 and "train.tsv:42: the SMILES 'C1CC' is no molecule" in printed.err
    assert printed.err.splitlines()[-1] == "--skip-bad (data.on_bad skip) leaves out such lines, counts and lists them"
    printed = headway("train", data, "--out", tmp_path / "run", "--data.on_bad", "skip", *options(STEPS))
    said = printed.err + printed.out
    assert printed.code == 0 and "2 lines were skipped" in said
    assert "train.tsv:42: the SMILES" in said and "train.tsv:43: the target 'much' is no finite number" in said


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("model.encoder.position", "rotary", "the nodes of a graph have no order"),
        ("model.encoder.mixer", "convolution", "reads elements in their order"),
        ("data.over_long", "window", "a graph cannot be read in pieces"),
        ("model.input.distance", "1", "a distance of 1 is an edge"),
        ("model.input", "sound", "a sound is expected"),
        ("model.input", "text", "a text is expected"),
    ],
)
def test_settings_that_need_an_order_are_refused(headway, tmp_path, setting, value, said):
    data = graphs.folder(tmp_path / "data", "regress")
    changed = {name: v for name, v in STEPS.items() if not (setting.endswith("mixer") and "mixer" in name)}
    printed = headway("train", data, "--out", tmp_path / "run", *options(changed | {setting: value}))
    assert printed.code in (2, 3) and said in printed.err


def test_python_takes_graphs_objects_and_smiles(made):
    _, run = made("regress")
    predictor = package.load(run)
    found = {"nodes": ["C", "N", "O"], "edges": [[0, 1], [1, 2]]}
    one, two, three = predictor.predict([Graph(["C", "N", "O"], [(0, 1), (1, 2)]), found, Graph(["C"])])
    assert one.value == pytest.approx(two.value) and one.value != pytest.approx(three.value)
    assert predictor.predict(found)[0] == predictor.predict(Graph(["C", "N", "O"], [(0, 1), (1, 2)]))[0]
    (seen,) = predictor.attention(found)
    assert seen.asking == ("C", "N", "O") and seen.weights.shape[-2:] == (3, 3)


def test_nodes_of_a_large_graph_are_answered_with_their_neighbourhood(made):
    data, run = made("large")
    predictor = package.load(run)
    example = package.Example("n7", where=Where(data / "test.tsv", 2))
    answer = predictor.predict(example, scores=True)[0]
    assert set(answer.scores) == {"red", "blue"}
    (seen,) = predictor.attention(example)
    assert seen.asking[0] == "n7" and len(seen.asking) > 1


def test_a_node_without_its_graph_is_refused(headway, made):
    _, run = made("large")
    printed = headway("predict", run, "--text", "n7")
    assert printed.code == 3 and "the SMILES 'n7' is no molecule" in printed.err
