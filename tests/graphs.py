"""Graphs to test with: files of every kind, each with a rule that a person sees at once."""

import json
import random
from pathlib import Path
from typing import Any

PARTS = {"train": 40, "valid": 12, "test": 12}
MOL = """ethanol
  made by hand

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.0000    0.0000    0.0000 C   0  0
    2.0000    0.0000    0.0000 O   0  0
  1  2  1  0
  2  3  1  0
M  END
"""


def drawn(chance: random.Random) -> dict[str, Any]:
    """Two to six nodes that are letters, and some edges."""
    count = chance.randint(2, 6)
    edges = sorted({tuple(sorted(chance.sample(range(count), 2))) for _ in range(chance.randint(1, 7))})
    return {"nodes": [chance.choice("CNO") for _ in range(count)], "edges": [list(edge) for edge in edges]}


def asked(what: str, graph: dict[str, Any]) -> dict[str, Any]:
    """With an answer: how many edges, whether many, which nodes have several, or its letters in order."""
    edges = graph["edges"]
    often = [sum(number in edge for edge in edges) for number in range(len(graph["nodes"]))]
    target = {
        "regress": {"target": len(edges) + 0.5},
        "classify": {"label": "many" if len(edges) > 3 else "few"},
        "tag": {"labels": ["hub" if count > 1 else "leaf" for count in often]},
        "transduce": {"text": "".join(sorted(graph["nodes"])) + "!"},
    }[what]
    return graph | target


def folder(path: Path, what: str) -> Path:
    """A data folder of graphs, one a line."""
    path.mkdir(parents=True, exist_ok=True)
    chance = random.Random(what)
    for part, count in PARTS.items():
        rows = (json.dumps(asked(what, drawn(chance))) for _ in range(count))
        (path / f"{part}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def molecules(path: Path) -> Path:
    """A data folder of SMILES and the number of their letters."""
    path.mkdir(parents=True, exist_ok=True)
    chance = random.Random("molecules")
    for part, count in PARTS.items():
        rows = ["C" * chance.randint(1, 5) + chance.choice(["O", "N", "=O"]) for _ in range(count)]
        lines = "".join(f"{smiles}\t{len(smiles) + 0.5}\n" for smiles in rows)
        (path / f"{part}.tsv").write_text(f"smiles\ttarget\n{lines}", encoding="utf-8")
    return path


def large(path: Path, nodes: int = 60) -> Path:
    """A data folder of one graph in two halves, red and blue, and nodes of both to learn and to ask for."""
    path.mkdir(parents=True, exist_ok=True)
    chance = random.Random("large")
    names = [f"n{number}" for number in range(nodes)]
    pairs = {(number, (number + 2 * chance.randint(1, 4)) % nodes) for number in range(nodes) for _ in range(3)}
    edges = [[names[i], names[j], chance.choice(["needs", "likes"])] for i, j in sorted(pairs)]
    found = {"directed": True, "nodes": [{"id": name, "kind": "node"} for name in names], "edges": edges}
    (path / "graph.json").write_text(json.dumps(found), encoding="utf-8")
    order = chance.sample(range(nodes), nodes)
    for part, some in (("train", order[:36]), ("valid", order[36:48]), ("test", order[48:])):
        lines = "".join(f"{names[number]}\t{'red' if number % 2 else 'blue'}\n" for number in some)
        (path / f"{part}.tsv").write_text(f"node\tlabel\n{lines}", encoding="utf-8")
    return path
