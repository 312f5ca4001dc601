"""A new sequence: the task hands everything to its decoder, with its smoothing, its metrics and its ensemble."""

import numpy as np
import pytest
import torch
from torch import nn

from building import memory_of, shape, stirred
from comparing import close
from headway.decoders import TargetSizes
from headway.decoders.autoregressive import Settings as WriterSettings
from headway.search import Search
from headway.tasks.transduce import Settings, Transduce

V, LENGTHS = 11, [4, 7]
TARGETS = [np.array([5, 7, 4], np.int32), np.array([9], np.int32)]


def task(table: nn.Parameter | None = None, shared: bool = False, **settings) -> Transduce:
    return stirred(Transduce(Settings(**settings), shape(), TargetSizes(V, shared=shared), table, ("bleu",))).eval()


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_is_the_decoders_with_the_tasks_smoothing(smoothing):
    made, memory = task(smoothing=smoothing), memory_of(LENGTHS)
    target = made.collate(TARGETS)
    loss, expected = made.loss(memory, target), made.decoder.loss(memory, target, smoothing)
    close(loss.total, expected.total)
    assert loss.count == expected.count == 6
    assert not made.decoder.loss(memory, target, 0.15).total.equal(loss.total)


def test_an_answer_is_what_the_decoder_writes():
    made, memory = task(), memory_of(LENGTHS)
    with torch.no_grad():
        for search in (Search(scores=True), Search("beam", beam=3, nbest=2)):
            assert made.answer(memory, search) == made.decoder.generate(memory, search)


def test_an_ensemble_hands_over_the_other_decoders():
    made, memories = [task() for _ in range(2)], [memory_of(LENGTHS, seed=seed) for seed in range(2)]
    with torch.no_grad():
        found = made[0].answer(memories[0], Search(scores=True), [(made[1], memories[1])])
        expected = made[0].decoder.generate(memories[0], Search(scores=True), [(made[1].decoder, memories[1])])
    assert found == expected


def test_its_metrics_are_what_the_data_suggest_unless_others_are_asked_for():
    assert task().metrics == ("bleu",)
    assert task(metrics="exact_match").metrics == ("exact_match",)


def test_the_table_of_the_source_is_shared_where_that_is_asked_for():
    table = nn.Parameter(torch.randn(V, 12))
    assert task(table, True, decoder=WriterSettings(tie="all")).decoder.embedding is table
    assert task(table, True).decoder.embedding is not table
