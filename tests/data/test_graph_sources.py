"""Graphs from every kind of file, and every complaint about one that a person can meet."""

import builtins
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import complaints, read, refusal, write

import graphs
from headway.batch import Example
from headway.data.loading import open_data
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES, kind_of
from headway.data.sources._graphs import MOST_NODES, graph_of
from headway.data.sources._molecules import Smiles
from headway.data.sources.graph import Graph, SourceGraph
from headway.errors import DataError, MissingPackage, UsageError, Where
from headway.inputs import graph as graph_input

SETTINGS = DataSettings()


HERE = Where("a.tsv", 3)


def opened(source: Any, where: Where = HERE) -> Any:
    return SourceGraph.opened(Example(source, where=where), SETTINGS).source


def line(**found: Any) -> str:
    return json.dumps(found) + "\n"


def fitted(found: list[Graph], **settings: Any) -> SourceGraph:
    codec = SourceGraph.made(SETTINGS, graph_input.Settings(**settings))
    codec.fit(found)
    return codec


# --------------------------------------------------------------------------------------------------------------- values


class TestGraph:
    def test_nodes_are_words_or_features_and_edges_pairs_with_or_without_a_type(self):
        found = Graph(["a", {"kind": "b", "size": 2, "new": True, "none": None}], [(0, 1, "near")])
        assert found.nodes == ({"word": "a"}, {"kind": "b", "size": 2.0, "new": "true"})
        assert found.pairs.tolist() == [[0, 1]] and found.features == ({"type": "near"},)
        assert len(found) == 2 and str(found) == "2 nodes, 1 edges: a b"

    def test_its_hash_holds_what_it_holds(self):
        one = Graph(["a", "b", "c"], [(0, 1, "s"), (1, 2)])
        assert one == Graph(["a", "b", "c"], [(2, 1), (1, 0, "s")], name="other", ids=["1", "2", "3"])
        others = [
            Graph(["a", "c", "b"], [(0, 1, "s"), (1, 2)]),
            Graph(["a", "b", "c"], [(0, 1), (1, 2)]),
            Graph(["a", "b", "c"], [(0, 1, "s")]),
            Graph(["a", "b", "c"], [(0, 1, "s"), (1, 2)], directed=True),
        ]
        assert all(one != other and hash(one) != hash(other) for other in others)

    def test_loops_are_left_out_and_equal_edges_are_one(self):
        found = Graph(["a", "b"], [(0, 0), (0, 1, "s"), (1, 0, "s"), (0, 1, "s")])
        assert found.pairs.tolist() == [[0, 1]]
        assert Graph(["a", "b"], [(0, 1), (1, 0)], directed=True).pairs.tolist() == [[0, 1], [1, 0]]

    def test_lists_of_numbers_are_features(self):
        assert Graph([{"x": [1, 2.5]}]).nodes == ({"x[0]": 1.0, "x[1]": 2.5},)

    @pytest.mark.parametrize(
        ("nodes", "edges", "said"),
        [
            ([], [], "the graph has no nodes"),
            (["a", 1.5], [], "node 1 is 1.5; a word or an object of features is expected"),
            ([{"x": {"y": 1}}], [], "node 0: 'x' is an object, and a word or a finite number is expected"),
            ([{"x": float("nan")}], [], "node 0: 'x' is nan, and a word or a finite number"),
            ([{"x": 10**400}], [], "node 0: 'x' is 1000"),
            ([{"x": [1, "b"]}], [], "node 0: the list under 'x' holds something else than finite numbers"),
            (["a", "b"], [(0, 2)], "edge 0 goes to the node 2, and the 2 nodes are numbered from 0 to 1"),
            (["a", "b"], [(0, 1), (-1, 0)], "edge 1 goes to the node -1"),
            (["a", "b"], [(0, True)], "edge 0 goes to the node True"),
            (["a", "b"], ["ab"], "edge 0 is 'ab'; [from, to] or [from, to, type] is expected"),
            (["a", "b"], [(0,)], "edge 0 is (0,)"),
            (["a", "b"], [(0, 1, "s"), (1, 0, "d")], "edge 1 joins the nodes 1 and 0 a second time, as type d"),
            (["a", "b"], [(0, 1, {"w": "x", "v": []}), (0, 1, {"w": {}})], "edge 1: 'w' is an object"),
        ],
    )
    def test_what_is_no_graph_is_refused_with_its_place(self, nodes, edges, said):
        with pytest.raises(DataError) as caught:
            Graph(nodes, edges, where=Where("g.jsonl", 7))
        assert str(caught.value).startswith("g.jsonl:7: ") and said in str(caught.value)

    def test_one_that_is_too_large_is_refused_with_the_numbers(self):
        with pytest.raises(DataError, match=rf"the graph has {MOST_NODES + 1:,} nodes, and .* may have {MOST_NODES:,}"):
            Graph(["a"] * (MOST_NODES + 1))


# ---------------------------------------------------------------------------------------------------------------- JSON


class TestJson:
    def test_a_graph_a_line_with_a_target_of_every_kind(self, tmp_path):
        both = {"nodes": ["a", "b"], "edges": [[0, 1, "s"]]}
        rows = [line(**both, label="x"), line(**both, label="y")]
        assert [e.target for e in read("jsonl", write(tmp_path, "a.jsonl", "".join(rows)))] == ["x", "y"]
        for key, value, target in (
            ("labels", ["p", "q"], ("p", "q")),
            ("target", 1.5, 1.5),
            ("energy", -3, -3),
            ("text", "a b", "a b"),
        ):
            path = write(tmp_path, "b.jsonl", line(id=7, **both, **{key: value}))
            (found,) = read("jsonl", path)
            assert found.source == Graph(["a", "b"], [(0, 1, "s")]) and found.target == target
        (found,) = read("jsonl", path, None, "id")
        assert found.target == 7

    def test_node_link_as_networkx_writes_it(self, tmp_path):
        found = {
            "directed": False,
            "multigraph": False,
            "graph": {"name": "water", "label": "wet"},
            "nodes": [{"element": "O", "id": "o"}, {"element": "H", "id": "h1"}, {"element": "H", "id": "h2"}],
            "links": [{"weight": 0.5, "source": "o", "target": "h1"}, {"source": "o", "target": "h2", "key": 0}],
        }
        (example,) = read("jsonl", write(tmp_path, "a.jsonl", line(**found)))
        graph = example.source
        assert example.target == "wet" and str(graph) == "water" and graph.words == ("o", "h1", "h2")
        assert graph.nodes[0] == {"element": "O"} and graph.pairs.tolist() == [[0, 1], [0, 2]]
        assert graph.features == ({"weight": 0.5}, {})

    def test_labels_of_nodes_stand_with_the_nodes_or_in_a_list(self):
        nodes = [{"id": 3, "x": [0.5], "y": 1}, {"id": 5, "x": [1.5], "y": 0}]
        graph, rest = graph_of({"nodes": nodes, "edges": [{"source": 3, "target": 5}]})
        assert rest == {"labels": [1, 0]} and graph.nodes == ({"x[0]": 0.5}, {"x[0]": 1.5})

    @pytest.mark.parametrize("indent", [None, 1])
    @pytest.mark.parametrize("several", [False, True])
    def test_a_document_is_a_list_of_graphs_or_one(self, tmp_path, several, indent):
        rows = [{"nodes": ["a"], "edges": [], "label": "x"}, {"nodes": ["b"], "edges": [], "label": "y"}]
        path = write(tmp_path, "a.json", json.dumps(rows if several else rows[0], indent=indent))
        found = read("json", path)
        assert [(e.source.words, e.target) for e in found] == [(("a",), "x"), (("b",), "y")][: 1 + several]
        if indent and several:
            assert [e.where.line for e in found] == [2, 9]

    def test_a_file_of_lines_is_one_by_either_name(self, tmp_path):
        path = write(tmp_path, "a.json", line(text="good", label="x") + line(text="bad", label="y"))
        assert [(e.source, e.target) for e in read("json", path)] == [("good", "x"), ("bad", "y")]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ('[\n{"text": "a"},\n{3}\n]', "a.json:3: this is no JSON: Expecting property name"),
            ('[{"text": "a"}\n{}]', "a.json:2: a comma or the end of the list, ], is expected here"),
            ("[1]", "a.json:1: an object is expected, and the list holds something else here"),
            ("[\n" * 100_000, "the JSON is nested too deep"),
            ('{"a": {"b": 1,\n"b": 2}}', "a.json:1: the key 'b' stands twice in one object"),
            ('{\n"text": "a"\n}\n{\n}', "a.json:4: something stands behind the end of the object"),
            ("[]", "a.json: the file holds no examples"),
            ("", "a.json: the file is empty"),
            (b'["\xff"]', "a.json: byte 3 is not UTF-8"),
        ],
    )
    def test_a_document_that_is_none_is_refused_with_its_line(self, tmp_path, content, said):
        assert said in refusal("json", write(tmp_path, "a.json", content))

    @pytest.mark.parametrize(
        ("found", "said"),
        [
            (
                {"nodes": ["a", "b"], "edges": [[0, 5]]},
                "edge 0 goes to the node 5, and there is no such node: the 2 nodes",
            ),
            (
                {"nodes": [{"id": "abc"}, {"id": "b"}], "edges": [["abd", "b"]]},
                "the node 'abd', and there is no such node; did you mean 'abc'?",
            ),
            ({"nodes": [{"id": 1}, {"id": 1}], "edges": []}, "the nodes 0 and 1 have the same id '1'"),
            ({"nodes": [{"id": 1}, {"x": 1}], "edges": []}, "node 1 has no id"),
            ({"nodes": ["a"], "edges": {"a": 1}}, "the edges are {'a': 1}, and a list is expected"),
            ({"nodes": ["a"], "links": [{"source": 0}]}, "edge 0 has no 'target'"),
            ({"nodes": ["a"], "links": [], "directed": "no"}, "'directed' is 'no', and true or false is expected"),
            ({"nodes": [], "edges": []}, "the graph has no nodes"),
        ],
    )
    def test_what_is_wrong_with_a_graph_is_said_with_its_line(self, tmp_path, found, said):
        good = line(nodes=["a"], edges=[], label="x")
        path = write(tmp_path, "a.jsonl", good + line(**found, label="y") + good)
        kept, heard = complaints("jsonl", path)
        assert len(kept) == 2 and len(heard) == 1
        assert heard[0].startswith("a.jsonl:2: ") and said in heard[0]

    def test_labels_of_another_number_than_nodes_are_refused_and_skipped_where_asked(self, tmp_path):
        good = line(nodes=["a", "b"], edges=[[0, 1]], labels=["x", "y"])
        write(tmp_path, "train.jsonl", good * 3 + line(nodes=["a", "b"], edges=[], labels=["x", "y", "x"]))
        with pytest.raises(DataError, match=r"train.jsonl:4: 2 elements and 3 labels: every element needs one label"):
            open_data(tmp_path, DataSettings(task="tag", valid=(str(tmp_path / "train.jsonl"),))).examples("train")
        skipping = open_data(tmp_path, DataSettings(valid=(str(tmp_path / "train.jsonl"),), on_bad="skip"))
        assert len(skipping.examples("train")) == 3 and skipping.recognized.task == "tag" and skipping.kind == "graph"
        assert [error.where.line for error in skipping.complaints.taken] == [4]


# ----------------------------------------------------------------------------------------------------------- molecules


class TestMolecules:
    def test_smiles_become_atoms_and_bonds(self):
        found = opened("CC(=O)N")
        assert str(found) == "CC(=O)N" and found.words == ("C", "C", "O", "N")
        assert found.pairs.tolist() == [[0, 1], [1, 2], [1, 3]]
        assert [features["type"] for features in found.features] == ["single", "double", "single"]
        assert found.nodes[0]["hydrogens"] == "3" and found.nodes[2]["hybridization"] == "sp2"
        ring = opened("c1ccccc1[O-]")
        assert ring.nodes[0]["aromatic"] == "yes" and ring.nodes[0]["ring"] == "6" and ring.nodes[6]["charge"] == "-1"

    def test_a_valence_that_is_too_large_is_read_as_it_stands(self):
        assert opened("FBr(F)F").words == ("F", "Br", "F", "F")

    @pytest.mark.parametrize(
        ("smiles", "why"),
        [
            ("C1CC", "a bracket or a ring is not closed, or an element is unknown"),
            ("[Zz]", "a bracket or a ring is not closed, or an element is unknown"),
            ("C(", "a bracket or a ring is not closed, or an element is unknown"),
            ("hello", "a bracket or a ring is not closed, or an element is unknown"),
            ("c1ccc1c", "non-ring atom 4 marked aromatic"),
            ("c1cccn1(H)", r"a hydrogen stands in brackets with its atom, \[nH\], and not as \(H\)"),
            ("c2ccc1nncc1c2", r"no double bonds that fit; an aromatic nitrogen with a hydrogen is written \[nH\]"),
        ],
    )
    def test_what_is_no_smiles_is_refused_with_its_line_and_the_reason(self, smiles, why):
        with pytest.raises(
            DataError, match=rf"^a.tsv:3: the SMILES '.*' is no molecule that rdkit understands: .*{why}"
        ):
            opened(smiles)

    def test_a_ring_of_riddles_is_refused_before_rdkit_tries_all_answers(self):
        with pytest.raises(DataError, match=r"^a.tsv:3: .* has 24 atoms of any element \(\*\) in rings; 8 are read at"):
            opened(Smiles("c1" + "*" * 24 + "c" * 40 + "1"))
        assert len(opened(Smiles("c1" + "*" * 4 + "c1" + "*" * 24)).nodes) == 30

    def test_a_header_that_says_smiles_is_recognized(self, tmp_path):
        path = write(tmp_path, "a.tsv", "smiles\ttarget\nCCO\t1.5\nCC\t2.5\n")
        found = read("tsv", path)
        assert kind_of(found) == "graph" and isinstance(found[0].source, Smiles) and found[0].target == "1.5"
        assert kind_of(read("tsv", write(tmp_path, "b.tsv", "text\ttarget\nCCO\t1.5\n"))) == "text"

    def test_without_rdkit_the_line_that_installs_it_is_said(self, monkeypatch):
        ordinary = builtins.__import__

        def without(name, *args, **kwargs):
            if name.startswith("rdkit"):
                raise ImportError(name)
            return ordinary(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(MissingPackage, match=r"pip install 'headway\[graph\]'"):
            opened("CCO")

    def test_an_sdf_file_is_a_molecule_a_record_with_its_data_items(self, tmp_path):
        items = "> <ID>\n7\n\n>  <SOL>  (1)\n-3.5\n\n$$$$\n"
        path = write(tmp_path, "a.sdf", (graphs.MOL + items) * 2)
        found = read("sdf", path, None, "SOL")
        assert [(str(e.source), e.target, e.where.line) for e in found] == [
            ("ethanol", "-3.5", 1),
            ("ethanol", "-3.5", 18),
        ]
        assert found[0].source == opened("CCO")
        assert [e.target for e in read("sdf", path)] == ["-3.5", "-3.5"]
        assert read("sdf", write(tmp_path, "a.mol", graphs.MOL))[0].source == opened("CCO")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("a\nb\n\nnonsense\n$$$$\n", "a.sdf:1: the record has no MOL block: no line `M  END`"),
            (graphs.MOL + "$$$$\n" + graphs.MOL.replace(" O ", " Zz"), "a.sdf:12: the MOL block is no molecule"),
            (
                graphs.MOL + "$$$$\n" + graphs.MOL.replace("  3  2", "  9  2"),
                "a.sdf:12: the MOL block is no molecule that rdkit understands: its lines are not as its counts say",
            ),
            ("", "a.sdf: the file is empty"),
        ],
    )
    def test_what_is_no_molecule_is_refused_with_its_line(self, tmp_path, content, said):
        assert said in refusal("sdf", write(tmp_path, "a.sdf", content))

    def test_choosing_what_is_not_there_is_refused(self, tmp_path):
        path = write(tmp_path, "a.sdf", graphs.MOL + "> <SOL>\n1\n\n$$$$\n")
        assert "no data item called 'SOLL'; there are: SOL. Did you mean 'SOL'?" in refusal("sdf", path, None, "SOLL")
        with pytest.raises(UsageError, match="the source of an SDF file is its molecule"):
            read("sdf", path, "SOL")


# --------------------------------------------------------------------------------------------------------------- codec


def test_what_was_fitted_comes_back_from_its_state_as_text():
    found = [opened("CC(=O)N"), Graph([{"kind": "x", "size": 2.5}], [], directed=True)]
    codec = fitted(found)
    state = json.loads(json.dumps(codec.state()))
    again = SourceGraph.made(SETTINGS, codec.settings, state)
    assert json.loads(json.dumps(again.state())) == state and again.sizes == codec.sizes
    for one, other in zip(codec.encode_all(found), again.encode_all(found), strict=True):
        assert np.array_equal(one.values, other.values) and np.array_equal(one.numbers, other.numbers)


def test_numbers_are_brought_to_mean_0_and_spread_1():
    found = [Graph([{"size": value}]) for value in (1.0, 2.0, 6.0)]
    codec = fitted(found, position="none")
    values = np.concatenate([row.numbers for row in codec.encode_all(found)])
    assert values.mean() == pytest.approx(0, abs=1e-6) and values.std() == pytest.approx(1, abs=1e-6)
    assert codec.encode_all([Graph(["never seen"])])[0].numbers.tolist() == [[0.0]]


def test_of_an_edge_that_is_called_something_new_the_type_is_still_read():
    def told(features: dict[str, str]) -> int:
        return int(codec.encode_all([Graph(["a", "b"], [(0, 1, features)])])[0].types[0, 0])

    known = ({"type": "road"}, {"type": "road"}, {"type": "rail"}, {"type": "rail", "gauge": "narrow"})
    codec = fitted([Graph(["a", "b"], [(0, 1, features)]) for features in known])
    assert [told(features) for features in known] == [1, 1, 3, 2]
    assert told({"type": "rail", "gauge": "broad"}) == 3
    assert told({"type": "river"}) == told({"gauge": "broad"}) == 1  # the most frequent


def test_the_first_nodes_are_a_graph_of_their_own():
    found = opened("CC(=O)NC")
    codec = fitted([found], position="none", degree=False)
    cut, whole = codec.piece(codec.encode_all([found])[0], 0, 3), codec.encode_all([found])[0]
    assert len(cut) == 3 and codec.piece(whole, 0, 9) is whole
    smaller = codec.encode_all([Graph(found.nodes[:3], [(0, 1, "single"), (1, 2, "double")])])[0]
    for name in ("values", "pairs", "types"):
        assert np.array_equal(getattr(cut, name), getattr(smaller, name))
    assert np.array_equal(cut.distances(8), smaller.distances(8))
    assert codec.lengths([found]) == [5] == codec.rows([whole]).lengths.tolist()


def test_of_a_graph_that_is_too_large_nothing_is_worked_out_but_its_first_nodes():
    chain = Graph(["a"] * 10_000, [(i, i + 1) for i in range(9_999)])
    for settings in ({"position": "random_walk"}, {"position": "laplacian", "attend": "edges"}):
        codec = SourceGraph.made(DataSettings(max_length=9), graph_input.Settings(**settings))
        codec.fit([chain])
        (row,) = codec.encode_all([chain])
        assert len(row) == 10_000 == codec.lengths([chain])[0]
        cut, alone = codec.piece(row, 0, 9), codec.encode_all([chain.first(9)])[0]
        for name in ("values", "numbers", "places", "pairs", "types"):
            assert np.array_equal(getattr(cut, name), getattr(alone, name)), name
        assert codec.collate([cut])["relations"].equal(codec.collate([alone])["relations"])


def test_windows_are_refused_with_the_reason():
    with pytest.raises(UsageError, match="a graph cannot be read in pieces, for its nodes have no order"):
        SourceGraph.made(DataSettings(over_long="window"), graph_input.Settings())


def test_what_is_no_graph_at_all_is_refused():
    with pytest.raises(DataError, match="a graph is expected: an object with nodes and edges, or SMILES"):
        opened(("two", "words"))
    assert opened({"nodes": ["a"], "edges": []}) == Graph(["a"])


def test_the_kind_is_in_the_room():
    assert "graph" in SOURCES.names() and SOURCES.part("graph") is SourceGraph


@given(
    words=st.lists(st.text(max_size=3), min_size=1, max_size=5),
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8),
    directed=st.booleans(),
)
def test_any_graph_goes_through_json_and_the_codec(words, pairs, directed):
    pairs = [pair for pair in pairs if max(pair) < len(words)]
    found = Graph(words, pairs, directed)
    text = json.dumps({"nodes": words, "edges": pairs, "directed": directed})
    assert graph_of(json.loads(text))[0] == found
    codec = fitted([found])
    part = codec.collate(codec.encode_all([found, Graph(["other"])]))
    relations = part["relations"][0].numpy()
    joined = {(i, j) for i, j in found.pairs.tolist()}
    for i in range(len(words)):
        for j in range(len(words)):
            is_edge = 1 <= relations[i, j] <= codec.relations.edges
            assert is_edge == ((i, j) in joined or (j, i) in joined) and (relations[i, j] == 0) == (i == j)
