"""Greedy decoding against `generate` of transformers: a MarianMT model of the same size, in turn.

    python -m benchmarks.speed.decoding [--rounds 7] [--batch 1 32] [--size small base] [--threads 1]

Both models have random weights and write exactly 24 tokens for sources of 24; encoder and loop are timed, tokenization
is not. transformers keeps its cache of keys and values and takes its fastest attention (sdpa).
"""

import argparse
import statistics

import torch

from benchmarks.speed.training import SIZES, VOCABULARY, ours
from benchmarks.timing import ratios, record, spread, take_turns
from headway.batch import END, Batch
from headway.machine import set_up
from headway.search import Search
from headway.training.settings import MachineSettings

LENGTH = 24


def marian(width: int, heads: int, layers: int):
    """A MarianMT model of this size with random weights."""
    from transformers import MarianConfig, MarianMTModel

    config = MarianConfig(
        vocab_size=VOCABULARY,
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        activation_function="relu",
        pad_token_id=0,
        eos_token_id=END,
        decoder_start_token_id=0,
        forced_eos_token_id=None,
    )
    return MarianMTModel(config).eval()


def compare(size: str, batch: int, rounds: int, threads: int) -> dict[str, object]:
    """One row of the table."""
    set_up(MachineSettings(threads=threads, device="cpu"))
    width, heads, layers = SIZES[size]
    model, peer = ours(width, heads, layers).eval(), marian(width, heads, layers)
    with torch.no_grad():
        model.task.decoder.output_bias[END] = -1e9  # so that both write as many tokens
    ids = torch.randint(4, VOCABULARY, (batch, LENGTH))
    given, search = Batch({"ids": ids}, {}, tuple(range(batch))), Search(limit=LENGTH - 1)
    repeats = max(1, 32 // batch)

    def write() -> float:
        with torch.inference_mode():
            for _ in range(repeats):
                found = model.answer(given, search)
        assert all(len(h.tokens) == LENGTH - 1 for (h,) in found)
        return repeats * batch

    def generate() -> float:
        with torch.inference_mode():
            for _ in range(repeats):
                found = peer.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    num_beams=1,
                    do_sample=False,
                    min_new_tokens=LENGTH,
                    max_new_tokens=LENGTH,
                )
        assert found.shape == (batch, LENGTH + 1)
        return repeats * batch

    found = take_turns({"headway": write, "transformers": generate}, rounds, threads)
    ratio = ratios(found, "headway", "transformers")
    print(
        f"{size:6} batch {batch:3} headway {spread(found['headway'])}  transformers {spread(found['transformers'])}  "
        f"ratio {spread(ratio)}",
        flush=True,
    )
    return {
        "size": size,
        "batch": batch,
        "threads": threads,
        "sentences_per_second": found,
        "ratio": statistics.median(ratio),
        "ratios": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--size", nargs="+", default=["small"], choices=SIZES)
    given = parser.parse_args()
    print(f"sentences of {LENGTH} tokens a second, {given.threads} threads: median (range)")
    rows = [compare(size, batch, given.rounds, given.threads) for size in given.size for batch in given.batch]
    print(f"kept in {record('speed_decoding', rows)}")


if __name__ == "__main__":
    main()
