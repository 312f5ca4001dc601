"""Neighbourhoods of one large graph, and every complaint about its file."""

import json
from pathlib import Path
from typing import Any

import pytest
from reading import write

import graphs
from headway.batch import Example
from headway.data.loading import open_data
from headway.data.settings import DataSettings
from headway.data.sources._neighbourhoods import Seed
from headway.data.sources.graph import SourceGraph
from headway.errors import DataError, Where

SETTINGS = DataSettings()


def opened(source: Any, where: Where) -> Any:
    return SourceGraph.opened(Example(source, where=where), SETTINGS).source


class TestLargeGraph:
    def seed(self, folder: Path, name: str) -> Seed:
        source = opened(name, Where(folder / "train.tsv", 2))
        assert isinstance(source, Seed)
        return source

    def test_names_beside_a_graph_are_its_nodes(self, tmp_path):
        graphs.large(tmp_path)
        found = open_data(tmp_path, SETTINGS)
        assert found.kind == "graph" and found.recognized.task == "classify"
        assert {len(example.source) for example in found.examples("train")} == {1}
        assert str(found.examples("test")[0].source).startswith("n")

    def test_a_neighbourhood_begins_with_its_seed_and_holds_all_edges_among_its_nodes(self, tmp_path):
        graphs.large(tmp_path)
        edges = {tuple(edge[:2]) for edge in json.loads((tmp_path / "graph.json").read_text())["edges"]}
        seed = self.seed(tmp_path, "n7")
        for hops, neighbours in ((1, 2), (2, 2), (2, 50), (3, 1)):
            found = seed.graph.around(seed.node, hops, neighbours, labels=True)
            assert found.words[0] == "n7" == str(found) and found.nodes[0]["hop (around)"] == "0"
            assert len(found) <= sum((2 * neighbours) ** hop for hop in range(hops + 1))
            inside = {(found.words[i], found.words[j]) for i, j in found.pairs.tolist()}
            assert inside == {(i, j) for i, j in edges if i in found.words and j in found.words and i != j}
            distance = [int(node["hop (around)"]) for node in found.nodes]
            assert distance == sorted(distance) and max(distance) <= hops
        every = seed.graph.around(seed.node, 1, 1000, labels=False)
        assert set(every.words) == {"n7", *(j for i, j in edges if i == "n7"), *(i for i, j in edges if j == "n7")}

    def test_the_same_neighbours_are_drawn_however_the_file_is_ordered(self, tmp_path):
        found = json.loads((graphs.large(tmp_path / "one") / "graph.json").read_text())
        other = graphs.large(tmp_path / "other")
        turned = found | {"nodes": found["nodes"][::-1], "edges": found["edges"][::-1]}
        (other / "graph.json").write_text(json.dumps(turned))
        one, two = (self.seed(tmp_path / name, "n7") for name in ("one", "other"))
        first, second = (seed.graph.around(seed.node, 2, 2, True) for seed in (one, two))
        assert first.words == second.words and one.content() != two.content()

    def test_only_labels_of_the_training_part_are_shown_and_never_the_asked_one(self, tmp_path):
        graphs.large(tmp_path)
        known = dict(row.split("\t") for row in (tmp_path / "train.tsv").read_text().splitlines()[1:])
        for name in ("n7", *known):
            seed = self.seed(tmp_path, name)
            found = seed.graph.around(seed.node, 2, 4, labels=True)
            assert "label (known)" not in found.nodes[0]
            for word, node in zip(found.words[1:], found.nodes[1:], strict=True):
                assert node.get("label (known)") == known.get(word)
            assert not any("label (known)" in node for node in seed.graph.around(seed.node, 2, 4, False).nodes)

    def test_a_word_that_only_the_asked_node_has_is_hidden_there_and_shown_to_the_others(self, tmp_path):
        graphs.large(tmp_path)
        found = json.loads((tmp_path / "graph.json").read_text())
        for node in found["nodes"]:
            node["name"] = node["id"]
        (tmp_path / "graph.json").write_text(json.dumps(found))
        seed = self.seed(tmp_path, "n7")
        around = seed.graph.around(seed.node, 1, 9, labels=True)
        assert "name" not in around.nodes[0] and around.nodes[0]["kind"] == "node"
        assert [node["name"] for node in around.nodes[1:]] == list(around.words[1:])

    def test_a_node_that_is_not_there_is_named(self, tmp_path):
        graphs.large(tmp_path)
        with pytest.raises(DataError, match=r"train.tsv:2: no node of graph.json has the id 'n77'.* did you mean 'n7"):
            self.seed(tmp_path, "n77")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("{\n,}", r"graph.json:2: this is no JSON"),
            ("[]", "an object with 'nodes' and 'edges'"),
            ("[" * 100_000, "nested too deep"),
            (
                '{"nodes": [{"id": "n7"}], "edges": [["n7", "x"]]}',
                "edge 0 goes to the node 'x', and there is no such node",
            ),
            (b"\xff", "byte 1 is not UTF-8"),
        ],
    )
    def test_a_file_that_holds_no_graph_is_refused(self, tmp_path, content, said):
        graphs.large(tmp_path)
        write(tmp_path, "graph.json", content)
        with pytest.raises(DataError, match=said):
            self.seed(tmp_path, "n7")

    def test_a_file_that_is_too_large_for_memory_is_refused_with_the_numbers(self, tmp_path, monkeypatch):
        graphs.large(tmp_path)
        monkeypatch.setattr("headway.data.sources._neighbourhoods.LARGEST", 1000)
        with pytest.raises(DataError, match=r"the file has \d,\d+ bytes, and 1,000 are read at most"):
            self.seed(tmp_path, "n7")

    def test_an_undirected_one_has_no_directions(self, tmp_path):
        graphs.large(tmp_path)
        path = tmp_path / "graph.json"
        path.write_text(json.dumps({"nodes": ["a", "b", "c"], "edges": [[0, 1], [2, 1]]}))
        seed = opened("1", Where(tmp_path / "train.tsv", 2))
        found = seed.graph.around(seed.node, 1, 5, False)
        assert not found.directed and set(found.ids) == {"0", "1", "2"} and len(found.pairs) == 2


def test_a_neighbourhood_is_not_larger_than_what_goes_through_the_model(tmp_path):
    graphs.large(tmp_path)
    seed = opened("n7", Where(tmp_path / "train.tsv", 2))
    whole, cut = (seed.graph.around(seed.node, 9, 99, True, most) for most in (60, 11))
    assert len(whole) > 11 == len(cut) and cut == whole.first(11) and cut.words == whole.words[:11]
