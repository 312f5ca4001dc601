"""Draft and verify: whatever is guessed, what is written is greedy's, in no more calls than greedy has steps."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import BEGIN, END, FIRST, Told, extend_of, greedily, log_p, random_table, scored, step_of

from building import memory_of, writer
from headway.batch import UNKNOWN, Memory
from headway.functional.masks import padding
from headway.layers.mixers import MIXERS
from headway.search import Choice, Hypothesis, Search
from headway.search.greedy import greedy
from headway.search.guesses import Guesses, following, recycled, window
from headway.search.verify import Rules, verify, verify_together

CPU = torch.device("cpu")
V = 3
"""Tokens beside END, of tables."""


def verified(table, draft, limit=8, single=None, source=(), chances=(), **rules):
    """(what verify writes by a table, the tokens that each call read)."""
    state, guesses = Told([0]), Guesses(BEGIN, END, draft, chances, source)
    rules = Rules(BEGIN, END, limit, scores=True, trace=True, **rules)
    return verify(extend_of(table, single), state, rules, guesses, CPU), state.steps


def changed(tokens: tuple[int, ...], how: str, seed: int, end: int = FIRST + V) -> tuple[int, ...] | None:
    """A draft of these tokens, as good as its name says."""
    chance = random.Random(seed)
    draft, place = list(tokens), chance.randint(0, len(tokens))
    if how == "none":
        return None
    if how == "random":
        return tuple(chance.randrange(FIRST, end) for _ in range(chance.randint(0, 9)))
    if how == "shorter":
        return tokens[:place]
    if how == "empty":
        return ()
    if how == "longer":
        return (*tokens, *(chance.randrange(FIRST, end) for _ in range(chance.randint(1, 5))))
    if how == "one missing":
        return tokens[:place] + tokens[place + 1 :]
    if how == "one more":
        return (*tokens[:place], chance.randrange(FIRST, end), *tokens[place:])
    if how == "one other" and draft:
        draft[place % len(draft)] = chance.randrange(FIRST, end)
    return tuple(draft)


PREFIX = st.lists(st.integers(FIRST, FIRST + V - 1), max_size=4)
DRAFTS = ["none", "right", "random", "shorter", "empty", "longer", "one missing", "one more", "one other"]


# --------------------------------------------------------------------------------------------------- what is written


@pytest.mark.parametrize("how", DRAFTS)
@given(st.integers(0, 999), st.integers(0, 9), PREFIX, st.booleans())
def test_it_is_greedys_answer_in_no_more_calls(how, seed, limit, prefix, copies):
    table = random_table(V, seed)
    tokens, finished = greedily(table, 0, V, limit, prefix)
    source = tokens[1:] if copies else ()
    found, steps = verified(table, changed(tokens, how, seed), limit, source=source, prefix=tuple(prefix))
    assert (found.tokens, found.finished) == (tokens, finished)
    assert found.log_p == pytest.approx(scored(table, 0, tokens, finished), abs=1e-5)
    assert found.calls == len(steps) <= len(tokens) + 1


def test_a_right_draft_is_verified_in_one_call_and_a_long_one_in_a_few():
    def table(source, written):
        return (
            [9.0, 0.0, 0.0, 0.0]
            if len(written) == source
            else [0.0] + [5.0 * (t == len(written) % 3) for t in (0, 1, 2)]
        )

    for length, calls in ((0, 1), (1, 1), (20, 1), (90, 4)):
        tokens = tuple(FIRST + i % 3 for i in range(length))
        state = Told([length])
        found = verify(extend_of(table), state, Rules(BEGIN, END, 200), Guesses(BEGIN, END, tokens, (), ()), CPU)
        assert found.tokens == tokens and found.finished and found.calls <= calls
        assert sum(state.steps) == length + 1, "no position is read twice"


def test_what_repeats_is_copied_from_what_is_written_and_a_copy_from_the_source():
    cycle = [FIRST, FIRST + 1, FIRST + 2]

    def table(source, written):
        right = END if len(written) == 30 else cycle[len(written) % 3]
        return [5.0 * (token == right) for token in range(END, FIRST + V)]

    for source in ((), tuple(cycle[i % 3] for i in range(30))):
        found, _ = verified(table, None, 40, source=source)
        assert len(found.tokens) == 30 and found.finished and found.calls <= 15


def test_a_guess_of_the_last_call_is_taken_up():
    """Jacobi: what comes depends on the position alone, so a wrong beginning spoils nothing."""

    def table(source, written):
        right = END if len(written) == 12 else FIRST + (7 * len(written) ** 2) % 3
        return [5.0 * (token == right) for token in range(END, FIRST + V)]

    found, _ = verified(table, None, 40)
    assert len(found.tokens) == 12 and found.calls < 12


# ------------------------------------------------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    "rest, token, thought, used",
    [
        ("", "x", None, 0),
        ("xab", "x", None, 1),  # it was right, and not offered
        ("abc", "x", None, 1),  # substituted
        ("abc", "x", "b", 1),
        ("axb", "x", None, 2),  # one too many
        ("abx", "x", "a", 3),  # what is there beats what is thought
        ("abcx", "x", None, 4),
        ("abcdx", "x", None, 1),  # too far
        ("abc", "x", "a", 0),  # one was missing
        ("a", "x", None, 1),
    ],
)
def test_what_is_left_of_a_draft_behind_a_wrong_token(rest, token, thought, used):
    assert recycled([ord(c) for c in rest], ord(token), None if thought is None else ord(thought)) == used


@pytest.mark.parametrize(
    "known, last, near, found",
    [
        ("abcabd", "ab", 0, "cabd"),
        ("abcabd", "ab", 9, "d"),
        ("abcabd", "ab", 4, "d"),
        ("abc", "c", 0, ""),
        ("abc", "x", 0, ""),
        ("", "a", 0, ""),
        ("a", "ab", 0, ""),
    ],
)
def test_what_followed_before(known, last, near, found):
    known, last, found = ([ord(c) for c in text] for text in (known, last, found))
    assert following(known, last, near) == found


@given(st.lists(st.floats(0, 1), max_size=40))
def test_as_many_are_offered_as_bring_most_for_their_cost(chances):
    def value(w: int) -> float:
        if not w:
            return 1.0
        expected, together = 1.0, 1.0
        for chance in chances[:w]:
            together *= chance
            expected += together
        return expected / (1 + (w + 1) / 10)

    assert value(window(chances)) == pytest.approx(max(map(value, range(len(chances) + 1))), rel=1e-2)


def test_guesses_that_are_never_right_are_given_up_and_right_ones_grow():
    guesses, offered = Guesses(BEGIN, END, None, (), [4, 5, 6] * 20), []
    for _ in range(15):
        offered.append(len(guesses.propose([BEGIN, 4, 5], 50)))
        guesses.learn(0, 9, (8, 8))
    assert offered[0] > 1 and offered[-1] == 0
    guesses, offered = Guesses(BEGIN, END, None, (), [4, 5, 6] * 20), []
    for _ in range(5):
        offered.append(len(guesses.propose([BEGIN, 4, 5], 50)))
        guesses.learn(offered[-1], 9, ())
    assert offered == sorted(offered) and offered[-1] > offered[0]


def test_less_of_a_draft_is_offered_where_it_is_unsure():
    sure, unsure = (Guesses(BEGIN, END, [4] * 20, [p] * 21, ()).propose([BEGIN], 50) for p in (-0.001, -0.7))
    assert len(unsure) < len(sure)


# ------------------------------------------------------------------------------------------------------ several rows

ASKED = st.lists(
    st.tuples(
        st.sampled_from(DRAFTS),
        st.integers(0, 9),
        st.lists(st.integers(FIRST, FIRST + V - 1), max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def together(table, drafts, limits, prefixes, sources):
    """(what is written for as many rows, the tokens that each call read of a row)."""
    state = Told(range(len(drafts)))
    rules = [
        Rules(BEGIN, END, limit, tuple(prefix), scores=True, trace=True)
        for limit, prefix in zip(limits, prefixes, strict=True)
    ]
    guesses = [Guesses(BEGIN, END, draft, (), source) for draft, source in zip(drafts, sources, strict=True)]
    return verify_together(extend_of(table), state, rules, guesses, CPU), state.steps


@given(st.integers(0, 999), ASKED)
def test_several_rows_are_greedys_answers_and_their_calls_are_one(seed, asked):
    table = random_table(V, seed)
    hows, limits, prefixes, copies = zip(*asked, strict=True)
    right = [greedily(table, row, V, *of) for row, of in enumerate(zip(limits, prefixes, strict=True))]
    drafts = [changed(tokens, how, seed) for (tokens, _), how in zip(right, hows, strict=True)]
    sources = [tokens[1:] if copied else () for (tokens, _), copied in zip(right, copies, strict=True)]
    found, steps = together(table, drafts, limits, prefixes, sources)
    for row, (one, (tokens, finished)) in enumerate(zip(found, right, strict=True)):
        assert (one.tokens, one.finished, one.close) == (tokens, finished, False)
        assert one.log_p == pytest.approx(scored(table, row, tokens, finished), abs=1e-5)
        assert one.calls <= len(tokens) + 1
        whole = (*tokens, END) if finished else tokens
        assert [(c.where, c.taken) for c in one.trace] == list(enumerate(whole))
        assert all(0 <= c.call < one.calls for c in one.trace)
    assert max(one.calls for one in found) == len(steps), "a row that is done is read no more"


def test_right_drafts_of_all_rows_are_verified_in_one_call_and_the_furthest_behind_says_where_the_next_begins():
    right = [(4, 5, 6, 4), (5, 6), (6, 4, 5, 6, 4, 5)]

    def table(source, written):
        best = END if len(written) >= len(right[source]) else right[source][len(written)]
        return [5.0 * (token == best) for token in range(END, FIRST + V)]

    plain = [8] * 3, [()] * 3, [()] * 3
    found, steps = together(table, right, *plain)
    assert [one.tokens for one in found] == right and steps == [7] and {one.calls for one in found} == {1}
    found, steps = together(table, [(4, 5, 5, 4), (5, 6), (6, 4, 5, 6, 5, 5)], *plain)
    assert [one.tokens for one in found] == right and [one.calls for one in found] == [2, 1, 2]
    assert steps[0] == 7 and steps[1] < 6, "the three tokens that are right in both rows are not read again"


@given(st.integers(0, 999), ASKED)
def test_a_row_that_must_be_read_again_is_left_and_the_others_are_not(seed, asked):
    rough, near = random_table(V, seed), random.Random(seed).randrange(len(asked))

    def table(source, written):
        logits = list(rough(source, written))
        if source == near and len(written) == 1:
            logits[1] = logits[2] = max(logits)
        return logits

    hows, limits, prefixes, _ = zip(*asked, strict=True)
    right = [greedily(table, row, V, *of) for row, of in enumerate(zip(limits, prefixes, strict=True))]
    drafts = [changed(tokens, how, seed) for (tokens, _), how in zip(right, hows, strict=True)]
    found, _ = together(table, drafts, limits, prefixes, [()] * len(asked))
    decided = len(right[near][0]) + right[near][1] > 1 and len(prefixes[near]) < 2
    for row, (one, (tokens, finished)) in enumerate(zip(found, right, strict=True)):
        if row == near and decided:
            assert one.close and not one.finished and one.tokens == tokens[: len(one.tokens)] and one.calls
        elif row != near:
            assert (one.tokens, one.finished) == (tokens, finished)


# --------------------------------------------------------------------------------------------------------------- ties


@given(st.integers(0, 999), st.integers(0, 9), st.sampled_from(DRAFTS))
def test_where_rounding_could_decide_it_is_decided_as_greedy_does(seed, limit, how):
    """Whole numbers, so that ties are common; read together they are disturbed, read alone they are not."""
    rough = random_table(V, seed)

    def alone(source, written):
        return [float(round(x)) for x in rough(source, written)]

    def together(source, written):
        return [
            x + random.Random(repr((seed, written, i))).uniform(-4e-5, 4e-5)
            for i, x in enumerate(alone(source, written))
        ]

    tokens, finished = greedily(alone, 0, V, limit)
    found, steps = verified(together, changed(tokens, how, seed), limit, single=alone)
    assert (found.tokens, found.finished) == (tokens, finished)
    assert found.calls == len(steps) <= 2 * (len(tokens) + 1), "each call decides a token, each is read alone once"
    assert sum(length > 1 for length in steps) <= len(tokens) + 1
    assert found.log_p == pytest.approx(scored(alone, 0, tokens, finished), abs=2e-4)


def test_a_tie_costs_single_steps_and_the_rest_of_the_block_is_kept():
    right = (4, 5, 6, 4, 5, 6)

    def alone(source, written):
        best = END if len(written) == len(right) else right[len(written)]
        near = [5.0 * (token == best) for token in range(END, FIRST + V)]
        if len(written) == 2:
            near[1] = 5.0 - 5e-5  # token 4 is nearly as good as the right 6
        return near

    def together(source, written):
        near = alone(source, written)
        return [near[0], 5.0 + 5e-5, *near[2:]] if len(written) == 2 else near

    found, steps = verified(together, right, 9, single=alone)
    assert found.tokens == right and found.finished
    assert steps[:4] == [7, 1, 1, 1] and len(steps) == 4, (
        "one block, and single steps to the tie; nothing is read again"
    )
    assert [choice.what for choice in found.trace] == [*["accepted"] * 2, "single", *["accepted"] * 4]
    assert [choice.call for choice in found.trace] == [0, 0, 3, 0, 0, 0, 0]


def test_logits_that_are_large_are_near_from_further():
    def table(source, written):
        return [0.0, 1000.0, 1000.003, 0.0] if not written else [9.0, 0.0, 0.0, 0.0]

    found, _ = verified(table, (5,), single=table)
    assert [choice.what for choice in found.trace] == ["single", "accepted"]


# ----------------------------------------------------------------------------------------------- tolerance, trace


@given(st.integers(0, 999), st.floats(0.01, 3.0), st.sampled_from(DRAFTS[1:]))
def test_with_tolerance_a_drafted_token_may_be_a_little_less_probable(seed, tolerance, how):
    table = random_table(V, seed)
    draft = changed(greedily(table, 0, V, 8)[0], how, seed)
    found, _ = verified(table, draft, 8, tolerance=tolerance)
    kept = [choice for choice in found.trace if choice.what == "accepted"]
    for n, choice in enumerate(found.trace):
        best = max(log_p(table, 0, found.tokens[:n], token) for token in range(END, FIRST + V))
        assert choice.log_p >= best - (tolerance if choice in kept else 0.0) - 1e-4
    agreed = 0
    while agreed < len(draft) and agreed < 8:
        best = max(log_p(table, 0, draft[:agreed], token) for token in range(END, FIRST + V))
        if log_p(table, 0, draft[:agreed], draft[agreed]) < best - tolerance + 1e-6:
            break
        agreed += 1
    assert found.tokens[: min(agreed, 1)] == draft[: min(agreed, 1)]


@given(st.integers(0, 999), st.sampled_from(DRAFTS))
def test_a_trace_tells_each_decision_once(seed, how):
    table = random_table(V, seed)
    tokens, finished = greedily(table, 0, V, 8)
    found, _ = verified(table, changed(tokens, how, seed), 8)
    whole = (*tokens, END) if finished else tokens
    assert [(c.where, c.taken) for c in found.trace] == list(enumerate(whole))
    assert [c.log_p for c in found.trace] == pytest.approx(found.log_p)
    assert all(0 <= c.call < found.calls for c in found.trace)
    assert {c.what for c in found.trace} <= {"accepted", "corrected", "single", "token", "end"}
    for choice in found.trace:
        others = [log_p(table, 0, tokens[: choice.where], token) for token, _ in choice.others]
        assert [chance for _, chance in choice.others] == pytest.approx(others, abs=1e-5)
        assert others == sorted(others, reverse=True) and len(others) == 3
        assert choice.taken not in dict(choice.others)


@given(st.integers(0, 99))
def test_greedy_tells_what_it_took_and_what_else_there_was(seed):
    table = random_table(V, seed)
    rows = [(0, 5), (1, 3), (2, 0)]
    found = greedy(step_of(table), Told([s for s, _ in rows]), BEGIN, END, [n for _, n in rows], CPU, trace=True)
    for (source, limit), (one,) in zip(rows, found, strict=True):
        tokens, finished = greedily(table, source, V, limit)
        assert (one.tokens, one.finished, one.calls) == (tokens, finished, len(tokens) + 1)
        whole = (*tokens, END) if finished else tokens
        assert [(c.where, c.call, c.taken) for c in one.trace] == [(n, n, token) for n, token in enumerate(whole)]
        assert [c.what for c in one.trace] == ["token"] * len(tokens) + ["end"] * finished
        assert [c.log_p for c in one.trace] == pytest.approx(scored(table, source, tokens, finished), abs=1e-5)


# ------------------------------------------------------------------------------------------------------ real decoders

ATTENTION = {"kind": "attention", "heads": 3}
LENGTHS = [4, 7, 5]
WORDS = 11
MIXER = pytest.mark.parametrize("mixer", MIXERS.names())


def made(mixer: str = "attention", seed: int = 0, **sizes):
    kind = ATTENTION if mixer == "attention" else mixer
    decoder = writer(WORDS, {"settings": {"mixer": kind, "cross": ATTENTION}}, **sizes)
    with torch.no_grad():
        decoder.output += 0.5 * torch.randn(decoder.output.shape, generator=torch.Generator().manual_seed(seed))
    return decoder


def agree(decoder, memory: Memory, drafts, **asked) -> None:
    with torch.inference_mode():
        expected = decoder.generate(memory, Search("greedy", scores=True, **asked))
        found = decoder.verified(memory, Search("verify", scores=True, **asked), drafts)
    for (one,), (other,) in zip(found, expected, strict=True):
        assert (one.tokens, one.finished) == (other.tokens, other.finished)
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)
        assert one.calls <= other.calls


@pytest.mark.sampled(3)
@MIXER
def test_every_mixer_verifies_what_it_would_write_itself(mixer):
    decoder, memory = made(mixer, extra=4), memory_of(LENGTHS)
    with torch.inference_mode():
        right = [one.tokens for (one,) in decoder.generate(memory, Search("greedy"))]
    for start in range(0, len(DRAFTS), 3):
        drafts = [changed(tokens, how, start, WORDS) for tokens, how in zip(right, DRAFTS[start:], strict=False)]
        agree(decoder, memory, [None if draft is None else Hypothesis(draft) for draft in drafts])


@given(st.integers(0, 999), st.sampled_from(DRAFTS))
@settings(max_examples=6)
def test_any_weights_verify_what_they_would_write(seed, how):
    decoder, memory = made(seed=seed, extra=4), memory_of([5], seed=seed)
    with torch.inference_mode():
        ((right,),) = decoder.generate(memory, Search("greedy"))
    draft = changed(right.tokens, how, seed, WORDS)
    agree(decoder, memory, [None if draft is None else Hypothesis(draft)])


@pytest.mark.sampled(4)
@MIXER
@pytest.mark.parametrize("prefixes", [[[7, 7], [], [10]], [[UNKNOWN], [5, UNKNOWN], [4] * 30]])
def test_prefixes_and_limits_are_kept(mixer, prefixes):
    decoder, memory = made(mixer), memory_of(LENGTHS)
    drafts = [Hypothesis((7, 7, 5)), None, Hypothesis((10, 9, 8, 7))]
    for limit in (None, 0, 1, 4):
        agree(decoder, memory, drafts, prefixes=prefixes, limit=limit)


def test_positions_that_end_and_sources_of_nothing():
    position = {"kind": "learned", "positions": 5}
    decoder = writer(WORDS, {"settings": {"position": position}}, extra=50)
    with torch.no_grad():
        decoder.output_bias[END] = -100.0
    agree(decoder, memory_of(LENGTHS), [Hypothesis((4,) * 9)] * 3)
    nothing = Memory(memory_of([3, 3]).x, padding(torch.tensor([0, 3]), 3))
    agree(made(), nothing, [Hypothesis((4, 5)), None])


def test_drafts_count_their_passes_and_stand_in_the_trace():
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.inference_mode():
        (right,), *_ = decoder.generate(memory, Search("greedy"))
        draft = Hypothesis(right.tokens, tuple(-0.1 for _ in right.tokens), calls=2)
        (found,), *_ = decoder.verified(memory, Search("verify", trace=True), [draft, None, None])
    assert found.calls >= 3
    drafted = [choice for choice in found.trace if choice.what == "draft"]
    assert drafted == [Choice("draft", n, token, -0.1) for n, token in enumerate(right.tokens)]
    assert min(choice.call for choice in found.trace if choice.what != "draft") == 2


def test_a_row_that_is_verified_again_by_itself_counts_the_calls_for_both(monkeypatch):
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.inference_mode():
        plain = decoder.verified(memory, Search("verify", trace=True), [None] * 3)
        monkeypatch.setattr("headway.decoders.autoregressive._close", lambda kind: 1e9)  # all is close
        found = decoder.verified(memory, Search("verify", trace=True), [None] * 3)
    for (one,), (other,) in zip(found, plain, strict=True):
        assert one.close and not other.close and one.tokens == other.tokens
        assert {choice.what for choice in one.trace} <= {"single", "token", "end"}
        assert min(choice.call for choice in one.trace) >= 1, "the first call was for all rows"
        assert max(choice.call for choice in one.trace) < one.calls


def test_an_ensemble_writes_greedys_answer_step_by_step():
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.inference_mode():
        one, two = (decoder.generate(memory, Search(mode), [(decoder, memory)]) for mode in ("verify", "greedy"))
    assert one == two
