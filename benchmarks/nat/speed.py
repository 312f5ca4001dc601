"""One sentence at a time: greedy, all tokens at once, and drafted and verified, beside transformers and CTranslate2.

    python -m benchmarks.nat.speed [--rounds 7] [--size small base] [--clock wall]

All have random weights of one shape, one thread and 32-bit numbers (CTranslate2 8-bit ones as well), read sources of 24
tokens and write 24: none ends, `length` decides on 24, and `ctc` writes into 48 frames. Encoder and loop are timed,
tokenization is not. The draft that is verified is what greedy writes, so that all of it agrees; the time of a ctc head,
which would have drafted it, is in.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.decoding import LENGTH, marian
from benchmarks.speed.training import SIZES, VOCABULARY, ours
from benchmarks.timing import ratios, record, spread, take_turns
from headway.batch import END, SPECIALS, Batch
from headway.decoders import TargetSizes
from headway.export._transformer import specification
from headway.inputs.text import TextSizes
from headway.layers.encoder import EncoderSettings
from headway.machine import set_up
from headway.model import Model, ModelSettings
from headway.search import Hypothesis, Search
from headway.training.settings import MachineSettings

SENTENCES = 16
"""Sources that a turn answers, one after another."""
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
GREEDY, VERIFY = "headway greedy", "headway verify, the draft agrees"
AIMS = {
    "base": {"nat": 4.0, "verify": 2.5, "transformers": 1.15},
    "small": {"nat": 3.0, "verify": 1.8, "transformers": 1.5},
}
"""How many times as fast as greedy these are to be at least; greedy as many times as fast as transformers."""


def written_at_once(width: int, heads: int, layers: int, kind: str, depth: int) -> Model:
    """The model of `ours`, with a decoder that writes all tokens at once in so many layers."""
    settings = ModelSettings(
        task={"kind": "transduce", "decoder": {"kind": kind, "layers": depth, "tie": "all"}},
        encoder=EncoderSettings(
            layers=layers,
            width=width,
            position="sinusoidal",
            norm_place="post",
            mixer={"kind": "attention", "heads": heads},
        ),
    )
    model = Model(settings, TextSizes(VOCABULARY), {"sizes": TargetSizes(VOCABULARY, shared=True), "metrics": ()})
    if kind == "length":
        with torch.no_grad():
            model.task.decoder.length.bias[model.task.decoder.reach] = 1e4  # as many tokens as there are elements
    return model.eval()


def answered(model: Model, batches: Sequence[Batch], search: Search) -> list[Hypothesis]:
    """What is written for each source, by itself."""
    with torch.inference_mode():
        return [found for batch in batches for ((found,),) in [model.answer(batch, search)]]


def verified(model: Model, head: Model, batches: Sequence[Batch], drafts: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The same, where the head writes a draft that is not looked at, and the given one is verified."""
    decoder, drafter, found = model.task.decoder, head.task.decoder, []
    with torch.inference_mode():
        for batch, draft in zip(batches, drafts, strict=True):
            memory = model.encode(batch)
            drafter.generate(memory, Search("nat"))
            found.append(decoder.verified(memory, Search("verify", limit=LENGTH - 1), [draft])[0][0])
    return found


def generated(peer: Any, sources: Sequence[torch.Tensor]) -> None:
    """What transformers writes."""
    with torch.inference_mode():
        for ids in sources:
            mask = torch.ones_like(ids)
            how = {"num_beams": 1, "do_sample": False, "min_new_tokens": LENGTH, "max_new_tokens": LENGTH}
            assert peer.generate(input_ids=ids, attention_mask=mask, **how).shape == (1, LENGTH + 1)


def engine(model: Model, folder: Path, quantization: str | None) -> Any:
    """A model of headway in CTranslate2."""
    import ctranslate2

    names = [*SPECIALS, *(f"t{number}" for number in range(len(SPECIALS), VOCABULARY))]
    spec = specification(model, (names, names), (LENGTH, LENGTH + 1))
    spec.validate()
    spec.optimize(quantization)
    folder.mkdir()
    spec.save(str(folder))
    return ctranslate2.Translator(str(folder), device="cpu", inter_threads=1, intra_threads=1)


def translated(engine: Any, sources: Sequence[torch.Tensor]) -> list[tuple[int, ...]]:
    """What CTranslate2 writes."""
    found = []
    for ids in sources:
        tokens = [f"t{number}" for number in ids[0].tolist()]
        (result,) = engine.translate_batch([tokens], beam_size=1, max_decoding_length=LENGTH)
        assert len(result.hypotheses[0]) == LENGTH
        found.append(tuple(int(name[1:]) for name in result.hypotheses[0]))
    return found


def subjects(size: str, folder: Path) -> dict[str, Callable[[], Any]]:
    """By name what answers all sources once."""
    torch.manual_seed(0)
    width, heads, layers = SIZES[size]
    model, peer = ours(width, heads, layers).eval(), marian(width, heads, layers)
    with torch.no_grad():
        model.task.decoder.output_bias[END] = -1e9  # so that all write as many tokens
    sources = [torch.randint(4, VOCABULARY, (1, LENGTH)) for _ in range(SENTENCES)]
    batches = [Batch({"ids": ids}, {}, (0,)) for ids in sources]
    depths = {"length": (1, layers), "ctc": (0, 1, layers)}
    models = {
        f"headway nat, {kind}, {depth} layer{'s' * (depth != 1)}": written_at_once(width, heads, layers, kind, depth)
        for kind, each in depths.items()
        for depth in each
    }
    drafts = answered(model, batches, Search("greedy", limit=LENGTH - 1))
    head = next(made for name, made in models.items() if "ctc, 0" in name)
    assert [one.tokens for one in verified(model, head, batches, drafts)] == [draft.tokens for draft in drafts]
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    whole, small = engine(model, folder / "float32", None), engine(model, folder / "int8", "int8")
    model.load_state_dict(weights)  # CTranslate2 has quantized the very numbers that it was given
    assert [tokens[: LENGTH - 1] for tokens in translated(whole, sources)] == [draft.tokens for draft in drafts]
    return {
        GREEDY: lambda: answered(model, batches, Search("greedy", limit=LENGTH - 1)),
        **{name: lambda made=made: answered(made, batches, Search("nat")) for name, made in models.items()},
        VERIFY: lambda: verified(model, head, batches, drafts),
        "transformers": lambda: generated(peer, sources),
        "CTranslate2 float32": lambda: translated(whole, sources),
        "CTranslate2 int8": lambda: translated(small, sources),
    }


def counted(work: Callable[[], Any]) -> Callable[[], float]:
    """The work, as a subject that says how many sentences it was."""

    def turn() -> float:
        work()
        return SENTENCES

    return turn


def compare(size: str, rounds: int, clock: str) -> dict[str, Any]:
    """One row of the table: all subjects of a size."""
    set_up(MachineSettings(threads=1, device="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        asked = {name: counted(work) for name, work in subjects(size, Path(folder)).items()}
        found = take_turns(asked, rounds, 1, clock=CLOCKS[clock])
    by_greedy = {name: ratios(found, name, GREEDY) for name in found}
    print(f"{size}: sentences a second ({clock} clock), and how many times as fast as headway greedy: median (range)")
    for name, ratio in by_greedy.items():
        print(f"  {name:34} {spread(found[name]):26} {spread(ratio):24} {_aim(size, name, ratio)}", flush=True)
    return {
        "size": size,
        "clock": clock,
        "sentences_per_second": found,
        "times_greedy": {name: statistics.median(ratio) for name, ratio in by_greedy.items()},
        "times_greedy_by_round": by_greedy,
    }


def _aim(size: str, name: str, ratio: Sequence[float]) -> str:
    """Whether what was aimed at is reached."""
    aims, median = AIMS[size], statistics.median(ratio)
    if name == "transformers":
        least, reached = f"greedy {1 / median:.3g} x, at least {aims[name]:g}", 1 / median >= aims[name]
    elif (kind := next((kind for kind in ("nat", "verify") if f"headway {kind}" in name), None)) is not None:
        least, reached = f"at least {aims[kind]:g}", median >= aims[kind]
    else:
        return ""
    return f"{least}: {'reached' if reached else 'missed'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", nargs="+", default=["small", "base"], choices=SIZES)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="processor: where other processes run as well")
    given = parser.parse_args()
    rows = [compare(size, given.rounds, given.clock) for size in given.size]
    print(f"kept in {record('nat_speed', rows)}")


if __name__ == "__main__":
    main()
