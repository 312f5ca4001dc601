"""What frames say that write a token or a blank each: along the best path, or along all paths together."""

from collections.abc import Sequence
from math import exp, inf

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from headway.batch import PAD
from headway.decoders._reading import OTHERS
from headway.kernels.ctc import best_path, chain
from headway.rows import Rows
from headway.search import Choice, Hypotheses, Hypothesis

FEW, RARE = 12, 1e-7
"""Of every frame, prefix beam search looks at so many tokens, and at none that is less probable."""

Text = tuple[int, ...]


def texts_of(paths: NDArray, frames: Sequence[int]) -> list[Text]:
    """What each row's path (B, L) says, of which so many frames are real: repetitions once, then no blanks."""
    written = paths != PAD
    written[:, 1:] &= paths[:, 1:] != paths[:, :-1]
    return [tuple(row[:end][new[:end]].tolist()) for row, new, end in zip(paths, written, frames, strict=True)]


def probable_texts(log_p: NDArray, likely: Sequence[Sequence[int]], width: int) -> list[Text]:
    """The most probable texts of one row's frames (L, V), best first: prefix beam search (Graves 2012, section 7.5.3).

    A beginning's probability is that of all paths that have written it so far, those that end in a blank apart from
    those that end in its last token; `width` beginnings are kept after every frame.

    likely    of each frame the most probable tokens, by which beginnings become longer
    """
    beams: dict[Text, tuple[float, float]] = {(): (1.0, 0.0)}
    for frame, tokens in zip(log_p, likely, strict=True):
        blank = exp(frame[PAD])
        chances = [(token, p) for token in tokens if token != PAD and (p := exp(frame[token])) > RARE]
        found: dict[Text, list[float]] = {}
        for text, (after_blank, after_token) in beams.items():
            whole, last = after_blank + after_token, text[-1] if text else PAD
            stays = found.setdefault(text, [0.0, 0.0])
            stays[0] += whole * blank
            if after_token:
                stays[1] += after_token * exp(frame[last])
            for token, p in chances:
                longer = found.setdefault((*text, token), [0.0, 0.0])
                longer[1] += p * (after_blank if token == last else whole)
        kept = sorted(((a + b, text, a, b) for text, (a, b) in found.items() if a + b), reverse=True)[:width]
        scale = 1 / kept[0][0]  # only how they compare matters, and small numbers end somewhere
        beams = {text: (a * scale, b * scale) for _, text, a, b in kept}
    return list(beams)


def scored(log_p: Tensor, frames: Tensor, texts: Sequence[Sequence[Text]], calls: int, trace: bool) -> Hypotheses:
    """The texts of each row with the log probability of each token given those before it, and that nothing follows.

    log_p (B, L, V) of the frames, of which `frames` (B) are real
    """
    rows = torch.tensor([row for row, some in enumerate(texts) for _ in some], dtype=torch.long, device=log_p.device)
    flat = [text for some in texts for text in some]
    labels = torch.from_numpy(Rows.of(map(np.array, flat), np.int64).padded(PAD)).to(log_p.device)
    lengths = torch.tensor([len(text) for text in flat], dtype=torch.long, device=log_p.device)
    places = torch.arange(log_p.shape[1], device=log_p.device)[None, :, None]
    own = log_p[rows[:, None, None], places, F.pad(labels, (1, 0), value=PAD)[:, None]].double()
    each, ends = (x.clamp_max(0.0).tolist() for x in chain(own, frames[rows], labels, lengths))
    why = _traces(log_p, frames, rows, best_path(own, frames[rows], labels, lengths)) if trace else [None] * len(flat)
    found: Hypotheses = [[] for _ in texts]
    for row, text, chances, end, trace_ in zip(rows.tolist(), flat, each, ends, why, strict=True):
        found[row].append(Hypothesis(text, (*chances[: len(text)], end), calls=calls, trace=trace_))
    return found


def _traces(log_p: Tensor, frames: Tensor, rows: Tensor, paths: Tensor) -> list[tuple[Choice, ...]]:
    """Why each path (R, L), of one of the rows, is as it is: what every frame wrote, and what came next there."""
    best_p, best = (x.tolist() for x in log_p.topk(min(1 + OTHERS, log_p.shape[-1])))
    taken = log_p[rows[:, None], torch.arange(log_p.shape[1], device=log_p.device), paths].tolist()
    ends = frames.tolist()
    traces = []
    for row, path, chances in zip(rows.tolist(), paths.tolist(), taken, strict=True):
        frame = zip(path[: ends[row]], chances, best[row], best_p[row])
        traces.append(tuple(_choice(path, j, *of) for j, of in enumerate(frame)))
    return traces


def _choice(
    path: Sequence[int], j: int, token: int, log_p: float, best: Sequence[int], best_p: Sequence[float]
) -> Choice:
    """What frame j wrote: a token, its repetition, or the blank."""
    what = "blank" if token == PAD else "repeat" if j and path[j - 1] == token else "token"
    rest = [(n, p) for n, p in zip(best, best_p, strict=True) if n != token and p > -inf]
    return Choice(what, j, token, log_p, tuple(rest[:OTHERS]))
