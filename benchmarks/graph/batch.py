"""A batch of graphs against a batch of text of the same lengths: collating, forward, backward, in turn.

    python -m benchmarks.graph.batch [--rounds 7] [--nodes 16 32 64 128] [--cpu-time]

Prints elements a second of both and how much longer graphs take. The encoder is one and the same (4 layers of width 96,
dropout 0.1); text has rotary positions, graphs have random walks, degrees, and biases of distances and types of edges.
Distances and walks are worked out once, when a graph is read, and are not in the time.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.timing import ratios, record, spread, take_turns
from headway.batch import Batch
from headway.data.settings import DataSettings
from headway.data.sources.graph import Graph, SourceGraph
from headway.inputs import graph, text
from headway.inputs.text import TextSizes
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.machine import set_up
from headway.model import Model, ModelSettings
from headway.tasks import regress
from headway.training.settings import MachineSettings

TOKENS, VOCABULARY = 2_048, 60
BOUND = 1.3


def molecule(nodes: int, chance: random.Random) -> Graph:
    """A tree of so many nodes whose branches are short, with some rings closed."""
    edges = {(max(0, i - chance.randint(1, 3)), i) for i in range(1, nodes)}
    edges |= {(i, i + 5) for i in range(nodes - 5) if chance.random() < 0.1}
    found = [{"element": chance.choice("CCCCNOS"), "charge": "0", "ring": chance.choice("56-")} for _ in range(nodes)]
    return Graph(found, [(i, j, chance.choice(["single", "double", "aromatic"])) for i, j in sorted(edges)])


def model(settings: ModelSettings, sizes: object) -> Model:
    return Model(settings, sizes, {"mean": 0.0, "spread": 1.0}).train()


def encoder(position: str) -> EncoderSettings:
    return EncoderSettings(
        layers=4, width=96, hidden=192, dropout=0.1, position=position, mixer=AttentionSettings(heads=4)
    )


def learns(made: Model, batch: Callable[[], Batch], elements: int) -> Callable[[], float]:
    """A batch made and learned from; gives how many elements it has."""

    def work() -> float:
        made.zero_grad()
        made(batch()).total.backward()
        return float(elements)

    return work


def subjects(nodes: int) -> dict[str, Callable[[], float]]:
    """Both ways to learn from as many elements, a fifth of the rows up to a third shorter than the longest."""
    chance = random.Random(nodes)
    lengths = [nodes - (chance.randrange(max(1, nodes // 3)) if i % 5 == 0 else 0) for i in range(TOKENS // nodes)]
    molecules = [molecule(length, chance) for length in lengths]
    settings = graph.Settings()
    codec = SourceGraph.made(DataSettings(), settings)
    codec.fit(molecules)
    rows = codec.encode_all(molecules)
    words = [np.array([4 + chance.randrange(VOCABULARY - 4) for _ in range(length)], np.int32) for length in lengths]
    numbers = [chance.random() for _ in lengths]
    task = regress.Settings()
    of_graphs = model(ModelSettings(input=settings, encoder=encoder("none"), task=task), codec.sizes)
    of_text = model(ModelSettings(encoder=encoder("rotary"), task=task), TextSizes(VOCABULARY))
    target, places = of_text.task.collate(numbers), tuple(range(len(lengths)))
    return {
        "text": learns(of_text, lambda: Batch(text.collate(words, None), target, places), sum(lengths)),
        "graph": learns(of_graphs, lambda: Batch(codec.collate(rows), target, places), sum(lengths)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--nodes", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--cpu-time", action="store_true", help="the process's own time, on a machine that is shared")
    asked = parser.parse_args()
    set_up(MachineSettings(threads=1, device="cpu"))
    rows = []
    for nodes in asked.nodes:
        clock = time.process_time if asked.cpu_time else time.perf_counter
        found = take_turns(subjects(nodes), asked.rounds, 1, clock=clock)
        longer = ratios(found, "text", "graph")
        rows.append({"nodes": nodes, "tokens": TOKENS, **found, "longer": longer})
        print(
            f"{nodes:4} nodes  text {spread(found['text'])}  graph {spread(found['graph'])} elements/s  "
            f"{spread(longer)} x as long{'' if statistics.median(longer) <= BOUND else '  above the bound'}"
        )
    print(f"bound: {BOUND}; written to {record('graph_batch', rows)}")


if __name__ == "__main__":
    main()
