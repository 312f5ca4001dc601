"""What is asked becomes a search, or a complaint that says what to do instead."""

import pytest

from headway.errors import UsageError
from headway.search.asking import search_for

PLAIN = ("greedy", "beam", "sample", "verify")
JOINT = (*PLAIN, "nat", "rerank")
AT_ONCE = ("nat",)


@pytest.mark.parametrize(
    "modes, asked, mode",
    [
        (PLAIN, {}, "auto"),
        (JOINT, {}, "auto"),
        (AT_ONCE, {}, "nat"),
        (("direct",), {}, "auto"),
        (PLAIN, {"nbest": 2}, "beam"),
        (PLAIN, {"beam": 3}, "beam"),
        (AT_ONCE, {"nbest": 2}, "nat"),
        (JOINT, {"mode": "rerank", "nbest": 7}, "rerank"),
        (JOINT, {"mode": "verify", "tolerance": 0.5}, "verify"),
        (PLAIN, {"mode": "sample", "temperature": 0.5, "top_k": 3, "top_p": 0.9, "sampling_seed": 0}, "sample"),
    ],
)
def test_the_mode_that_is_meant(modes, asked, mode):
    search = search_for(modes, **asked)
    assert search.mode == mode
    assert search.beam == max(asked.get("beam", 5), asked.get("nbest", 1))
    assert search.candidates == max(5, asked.get("nbest", 1)) and search.nbest == asked.get("nbest", 1)
    assert search.scores == (asked.get("nbest", 1) > 1)
    assert (search.temperature, search.top_k, search.top_p, search.tolerance) == (
        asked.get("temperature", 1.0), asked.get("top_k"), asked.get("top_p"), asked.get("tolerance", 0.0)
    )  # fmt: skip


@pytest.mark.parametrize(
    "modes, asked, words",
    [
        (AT_ONCE, {"mode": "verify"}, "mode verify needs an autoregressive decoder, .* --recipe transduce_joint"),
        (AT_ONCE, {"mode": "greedy"}, "it writes all at once .mode nat.*"),
        (
            PLAIN,
            {"mode": "nat"},
            "mode nat needs a draft, .*model.task.draft ctc; .* modes greedy, beam, sample, verify",
        ),
        (PLAIN, {"mode": "rerank"}, "mode rerank needs a draft"),
        (PLAIN, {"mode": "verfy"}, "no mode called 'verfy'; there are: auto, .* Did you mean 'verify'"),
        (("direct",), {"mode": "verify"}, "no mode called 'verify'; there are: auto, direct"),
        (JOINT, {"mode": "verify", "nbest": 2}, "from mode beam, and not from verify, which writes the one answer"),
        (JOINT, {"mode": "verify", "beam": 4}, "beam is of mode beam, and this is mode verify: add --mode beam"),
        (JOINT, {"mode": "greedy", "nbest": 2}, "an n-best list comes from mode beam, and not from greedy"),
        (JOINT, {"mode": "verify", "temperature": 0.7}, "temperature is of mode sample, .*: add --mode sample"),
        (JOINT, {"top_k": 5}, "top-k is of mode sample, and this is mode auto"),
        (JOINT, {"mode": "greedy", "top_p": 0.5}, "top-p is of mode sample"),
        (JOINT, {"sampling_seed": 1}, "sampling-seed is of mode sample"),
        (JOINT, {"mode": "beam", "candidates": 3}, "candidates is of mode rerank"),
        (JOINT, {"mode": "nat", "length_penalty": 0.5}, "length-penalty is of mode beam and rerank"),
        (JOINT, {"tolerance": 0.5}, "tolerance is of mode verify"),
        (JOINT, {"mode": "sample", "temperature": 0.0}, "temperature must be above 0, .* mode greedy"),
        (JOINT, {"mode": "sample", "top_p": 1.5}, "top-p is a probability above 0 and at most 1, and is 1.5"),
        (JOINT, {"mode": "sample", "top_k": 0}, "top-k must be at least 1, and is 0"),
        (JOINT, {"mode": "sample", "sampling_seed": -1}, "sampling-seed must be at least 0, and is -1"),
        (JOINT, {"mode": "verify", "tolerance": -1.0}, "tolerance must be at least 0, and is -1"),
        (JOINT, {"mode": "verify", "together": True}, "an ensemble has no mode verify: greedy gives the same answers"),
        (JOINT, {"mode": "rerank", "together": True}, "an ensemble has no mode rerank: take greedy, beam or nat"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(modes, asked, words):
    with pytest.raises(UsageError, match=words):
        search_for(modes, **asked)
