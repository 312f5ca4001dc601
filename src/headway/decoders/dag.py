"""A graph of nodes, written all at once, in which every path is a sequence (Huang et al. 2022, DA-Transformer).

A source gets several times as many nodes as its target will have tokens. Each node says what it would write, and which
later node follows it; so a word that may be said in two ways has two ways through the graph, and words of one way do
not mix with words of the other. Learning makes the sum over all paths that write the target as probable as it can.

The first node and the last only frame the sequence. In the paper these write BEGIN and END; here that is certain, and
what is left to learn is the same: log p(y) = log Σ over paths of Π links × Π tokens, one link more than tokens.
The likelihood is not smoothed, as published: its mass is on paths, and a share for all tokens would blur these.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from headway.batch import Loss, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._dag_links import Links
from headway.decoders._dag_search import Graph, hypotheses, most_probable, several, walked
from headway.decoders._parallel import (
    Members,
    Parallel,
    ParallelSettings,
    Taught,
    different,
    elements,
    refuse,
    shown,
    within,
)
from headway.decoders._reading import read, together
from headway.errors import UsageError
from headway.kernels.dag import best_path, emissions, log_likelihood
from headway.kernels.dropout import drawn_from, drawn_seed
from headway.layers.encoder import EncoderSettings
from headway.positions.sinusoidal import sinusoids
from headway.search import Hypotheses, Search
from headway.settings import Count


class Settings(ParallelSettings):
    nodes: Count = 4
    "Nodes of the graph for every element of the source; there are always enough for the longest target in training."
    search: Literal["lookahead", "viterbi", "greedy"] = "viterbi"
    "How a path is found: by the best next link and token; as the best whole path; by the best next link."
    beta: Annotated[float, Field(ge=0)] = 1.0
    "Of viterbi: a path's log probability is divided by its length to this power, 0 favours short outputs."
    repeats: Literal["drop", "keep"] = "drop"
    "What becomes of a token that the node before wrote, too: dropped as in the paper, or kept, for targets like aab."


LINK_HEADS = 4
"""Distributions over the next node that each node mixes."""


class DirectedAcyclic(Parallel):
    glances = True
    widened_by = "nodes"

    def __init__(
        self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None
    ):
        super().__init__(settings, shape, sizes, source_table)
        self.settings = settings
        self.links = Links(LINK_HEADS, shape.width)

    # ------------------------------------------------------------------------------------------------- what is learned

    def nodes_of(self, read: Tensor) -> Tensor:
        """(B) nodes for sources of so many elements (B): the setting's, or those that the longest target needs."""
        longest = (self.sizes.ratio * read.double() + self.sizes.extra).long()
        nodes, positions = torch.maximum(self.settings.nodes * read, longest) + 2, self.stack.position.positions
        return nodes if positions is None else nodes.clamp(max=max(2, positions))

    def fits(self, read: Tensor, lengths: Tensor) -> Tensor:
        """(N) whether there are nodes for so many tokens, the first and the last node aside."""
        return lengths <= self.nodes_of(read) - 2

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """−log p of every target that is reached. Where right tokens are shown, those begin their nodes: a share of the
        mistakes on the best path of a first pass, with the same dropout."""
        taught = self.taught(memory, target)
        nodes = self.nodes_of(taught.read)
        vectors = self.started(memory, nodes)
        if revealed > 0:
            seed = drawn_seed()
            with drawn_from(seed):
                vectors = self.glimpse(vectors, memory, nodes, taught, revealed)
            with drawn_from(seed):
                _, match, links = self.matched(vectors, memory, nodes, taught.tokens)
        else:
            _, match, links = self.matched(vectors, memory, nodes, taught.tokens)
        log_p = log_likelihood(match, links, taught.lengths, nodes)
        return Loss(-torch.where(taught.reached, log_p, 0.0).sum(), taught.count)

    def glimpse(self, vectors: Tensor, memory: Memory, nodes: Tensor, taught: Taught, share: float) -> Tensor:
        """The same vectors, with right tokens for some nodes of the best path."""
        with torch.no_grad():
            states, match, links = self.matched(vectors, memory, nodes, taught.tokens)
            path = best_path(match, links, taught.lengths, nodes)
            on_path = states.take_along_dim(path[..., None], 1)[taught.real]
            wrong = torch.zeros_like(taught.real)
            wrong[taught.real] = read([self], [on_path]).tokens != taught.tokens[taught.real]
            rows, places = shown(wrong, taught.real, share).nonzero(as_tuple=True)
        right = self.vectors(taught.tokens[rows, places]) + self.places(vectors)[path[rows, places]]
        return vectors.index_put((rows, path[rows, places]), right.to(vectors.dtype))

    def matched(self, vectors: Tensor, memory: Memory, nodes: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, D) states of the nodes; (B, T, N) log p of the tokens at each; (B, N, N) log p of the links."""
        states = self.states(vectors, memory, nodes)
        match = emissions(states, self.output, self.output_bias, tokens)
        return states, match, self.links(states, self.places(vectors), nodes)

    def started(self, memory: Memory, nodes: Tensor) -> Tensor:
        """(B, N, D) what the nodes begin with: neighbours copy the same element, and differ by their place."""
        vectors = self.begun(memory, nodes, int(nodes.max()))
        return vectors + self.places(vectors)

    def places(self, vectors: Tensor) -> Tensor:
        """(N, D) sines and cosines of where each node stands."""
        return sinusoids(vectors.shape[1], self.width, 10_000.0).to(vectors)

    # ------------------------------------------------------------------------------------------------ what is written

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        refuse(search)
        members = self.members(memory, others)
        if search.nbest > 1:
            return self._several(members, search.nbest, search.limit, search.trace)
        graph = self.graph(members, search.trace)
        if self.settings.search == "viterbi":
            routes = most_probable(graph, self.limits(memory), self.settings.beta)
        else:
            routes = walked(graph, self.settings.search == "lookahead")
        found = hypotheses(graph, routes, self.settings.repeats == "keep", search.trace)
        return [[within(one, search.limit)] for one in found]

    def candidates(self, memory: Memory, number: int, limit: int | None = None) -> Hypotheses:
        """For each row up to so many different sequences, by log p / (tokens + 1)^β of their best paths."""
        return self._several(self.members(memory, ()), number, limit, False)

    def graph(self, members: Members, trace: bool) -> Graph:
        """The graphs of all rows, of several decoders the mean of their probabilities."""
        nodes = self.nodes_of(elements(members[0][1]))
        N = int(nodes.max())
        states, links = [], []
        for own, memory in members:
            vectors = own.started(memory, nodes)
            states.append(own.states(vectors, memory, nodes))
            links.append(own.links(states[-1], own.places(vectors), nodes))
        found = read([own for own, _ in members], [x.flatten(0, 1) for x in states], trace=trace)
        best, best_p = (found.best, found.best_p) if trace else (found.tokens[:, None], found.log_p[:, None])
        j, last = torch.arange(N, device=nodes.device)[None], nodes[:, None] - 1
        best_p = best_p.unflatten(0, (len(nodes), N)).masked_fill(((j == 0) | (j > last))[..., None], -torch.inf)
        best_p = best_p.masked_fill((j == last)[..., None], 0.0)
        return Graph(together(links), nodes, best.unflatten(0, (len(nodes), N)), best_p)

    def members(self, memory: Memory, others: Sequence[tuple[Any, Memory]]) -> Members:
        members = super().members(memory, others)
        if len({(own.settings.nodes, own.stack.position.positions, own.sizes) for own, _ in members}) > 1:
            raise UsageError(
                "these runs make no ensemble: their graphs have different numbers of nodes; model.task.decoder.nodes, "
                "its positions and the data must be the same in all runs"
            )
        return members

    def _several(self, members: Members, number: int, limit: int | None, trace: bool) -> Hypotheses:
        graph, beta, repeats = self.graph(members, True), self.settings.beta, self.settings.repeats == "keep"
        routes = [*most_probable(graph, self.limits(members[0][1]), beta), *several(graph, number, repeats)]
        found: Hypotheses = [[] for _ in members[0][1].x]
        for route, one in zip(routes, hypotheses(graph, routes, repeats, trace), strict=True):
            found[route.row].append(one)
        for own in found:
            own.sort(key=lambda one: -one.score / len(one.log_p) ** beta)
        return [different(own, limit)[:number] for own in found]
