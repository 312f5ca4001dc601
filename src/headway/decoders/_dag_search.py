"""Which path is taken through a graph of nodes that is made, for all rows at once, and what is written along it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from headway.batch import END
from headway.search import Choice, Hypothesis

MULTIPLIER = 6364136223846793005
"""Of the number that a sequence is known by: h ← h × this + token, in 64 bits (Knuth's linear congruence)."""


class Graph(NamedTuple):
    """The graphs of B rows; the first node and the last of each row write nothing.

    links    (B, N, N) log E, −∞ for no link
    nodes    (B) how many each row has
    best     (B, N, M) the most probable tokens of every node, and
    best_p   their log probabilities: 0 for the last node, −∞ for the first and behind the last
    """

    links: Tensor
    nodes: Tensor
    best: Tensor
    best_p: Tensor

    @property
    def last(self) -> Tensor:
        """(B, 1) the number of the last node."""
        return self.nodes[:, None] - 1

    def into_last(self) -> Tensor:
        """(B, N) log probability of the link from each node to the last."""
        return self.links.take_along_dim(self.last[:, None], 2)[..., 0]


class Route(NamedTuple):
    """A path: the row, the nodes between first and last, and which of its best tokens each of them writes."""

    row: int
    nodes: list[int]
    picks: list[int]


# ------------------------------------------------------------------------------------------------------------ one path


def walked(graph: Graph, looks_ahead: bool) -> list[Route]:
    """Of every row, from each node the best next one: by the link alone, or by it and what the next will write."""
    values = graph.links + graph.best_p[:, None, :, 0] if looks_ahead else graph.links
    following, last = values.argmax(-1), graph.last
    node, path = following[:, :1], []
    while bool((node != last).any()):
        path.append(node)
        node = torch.where(node == last, node, following.gather(1, node))
    table = torch.cat([*path, last], 1)
    numbers = (table != last).sum(1)
    return _routes(table, numbers)


def most_probable(graph: Graph, limits: Tensor, beta: float) -> list[Route]:
    """Joint Viterbi (Shao et al. 2022): of every row the path of at most `limits` tokens with the largest
    log p / (tokens + 1)^β, its tokens being each node's most probable."""
    limits = torch.minimum(limits, graph.nodes - 2)
    inner = graph.best_p[..., 0].masked_fill(
        torch.arange(graph.links.shape[1], device=limits.device) >= graph.last, -torch.inf
    )
    into, out = graph.links.mT.contiguous(), graph.into_last()  # row j of the first: the links that lead to j
    arrived = [graph.links[:, 0] + inner]
    for _ in range(int(limits.max()) - 1):
        arrived.append((arrived[-1][:, None] + into).amax(-1) + inner)
    table = torch.stack(arrived, 1)  # (B, tokens, N)
    ends = torch.cat([out[:, :1], (table + out[:, None]).amax(-1)], 1)
    tokens = torch.arange(ends.shape[1], device=limits.device)
    ends = (ends / (tokens + 1) ** beta).masked_fill(tokens > limits[:, None], -torch.inf)
    return _back(table, into, graph.last, ends.argmax(-1))


def _back(arrived: Tensor, into: Tensor, last: Tensor, numbers: Tensor) -> list[Route]:
    """The way back from the last node over so many (B) tokens; every step asks once more where it came from."""
    node, path = last, last.repeat(1, max(1, arrived.shape[1]))
    for step in range(int(numbers.max())):
        t = (numbers - 1 - step).clamp_min(0)[:, None]
        behind = arrived.take_along_dim(t[..., None], 1)[:, 0] + into.take_along_dim(node[..., None], 1)[:, 0]
        found = behind.argmax(-1, keepdim=True)
        going = numbers[:, None] > step
        node = torch.where(going, found, node)
        path = torch.where(going, path.scatter(1, t, node), path)
    return _routes(path, numbers)


def _routes(table: Tensor, numbers: Tensor) -> list[Route]:
    pairs = zip(table.tolist(), numbers.tolist(), strict=True)
    return [Route(row, nodes[:number], [0] * number) for row, (nodes, number) in enumerate(pairs)]


# -------------------------------------------------------------------------------------------------------- several paths


def several(graph: Graph, number: int, repeats: bool) -> list[Route]:
    """Of every row the paths of the most probable sequences, each sequence once by its best path.

    Every node keeps the best ways to arrive at it that write different sequences. Exact where each token counts
    (`repeats`); where equal neighbours are written as one, nearly.
    """
    B, N, M = graph.best.shape
    score = graph.links.new_full((B, N, number), -torch.inf)
    known, token, origin, pick = (torch.zeros(score.shape, dtype=torch.long, device=score.device) for _ in range(4))
    score[:, 0, 0] = 0.0
    for node in range(1, N):
        arrived = (score[:, :node] + graph.links[:, :node, node, None]).flatten(1)
        arrived, place = _different(arrived, known[:, :node].flatten(1), number)
        before, spoken = (x[:, :node].flatten(1).gather(1, place) for x in (known, token))
        written = graph.best[:, node, None]
        names = before[..., None] * MULTIPLIER + written
        if not repeats:
            names = torch.where(spoken[..., None] == written, before[..., None], names)
        total = (arrived[..., None] + graph.best_p[:, node, None]).masked_fill(
            graph.last[..., None] == node, -torch.inf
        )
        score[:, node], chosen = _different(total.flatten(1), names.flatten(1), number)
        known[:, node], pick[:, node] = names.flatten(1).gather(1, chosen), chosen % M
        origin[:, node] = place.gather(1, chosen // M)
        token[:, node] = graph.best[:, node].gather(1, chosen % M)
    arrived, place = _different((score + graph.into_last()[..., None]).flatten(1), known.flatten(1), number)
    found = []
    for row, (ends, values) in enumerate(zip(place.tolist(), arrived.tolist(), strict=True)):
        back, picks = origin[row].flatten().tolist(), pick[row].flatten().tolist()
        found += [
            _followed(row, end, back, picks, number) for end, p in zip(ends, values, strict=True) if p > -torch.inf
        ]
    return found


def _followed(row: int, place: int, back: Sequence[int], picks: Sequence[int], number: int) -> Route:
    nodes, chosen = [], []
    while place >= number:  # those of node 0 come first
        nodes.append(place // number)
        chosen.append(picks[place])
        place = back[place]
    return Route(row, nodes[::-1], chosen[::-1])


def _different(score: Tensor, names: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The best of each row (B, n) with different names: their scores and places, (B, number)."""
    score, order = score.sort(dim=-1, descending=True, stable=True)
    named, by_name = names.gather(1, order).sort(dim=-1, stable=True)
    again = torch.zeros_like(named, dtype=torch.bool)
    again[:, 1:] = named[:, 1:] == named[:, :-1]
    best, place = score.masked_fill(torch.zeros_like(again).scatter(1, by_name, again), -torch.inf).topk(number)
    return best, order.gather(1, place)


# ------------------------------------------------------------------------------------------------------------- in words


def hypotheses(graph: Graph, routes: Sequence[Route], repeats: bool, trace: bool) -> list[Hypothesis]:
    """What is written along each route. Unless tokens may repeat, one that its neighbour wrote already is dropped, and
    its log probability counted with that: their sum remains the path's."""
    rows = torch.tensor([route.row for route in routes], dtype=torch.long, device=graph.nodes.device)[:, None]
    last, room = graph.last[rows[:, 0]], max((len(route.nodes) for route in routes), default=0)
    nodes, picks = (
        torch.tensor([[*way, *[0] * (room - len(way))] for way in ways], dtype=torch.long, device=rows.device).view(
            len(routes), room
        )
        for ways in ([route.nodes for route in routes], [route.picks for route in routes])
    )
    numbers = torch.tensor([len(route.nodes) for route in routes], dtype=torch.long, device=rows.device)[:, None]
    nodes = torch.where(torch.arange(room, device=rows.device) < numbers, nodes, last)
    links = graph.links[rows, torch.cat([torch.zeros_like(last), nodes], 1), torch.cat([nodes, last], 1)]
    tokens, chances = graph.best[rows, nodes], graph.best_p[rows, nodes]  # (routes, room, M)
    chosen = (x.take_along_dim(picks[..., None], 2)[..., 0].tolist() for x in (tokens, chances))
    columns = routes, *chosen, links.tolist(), tokens.tolist(), chances.tolist(), last[:, 0].tolist()
    return [_hypothesis(_Told(*told), repeats, trace) for told in zip(*columns, strict=True)]


class _Told(NamedTuple):
    """A route with all that there is to say about it: one link more than tokens, the best tokens of each node."""

    route: Route
    tokens: list[int]
    chances: list[float]
    links: list[float]
    best: list[list[int]]
    best_p: list[list[float]]
    last: int


def _hypothesis(told: _Told, repeats: bool, trace: bool) -> Hypothesis:
    route, tokens, chances, links, best, best_p, last = told
    written: list[int] = []
    log_p: list[float] = []
    choices: list[Choice] = []
    for t, (node, pick) in enumerate(zip(route.nodes, route.picks, strict=True)):
        own = links[t] + chances[t]
        again = not repeats and bool(written) and written[-1] == tokens[t]
        if again:
            log_p[-1] += own
        else:
            written.append(tokens[t])
            log_p.append(own)
        if trace:
            others = [(best[t][m], links[t] + best_p[t][m]) for m in range(len(best[t])) if m != pick]
            choices.append(Choice("repeat" if again else "node", node, tokens[t], own, tuple(others)))
    end = links[len(route.nodes)]
    choices.append(Choice("end", last, END, end))
    return Hypothesis(tuple(written), (*log_p, end), calls=1, trace=tuple(choices) if trace else None)
