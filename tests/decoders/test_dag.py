"""The decoder whose sequences are paths through a graph: its loss, what glancing shows, and which path it writes."""

import itertools
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import headway
from building import D, memory_of, no_gradient_is_missing, shape, stirred
from comparing import close, gradients
from headway.batch import BEGIN, END, PAD, UNKNOWN, Memory
from headway.decoders import TargetSizes
from headway.decoders.dag import DirectedAcyclic, Settings
from headway.errors import UsageError
from headway.functional import dag as formula
from headway.layers.encoder import EncoderSettings
from headway.positions import POSITIONS
from headway.positions.sinusoidal import sinusoids
from headway.search import Hypothesis, Search
from little import data, quick, tiny

V = 11
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([], np.int32)]
LENGTHS = [4, 7, 5]
SIZES = TargetSizes(V, 1.0, 2)


def graphs(settings: dict[str, Any] | None = None, sizes: TargetSizes = SIZES, seed: int = 3, **changed: Any):
    """A decoder with weights that make its answers differ, ready to write."""
    changed = {"layers": 1} | changed
    made = DirectedAcyclic(Settings(**{"nodes": 2} | (settings or {})), shape(**changed), sizes, None)
    return stirred(made, seed).eval()


def rows_of(memory: Memory) -> list[Memory]:
    """Each row by itself, without its padding."""
    lengths = [memory.x.shape[1]] * len(memory.x) if memory.keys is None else memory.keys.sum(-1).tolist()
    return [Memory(memory.x[row : row + 1, :length]) for row, length in enumerate(lengths)]


def graph_of(decoder: DirectedAcyclic, memory: Memory) -> tuple[Tensor, Tensor]:
    """Of one row, link by link from the definition: logits (N, V) of the nodes, log E (N, N)."""
    nodes = decoder.nodes_of(torch.tensor([memory.x.shape[1]]))
    N = int(nodes)
    places = sinusoids(N, D, 10_000.0)
    states = decoder.stack(decoder.begun(memory, nodes, N) + places, memory)[0]
    both = torch.cat([states, places], -1)
    heads = decoder.links.heads
    own = decoder.links
    projected = both @ torch.cat([own.pair.weight, own.pair_place.weight], 1).T + own.pair.bias
    q, k = projected.view(N, 2, heads, -1).unbind(1)
    gates = (both @ torch.cat([own.gate.weight, own.gate_place.weight], 1).T + own.gate.bias).softmax(-1)
    rows = []
    for i in range(N - 1):
        weights = [(k[i + 1 :, h] @ q[i, h] / k.shape[-1] ** 0.5).softmax(0) * gates[i, h] for h in range(heads)]
        rows.append(torch.cat([torch.zeros(i + 1), sum(weights, torch.zeros(N - 1 - i))]))
    links = torch.stack([*rows, torch.zeros(N)])
    logits = states @ decoder.output.T + decoder.output_bias
    return logits, torch.where(links > 0, links.clamp_min(1e-30).log(), -torch.inf)


def written_by(logits: Tensor) -> tuple[Tensor, Tensor]:
    """(N) the most probable token of each node, of those that may be written, and its log probability."""
    logits = logits.clone()
    logits[:, [PAD, UNKNOWN, BEGIN, END]] = -torch.inf
    log_p, tokens = logits.log_softmax(-1).max(-1)
    return tokens, log_p


def generated(decoder: DirectedAcyclic, memory: Memory, **asked: Any) -> list[Hypothesis]:
    with torch.inference_mode():
        return [found[0] for found in decoder.generate(memory, Search(scores=True, **asked))]


# ------------------------------------------------------------------------------------------------------------ training


@pytest.mark.parametrize("settings", [{}, {"tie": "none"}, {"inputs": "begin"}], ids=str)
def test_the_loss_is_the_definition_row_by_row_in_value_and_every_gradient(settings):
    decoder, memory = graphs(settings), memory_of(LENGTHS)
    loss, expected = decoder.loss(memory, decoder.collate(TARGETS), 0.1), 0.0
    for row, target in zip(rows_of(memory), TARGETS, strict=True):
        logits, links = graph_of(decoder, row)
        match = logits.log_softmax(-1)[:, target.tolist()].T
        expected = expected - formula.log_likelihood(match[None], links[None])[0]
    assert isinstance(expected, Tensor) and loss.count == 5 + 1 + 0 + 3
    close(loss.total, expected, 1e-4)
    parameters = list(decoder.parameters())
    for one, other in zip(gradients(loss.total, parameters), gradients(expected, parameters), strict=True):
        close(one, other, 1e-4)


@pytest.mark.parametrize("inputs", ["copy", "begin"])
def test_every_weight_learns(inputs):
    decoder = graphs({"inputs": inputs}).train()
    no_gradient_is_missing(decoder, decoder.loss(memory_of(LENGTHS), decoder.collate(TARGETS), 0.1).total)


@given(rows=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_the_losses_of_rows_add_up_to_that_of_the_batch(rows, seed):
    decoder, memory = graphs(), memory_of([S for S, _ in rows], seed=seed)
    targets = [np.arange(4, 4 + T, dtype=np.int32) for _, T in rows]
    whole = decoder.loss(memory, decoder.collate(targets), 0.0)
    parts = [decoder.loss(row, decoder.collate([target]), 0.0) for row, target in zip(rows_of(memory), targets)]
    close(whole.total, torch.stack([part.total for part in parts]).sum(), 1e-4)
    assert whole.count == sum(part.count for part in parts)


def test_there_are_nodes_for_the_longest_target_of_training_and_the_settings_number_where_that_is_more():
    read = torch.tensor([0, 1, 3, 8])
    many, few = graphs({"nodes": 4}), graphs({"nodes": 1}, TargetSizes(V, 1.7, 3))
    assert many.nodes_of(read).tolist() == [2 + 2, 4 + 2, 12 + 2, 32 + 2]
    assert few.nodes_of(read).tolist() == [2 + few.sizes.limit(S) for S in read.tolist()]
    learned = graphs({"position": POSITIONS.choose({"kind": "learned", "positions": 9})})
    assert learned.nodes_of(read).tolist() == [4, 5, 8, 9]


def test_what_is_too_long_is_not_reached_and_left_out():
    decoder = graphs({"nodes": 1})  # S + 2 nodes that write
    target = np.array([4, 5, 6, 7, 8, 9], np.int32)
    assert decoder.reaches(np.array([3, 4, 5]), [target] * 3).tolist() == [False, True, True]
    memory = memory_of([3, 4])
    loss = decoder.loss(memory, decoder.collate([target, target]), 0.0)
    alone = decoder.loss(rows_of(memory)[1], decoder.collate([target]), 0.0)
    close(loss.total, alone.total, 1e-4)
    assert loss.count == alone.count == 7
    parameters = list(decoder.parameters())
    for one, other in zip(gradients(loss.total, parameters), gradients(alone.total, parameters), strict=True):
        close(one, other, 1e-4)


@pytest.mark.long
def test_a_step_downhill_makes_every_target_more_probable_until_it_is_written():
    decoder, memory = graphs({"nodes": 3, "repeats": "keep"}).train(), memory_of(LENGTHS)
    targets = [np.array([5, 7, 7, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 8, 4], np.int32)]
    optimizer = torch.optim.Adam(decoder.parameters(), 0.01)
    for _ in range(120):
        loss = decoder.loss(memory, decoder.collate(targets), 0.0)
        optimizer.zero_grad()
        loss.mean.backward()
        optimizer.step()
    assert [h.tokens for h in generated(decoder.eval(), memory)] == [tuple(target.tolist()) for target in targets]


# ------------------------------------------------------------------------------------------------------------ glancing


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_glancing_puts_right_tokens_where_the_best_path_writes_them(share):
    decoder, memory = graphs(), memory_of(LENGTHS)
    taught = decoder.taught(memory, decoder.collate(TARGETS))
    nodes = decoder.nodes_of(taught.read)
    before = decoder.started(memory, nodes)
    changed = (decoder.glimpse(before, memory, nodes, taught, share) != before).any(-1)
    after = decoder.glimpse(before, memory, nodes, taught, share)
    for number, (row, target) in enumerate(zip(rows_of(memory), TARGETS, strict=True)):
        logits, links = graph_of(decoder, row)
        match = logits.log_softmax(-1)[:, target.tolist()].T
        path = formula.best_path(match[None], links[None])[1][0].tolist()
        mistakes = sum(int(written_by(logits)[0][node]) != token for node, token in zip(path, target.tolist()))
        assert int(changed[number].sum()) == round(share * mistakes)
        assert set(changed[number].nonzero()[:, 0].tolist()) <= set(path)
        vectors = decoder.vectors(torch.from_numpy(target.astype(np.int64)))
        for node, vector in zip(path, vectors, strict=True):
            own = vector + decoder.places(before)[node]
            assert torch.equal(after[number, node], before[number, node]) or torch.allclose(after[number, node], own)


def test_both_passes_drop_the_same(monkeypatch):
    decoder, memory, seen = graphs(dropout=0.5).train(), memory_of(LENGTHS), []
    once = decoder.matched
    monkeypatch.setattr(decoder, "matched", lambda *x: seen.append(once(*x)) or seen[-1])
    for _ in range(2):  # so small a share that nothing is shown
        decoder.loss(memory, decoder.collate(TARGETS), 0.0, revealed=1e-9)
    (_, first, _), (_, second, _), (_, third, _), _ = seen
    close(first, second)
    assert not torch.allclose(first, third)


def test_under_autocast_to_bfloat16_the_loss_is_near_and_gradients_are_finite():
    decoder, memory = graphs().train(), memory_of(LENGTHS)
    target = decoder.collate(TARGETS)
    with torch.autocast("cpu", torch.bfloat16):
        found = decoder.loss(memory, target, 0.0, revealed=0.5)
        plain = decoder.loss(memory, target, 0.0)
    assert plain.total.item() == pytest.approx(decoder.loss(memory, target, 0.0).total.item(), rel=0.05)
    assert found.total.dtype == torch.float32
    no_gradient_is_missing(decoder, found.total)


def test_a_revealed_token_learns_through_its_vector():
    decoder = graphs({"tie": "none"}).train()
    total = decoder.loss(memory_of(LENGTHS), decoder.collate(TARGETS), 0.0, revealed=0.9).total
    assert decoder.embedding.grad is None
    total.backward()
    assert decoder.embedding.grad is not None and decoder.embedding.grad.any()


# ------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("search", ["viterbi", "lookahead", "greedy"])
@given(seed=st.integers(0, 30), beta=st.sampled_from([0.0, 1.0, 1.5]), repeats=st.sampled_from(["drop", "keep"]))
@hypothesis.settings(max_examples=6)
def test_it_writes_the_path_of_the_definition_with_the_log_probability_of_each_token(search, seed, beta, repeats):
    decoder = graphs({"search": search, "repeats": repeats, "beta": beta}, seed=seed)
    memory = memory_of(LENGTHS, seed=seed)
    for row, found in zip(rows_of(memory), generated(decoder, memory), strict=True):
        with torch.inference_mode():
            logits, links = graph_of(decoder, row)
        tokens, log_p = written_by(logits)
        last = len(links) - 1
        ahead = log_p.masked_fill(torch.arange(last + 1) == last, 0.0)
        if search == "viterbi":
            _, path = formula.joint_viterbi(links, ahead, SIZES.limit(row.x.shape[1]), beta)
        else:
            path = formula.walk(links, None if search == "greedy" else ahead)
        spoken, chances = [], []
        for i, j in itertools.pairwise([0, *path]):
            own = float(links[i, j] + log_p[j])
            if repeats == "drop" and spoken and spoken[-1] == int(tokens[j]):
                chances[-1] += own
            else:
                spoken, chances = [*spoken, int(tokens[j])], [*chances, own]
        chances.append(float(links[[0, *path][-1], last]))
        assert found.tokens == tuple(spoken) and found.finished and found.calls == 1
        assert found.log_p == pytest.approx(chances, abs=1e-4)


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3), seed=st.integers(0, 30))
@pytest.mark.parametrize("search", ["viterbi", "lookahead"])
def test_padding_and_who_stands_beside_change_nothing(search, lengths, seed):
    decoder = graphs({"search": search}, seed=seed)
    memory = memory_of(lengths, seed=seed) if max(lengths) else Memory(torch.zeros(len(lengths), 0, D))
    for row, found in zip(rows_of(memory), generated(decoder, memory), strict=True):
        (alone,) = generated(decoder, row)
        assert found.tokens == alone.tokens and found.log_p == pytest.approx(alone.log_p, abs=1e-4)


@pytest.mark.parametrize("search", ["viterbi", "lookahead", "greedy"])
def test_a_limit_cuts_what_is_longer_and_leaves_no_end(search):
    decoder, memory = graphs({"search": search, "beta": 2.0, "repeats": "keep"}, seed=5), memory_of(LENGTHS)
    with torch.no_grad():
        decoder.links.pair_place.weight *= 0.1  # so that it does not go to the end at once
        decoder.output_bias[7] += 20.0
    whole = generated(decoder, memory)
    assert max(len(h.tokens) for h in whole) > 1
    for limit in (0, 1):
        for cut, full in zip(generated(decoder, memory, limit=limit), whole, strict=True):
            assert cut.tokens == full.tokens[:limit] and cut.finished == (len(full.tokens) <= limit)
            assert len(cut.log_p) == len(cut.tokens) + cut.finished


def test_what_is_never_written():
    decoder, memory = graphs(), memory_of(LENGTHS)
    with torch.no_grad():
        decoder.output_bias[: END + 1] = 50.0
    assert all(token > END for found in generated(decoder, memory) for token in found.tokens)


def test_the_trace_is_the_path_with_its_nodes_and_what_they_might_have_written():
    decoder, memory = graphs({"beta": 2.0}), memory_of(LENGTHS)
    with torch.no_grad():
        decoder.output_bias[7] += 4.0  # so that neighbours write the same
    found = generated(decoder, memory, trace=True)
    assert found == generated(decoder, memory)
    assert any(choice.what == "repeat" for h in found for choice in h.trace or ())
    for row, one in zip(rows_of(memory), found, strict=True):
        with torch.inference_mode():
            logits, links = graph_of(decoder, row)
        _, log_p = written_by(logits)
        *path, end = one.trace or ()
        assert (end.what, end.where, end.taken) == ("end", len(links) - 1, END)
        assert tuple(choice.taken for choice in path if choice.what == "node") == one.tokens
        assert sum(choice.log_p for choice in (*path, end)) == pytest.approx(one.score, abs=1e-4)
        before = 0
        for choice in path:
            assert choice.where > before
            assert choice.log_p == pytest.approx(float(links[before, choice.where] + log_p[choice.where]), abs=1e-4)
            assert len(choice.others) == 3 and all(p <= choice.log_p for _, p in choice.others)
            before = choice.where


# -------------------------------------------------------------------------------------------------------------- several


def every_sequence(logits: Tensor, links: Tensor, choices: int) -> dict[tuple[int, ...], float]:
    """Of all paths, each node writing one of its most probable tokens: the best log probability of every sequence."""
    logits = logits.clone()
    logits[:, : END + 1] = -torch.inf
    log_p, tokens = logits.log_softmax(-1).topk(choices)
    found: dict[tuple[int, ...], float] = {}
    for T in range(len(links) - 1):
        for path in itertools.combinations(range(1, len(links) - 1), T):
            nodes = [0, *path, len(links) - 1]
            way = sum(float(links[i, j]) for i, j in itertools.pairwise(nodes))
            for picks in itertools.product(range(choices), repeat=T):
                spoken = tuple(int(tokens[node, pick]) for node, pick in zip(path, picks, strict=True))
                own = way + sum(float(log_p[node, pick]) for node, pick in zip(path, picks, strict=True))
                found[spoken] = max(own, found.get(spoken, -torch.inf))
    return found


@given(seed=st.integers(0, 30), number=st.sampled_from([1, 3, 7]))
@hypothesis.settings(max_examples=5)
def test_candidates_are_the_most_probable_sequences_each_once(seed, number):
    sizes = TargetSizes(V, 1.0, 1)  # graphs of 5 and 6 nodes
    decoder = graphs({"nodes": 1, "repeats": "keep", "beta": 0.0}, sizes, seed)
    memory = memory_of([2, 3], seed=seed)
    with torch.inference_mode():
        found = decoder.candidates(memory, number)
        for row, own in zip(rows_of(memory), found, strict=True):
            every = every_sequence(*graph_of(decoder, row), 4)
            best = sorted(every, key=lambda tokens: -every[tokens])[:number]
            assert [h.tokens for h in own] == best
            assert [h.score for h in own] == pytest.approx([every[tokens] for tokens in best], abs=1e-4)
            assert all(len(h.log_p) == len(h.tokens) + 1 and h.finished for h in own)


@pytest.mark.parametrize("repeats", ["drop", "keep"])
def test_the_first_candidate_is_what_is_written_and_the_rest_follow_by_their_score(repeats):
    decoder, memory = graphs({"repeats": repeats}), memory_of(LENGTHS)
    with torch.inference_mode():
        found, cut = decoder.candidates(memory, 5), decoder.candidates(memory, 5, limit=1)
        assert decoder.generate(memory, Search(nbest=5)) == found
    for own, first, short in zip(found, generated(decoder, memory), cut, strict=True):
        means = [h.score / len(h.log_p) for h in own]
        assert own[0].tokens == first.tokens and means == sorted(means, reverse=True)
        assert len({h.tokens for h in own}) == len(own) == 5
        if repeats == "drop":
            assert all(a != b for h in own for a, b in itertools.pairwise(h.tokens))
        assert all(len(h.tokens) <= 1 for h in short) and len({h.tokens for h in short}) == len(short)


# ---------------------------------------------------------------------------------------------------- several decoders


def test_an_ensemble_averages_links_and_tokens():
    one, two = (graphs({"search": "lookahead", "repeats": "keep"}, seed=seed) for seed in (3, 4))
    memory, other = memory_of([3]), memory_of([3], seed=8)
    (found,) = generated_by_both(one, memory, two, other)
    with torch.inference_mode():
        pairs = [graph_of(decoder, memory) for decoder, memory in ((one, memory), (two, other))]
    p = torch.stack([_allowed(logits).softmax(-1) for logits, _ in pairs]).mean(0)
    links = torch.stack([links.exp() for _, links in pairs]).mean(0).log()
    best, last = p.max(-1), len(links) - 1
    path = formula.walk(links, best.values.log().masked_fill(torch.arange(last + 1) == last, 0.0))
    assert found.tokens == tuple(best.indices[path].tolist())
    expected = [float(links[i, j] + best.values[j].log()) for i, j in itertools.pairwise([0, *path])]
    assert found.log_p == pytest.approx([*expected, float(links[[0, *path][-1], last])], abs=1e-4)


def generated_by_both(one: DirectedAcyclic, memory: Memory, two: DirectedAcyclic, other: Memory) -> list[Hypothesis]:
    with torch.inference_mode():
        return [found[0] for found in one.generate(memory, Search(), [(two, other)])]


def _allowed(logits: Tensor) -> Tensor:
    return logits.masked_fill(torch.arange(V) <= END, -torch.inf)


def test_an_ensemble_of_graphs_of_different_size_is_refused():
    memory = memory_of([3])
    with pytest.raises(UsageError, match=r"model\.task\.decoder\.nodes"):
        generated_by_both(graphs(), memory, graphs({"nodes": 5}), memory)


# ------------------------------------------------------------------------------------------------------- the whole way


def test_nodes_without_positions_are_refused():
    with pytest.raises(UsageError, match=r"Set model\.task\.decoder\.position"):
        DirectedAcyclic(Settings(), EncoderSettings(width=D, position=POSITIONS.choose("none")), SIZES, None)


def test_it_is_trained_written_with_and_loaded_again(tmp_path):
    changed = {"model.task.decoder": "dag", "model.task.decoder.nodes": 2, "model.task.glancing": True}
    where = tmp_path / "run"
    quick(data("transduce", tmp_path / "data"), where, settings=tiny("transduce", changed))
    predictor = headway.load(where)
    assert predictor.modes == ("nat",)
    answers = predictor.predict(["abc", "gfedc", ""])
    assert len(answers) == 3 and all(set(answer.text) <= set("abcdefgh") for answer in answers)
    assert [a.text for a in headway.load(where).predict(["abc", "gfedc", ""])] == [a.text for a in answers]
