"""Attention's choices together, in encoder and decoder: what is written step by step is what the whole says."""

import pytest
import torch
from torch.nn import functional as F

from building import D, memory_of, no_gradient_is_missing, shape, stirred, writer
from comparing import close, randoms
from headway.batch import BEGIN, END, Memory
from headway.functional.masks import Mask, padding
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import Encoder
from headway.layers.frozen import FrozenStack, refuses
from headway.normalizers import NORMALIZERS
from headway.positions import POSITIONS
from headway.scores import SCORES
from headway.search import Search

V, LENGTHS = 11, [4, 7, 5]
GATES, WINDOWS = ("none", "head", "element"), (None, 2)


def choices() -> list[tuple[dict, str]]:
    """Every score with every normalizer; the other choices go round so that nearly every pair meets."""
    found = []
    for s, score in enumerate(SCORES.names()):
        for n, normalizer in enumerate(NORMALIZERS.names()):
            position = POSITIONS.names()[(s + n) % len(POSITIONS.names())]
            mixer = {"kind": "attention", "heads": 3, "score": score, "normalizer": normalizer}
            mixer |= {"gate": GATES[(s + 2 * n) % 3], "window": WINDOWS[(s + n // 2) % 2]}
            found.append((mixer, position))
    return found


PLAIN = {"kind": "attention", "heads": 3}
FROZEN = [
    (PLAIN | {"score": score}, position)
    for score in (*SCORES.names(), {"kind": "cosine", "norm": "rms"})
    if score != "additive"
    for position in ("rotary", "relative", "alibi")
]


def words(choice: dict | str) -> str:
    return choice if isinstance(choice, str) else " ".join(str(value) for value in list(choice.values())[2:])


each_choice = pytest.mark.parametrize(("mixer", "position"), choices() + FROZEN, ids=words)


@pytest.mark.sampled(16)
@each_choice
def test_greedy_and_beam_write_what_the_whole_says(mixer, position):
    decoder, memory = writer(V, {"mixer": mixer, "position": position}, extra=4), memory_of(LENGTHS)
    assert refuses(decoder.stack) is None or (mixer, position) not in FROZEN
    with torch.no_grad():
        for search in (Search(scores=True), Search("beam", beam=3, nbest=2)):
            for row, found in enumerate(decoder.generate(memory, search)):
                source = memory.select(torch.tensor([row] * len(found)))
                part = decoder.collate([torch.tensor(h.tokens, dtype=torch.int32).numpy() for h in found])
                for hypothesis, log_p in zip(found, decoder.score(source, part)[0], strict=True):
                    close(torch.tensor(hypothesis.log_p), log_p[: len(hypothesis.log_p)], 1e-4)
        for row, (greedy,) in enumerate(decoder.generate(memory, Search())):
            tokens = [*greedy.tokens, END][: len(greedy.tokens) + greedy.finished]
            vectors = F.embedding(torch.tensor([[BEGIN, *tokens][: len(tokens)]]), decoder.embedding) * D**0.5
            logits = decoder.stack(vectors, memory.select(torch.tensor([row])))[0] @ decoder.output.T
            logits = logits + decoder.output_bias
            assert (logits[:, END:].argmax(-1) + END).tolist() == tokens


@pytest.mark.sampled(5)
@each_choice
def test_blocks_of_positions_are_the_whole_at_once(mixer, position):
    settings = shape(mixer=mixer, position=position)
    made = stirred(DecoderStack(StackSettings(), settings, causal=True)).double().eval()
    memory, (y,) = memory_of(LENGTHS, dtype=torch.float64), randoms((3, 11, D), dtype=torch.float64)
    with torch.inference_mode():
        whole = made(y, memory)
        stacks = [(made.start(memory), lambda block, state: made(block, memory, state=state))]
        if refuses(made) is None:
            frozen = FrozenStack(made)
            stacks.append((frozen.start(memory), frozen))
        for state, stack in stacks:
            close(torch.cat([stack(block, state) for block in y.split([1, 1, 3, 2, 1, 3], 1)], 1), whole)


@pytest.mark.sampled(5)
@each_choice
def test_an_encoder_reads_rows_as_if_they_stood_alone_and_every_weight_learns(mixer, position):
    made = stirred(Encoder(shape(mixer=mixer, position=position))).double()
    (x,), keys = randoms((2, 7, D), dtype=torch.float64), padding(torch.tensor([4, 7]), 7)
    together = made(x, Mask(keys)).x
    for row, length in enumerate((4, 7)):
        close(together[row, :length], made(x[row : row + 1, :length], Mask()).x[0])
    for block in made.blocks:  # softmax and its kin do not see what is added to all scores of a row
        del block.mixer.key.bias
        block.mixer.key.bias = torch.zeros(D, dtype=torch.float64)
    together = made(x, Mask(keys)).x
    no_gradient_is_missing(made, (together[keys] * randoms((11, D), dtype=torch.float64)[0]).sum())


@pytest.mark.parametrize("lengths", [[0, 5], [0, 0]])
@pytest.mark.parametrize("normalizer", NORMALIZERS.names())
def test_a_source_without_elements_says_nothing(normalizer, lengths):
    mixer = PLAIN | {"normalizer": normalizer}
    made = stirred(DecoderStack(StackSettings(), shape(mixer=mixer), causal=True)).double().eval()
    x = memory_of([5, 5], dtype=torch.float64).x[:, : max(lengths)]
    (y,) = randoms((2, 3, D), dtype=torch.float64)
    found = made(y, Memory(x, padding(torch.tensor(lengths), max(lengths))))
    with torch.no_grad():
        for block in made.blocks:
            block.cross.value.weight.zero_()
            block.cross.value.bias.zero_()
    expected = made(y[:1], Memory(x.new_zeros(1, 1, D)))
    close(found[:1], expected)
