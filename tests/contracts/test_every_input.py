"""What every input promises: rows of one batch become vectors of the width asked for, each row by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, no_gradient_is_missing
from comparing import close
from headway.batch import Part
from headway.inputs import INPUTS, Input, Vectors, graph, sound, text, vectors
from headway.inputs._relations import Relations


@dataclass
class Sample:
    """How an input is built and fed: its settings, what the data decide, and what makes a part of rows of lengths."""

    settings: dict[str, Any]
    sizes: Any
    part: Callable[[list[int]], Part]


def row_of(length: int) -> np.ndarray:
    return np.array([4 + (7 * i + length) % 9 for i in range(length)], np.int32)


def lettered(lengths: list[int]) -> Part:
    settings = text.Settings(**SAMPLES["text with letters"].settings)
    forms = text.Forms(settings, lambda word: 4 + len(word) % 9, {"a": 4, "b": 5})
    rows = [np.array([forms.number("ab" * int(n)) for n in row_of(length)], np.int32) for length in lengths]
    return text.collate(rows, forms)


def arrays(lengths: list[int], *shape: int) -> list[np.ndarray]:
    return [np.random.default_rng(length).standard_normal((length, *shape)).astype(np.float32) for length in lengths]


def chains(lengths: list[int]) -> Part:
    """Graphs whose nodes stand in a row, each with two features and a number."""
    rows = []
    for length in lengths:
        pairs = np.array([(i, i + 1) for i in range(length - 1)], np.int32).reshape(-1, 2)
        values = np.stack([row_of(length), 13 + row_of(length) % 2], 1).astype(np.int32)
        numbers = (values[:, :1] / 7).astype(np.float32)
        places = np.sin(np.outer(np.arange(length), [1.0, 2.0])).astype(np.float32)
        none = np.zeros((len(pairs), 0), np.float32)
        rows.append(graph.GraphRow(values, numbers, places, pairs, np.ones_like(pairs), none))
    return graph.collate(rows, Relations(1, False, 0))


def sounds(each: int) -> Sample:
    return Sample(
        {"subsampling": each, "channels": 6, "mels": 10},
        sound.SoundSizes(10),
        lambda lengths: sound.collate(arrays(lengths, each, 10)),
    )


SAMPLES = {
    "text": Sample({}, text.TextSizes(13), lambda lengths: text.collate([row_of(n) for n in lengths], None)),
    "text with letters": Sample(
        {"characters": 5, "character_ngrams": 2, "word_ngrams": 2, "buckets": 31}, text.TextSizes(13, 6), lettered
    ),
    "graph": Sample(  # the biases have tests of their own
        {"attend": "edges", "edge_types": False, "position": "laplacian", "steps": 2},
        graph.GraphSizes(15, tuple(range(15)), 1, 1, False, 0),
        chains,
    ),
    "sound": sounds(4),
    "sound of every frame": sounds(1),
    "sound of pairs of frames": sounds(2),
    "vectors": Sample(
        {"noise": 0.1},
        vectors.VectorSizes(5),
        lambda lengths: vectors.collate(arrays(lengths, 5), (np.ones(5), np.full(5, 2.0))),
    ),
}
"""One or more for every file of the room; the first word is the file."""


def made(name: str) -> Input:
    sample = SAMPLES[name]
    return INPUTS.build(INPUTS.choose({"kind": name.split()[0], **sample.settings}), D, sample.sizes).eval()


NAMES = pytest.mark.parametrize("name", SAMPLES)


def test_every_file_of_the_room_has_a_sample():
    assert {name.split()[0] for name in SAMPLES} == set(INPUTS.names())


@NAMES
def test_rows_become_vectors_and_say_which_elements_are_real(name):
    vectors = made(name)(SAMPLES[name].part([4, 7, 2]))
    assert isinstance(vectors, Vectors) and vectors.x.shape == (3, 7, D) and vectors.x.isfinite().all()
    assert vectors.mask.keys.sum(-1).tolist() == [4, 7, 2]
    assert vectors.bias is None or vectors.bias.shape[-2:] == (7, 7)


@NAMES
@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=5), longest=st.integers(7, 9))
def test_padding_and_batch_mates_change_nothing(name, lengths, longest):
    with torch.inference_mode():
        together = made_once(name)(SAMPLES[name].part([*lengths, longest])).x
        for row, length in enumerate(lengths):
            close(together[row, :length], made_once(name)(SAMPLES[name].part([length])).x[0])


MADE: dict[str, Input] = {}


def made_once(name: str) -> Input:
    return MADE.setdefault(name, made(name))


@NAMES
def test_the_same_twice_in_evaluation(name):
    module, part = made(name), SAMPLES[name].part([4, 7])
    assert module(part).x.equal(module(part).x)


@NAMES
def test_every_weight_learns(name):
    module = made(name).train()
    x = module(SAMPLES[name].part([4, 7, 2])).x
    no_gradient_is_missing(module, (x * torch.randn_like(x)).sum())
