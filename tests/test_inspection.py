"""Where a trained model looks: the exact weights, with the elements they belong to, and nothing else changed."""

import numpy as np
import pytest
import torch
from torch import Tensor

import headway
from building import stirred
from comparing import close
from headway.errors import UsageError
from headway.functional.attention import scaled_dot, softmax, split_heads
from headway.functional.scores import additive
from headway.kernels.attention import ENGINES, Request, attention
from headway.layers.mixers.attention import Attention
from headway.normalizers import NORMALIZERS
from headway.predictor import Predictor
from headway.scores import SCORES
from little import lines, quick, tiny

SOURCES = ["abc", "hgfedcba", "b"]


@pytest.fixture(scope="module")
def writer(runs) -> Predictor:
    """Two layers that write, so that layers can be told apart."""
    folder = runs.folder / "two-layers"
    quick(runs.data("transduce"), folder, settings=tiny("transduce", {"model.encoder.layers": 2}))
    return headway.load(folder)


def attentions(run: Predictor, part: str) -> list[Attention]:
    model = run.model
    if part == "encoder":
        return [block.mixer for block in model.encoder.blocks]
    return [block.mixer if part == "decoder" else block.cross for block in model.task.decoder.stack.blocks]


def by_definition(layer: Attention, x: Tensor, look, memory: Tensor | None) -> Tensor:
    """(H, T, S) from what the layer was given, by the formula alone."""
    asked = x if memory is None else memory
    q, k = split_heads(layer.query(x), layer.heads), split_heads(layer.key(asked), layer.heads)
    if look.position is not None:
        q, k = look.position.turn(q), look.position.turn(k)
    return softmax(scaled_dot(q, k), look.mask.table(q.shape[2], k.shape[2]))[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_maps_are_the_definition_of_what_each_layer_was_given_alone(writer, part):
    """Several inputs of different length together, against each by itself."""
    maps, texts = writer.attention(SOURCES, part=part), [answer.text for answer in writer.predict(SOURCES)]
    expected: list[Tensor] = []

    def look_on(layer: Attention, given: tuple) -> None:
        expected.append(by_definition(layer, given[0], given[1], given[3] if len(given) > 3 else None))

    handles = [layer.register_forward_pre_hook(look_on) for layer in attentions(writer, part)]
    for source, text, found in zip(SOURCES, texts, maps, strict=True):
        expected.clear()
        writer.score([(source, text)])
        T, S = len(found.asking), len(found.asked)
        close(torch.from_numpy(found.weights), torch.stack([weights[:, :T, :S] for weights in expected]), 1e-5)
        assert found.layers == (0, 1) and found.heads == (0, 1)
    for handle in handles:
        handle.remove()


def test_both_axes_are_named_by_their_elements(writer, runs):
    (answer,) = writer.predict("abc")
    (encoder,), (own,), (cross,) = (writer.attention("abc", part=part) for part in ("encoder", "decoder", "cross"))
    assert encoder.asking == encoder.asked == cross.asked == ("a", "b", "c")
    written = tuple(token for token in cross.asking if token != "<end>")
    assert written == answer.tokens and own.asking == cross.asking
    assert own.asked == ("<begin>", *answer.tokens)[: len(own.asking)]
    assert not np.triu(own.weights, 1).any()
    (tagged,) = headway.load(runs("tag")).attention("ant bee cat")
    assert tagged.asking == tagged.asked == ("ant", "bee", "cat")


@pytest.mark.parametrize("part", ["decoder", "cross"])
def test_a_target_may_be_given_and_the_models_own_is_the_default(writer, part):
    own = writer.attention(SOURCES, part=part)
    given = writer.attention(SOURCES, part=part, targets=[answer.text for answer in writer.predict(SOURCES)])
    for one, other in zip(own, given, strict=True):
        length = len(one.asking)
        close(torch.from_numpy(one.weights), torch.from_numpy(other.weights[:, :, :length, : len(one.asked)]), 1e-5)
        assert other.asking[:length] == one.asking and other.asking[-1] == "<end>"
    (other,) = writer.attention("abc", part=part, targets="hhhh")
    assert other.asking == ("h", "h", "h", "h", "<end>")


def test_layers_and_heads_can_be_chosen(writer):
    (every,), (one,), (some,) = (
        writer.attention("abc", **how) for how in ({}, {"layers": 1, "heads": 0}, {"layers": [1, 0], "heads": [1]})
    )
    assert every.weights.shape == (2, 2, 3, 3) and one.layers == (1,) and one.heads == (0,)
    assert np.array_equal(one.weights, every.weights[1:, :1])
    assert np.array_equal(some.weights, every.weights[::-1, 1:])


ON_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="FlexAttention runs on CUDA")


@pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=ON_CUDA) if name == "flex" else name for name in ENGINES.names()]
)
def test_what_is_shown_is_what_each_engine_has_computed(runs, engine, monkeypatch):
    """Shown weights are the formula's, and their weighted sum of the values is what the engine itself gave."""
    run, computed = headway.load(runs("tag")), []
    for layer in attentions(run, "encoder"):
        name = "additive" if engine == "additive" else "scaled_dot"
        layer.score = stirred(SCORES.build(SCORES.choose(name), layer.heads, layer.head_size)).to(run.device)
        layer.engine = engine

    def watched(request: Request, asked: str) -> Tensor:
        computed.append((request, attention(request, asked)))
        assert asked == engine
        return computed[-1][1]

    monkeypatch.setattr("headway.layers.mixers.attention.attention", watched)
    (found,) = run.attention("ant bee cat ant dog")
    weights = torch.from_numpy(found.weights).to(run.device)
    with torch.inference_mode():
        for shown, (request, output) in zip(weights, computed[-len(weights) :], strict=True):
            q, k = request.q, request.k
            scores = additive(*request.score.terms(q, k)) if engine == "additive" else scaled_dot(q, k)
            close(shown, softmax(scores, request.table())[0], 1e-5)
            close(shown @ request.v[0], output[0], 1e-5)


@pytest.mark.parametrize("normalizer", NORMALIZERS.names())
def test_rows_sum_to_what_the_normalizer_promises(runs, normalizer, tmp_path):
    run = headway.load(runs("tag"))
    for layer in attentions(run, "encoder"):
        layer.normalizer = stirred(NORMALIZERS.build(NORMALIZERS.choose(normalizer), layer.heads, layer.head_size))
    texts = [" ".join(word.partition("/")[0] for word in line.split()) for line in lines("tag", 9, seed=4)]
    for found in run.attention(texts):
        sums = torch.from_numpy(found.weights.sum(-1))
        assert (found.weights >= 0).all() and np.isfinite(found.weights).all()
        if normalizer in ("softmax", "sparsemax", "entmax15"):
            close(sums, torch.ones_like(sums), 1e-5)
        elif normalizer == "softmax_plus_one":
            assert (sums < 1).all()


def test_looking_changes_no_answer_and_leaves_nothing_behind(writer):
    before = writer.predict(SOURCES, scores=True)
    for part in ("encoder", "decoder", "cross"):
        writer.attention(SOURCES, part=part)
        assert not any(layer._forward_hooks for layer in attentions(writer, part))
    assert writer.predict(SOURCES, scores=True) == before
    assert writer.attention([]) == []


def test_what_there_is_not_is_refused_in_words(writer, runs):
    tagger = headway.load(runs("tag"))
    for run, how, message in [
        (tagger, {"part": "decoder"}, "part decoder is of an autoregressive decoder, and this run has none"),
        (writer, {"part": "crss"}, r"no part of the model called 'crss'; .*Did you mean 'cross'\?"),
        (writer, {"layers": 2}, "there is no layer 2: they are numbered 0 to 1"),
        (writer, {"heads": [0, -1]}, "there is no head -1: they are numbered 0 to 1"),
        (writer, {"heads": []}, "no head is asked for: name some of 0 to 1, or leave it out for all"),
        (writer, {"targets": "a"}, "targets are written, and the encoder only reads: choose part decoder or cross"),
        (writer, {"part": "cross", "targets": ["a", "b"]}, "2 targets for 1 inputs: give one each"),
    ]:
        with pytest.raises(UsageError, match=message):
            run.attention("abc", **how)


def test_a_mixer_without_weights_and_a_window_are_refused(runs, tmp_path):
    changed = {"model.encoder.mixer": "convolution", "data.max_length": 8, "data.over_long": "window"}
    settings = {name: value for name, value in tiny("tag", changed).items() if name != "model.encoder.mixer.heads"}
    quick(runs.data("tag"), tmp_path / "run", settings=settings | {"training.steps": 2})
    run = headway.load(tmp_path / "run")
    with pytest.raises(UsageError, match="part encoder has the mixer convolution, and that has no attention weights"):
        run.attention("ant bee")
    run = headway.load(runs("tag"))
    run.run = run.run.replace(data=run.run.data.replace(max_length=8, over_long="window"))
    with pytest.raises(UsageError, match="an input has more than 8 elements and is read in several windows"):
        run.attention([("ant",) * 20])
