"""Views made by hand, whose pictures a person can draw."""

import math

import numpy as np

from headway.batch import ClassifyAnswer, Decision, TagAnswer, TransduceAnswer
from headway.inspection import AttentionMap, View
from headway.inspection.attributions import Attribution
from headway.inspection.scenes import Drawing, Spectrogram

FIRST = [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25]]
SECOND = [[0.0, 1.0, 0.0], [0.125, 0.125, 0.75]]
"""Two heads of one layer: what two tokens took of three letters."""


def writes() -> View:
    """`abc` became `x`, then the end: one layer of two heads that look at the input, two layers that look within it."""
    trace = (
        Decision("token", 0, "x", math.log(0.75), (("y", math.log(0.25)),), 0),
        Decision("end", 1, "<end>", math.log(0.5), (), 1),
    )
    within = np.stack([np.stack([np.eye(3)] * 2), np.full((2, 3, 3), 1 / 3)]).astype(np.float32)
    letters = ("a", "b", "c")
    maps = {
        "encoder": AttentionMap(within, letters, letters, (0, 1), (0, 1)),
        "cross": AttentionMap(np.array([[FIRST, SECOND]], np.float32), ("x", "<end>"), letters, (0,), (0, 1)),
    }
    added = (Attribution("token 1: x", "integrated gradients", letters, (0.5, -0.25, 0.0), -1.0, -0.75),)
    answer = TransduceAnswer("x", ("x",), trace=trace)
    return View("transduce", "text", "abc", answer, maps, {"decoder": "it has none"}, None, added)


def tags(source: str = "the dog", labels: tuple[str, str] = ("DET", "NOUN")) -> View:
    words = tuple(source.split())[:2]
    weights = np.array([[[[0.75, 0.25], [0.0, 1.0]]]], np.float32)
    answer = TagAnswer(words, labels, (0.5, 0.875))
    return View("tag", "text", source, answer, {"encoder": AttentionMap(weights, words, words, (0,), (0,))})


def hears() -> View:
    frames = np.array([[0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [1.0, 0.0]], np.float32)
    weights = np.array([[[[0.5, 0.5], [1.0, 0.0]]]], np.float32)
    maps = {"encoder": AttentionMap(weights, ("0.00", "0.02"), ("0.00", "0.02"), (0,), (0,))}
    return View("classify", "sound", "a.wav", ClassifyAnswer(("up",), 0.75), maps, {}, Spectrogram(frames, 0.04))


def connects() -> View:
    weights = np.array([[[[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]]]], np.float32)
    nodes = ("C", "N", "O")
    scene = Drawing(np.array([[0, 0], [0.5, 1], [1, 0]], np.float32), ((0, 1), (1, 2)))
    answer = ClassifyAnswer(("few",), 0.75)
    return View(
        "classify", "graph", "C N O", answer, {"encoder": AttentionMap(weights, nodes, nodes, (0,), (0,))}, {}, scene
    )


VIEWS = {"writes": writes, "tags": tags, "hears": hears, "connects": connects}
