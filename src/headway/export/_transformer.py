"""A model as CTranslate2's specification of a Transformer: every weight in its place, and what has none is refused."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headway.batch import BEGIN, END, SPECIALS, UNKNOWN
from headway.decoders.autoregressive import Autoregressive
from headway.functional.positions import buckets_of
from headway.inputs.text import TextInput
from headway.layers.blocks.transformer import Transformer
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import Mixer
from headway.layers.mixers.attention import Attention
from headway.layers.norm import Residual
from headway.model import Model
from headway.normalizers.softmax import Softmax
from headway.positions import Position
from headway.positions.learned import Learned
from headway.positions.none import NoPosition
from headway.positions.relative import Relative
from headway.positions.rotary import Rotary
from headway.positions.sinusoidal import Sinusoidal
from headway.scores.bilinear import Bilinear
from headway.scores.dot import Dot
from headway.scores.scaled_dot import ScaledDot
from headway.tasks.transduce import Transduce

NEVER = -1e9
"""The output bias of a token that is never written: its probability is 0 in any precision, and no number infinite."""


def refuses(model: Model) -> str | None:
    """Why CTranslate2 has no place for a model, and what would have one; None where all of it has."""
    task = model.task
    if not isinstance(task, Transduce):
        return (
            f"CTranslate2 is for runs that write a new sequence, and this one answers {_file(task)}: "
            "it is asked by headway predict"
        )
    if not isinstance(task.decoder, Autoregressive):
        return (
            f"CTranslate2 writes one token after another, and the decoder {_file(task.decoder)} writes all at once: "
            "ask it by headway predict, or train with model.task.decoder autoregressive"
        )
    if not isinstance(model.input, TextInput):
        return f"CTranslate2 reads elements of a vocabulary, and this run reads {_file(model.input)}"
    if model.input.settings.reads_letters:
        return (
            "CTranslate2 reads elements of a vocabulary, and this run's input reads more (characters, "
            "character_ngrams, word_ngrams): train with model.input.characters 0, character_ngrams 0, word_ngrams 1"
        )
    if not isinstance(model.encoder.blocks[0], Transformer):
        return (
            f"CTranslate2 has no place for model.encoder.block {_file(model.encoder.blocks[0])}: train with transformer"
        )
    reasons = (_without_place(where, mixer) for where, mixer in _mixers(model))
    for where, position in (("model.encoder", model.encoder.position), (_DECODER, task.decoder.stack.position)):
        if not isinstance(position, (NoPosition, Sinusoidal, Learned, Rotary, Relative)):
            return (
                f"CTranslate2 has no place for {where}.position {_file(position)}: "
                "train with rotary, sinusoidal, learned, relative or none"
            )
    return next((reason for reason in reasons if reason), None) or _unlike_heads(task.decoder)


_DECODER = "model.task.decoder"


def _mixers(model: Model) -> Iterator[tuple[str, Mixer]]:
    """(its address, a mixer) of every block."""
    for block in model.encoder.blocks:
        yield "model.encoder.mixer", block.mixer  # type: ignore[misc]
    for block in model.task.decoder.stack.blocks:
        yield f"{_DECODER}.mixer", block.mixer
        yield f"{_DECODER}.cross", block.cross


def _without_place(where: str, mixer: Mixer) -> str | None:
    if not isinstance(mixer, Attention):
        return f"CTranslate2 knows attention only, and {where} is {_file(mixer)}: train with {where} attention"
    if not isinstance(mixer.score, (ScaledDot, Dot, Bilinear)):
        return (
            f"CTranslate2 has no place for {where}.score {_file(mixer.score)}: train with scaled_dot, dot or bilinear"
        )
    if not isinstance(mixer.normalizer, Softmax):
        return f"CTranslate2 has no place for {where}.normalizer {_file(mixer.normalizer)}: train with softmax"
    if mixer.gate is not None:
        return f"CTranslate2 has no place for the gate of an attention: train with {where}.gate none"
    if mixer.window is not None and not where.endswith("cross"):
        return f"CTranslate2 has no window to both sides of a position: train without {where}.window"
    return None


def _unlike_heads(decoder: Autoregressive) -> str | None:
    own, cross = (mixer.heads for mixer in (decoder.stack.blocks[0].mixer, decoder.stack.blocks[0].cross))
    if own == cross:
        return None
    return (
        f"CTranslate2 has one number of heads in a decoder, and here {_DECODER}.mixer has {own} and {_DECODER}.cross "
        f"{cross}: train with as many in both"
    )


def _file(part: nn.Module) -> str:
    """The file that a part is from, which is how settings name it."""
    return type(part).__module__.rpartition(".")[2]


# ------------------------------------------------------------------------------------------------------ specification


def specification(model: Model, names: Sequence[Sequence[str]], positions: Sequence[int]) -> Any:
    """The whole model as a `TransformerSpec`.

    names       elements of the source's and of the target's vocabulary, by number
    positions   how many must be told apart in a source and in a target, where a table tells them apart
    """
    from ctranslate2.specs import TransformerSpec

    decoder: Autoregressive = model.task.decoder
    spec: Any = TransformerSpec(_encoder(model, len(names[0]), positions[0]), _decoder(decoder, positions[1]))
    spec.register_source_vocabulary(list(names[0]))
    spec.register_target_vocabulary(list(names[1]))
    config, norm = spec.config, decoder.stack.blocks[0].mixed.norm
    config.unk_token, config.bos_token, config.eos_token = (SPECIALS[i] for i in (UNKNOWN, BEGIN, END))
    config.decoder_start_token = SPECIALS[BEGIN]
    config.layer_norm_epsilon = norm.eps
    return spec


def _encoder(model: Model, vocabulary: int, positions: int) -> Any:
    from ctranslate2.specs.transformer_spec import TransformerEncoderSpec

    encoder: Any = model.encoder
    table = model.input.embedding
    assert isinstance(model.input, TextInput)
    spec: Any = TransformerEncoderSpec(len(encoder.blocks), **_shape(encoder))
    spec.scale_embeddings = table is not None
    if table is None:
        spec.embeddings[0].weight = torch.eye(vocabulary, model.input.width)
    else:
        spec.embeddings[0].weight = table
    _positions(spec, encoder.position, positions, model.input.width)
    if spec.pre_norm:
        _norm(spec.layer_norm, encoder.norm)
    for layer, block in zip(spec.layer, encoder.blocks, strict=True):
        _self_attention(layer.self_attention, block.mixer, block.mixed, encoder.position)
        _feed_forward(layer.ffn, block.feedforward, block.fed)
    return spec


def _decoder(decoder: Autoregressive, positions: int) -> Any:
    from ctranslate2.specs.transformer_spec import TransformerDecoderSpec

    stack = decoder.stack
    spec: Any = TransformerDecoderSpec(len(stack.blocks), **_shape(stack))
    spec.embeddings.weight, spec.projection.weight = decoder.embedding, decoder.output
    bias = decoder.output_bias.detach().clone()
    bias[:END] = NEVER
    spec.projection.bias = bias
    _positions(spec, stack.position, positions, decoder.width)
    if spec.pre_norm:
        _norm(spec.layer_norm, stack.norm)
    for layer, block in zip(spec.layer, stack.blocks, strict=True):
        _self_attention(layer.self_attention, block.mixer, block.mixed, stack.position)
        _norm(layer.attention.layer_norm, block.crossed.norm)
        _linear(layer.attention.linear[0], _asking(block.cross))
        _linear(layer.attention.linear[1], block.cross.key, block.cross.value)
        _linear(layer.attention.linear[2], block.cross.output)
        _scale(layer.attention, block.cross)
        _feed_forward(layer.ffn, block.feedforward, block.fed)
    return spec


def _shape(stack: Any) -> dict[str, Any]:
    """What a stack's specification is made with."""
    from ctranslate2.specs.common_spec import Activation

    block = stack.blocks[0]
    activations = {"relu": Activation.RELU, "gelu": Activation.GELU, "swiglu": Activation.SWISH}
    turned = isinstance(stack.position, Rotary)
    return {
        "num_heads": block.mixer.heads,
        "pre_norm": block.mixed.pre,
        "activation": activations[block.feedforward.activation],
        "ffn_glu": block.feedforward.activation == "swiglu",
        "rms_norm": isinstance(block.mixed.norm, nn.RMSNorm),
        "relative_attention_bias": isinstance(stack.position, Relative),
        "rotary_dim": stack.position.head_size if turned else None,
        "rotary_interleave": False,  # ours turns the halves of a head
        "rotary_base": stack.position.base if turned else 10_000,
    }


def _positions(spec: Any, position: Position, count: int, width: int) -> None:
    """A table where positions are added to the vectors; without one CTranslate2 would add sinusoids of its own."""
    if isinstance(position, Learned):
        spec.position_encodings.encodings = position.table
    elif isinstance(position, (NoPosition, Sinusoidal)):
        spec.position_encodings.encodings = position.add(torch.zeros(1, count, width))[0]


def _self_attention(spec: Any, mixer: Attention, around: Residual, position: Position) -> None:
    _norm(spec.layer_norm, around.norm)
    _linear(spec.linear[0], _asking(mixer), mixer.key, mixer.value)
    _linear(spec.linear[1], mixer.output)
    _scale(spec, mixer)
    if isinstance(position, Relative):
        spec.relative_attention_bias, spec.relative_attention_max_distance = _relative(position)


def _asking(mixer: Attention) -> nn.Linear | tuple[Tensor, Tensor]:
    """The query matrix; with it the matrix of a bilinear score, which stands behind it: (x W) M = x (W M)."""
    if not isinstance(mixer.score, Bilinear):
        return mixer.query
    heads, size, M = mixer.heads, mixer.head_size, mixer.score.weight
    weight = M.transpose(1, 2) @ mixer.query.weight.view(heads, size, -1)
    bias = mixer.query.bias.view(heads, 1, size) @ M
    return weight.flatten(0, 1), bias.flatten()


def _scale(spec: Any, mixer: Attention) -> None:
    if isinstance(mixer.score, Dot):
        spec.queries_scale = np.float32(1)


def _relative(position: Relative) -> tuple[Tensor, np.int32]:
    """(2 N or 4 N, H) numbers, and the distance from which CTranslate2 counts no further.

    CTranslate2 gives half of its numbers to one distance each and counts the rest by a logarithm, whose rounding need
    not be ours. So there is a number for each of the N distances up to our last range, and the rest are that of the
    last range.
    """
    N = int(position.starts[-1]) + 1
    far = torch.arange(2 * N).clamp(max=N - 1)
    both_ways = position.both_ways
    behind = position.table[:, buckets_of(-far, position.starts, both_ways)]
    sides = [behind, position.table[:, buckets_of(far, position.starts, True)]] if both_ways else [behind]
    return torch.cat(sides, 1).t().contiguous(), np.int32(4 * N)


def _feed_forward(spec: Any, layer: FeedForward, around: Residual) -> None:
    _norm(spec.layer_norm, around.norm)
    _linear(spec.linear_1, layer.outer)
    if layer.activation == "swiglu":
        _linear(spec.linear_0, layer.gate)
        _linear(spec.linear_0_noact, layer.inner)
    else:
        _linear(spec.linear_0, layer.inner)


def _norm(spec: Any, norm: nn.Module) -> None:
    spec.gamma = norm.weight
    if isinstance(norm, nn.LayerNorm):
        spec.beta = norm.bias


def _linear(spec: Any, *layers: nn.Linear | tuple[Tensor, Tensor]) -> None:
    """Several layers of one input as one."""
    pairs = [(layer.weight, layer.bias) if isinstance(layer, nn.Linear) else layer for layer in layers]
    spec.weight, spec.bias = (torch.cat([pair[side] for pair in pairs]).detach() for side in (0, 1))
