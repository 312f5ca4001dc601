"""Reranking by hand: the candidate that the decoder likes best, its log probabilities, and one pass for all."""

import pytest
import torch

from building import memory_of, writer
from headway.search import Hypothesis, Search
from headway.search.rerank import rerank

CHANCES = {
    (): (-4.0,),
    (5,): (-1.0, -1.0),
    (5, 6): (-0.5, -0.5, -1.4),
    (7, 7, 7): (-0.9, -0.9, -0.9, -0.9),
}


def told(asked: list):
    def score(rows, sequences):
        asked.append((list(rows), list(sequences)))
        return [CHANCES[tokens] for tokens in sequences]

    return score


def candidates(*tokens: tuple[int, ...], **more) -> list[Hypothesis]:
    return [Hypothesis(each, tuple(-9.0 for _ in range(len(each) + 1)), calls=2, **more) for each in tokens]


def test_the_best_by_log_p_over_the_length_penalty():
    asked = []
    found = rerank([candidates(*CHANCES), candidates((), (7, 7, 7))], told(asked))
    # α = 1: −4 / 1, −2 / (7 / 6), −2.4 / (8 / 6), −3.6 / (9 / 6)
    assert [[h.tokens for h in row] for row in found] == [[(5,)], [(7, 7, 7)]]
    assert found[0][0].log_p == (-1.0, -1.0) and found[0][0].calls == 3
    assert asked == [([0, 0, 0, 0, 1, 1], [*CHANCES, (), (7, 7, 7)])], "one pass reads all"
    flat = rerank([candidates(*CHANCES)], told([]), length_penalty=0.0, nbest=4)[0]
    assert [h.tokens for h in flat] == [(5,), (5, 6), (7, 7, 7), ()]
    long = rerank([candidates(*CHANCES)], told([]), length_penalty=4.0, nbest=9)[0]
    assert [h.tokens for h in long] == [(7, 7, 7), (5, 6), (5,), ()]


def test_one_that_was_cut_has_no_end_and_stands_last():
    rows = [candidates((), (5,)) + candidates((5, 6), finished=False)]
    found = rerank(rows, told([]), nbest=3)[0]
    assert [h.tokens for h in found] == [(5,), (), (5, 6)]
    assert found[2].log_p == (-0.5, -0.5) and not found[2].finished


def test_a_trace_says_which_it_was_and_what_all_were_worth():
    (found,) = rerank([candidates((), (5, 6), (5,))], told([]), nbest=2, trace=True)
    (choice,) = found[0].trace
    assert (choice.what, choice.taken, choice.call) == ("candidate", 2, 2)
    assert choice.log_p == pytest.approx(-2 / (7 / 6))
    assert [number for number, _ in choice.others] == [1, 0]
    assert dict(choice.others) == pytest.approx({0: -4.0, 1: -2.4 / (8 / 6)})
    assert rerank([], told([])) == []


def test_a_decoder_scores_as_it_would_write():
    """The log probabilities of what greedy found are greedy's own."""
    decoder, memory = writer(11), memory_of([4, 7, 5])
    with torch.inference_mode():
        found = [one for (one,) in decoder.generate(memory, Search("greedy", scores=True))]
        scores = decoder.scored(memory, [2, 0, 1, 0], [found[2].tokens, found[0].tokens, found[1].tokens, ()])
    for row, values in zip((2, 0, 1), scores, strict=False):
        assert values[: len(found[row].log_p)] == pytest.approx(found[row].log_p, abs=1e-5)
        assert len(values) == len(found[row].tokens) + 1
    assert len(scores[3]) == 1
