"""A directed acyclic graph of nodes that writes a sequence along each of its paths (Huang et al. 2022), as formulae.

Links lead from each node to later ones only. Every path leads from the first node to the last; these two write nothing
and frame the sequence (in the paper they write BEGIN and END, with a probability that is 1 here), and each node between
them that a path visits writes one token. Letters: B rows, T tokens, N nodes; p_j(v) what node j writes; E_ij the link
from i to j, a distribution over the later nodes j. This is the definition that faster ways are tested against.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def log_sum(x: Tensor, dim: int) -> Tensor:
    """log Σ exp x; of nothing but −∞ it is −∞, with a gradient of zero where torch's own gives NaN."""
    nothing = (x == -torch.inf).all(dim)
    return x.masked_fill(nothing.unsqueeze(dim), 0.0).logsumexp(dim).masked_fill(nothing, -torch.inf)


def log_likelihood(match: Float[Tensor, "B T N"], links: Float[Tensor, "B N N"]) -> Float[Tensor, " B"]:
    """log Σ over all paths of the probability to take it and to write the tokens on it.

        f₁(j) = E_0j p_j(y₁),   fₜ(j) = p_j(yₜ) Σ_i fₜ₋₁(i) E_ij,   p(y) = Σ_i f_T(i) E_i,last

    match    log p_j(yₜ)
    links    log E, −∞ where j ≤ i
    """
    arrived = links[:, 0]
    for t in range(match.shape[1]):
        arrived = log_sum((arrived + match[:, t])[:, :, None] + links, 1)
    return arrived[:, -1]


def best_path(
    match: Float[Tensor, "B T N"], links: Float[Tensor, "B N N"]
) -> tuple[Float[Tensor, " B"], Int[Tensor, "B T"]]:
    """The most probable of the paths, and the node on it that writes each token: the same with max in place of Σ."""
    arrived, before = links[:, 0], []
    for t in range(match.shape[1]):
        arrived, origin = ((arrived + match[:, t])[:, :, None] + links).max(1)
        before.append(origin)
    node = torch.full((len(links), 1), links.shape[1] - 1, device=links.device)
    path = [node := origin.gather(1, node) for origin in reversed(before)]
    return arrived[:, -1], torch.cat([*reversed(path), node[:, :0]], 1)


def walk(links: Float[Tensor, "N N"], written: Float[Tensor, " N"] | None = None) -> list[int]:
    """The nodes between first and last, each the most probable after the one before it.

    written    log max_v p_j(v): the next node is chosen with what it will write (lookahead); None: by links (greedy)
    """
    values = links if written is None else links + written
    last, path = len(links) - 1, []
    node = int(values[0].argmax())
    while node != last:
        path.append(node)
        node = int(values[node].argmax())
    return path


def joint_viterbi(
    links: Float[Tensor, "N N"], written: Float[Tensor, " N"], most: int, beta: float
) -> tuple[float, list[int]]:
    """The path of at most so many tokens with the largest log p / (tokens + 1)^β, path and tokens together.

    Shao et al. 2022, "Viterbi Decoding of Directed Acyclic Transformer": the maximum over paths and tokens for every
    length, then over the lengths. written: log max_v p_j(v)
    """
    found = []
    for length in range(most + 1):
        score, path = best_path(written.expand(1, length, -1), links[None])
        found.append((float(score) / (length + 1) ** beta, path[0].tolist()))
    return max(found, key=lambda pair: pair[0])
