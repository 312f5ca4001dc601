"""What every decoder promises: a loss that adds up, and sequences that end, one way for each of its modes."""

import numpy as np
import pytest
import torch

from building import memory_of, shape, stirred
from comparing import close
from headway.batch import END, Loss
from headway.decoders import DECODERS, Decoder, TargetSizes
from headway.search import Search

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4], np.int32)]
NAMES = pytest.mark.parametrize("name", DECODERS.names())


def made(name: str, dropout: float = 0.0) -> Decoder:
    sizes = TargetSizes(V, 1.0, 6)
    return stirred(DECODERS.build(DECODERS.choose(name), shape(dropout=dropout), sizes, None)).eval()


def modes(name: str) -> list[str]:
    return list(DECODERS.part(name).modes)


@NAMES
def test_the_loss_is_a_sum_over_what_it_counts_and_adds_up(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    whole = decoder.loss(memory, decoder.collate(TARGETS), 0.1)
    assert isinstance(whole, Loss) and whole.total.shape == () and whole.total.isfinite() and whole.count > 0
    parts = []
    for row, target in enumerate(TARGETS):
        parts.append(decoder.loss(memory.select(torch.tensor([row])), decoder.collate([target]), 0.1))
    close(sum(part.total for part in parts), whole.total, 1e-4)
    assert sum(part.count for part in parts) == whole.count


@NAMES
def test_learning_makes_the_loss_smaller_through_every_weight(name):
    decoder, memory = made(name).train(), memory_of(LENGTHS)
    optimizer, losses = torch.optim.SGD(decoder.parameters(), 1e-3), []
    for _ in range(5):
        loss = decoder.loss(memory, decoder.collate(TARGETS), 0.0)
        optimizer.zero_grad()
        loss.mean.backward()
        assert all(parameter.grad is not None for parameter in decoder.parameters())
        optimizer.step()
        losses.append(loss.mean.item())
    assert losses == sorted(losses, reverse=True)


@NAMES
def test_every_mode_writes_hypotheses_best_first_within_the_limit(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    assert modes(name)
    for mode in modes(name):
        with torch.inference_mode():
            found = decoder.generate(
                memory, Search(mode, beam=3, nbest=3 if mode == "beam" else 1, scores=True, limit=5)
            )
        assert len(found) == len(LENGTHS)
        for hypotheses in found:
            assert 1 <= len(hypotheses) <= 3
            for hypothesis in hypotheses:
                assert len(hypothesis.tokens) <= 5 and all(END < token < V for token in hypothesis.tokens)
                assert len(hypothesis.log_p) == len(hypothesis.tokens) + hypothesis.finished
                assert hypothesis.score <= 0


@NAMES
def test_the_same_twice_and_whoever_stands_beside(name):
    decoder, memory = made(name, dropout=0.5), memory_of(LENGTHS)
    for mode in modes(name):
        with torch.inference_mode():
            found = decoder.generate(memory, Search(mode))
            assert decoder.generate(memory, Search(mode)) == found
            for row in range(len(LENGTHS)):
                (alone,) = decoder.generate(memory.select(torch.tensor([row])), Search(mode))
                assert [h.tokens for h in alone] == [h.tokens for h in found[row]]


@NAMES
def test_an_ensemble_with_itself_is_itself(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    for mode in modes(name):
        with torch.inference_mode():
            alone, twice = (decoder.generate(memory, Search(mode), others) for others in ((), [(decoder, memory)]))
        assert [[h.tokens for h in row] for row in alone] == [[h.tokens for h in row] for row in twice]
