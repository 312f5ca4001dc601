"""What every decoder promises: a loss that adds up, and sequences that end, one way for each of its modes.

Those that write all at once promise more, which the second half is about.
"""

import numpy as np
import pytest
import torch

from building import memory_of, no_gradient_is_missing, shape, stirred
from comparing import close
from headway.batch import END, Loss, Memory
from headway.decoders import DECODERS, Decoder, TargetSizes
from headway.errors import UsageError
from headway.search import Choice, Hypotheses, Search

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4], np.int32)]
ENDLESS = np.array([5, 7, 4] * 100, np.int32)
"""Longer than anything that is written all at once for a source of a few elements."""
AT_ONCE = [name for name in DECODERS.names() if "nat" in DECODERS.part(name).modes]
NAMES = pytest.mark.parametrize("name", DECODERS.names())
ALL_AT_ONCE = pytest.mark.parametrize("name", AT_ONCE)
PAIRS = [(name, mode) for name in DECODERS.names() for mode in DECODERS.part(name).modes]
MODES = pytest.mark.parametrize("name, mode", PAIRS)


def made(name: str, dropout: float = 0.0, seed: int = 3, **settings) -> Decoder:
    sizes, chosen = TargetSizes(V, 1.0, 6), DECODERS.choose({"kind": name, **settings})
    return stirred(DECODERS.build(chosen, shape(dropout=dropout), sizes, None), seed).eval()


def written(decoder: Decoder, memory: Memory, mode: str = "auto", others=(), **asked) -> Hypotheses:
    with torch.inference_mode():
        return decoder.generate(memory, Search(mode, **{"scores": True, **asked}), others)


def alone(memory: Memory, row: int) -> Memory:
    """One row without the padding beside it."""
    length = LENGTHS[row]
    return Memory(memory.x[row : row + 1, :length], None)


def tokens_of(found: Hypotheses) -> list[list[tuple[int, ...]]]:
    return [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found]


# ------------------------------------------------------------------------------------------------------------ learning


@NAMES
def test_the_loss_is_a_sum_over_what_it_counts_and_adds_up(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    whole = decoder.loss(memory, decoder.collate(TARGETS), 0.1)
    assert isinstance(whole, Loss) and whole.total.shape == () and whole.total.isfinite()
    assert whole.count == sum(len(target) + 1 for target in TARGETS)
    parts = [decoder.loss(alone(memory, row), decoder.collate([TARGETS[row]]), 0.1) for row in range(len(LENGTHS))]
    close(sum(part.total for part in parts), whole.total, 1e-4)
    assert sum(part.count for part in parts) == whole.count


@NAMES
def test_learning_makes_the_loss_smaller_through_every_weight(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    target, optimizer, losses = decoder.collate(TARGETS), torch.optim.SGD(decoder.parameters(), 1e-3), []
    for _ in range(5):
        losses.append(decoder.eval().loss(memory, target, 0.0).mean.item())
        loss = decoder.train().loss(memory, target, 0.0)
        no_gradient_is_missing(decoder, loss.mean)
        optimizer.step()
    assert losses == sorted(losses, reverse=True)


@NAMES
def test_it_reaches_what_it_counts_and_leaves_the_rest_out(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    targets = [TARGETS[0], ENDLESS, TARGETS[2]]
    reached = decoder.reaches(np.array(LENGTHS), targets)
    assert reached.dtype == bool and reached.tolist() == [True, name not in AT_ONCE, True]
    loss = decoder.loss(memory, decoder.collate(targets), 0.1)
    few = [
        decoder.loss(alone(memory, row), decoder.collate([targets[row]]), 0.1)
        for row in range(len(targets))
        if reached[row]
    ]
    assert loss.count == sum(part.count for part in few)
    close(loss.total, sum(part.total for part in few), 1e-4)


@ALL_AT_ONCE
def test_where_nothing_is_reached_nothing_is_learned_and_nothing_breaks(name):
    decoder, memory = made(name).train(), memory_of(LENGTHS)
    loss = decoder.loss(memory, decoder.collate([ENDLESS] * 3), 0.1)
    assert (loss.total.item(), loss.count) == (0.0, 0.0)
    loss.total.backward()
    assert not any(p.grad.any() for p in decoder.parameters() if p.grad is not None)


@NAMES
def test_targets_and_sources_without_elements_are_learned_and_written(name):
    decoder, memory = made(name), memory_of([4, 0, 5])
    targets = [np.zeros(0, np.int32)] * 3
    loss = decoder.loss(memory, decoder.collate(targets), 0.1)
    assert loss.total.isfinite() and 2 <= loss.count <= 3
    loss.total.backward()
    together, single = written(decoder, memory), written(decoder, memory_of([0]))
    assert tokens_of(together)[1] == tokens_of(single)[0]


@pytest.mark.parametrize("name", [name for name in DECODERS.names() if DECODERS.part(name).glances])
def test_what_glances_counts_as_much_as_ever(name):
    decoder, memory = made(name, layers=1).train(), memory_of(LENGTHS)
    target = decoder.collate(TARGETS)
    shown, plain = decoder.loss(memory, target, 0.0, revealed=0.5), decoder.loss(memory, target, 0.0)
    assert shown.count == plain.count and shown.total.isfinite() and shown.total.item() != plain.total.item()
    shown.total.backward()
    assert all(p.grad.isfinite().all() for p in decoder.parameters() if p.grad is not None)


# ------------------------------------------------------------------------------------------------------------- writing


@MODES
def test_it_writes_hypotheses_best_first_within_the_limit(name, mode):
    nbest = 1 if mode == "greedy" else 3
    found = written(made(name), memory_of(LENGTHS), mode, beam=3, nbest=nbest, limit=5)
    assert len(found) == len(LENGTHS)
    for hypotheses in found:
        assert 1 <= len(hypotheses) <= nbest
        for hypothesis in hypotheses:
            assert all(END < token < V for token in hypothesis.tokens)
            assert len(hypothesis.tokens) <= 5 if hypothesis.finished else len(hypothesis.tokens) == 5
            assert len(hypothesis.log_p) == len(hypothesis.tokens) + hypothesis.finished
            assert hypothesis.score <= 0


@pytest.mark.sampled(3)
@MODES
def test_the_same_twice_and_whoever_stands_beside(name, mode):
    decoder, memory = made(name, dropout=0.5), memory_of(LENGTHS)
    found = written(decoder, memory, mode)
    assert written(decoder, memory, mode) == found
    for row in range(len(LENGTHS)):
        (single,) = written(decoder, alone(memory, row), mode)
        assert [h.tokens for h in single] == [h.tokens for h in found[row]]
        assert [h.score for h in single] == pytest.approx([h.score for h in found[row]], abs=1e-4)


@pytest.mark.parametrize("name, mode", [pair for pair in PAIRS if pair[1] != "verify"])  # one decoder's drafts
def test_an_ensemble_with_itself_is_itself(name, mode):
    decoder, memory = made(name), memory_of(LENGTHS)
    single, twice = (written(decoder, memory, mode, others) for others in ((), [(decoder, memory)]))
    assert tokens_of(single) == tokens_of(twice)
    for (one,), (two,) in zip(single, twice, strict=True):
        assert one.log_p == pytest.approx(two.log_p, abs=1e-5)


# -------------------------------------------------------------------------------------------- those that write at once


@ALL_AT_ONCE
def test_by_itself_it_writes_all_at_once(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    assert DECODERS.part(name).modes[0] == "nat"
    assert written(decoder, memory, "auto") == written(decoder, memory, "nat")


@ALL_AT_ONCE
def test_several_are_different_and_the_first_is_the_best(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    with torch.inference_mode():
        offered = decoder.candidates(memory, 4)
    for hypotheses in (*written(decoder, memory, nbest=4), *offered):
        assert 1 <= len(hypotheses) <= 4 and len({h.tokens for h in hypotheses}) == len(hypotheses)
    assert max(map(len, offered)) > 1


@ALL_AT_ONCE
def test_a_trace_says_why_and_changes_nothing(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    plain, traced = written(decoder, memory), written(decoder, memory, trace=True)
    assert traced == plain and all(h.trace is None for (h,) in plain)
    for (hypothesis,) in traced:
        assert hypothesis.trace and all(isinstance(choice, Choice) for choice in hypothesis.trace)
        assert all(choice.log_p <= 1e-6 and 0 <= choice.call < max(1, hypothesis.calls) for choice in hypothesis.trace)


@ALL_AT_ONCE
def test_what_only_step_by_step_can_be_done_is_refused(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    for asked in ({"prefixes": [[5], [], [4]]}, {"alignments": True}):
        with pytest.raises(UsageError, match=r"all at once.* autoregressive"):
            written(decoder, memory, **asked)


@ALL_AT_ONCE
def test_an_ensemble_of_two_ways_to_write_is_refused(name):
    decoder, memory = made(name), memory_of(LENGTHS)
    with pytest.raises(UsageError, match="no ensemble"):
        written(decoder, memory, others=[(made("autoregressive"), memory)])


@ALL_AT_ONCE
def test_where_nothing_tells_the_order_it_is_refused(name):
    with pytest.raises(UsageError, match="position"):
        DECODERS.build(DECODERS.choose(name), shape(position="none"), TargetSizes(V), None)
