"""The decoder that writes one token after another: its loss, its answers, and what it never writes."""

import itertools
import math

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from building import D, memory_of, no_gradient_is_missing, writer
from building import shape as small
from comparing import close, gradients
from headway.batch import BEGIN, END, PAD, SPECIALS, UNKNOWN, Memory
from headway.decoders import TargetSizes
from headway.decoders.autoregressive import Autoregressive, Settings
from headway.errors import UsageError
from headway.functional.masks import Mask, padding
from headway.layers.mixers import Look
from headway.search import Hypothesis, Search
from headway.search.beam import penalty

V = 11
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([], np.int32)]
LENGTHS = [4, 7, 5]


def logits_of(decoder: Autoregressive, memory: Memory, tokens: list[int]) -> torch.Tensor:
    """(1 + tokens, V) what is said after BEGIN and after each token, all recomputed from the first on."""
    vectors = F.embedding(torch.tensor([[BEGIN, *tokens]]), decoder.embedding) * math.sqrt(D)
    return (decoder.stack(vectors, memory) @ decoder.output.T + decoder.output_bias)[0]


def allowed_log_p(logits: torch.Tensor) -> torch.Tensor:
    """Log probabilities among what may be written: END and the tokens."""
    logits = logits.clone()
    logits[..., [PAD, UNKNOWN, BEGIN]] = -torch.inf
    return logits.log_softmax(-1)


def rows_of(memory: Memory) -> list[Memory]:
    """Each row by itself, without its padding."""
    lengths = [memory.x.shape[1]] * len(memory.x) if memory.keys is None else memory.keys.sum(-1).tolist()
    return [Memory(memory.x[row : row + 1, :length]) for row, length in enumerate(lengths)]


# ------------------------------------------------------------------------------------------------------------ training


def test_what_is_read_begins_with_begin_and_what_is_written_ends_with_end():
    part = writer(V).collate(TARGETS)
    assert part["read"].tolist() == [[BEGIN, 5, 7, 4, 10, 6], [BEGIN, 9, *[PAD] * 4], [BEGIN, *[PAD] * 5]]
    assert part["write"].tolist() == [[5, 7, 4, 10, 6, END], [9, END, *[PAD] * 4], [END, *[PAD] * 5]]


@pytest.mark.parametrize("tie", ["none", "output"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_teacher_forcing_row_by_row_with_torchs_cross_entropy(smoothing, tie):
    decoder, memory = writer(V, {"settings": {"tie": tie}}), memory_of(LENGTHS)
    loss = decoder.loss(memory, decoder.collate(TARGETS), smoothing)
    expected = 0.0
    for row, target in zip(rows_of(memory), TARGETS, strict=True):
        logits = logits_of(decoder, row, target.tolist())
        right = torch.tensor([*target.tolist(), END])
        expected = expected + F.cross_entropy(logits, right, reduction="sum", label_smoothing=smoothing)
    close(loss.total, expected, 1e-4)
    assert loss.count == 5 + 1 + 0 + 3  # END counts
    parameters = list(decoder.parameters())
    for one, other in zip(gradients(loss.total, parameters), gradients(expected, parameters), strict=True):
        close(one, other, 1e-4)


def test_the_losses_of_rows_add_up_to_that_of_the_batch():
    decoder, memory = writer(V), memory_of(LENGTHS)
    whole = decoder.loss(memory, decoder.collate(TARGETS), 0.1)
    parts = [
        decoder.loss(row, decoder.collate([target]), 0.1) for row, target in zip(rows_of(memory), TARGETS, strict=True)
    ]
    close(sum(part.total for part in parts), whole.total, 1e-4)
    assert sum(part.count for part in parts) == whole.count


def test_every_weight_learns():
    decoder = writer(V, {"settings": {"tie": "none"}}).train()
    for block in decoder.stack.blocks:
        for attention in (block.mixer, block.cross):  # softmax does not see what is added to all scores of a row
            del attention.key.bias
            attention.key.bias = torch.zeros(D)
    no_gradient_is_missing(decoder, decoder.loss(memory_of(LENGTHS), decoder.collate(TARGETS), 0.1).total)


def test_which_tables_are_one():
    shape, sizes = small(layers=1), TargetSizes(V, shared=True)
    table = nn.Parameter(torch.randn(V, D))

    def made(tie, source=table, sizes=sizes):
        return Autoregressive(Settings(tie=tie), shape, sizes, source)

    apart = made("none")
    assert apart.output is not apart.embedding and apart.output.equal(apart.embedding)
    tied = made("output")
    assert tied.output is tied.embedding and tied.embedding is not table
    shared = made("all")
    assert shared.output is shared.embedding and shared.embedding is table
    for source, its_sizes in ((None, sizes), (table, TargetSizes(V, shared=False))):
        with pytest.raises(UsageError, match="tie: all shares one table between source and target, and they have diff"):
            made("all", source, its_sizes)


# -------------------------------------------------------------------------------------------------------------- scoring


def test_the_score_of_a_target_is_the_log_probability_of_each_token_among_what_may_be_written():
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        found, real = decoder.score(memory, decoder.collate(TARGETS))
        assert real.tolist() == [[True] * 6, [True] * 2 + [False] * 4, [True] + [False] * 5]
        for number, (row, target) in enumerate(zip(rows_of(memory), TARGETS, strict=True)):
            right = [*target.tolist(), END]
            expected = allowed_log_p(logits_of(decoder, row, target.tolist()))[range(len(right)), right]
            close(found[number][real[number]], expected)
            assert not found[number][~real[number]].any()


def test_a_token_that_is_unknown_has_a_score_though_it_is_never_written():
    decoder, memory = writer(V), memory_of([4])
    with torch.no_grad():
        found, _ = decoder.score(memory, decoder.collate([np.array([5, UNKNOWN], np.int32)]))
        logits = logits_of(decoder, memory, [5, UNKNOWN])
    assert found.isfinite().all()
    among = logits[1].clone()
    among[[PAD, BEGIN]] = -torch.inf
    close(found[0, 1], among.log_softmax(-1)[UNKNOWN])
    close(found[0, 0], allowed_log_p(logits)[0, 5])


# -------------------------------------------------------------------------------------------------------------- writing


def greedily(decoders: list[Autoregressive], memories: list[Memory], limit: int) -> tuple[list[int], list[float], bool]:
    """(tokens, log probabilities, whether END came): everything is recomputed at every step, nothing is kept."""
    tokens: list[int] = []
    chances: list[float] = []
    while True:
        each = [allowed_log_p(logits_of(d, m, tokens)[-1]) for d, m in zip(decoders, memories, strict=True)]
        log_p = torch.stack(each).exp().mean(0).log()
        best = int(log_p.argmax())
        if best != END and len(tokens) == limit:
            return tokens, chances, False
        chances.append(float(log_p[best]))
        if best == END:
            return tokens, chances, True
        tokens.append(best)


@pytest.mark.parametrize("position", ["rotary", "sinusoidal", "learned", "none"])
def test_greedy_is_a_loop_that_recomputes_everything(position):
    decoder, memory = writer(V, {"position": position}, ratio=1.5, extra=3), memory_of(LENGTHS)
    with torch.no_grad():
        found = decoder.generate(memory, Search(scores=True))
        for row, (hypothesis,) in zip(rows_of(memory), found, strict=True):
            limit = int(1.5 * row.x.shape[1] + 3)
            tokens, chances, finished = greedily([decoder], [row], limit)
            assert (list(hypothesis.tokens), hypothesis.finished) == (tokens, finished)
            assert list(hypothesis.log_p) == pytest.approx(chances, abs=1e-4)
        assert [h.tokens for (h,) in decoder.generate(memory, Search())] == [h.tokens for (h,) in found]


@pytest.mark.parametrize("search", [Search(scores=True), Search("beam", beam=3, nbest=3)], ids=["greedy", "beam"])
def test_frozen_or_not_the_same_is_written(search, monkeypatch):
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        frozen = decoder.generate(memory, search)
        monkeypatch.setattr("headway.decoders.autoregressive.refuses", lambda stack: "not now")
        plain = decoder.generate(memory, search)
    for one, other in zip(frozen, plain, strict=True):
        assert [h.tokens for h in one] == [h.tokens for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-4)


def test_weights_that_change_change_what_is_written():
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        decoder.generate(memory, Search())
        decoder.output_bias[7] = 100.0
        assert all(set(h.tokens) == {7} for (h,) in decoder.generate(memory, Search()))
        decoder.output_bias[7] = -100.0
        decoder.stack.blocks[0].feedforward.outer.bias.add_(torch.arange(D))
        for row, (hypothesis,) in zip(rows_of(memory), decoder.generate(memory, Search()), strict=True):
            assert list(hypothesis.tokens) == greedily([decoder], [row], decoder.sizes.limit(row.x.shape[1]))[0]


def enumerated(decoder: Autoregressive, memory: Memory, limit: int, alpha: float) -> list[tuple[float, tuple]]:
    """(value, sequence) of everything that can be written and ends, best first."""
    found = []
    for length in range(limit + 1):
        for tokens in itertools.product(range(len(SPECIALS), decoder.sizes.vocabulary), repeat=length):
            right = [*tokens, END]
            log_p = allowed_log_p(logits_of(decoder, memory, list(tokens)))[range(len(right)), right]
            found.append((log_p.sum().item() / penalty(length + 1, alpha), tokens))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_everything_that_can_be_written(alpha):
    decoder, memory = writer(6), memory_of([3, 5])  # two tokens beside END
    with torch.no_grad():
        search = Search("beam", beam=14, nbest=6, length_penalty=alpha, scores=True, limit=3)
        for row, found in zip(rows_of(memory), decoder.generate(memory, search), strict=True):
            expected = enumerated(decoder, row, 3, alpha)[:6]
            assert [h.tokens for h in found] == [tokens for _, tokens in expected]
            values = [h.score / penalty(len(h.tokens) + 1, alpha) for h in found]
            assert values == pytest.approx([v for v, _ in expected], abs=1e-4)


SEARCHES = [Search(scores=True), Search("beam", beam=3, nbest=3), Search("beam", beam=5, nbest=2, length_penalty=0.0)]


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "beam 3", "beam 5"])
def test_the_scores_of_a_search_are_the_scores_of_what_it_found(search):
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        for row, found in enumerate(decoder.generate(memory, search)):
            source = memory.select(torch.tensor([row] * len(found)))
            part = decoder.collate([np.array(h.tokens, np.int32) for h in found])
            for hypothesis, log_p in zip(found, decoder.score(source, part)[0], strict=True):
                given = log_p[: len(hypothesis.log_p)].tolist()
                assert list(hypothesis.log_p) == pytest.approx(given, abs=1e-4)
                assert len(hypothesis.log_p) == len(hypothesis.tokens) + hypothesis.finished


@hypothesis.settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), more=st.integers(0, 3), which=st.sampled_from(SEARCHES)
)
def test_batch_mates_and_padding_do_not_change_what_is_written(lengths, more, which):
    decoder, memory = writer(V, extra=2), memory_of([*lengths, max(lengths) + more])
    with torch.inference_mode():
        together = decoder.generate(memory, which)
        for row, found in zip(rows_of(memory), together, strict=True):
            (alone,) = decoder.generate(row, which)
            assert [h.tokens for h in alone] == [h.tokens for h in found]
            assert [h.score for h in alone] == pytest.approx([h.score for h in found], abs=1e-4)


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "beam 3", "beam 5"])
def test_padding_unknown_and_begin_are_never_written_however_probable(search):
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        decoder.output_bias[[PAD, UNKNOWN, BEGIN]] = 100.0
        for found in decoder.generate(memory, search):
            for hypothesis in found:
                assert all(END < token < V for token in hypothesis.tokens)
                assert all(-1e3 < chance <= 0 for chance in hypothesis.log_p)


def test_a_limit_is_the_decoders_unless_the_search_has_its_own():
    decoder, memory = writer(V, ratio=2.0, extra=1), memory_of([3, 5])
    with torch.no_grad():
        decoder.output_bias[END] = -100.0  # it never ends
        for own, expected in ((None, [7, 11]), (2, [2, 2])):
            for mode in ("greedy", "beam"):
                found = decoder.generate(memory, Search(mode, beam=2, limit=own))
                assert [len(h.tokens) for (h, *_) in found] == expected
                assert not any(h.finished for (h, *_) in found)


@pytest.mark.parametrize("mode", ["greedy", "beam"])
def test_a_forced_prefix_comes_first_and_the_rest_goes_on_from_it(mode):
    decoder, memory = writer(V), memory_of(LENGTHS)
    prefixes = [[7, 7], [], [10]]
    with torch.no_grad():
        found = decoder.generate(memory, Search(mode, prefixes=prefixes, scores=True))
        for row, prefix, (best, *_) in zip(rows_of(memory), prefixes, found, strict=True):
            assert list(best.tokens[: len(prefix)]) == prefix
            log_p = allowed_log_p(logits_of(decoder, row, list(best.tokens)))
            right = [*best.tokens, END][: len(best.log_p)]
            assert list(best.log_p) == pytest.approx(log_p[range(len(right)), right].tolist(), abs=1e-4)
            if mode == "greedy":
                assert right[len(prefix) :] == log_p.argmax(-1).tolist()[len(prefix) : len(right)]


@pytest.mark.parametrize("mode", ["greedy", "beam"])
def test_a_forced_token_that_is_never_written_counts_nothing_and_the_rest_goes_on_from_it(mode):
    decoder, memory = writer(V), memory_of(LENGTHS)
    prefixes = [[UNKNOWN], [], [5, UNKNOWN]]
    with torch.no_grad():
        found = decoder.generate(memory, Search(mode, beam=3, nbest=3, prefixes=prefixes, scores=True))
        for row, prefix, hypotheses in zip(rows_of(memory), prefixes, found, strict=True):
            assert len(hypotheses) == (1 if mode == "greedy" else 3)
            for hypothesis in hypotheses:
                assert list(hypothesis.tokens[: len(prefix)]) == prefix
                log_p = allowed_log_p(logits_of(decoder, row, list(hypothesis.tokens)))
                right = [*hypothesis.tokens, END][: len(hypothesis.log_p)]
                expected = [0.0 if r == UNKNOWN else float(log_p[i, r]) for i, r in enumerate(right)]
                assert list(hypothesis.log_p) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("mode", ["greedy", "beam"])
def test_learned_positions_end_what_is_written_and_are_no_error(mode):
    position = {"kind": "learned", "positions": 5}
    decoder, other = writer(V, {"settings": {"position": position}}, extra=50), writer(V, extra=50)
    memory = memory_of(LENGTHS)
    with torch.no_grad():
        for made in (decoder, other):
            made.output_bias[END] = -100.0  # it never ends
        for own in (None, 30):
            search = Search(mode, beam=2, limit=own, alignments=True)
            for found in (decoder.generate(memory, search), other.generate(memory, search, [(decoder, memory)])):
                assert [len(best.tokens) for (best, *_) in found] == [4] * len(LENGTHS)


def test_a_limit_of_nothing_is_a_limit():
    with torch.no_grad():
        found = writer(V).generate(memory_of(LENGTHS), Search(limit=0))
    assert all(hypothesis.tokens == () for (hypothesis,) in found)


# ------------------------------------------------------------------------------------------ ensembles, alignments


@pytest.mark.parametrize("count", [2, 3])
def test_an_ensemble_is_the_mean_of_the_probabilities_at_every_step(count):
    decoders = [writer(V, {"settings": {"layers": n + 1}}) for n in range(count)]
    memories = [memory_of(LENGTHS, seed=seed) for seed in range(count)]
    others = list(zip(decoders, memories, strict=True))[1:]
    with torch.no_grad():
        found = decoders[0].generate(memories[0], Search(scores=True), others)
        for row, (hypothesis,) in enumerate(found):
            alone = [rows_of(memory)[row] for memory in memories]
            limit = decoders[0].sizes.limit(LENGTHS[row])
            tokens, chances, finished = greedily(decoders, alone, limit)
            assert (list(hypothesis.tokens), hypothesis.finished) == (tokens, finished)
            assert list(hypothesis.log_p) == pytest.approx(chances, abs=1e-4)


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "beam 3", "beam 5"])
def test_an_ensemble_of_one_decoder_with_itself_is_that_decoder(search):
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        alone = decoder.generate(memory, search)
        twice = decoder.generate(memory, search, [(decoder, memory)])
    for one, other in zip(alone, twice, strict=True):
        assert [h.tokens for h in one] == [h.tokens for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-4)


def cross_weights(decoder: Autoregressive, row: Memory, tokens: list[int]) -> torch.Tensor:
    """(1 + tokens, S) the mean over layers and heads of where each position looks, by the formula."""
    y = F.embedding(torch.tensor([[BEGIN, *tokens]]), decoder.embedding) * math.sqrt(D)
    found = []
    for block in decoder.stack.blocks:
        y = y + block.mixer(block.mixed.norm(y), Look(Mask(causal=True), None, decoder.stack.position))
        x, q, k = block.crossed.norm(y), block.cross.query, block.cross.key
        scores = (q(x).view(-1, 3, 4).transpose(0, 1) @ k(row.x).view(-1, 3, 4).permute(1, 2, 0)) / 2
        found.append(scores.softmax(-1).mean(0))
        y = y + block.cross(x, Look(Mask()), None, row.x)
        y = block.fed(y, block.feedforward)
    return torch.stack(found).mean(0)


@pytest.mark.parametrize("search", [Search(alignments=True), Search("beam", beam=3, nbest=3, alignments=True)])
def test_an_alignment_is_where_the_recomputed_weights_are_largest(search):
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        for row, found in zip(rows_of(memory), decoder.generate(memory, search), strict=True):
            for hypothesis in found:
                weights = cross_weights(decoder, row, list(hypothesis.tokens))[: len(hypothesis.tokens)]
                assert len(hypothesis.alignment) == len(hypothesis.tokens)
                for (position, weight), expected in zip(hypothesis.alignment, weights, strict=True):
                    assert weight == pytest.approx(expected.max().item(), abs=1e-4)
                    assert expected[position].item() == pytest.approx(weight, abs=1e-4)


def test_alignments_change_nothing_else():
    decoder, memory = writer(V), memory_of(LENGTHS)
    with torch.no_grad():
        plain = decoder.generate(memory, Search(scores=True))
        aligned = decoder.generate(memory, Search(scores=True, alignments=True))
    for (one,), (other,) in zip(plain, aligned, strict=True):
        assert one == Hypothesis(other.tokens, other.log_p, other.finished)


@pytest.mark.parametrize("lengths", [[0, 3], [0, 0]])
def test_what_is_written_from_no_source_looks_nowhere(lengths):
    memory = Memory(memory_of([3, 3]).x[:, : max(lengths)], padding(torch.tensor(lengths), max(lengths)))
    with torch.no_grad():
        found = writer(V).generate(memory, Search(prefixes=[[7, 5], [7]], alignments=True))
    assert found[0][0].tokens[:2] == (7, 5) and found[0][0].alignment == ()
    assert len(found[1][0].alignment) == (len(found[1][0].tokens) if lengths[1] else 0)
