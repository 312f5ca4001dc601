"""A new sequence: the task hands everything to its decoder, with its smoothing, its metrics and its ensemble."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn

from building import memory_of, shape, stirred
from comparing import close
from headway.decoders import DECODERS, TargetSizes
from headway.decoders.autoregressive import Settings as WriterSettings
from headway.errors import UsageError
from headway.search import Hypothesis, Search
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


# ------------------------------------------------------------------------------------------------------- two writers


def both(draft: str = "ctc", **settings) -> Transduce:
    return task(draft=draft, **settings)


def test_the_modes_are_those_of_its_writers_and_what_they_can_together():
    assert task().modes == ("greedy", "beam", "sample", "verify")
    assert both().modes == ("greedy", "beam", "sample", "verify", "nat", "rerank")
    assert task(decoder="ctc").modes == ("nat",)


@pytest.mark.parametrize("draft", [name for name in DECODERS.names() if "nat" in DECODERS.part(name).modes])
def test_whatever_drafts_the_verified_answer_is_greedys(draft):
    made, memory = both(draft), memory_of(LENGTHS)
    with torch.inference_mode():
        expected = made.answer(memory, Search("greedy", scores=True))
        found = made.answer(memory, Search("verify", scores=True))
        drafts = made.draft.generate(memory, Search("nat"))
    for (one,), (other,), (written,) in zip(found, expected, drafts, strict=True):
        assert (one.tokens, one.finished) == (other.tokens, other.finished)
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)
        assert one.calls <= other.calls + written.calls


def test_auto_verifies_small_batches_and_steps_through_large_ones():
    made, plain, memory = both(), task(), memory_of([4, 7, 5])
    with torch.inference_mode():
        stepped = made.answer(memory, Search("greedy"))
        for rows, verified in ((0, False), (2, False), (3, True), (9, True)):
            with patch.object(made.decoder, "verified", wraps=made.decoder.verified) as spy:
                assert made.answer(memory, Search("auto", verify_rows=rows)) == stepped
            assert spy.called == verified
        together = made.answer(memory, Search("auto", verify_rows=9), [(made, memory)])
        assert [one.tokens for (one,) in together] == [one.tokens for (one,) in stepped]
        assert plain.answer(memory, Search("auto", verify_rows=9)) == plain.answer(memory, Search("greedy"))


def test_all_at_once_is_what_the_draft_writes():
    made, memory = both(), memory_of(LENGTHS)
    with torch.inference_mode():
        assert made.answer(memory, Search("nat")) == made.draft.generate(memory, Search("nat"))


def test_of_the_drafts_candidates_the_decoder_takes_the_one_it_likes_best():
    """Scripted candidates, each scored on its own by the loss of one target."""
    made, memory = both(), memory_of(LENGTHS)
    offered = [[Hypothesis(tokens, calls=1) for tokens in row] for row in ([(5,), (7, 4), (9, 9, 9)], [(6, 6), (10,)])]
    with torch.inference_mode(), patch.object(made.draft, "candidates", return_value=offered) as asked:
        found = made.answer(memory, Search("rerank", candidates=3, nbest=2, limit=5, scores=True, alignments=True))
        asked.assert_called_once_with(memory, 3, 5)
        for row, (hypotheses, candidates) in enumerate(zip(found, offered, strict=True)):
            alone, values = memory.select(torch.tensor([row])), {}
            for each in candidates:
                target = made.decoder.collate([np.array(each.tokens, np.int32)])
                values[each.tokens] = float(made.decoder.score(alone, target)[0].sum()) / ((6 + len(each.tokens)) / 6)
            best = sorted(values, key=values.__getitem__, reverse=True)
            assert [h.tokens for h in hypotheses] == best[:2]
            assert all(h.calls == 2 and len(h.alignment) == len(h.tokens) for h in hypotheses)
            assert all(
                h.score == pytest.approx(values[h.tokens] * (6 + len(h.tokens)) / 6, abs=1e-4) for h in hypotheses
            )
    with pytest.raises(UsageError, match="a forced prefix is for the modes greedy, beam, sample and verify"):
        made.answer(memory, Search("rerank", prefixes=[[5], []]))
