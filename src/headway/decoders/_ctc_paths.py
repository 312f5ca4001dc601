"""What frames say that write a token or a blank each: along the best path, or along all paths together."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from headway.batch import PAD
from headway.search import Choice

FEW, RARE = 12, 1e-7
"""Of every frame, prefix beam search looks at so many tokens, and at none that is less probable."""

Text = tuple[int, ...]


def best_texts(logits: NDArray, frames: Sequence[int]) -> list[Text]:
    """What the most probable path of each row says: the most probable token of each frame, collapsed.

    logits (B, L, V), or log probabilities; of each row so many frames are real
    """
    path = logits.argmax(-1)
    written = path != PAD
    written[:, 1:] &= path[:, 1:] != path[:, :-1]
    return [tuple(row[:end][new[:end]].tolist()) for row, new, end in zip(path, written, frames, strict=True)]


def probable_texts(log_p: NDArray, width: int) -> list[Text]:
    """The most probable texts of one row's frames (L, V), best first: prefix beam search (Graves 2012, section 7.5.3).

    A beginning's probability is that of all paths that have written it so far, those that end in a blank apart from
    those that end in its last token; `width` beginnings are kept after every frame.
    """
    beams: dict[Text, tuple[float, float]] = {(): (1.0, 0.0)}
    few = min(FEW, log_p.shape[1])
    likely = np.argpartition(log_p, -few, -1)[:, -few:] if len(log_p) else np.zeros((0, few), np.int64)
    for frame, tokens in zip(np.exp(log_p.astype(np.float64)), likely.tolist(), strict=True):
        blank = float(frame[PAD])
        chances = [(token, p) for token in tokens if token != PAD and (p := float(frame[token])) > RARE]
        found: dict[Text, list[float]] = {}
        for text, (after_blank, after_token) in beams.items():
            whole, last = after_blank + after_token, text[-1] if text else PAD
            stays = found.setdefault(text, [0.0, 0.0])
            stays[0] += whole * blank
            if text:
                stays[1] += after_token * float(frame[last])
            for token, p in chances:
                longer = found.setdefault((*text, token), [0.0, 0.0])
                longer[1] += p * (after_blank if token == last else whole)
        kept = sorted(((a + b, text, a, b) for text, (a, b) in found.items()), reverse=True)[:width]
        scale = 1 / kept[0][0]  # only how they compare matters, and small numbers end somewhere
        beams = {text: (a * scale, b * scale) for _, text, a, b in kept}
    return list(beams)


def choices(path: Sequence[int], log_p: NDArray, others: int, call: int) -> tuple[Choice, ...]:
    """What each frame of a path wrote, and the next best there: a token, its repetition, or the blank.

    path (L) tokens and blanks; log_p (L, V)
    """
    found = []
    order = np.argsort(-log_p, -1, kind="stable")
    for j, token in enumerate(path):
        what = "blank" if token == PAD else "repeat" if j and path[j - 1] == token else "token"
        possible = (int(n) for n in order[j] if n != token and log_p[j, n] > -np.inf)
        best = tuple((n, float(log_p[j, n])) for n in islice(possible, others))
        found.append(Choice(what, j, token, float(log_p[j, token]), best, call))
    return tuple(found)
