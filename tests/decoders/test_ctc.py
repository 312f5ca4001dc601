"""Writing by frames: what is learned, what is written, what it refuses, and a whole run of it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from building import memory_of, no_gradient_is_missing, shape, stirred
from comparing import close
from headway.batch import END, PAD, UNKNOWN, Memory
from headway.decoders import DECODERS, TargetSizes
from headway.decoders.ctc import CTC, Settings
from headway.errors import UsageError
from headway.functional import ctc
from headway.layers.encoder import EncoderSettings
from headway.predictor import Predictor
from headway.search import Search
from headway.settings import resolve
from headway.tasks.transduce import Settings as TaskSettings
from headway.tasks.transduce import Transduce
from little import events, quick, tiny

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4, UNKNOWN], np.int32)]
LAYERS = pytest.mark.parametrize("layers", [0, 1])
NAT = Search("nat", scores=True)


def made(layers: int = 0, V: int = V, table: nn.Parameter | None = None, sizes: dict | None = None, **settings) -> CTC:
    choice = Settings(layers=layers, **settings)
    return stirred(DECODERS.build(choice, shape(), TargetSizes(V, **sizes or {}), table)).eval()


def texts(found) -> list[list[tuple[int, ...]]]:
    return [[hypothesis.tokens for hypothesis in row] for row in found]


@torch.no_grad()
def log_p_of(decoder: CTC, memory: Memory, row: int) -> torch.Tensor:
    """(L, V) of the frames of one row, from the modules one by one."""
    memory = memory.select(torch.tensor([row]))
    x = decoder.states(decoder.begun(memory), memory, decoder.frames(memory))
    logits = x @ decoder.output.T + decoder.output_bias
    logits[..., UNKNOWN : END + 1] = -torch.inf
    return logits.log_softmax(-1)[0, : int(decoder.frames(memory)[0])].double()


# -------------------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("ratio, frames", [(1.0, 2), (2.0, 2), (2.01, 3), (6.5, 7)])
def test_there_are_frames_for_the_longest_targets_and_two_at_least(ratio, frames):
    assert made(sizes={"ratio": ratio}).upsample == frames
    assert made(sizes={"ratio": ratio}, upsample=5).upsample == 5


def test_every_source_has_so_many_frames_for_each_element():
    decoder, memory = made(upsample=3), memory_of(LENGTHS)
    assert decoder.frames(memory).tolist() == [12, 21, 15]
    assert decoder.logits(memory).shape == (3, 21, V)


@given(st.lists(st.integers(4, 6), max_size=8), st.integers(0, 5), st.integers(1, 3))
def test_it_reaches_what_some_path_says(target, read, upsample):
    decoder = made(upsample=upsample)
    (reached,) = decoder.reaches(np.array([read]), [np.array(target, np.int32)])
    assert reached == (ctc.frames_needed(target) <= upsample * read)


# ------------------------------------------------------------------------------------------------------ what is learned


@LAYERS
def test_the_loss_is_that_of_the_formula_over_every_row(layers):
    decoder, memory = made(layers), memory_of(LENGTHS)
    loss = decoder.loss(memory, decoder.collate(TARGETS), 0.1)
    expected = 0.0
    for row, target in enumerate(TARGETS):
        own = memory.select(torch.tensor([row]))
        states = decoder.states(decoder.begun(own), own, decoder.frames(own))[0, : 2 * LENGTHS[row]]
        log_p = (states @ decoder.output.T + decoder.output_bias).log_softmax(-1)
        expected -= ctc.log_likelihood(log_p, torch.from_numpy(target.astype(np.int64)))
    close(loss.total, expected, 1e-4)
    assert loss.count == sum(len(target) + 1 for target in TARGETS)


@LAYERS
def test_what_the_frames_are_too_few_for_is_in_neither_loss_nor_count(layers):
    decoder, memory = made(layers, upsample=1), memory_of([2, 7, 2])
    targets = [*TARGETS[:2], np.array([4, 4], np.int32)]
    assert decoder.reaches(np.array([2, 7, 2]), targets).tolist() == [False, True, False]
    loss = decoder.loss(memory, decoder.collate(targets), 0.0)
    alone = decoder.loss(memory.select(torch.tensor([1])), decoder.collate(targets[1:2]), 0.0)
    close(loss.total, alone.total)
    assert loss.count == alone.count == 2
    loss.total.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in decoder.parameters())


def test_a_batch_of_which_nothing_is_reached_has_a_loss_of_zero_to_go_back_from():
    decoder = made(upsample=1)
    loss = decoder.loss(memory_of([1, 1]), decoder.collate(TARGETS[:1] * 2), 0.0)
    assert loss.total == 0 and loss.count == 0
    loss.total.backward()


@LAYERS
def test_empty_targets_and_empty_sources_count_their_end(layers):
    decoder, memory = made(layers), memory_of([0, 3])
    nothing = [np.zeros(0, np.int32)] * 2
    loss = decoder.loss(memory, decoder.collate(nothing), 0.0)
    close(
        loss.total, decoder.loss(memory_of([0, 3]).select(torch.tensor([1])), decoder.collate(nothing[1:]), 0.0).total
    )
    assert loss.count == 2 and loss.total > 0


@LAYERS
@pytest.mark.parametrize("tie", ["none", "output"])
def test_every_weight_that_is_used_learns(layers, tie):
    decoder, memory = made(layers, tie=tie).train(), memory_of(LENGTHS)
    revealed = 0.5 if layers else 0.0
    no_gradient_is_missing(decoder, decoder.loss(memory, decoder.collate(TARGETS), 0.1, revealed).total)


def test_one_table_for_source_and_target():
    table = nn.Parameter(torch.randn(V, 12))
    decoder = made(table=table, sizes={"shared": True}, tie="all")
    assert decoder.output is table


# ------------------------------------------------------------------------------------------------------------ glancing


def test_glancing_shows_frames_of_the_best_path_and_the_loss_is_of_everything(monkeypatch):
    decoder, memory = made(1).train(), memory_of(LENGTHS)
    given, target = [], decoder.collate(TARGETS)
    plain = decoder.states

    def watched(inputs, *rest):
        given.append(inputs)
        return plain(inputs, *rest)

    monkeypatch.setattr(decoder, "states", watched)
    loss = decoder.loss(memory, target, 0.0, revealed=0.5)
    first, second = given
    changed = (first != second).any(-1)
    lengths = torch.tensor([len(t) for t in TARGETS])
    log_p = [
        (plain(first, memory, decoder.frames(memory)) @ decoder.output.T + decoder.output_bias)[row].log_softmax(-1)
        for row in range(3)
    ]
    for row, target_row in enumerate(TARGETS):
        end = 2 * LENGTHS[row]
        path = ctc.best_path(log_p[row][:end].detach().double(), torch.from_numpy(target_row.astype(np.int64)))
        wrong = int((log_p[row][:end].argmax(-1) != path).sum())
        assert int(changed[row].sum()) == round(0.5 * wrong)
        assert not changed[row, end:].any()
        close(second[row, :end][changed[row, :end]], decoder.vectors(path[changed[row, :end]]))
    assert loss.count == float((lengths + 1).sum())
    assert loss.total != decoder.loss(memory, target, 0.0).total


def test_glancing_needs_layers():
    decoder = made()
    with pytest.raises(UsageError, match=r"model\.task\.decoder\.layers 1"):
        decoder.loss(memory_of(LENGTHS), decoder.collate(TARGETS), 0.0, revealed=0.5)


def test_a_task_may_glance_with_it():
    task = Transduce(
        TaskSettings(decoder=Settings(layers=1), glancing=True), shape(), TargetSizes(V), None, ("bleu",)
    ).train()
    memory, target = memory_of(LENGTHS), task.collate(TARGETS)
    assert task.loss(memory, target, 0.0).total != task.loss(memory, target, 1.0).total


# ------------------------------------------------------------------------------------------------------ what is written


@LAYERS
def test_the_most_probable_path_is_written(layers):
    decoder, memory = made(layers), memory_of(LENGTHS)
    with torch.inference_mode():
        found = decoder.generate(memory, Search("nat"))
        assert texts(decoder.generate(memory, Search("auto"))) == texts(found)
    for row, (hypothesis,) in enumerate(found):
        log_p = log_p_of(decoder, memory, row)
        assert list(hypothesis.tokens) == ctc.collapse(log_p.argmax(-1).tolist())
        assert hypothesis.finished and hypothesis.calls == layers and hypothesis.log_p == ()


@LAYERS
@pytest.mark.parametrize("beam", [1, 3])
def test_log_probabilities_are_those_of_the_formula(layers, beam):
    decoder, memory = made(layers, beam=beam), memory_of(LENGTHS)
    with torch.inference_mode():
        found = decoder.generate(memory, NAT)
    for row, (hypothesis,) in enumerate(found):
        expected = ctc.chain(log_p_of(decoder, memory, row), torch.tensor(hypothesis.tokens, dtype=torch.long))
        close(torch.tensor(hypothesis.log_p, dtype=torch.float64), expected, 1e-4)


@LAYERS
@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_alone_or_in_company_the_same_is_written(layers, lengths, seed):
    decoder, memory = made(layers), memory_of(lengths, seed=seed)
    for search in (NAT, Search("nat", nbest=2, scores=True)):
        with torch.inference_mode():
            together = decoder.generate(memory, search)
            for row, length in enumerate(lengths):
                x = memory.x[row : row + 1, :length]
                (alone,) = decoder.generate(Memory(x), search)
                assert [h.tokens for h in alone] == [h.tokens for h in together[row]]
                for one, other in zip(alone, together[row], strict=True):
                    assert one.score == pytest.approx(other.score, abs=1e-4)


def test_weights_that_change_are_noticed():
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.inference_mode():
        before = texts(decoder.generate(memory, Search("nat")))
    with torch.no_grad():
        decoder.output_bias[PAD] += 100.0
    with torch.inference_mode():
        after = texts(decoder.generate(memory, Search("nat")))
    assert after == [[()]] * 3 != before


@pytest.mark.parametrize("layers, beam", [(0, 1), (0, 2), (1, 1)])
def test_the_limit_cuts_and_says_so(layers, beam):
    decoder, memory = made(layers, beam=beam), memory_of(LENGTHS)
    with torch.inference_mode():
        whole, short = (decoder.generate(memory, Search("nat", scores=True, limit=limit)) for limit in (99, 2))
    for (long,), (cut,) in zip(whole, short, strict=True):
        assert long.finished and len(long.log_p) == len(long.tokens) + 1
        assert cut.tokens == long.tokens[:2] and cut.log_p == long.log_p[: len(cut.log_p)]
        assert cut.finished == (len(long.tokens) <= 2) and len(cut.log_p) == len(cut.tokens) + cut.finished


def test_an_ensemble_averages_frame_by_frame():
    one, other = made(), stirred(made(), seed=8)
    memories = [memory_of(LENGTHS), memory_of(LENGTHS, seed=9)]
    with torch.inference_mode():
        found = one.generate(memories[0], NAT, [(other, memories[1])])
    for row, (hypothesis,) in enumerate(found):
        each = [log_p_of(decoder, memory, row).exp() for decoder, memory in zip((one, other), memories)]
        mean = (sum(each) / 2).log()
        assert list(hypothesis.tokens) == ctc.collapse(mean.argmax(-1).tolist())
        close(
            hypothesis.score * torch.ones((), dtype=torch.float64),
            ctc.chain(mean, torch.tensor(hypothesis.tokens, dtype=torch.long)).sum(),
            1e-4,
        )


def test_an_ensemble_of_other_frames_is_refused():
    decoder, memory = made(upsample=2), memory_of(LENGTHS)
    with pytest.raises(UsageError, match=r"model\.task\.decoder\.upsample 2"):
        decoder.generate(memory, NAT, [(made(upsample=3), memory)])


@pytest.mark.parametrize("asked", [{"prefixes": [[5], [], []]}, {"alignments": True}], ids=["prefix", "alignment"])
def test_what_only_a_decoder_can_do_that_goes_step_by_step_is_refused(asked):
    with pytest.raises(UsageError, match="autoregressive"):
        made().generate(memory_of(LENGTHS), Search("nat", **asked))


# -------------------------------------------------------------------------------------------------------- candidates


@LAYERS
def test_candidates_are_different_and_the_most_probable_first(layers):
    decoder, memory = made(layers), memory_of(LENGTHS)
    with torch.inference_mode():
        found = decoder.candidates(memory, 4)
        assert texts(decoder.generate(memory, Search("nat", nbest=4))) == texts(found)
        few = decoder.candidates(memory, 4, limit=1)
    for row, hypotheses in enumerate(found):
        assert len(hypotheses) == 4 == len({h.tokens for h in hypotheses})
        assert [h.score for h in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        for hypothesis in hypotheses:
            assert hypothesis.calls == layers and all(END < token < V for token in hypothesis.tokens)
            likelihood = ctc.log_likelihood(
                log_p_of(decoder, memory, row), torch.tensor(hypothesis.tokens, dtype=torch.long)
            )
            assert hypothesis.score == pytest.approx(likelihood.item(), abs=1e-4)
        assert len({h.tokens for h in few[row]}) == len(few[row])
        assert all(len(h.tokens) <= 1 for h in few[row])


def test_a_beam_is_never_less_probable_than_the_best_path():
    memory, decoders = memory_of(LENGTHS), [made(beam=beam) for beam in (1, 6)]
    with torch.inference_mode():
        narrow, wide = (decoder.generate(memory, NAT) for decoder in decoders)
    for (one,), (other,) in zip(narrow, wide, strict=True):
        assert other.score >= one.score - 1e-6


def test_a_source_without_elements_says_nothing():
    for decoder in (made(0), made(1)):
        for search in (NAT, Search("nat"), Search("nat", nbest=2), Search("nat", trace=True)):
            with torch.inference_mode():
                found = decoder.generate(memory_of([0, 2]), search)
                (alone,) = decoder.generate(memory_of([0]), search)
            assert [h.tokens for h in found[0]] == [h.tokens for h in alone] == [()]


# ------------------------------------------------------------------------------------------------------------- trace


@pytest.mark.parametrize(
    "search", [Search("nat", trace=True), Search("nat", nbest=2, trace=True)], ids=["path", "beam"]
)
def test_a_trace_is_what_every_frame_wrote(search):
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.inference_mode():
        found = decoder.generate(memory, search)
    for row, hypotheses in enumerate(found):
        log_p = log_p_of(decoder, memory, row)
        for hypothesis in hypotheses:
            trace = hypothesis.trace
            assert [choice.where for choice in trace] == list(range(2 * LENGTHS[row]))
            assert tuple(choice.taken for choice in trace if choice.what == "token") == hypothesis.tokens
            assert all((choice.what == "blank") == (choice.taken == PAD) for choice in trace)
            for choice in trace:
                assert choice.log_p == pytest.approx(log_p[choice.where, choice.taken].item(), abs=1e-4)
                assert len(choice.others) == 3 and choice.taken not in dict(choice.others)
                best = log_p[choice.where].clone()
                best[choice.taken] = -torch.inf
                assert choice.others[0][0] == int(best.argmax())


# ------------------------------------------------------------------------------------------------------ what it refuses


def without_positions(**changed) -> EncoderSettings:
    return shape(position=resolve(EncoderSettings, [])[0].position, **changed).replace(position="none")


def test_an_encoder_that_knows_no_order_needs_layers_that_do():
    with pytest.raises(UsageError, match=r"model\.encoder\.position"):
        DECODERS.build(Settings(), without_positions(), TargetSizes(V), None)
    with pytest.raises(UsageError, match=r"model\.task\.decoder\.position"):
        DECODERS.build(Settings(layers=1), without_positions(), TargetSizes(V), None)
    DECODERS.build(Settings(layers=1, position="rotary"), without_positions(), TargetSizes(V), None)
    DECODERS.build(Settings(), without_positions(mixer="convolution"), TargetSizes(V), None)


# ---------------------------------------------------------------------------------------------------------- a whole run


def test_a_run_learns_writes_and_is_read_again(runs, tmp_path):
    settings = tiny("transduce", {"model.task.decoder": "ctc", "training.learning_rate": 0.02, "training.steps": 24})
    quick(runs.data("transduce"), tmp_path / "run", settings=settings)
    losses = [event["loss"] for event in events(tmp_path / "run") if event["event"] == "step"]
    assert losses[-1] < 0.7 * losses[0]
    first, again = (Predictor(tmp_path / "run") for _ in range(2))
    assert first.modes == ("nat",)
    answers = first.predict(["abc", "hh", ""], scores=True)
    assert answers == again.predict(["abc", "hh", ""], scores=True)
    assert all(answer.score <= 0 for answer in answers) and answers[2].text == ""


def test_a_draft_learns_beside_the_decoder(runs, tmp_path):
    settings = tiny("transduce", {"model.task.draft": "ctc"})
    quick(runs.data("transduce"), tmp_path / "run", settings=settings)
    predictor = Predictor(tmp_path / "run")
    assert "nat" in predictor.modes and "greedy" in predictor.modes
    assert [len(predictor.predict(["abc"], mode=mode)) for mode in ("nat", "greedy")] == [1, 1]
