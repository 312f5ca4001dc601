"""Training speed against torch.nn.Transformer: the same model, the same batches, the same precision, in turn.

    python -m benchmarks.speed.training [--rounds 7] [--precision float32 medium bfloat16] [--size small base]

Prints target tokens a second of both and their ratio. Both learn: forward, backward, AdamW; dropout 0.1 everywhere
where the original has it (embeddings, attention weights, feed-forward, residuals); smoothing 0.1; one table for source,
target and output. The reference is torch.nn.Transformer in eager mode with torch's cross entropy and fused AdamW.
"""

import argparse
import statistics
import warnings

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import ratios, record, spread, take_turns
from headway.batch import PAD, Batch
from headway.decoders import TargetSizes
from headway.inputs import text
from headway.inputs.text import TextSizes
from headway.layers.encoder import EncoderSettings
from headway.machine import set_up
from headway.model import Model, ModelSettings
from headway.positions.sinusoidal import sinusoids
from headway.training.loop import precision as precision_of
from headway.training.replicas import Replicas
from headway.training.settings import MachineSettings
from headway.training.sharding import norm_of

SIZES = {"small": (256, 4, 3), "base": (512, 8, 6)}
VOCABULARY, TOKENS, RATE, SMOOTHING, SEQUENCES = 8_000, 4_096, 0.1, 0.1, 6


class Reference(nn.Module):
    """torch.nn.Transformer between a shared table and a tied output layer."""

    def __init__(self, width: int, heads: int, layers: int):
        super().__init__()
        self.scale = width**0.5
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.transformer = nn.Transformer(width, heads, layers, layers, 4 * width, RATE, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(VOCABULARY))
        self.dropout = nn.Dropout(RATE)
        self.register_buffer("positions", sinusoids(512, width, 1e4))

    def forward(self, ids: Tensor, read: Tensor, write: Tensor) -> Tensor:
        states = self.transformer(
            self._vectors(ids),
            self._vectors(read),
            tgt_mask=nn.Transformer.generate_square_subsequent_mask(read.shape[1]),
            tgt_is_causal=True,
            src_key_padding_mask=ids == PAD,
            memory_key_padding_mask=ids == PAD,
            tgt_key_padding_mask=read == PAD,
        )
        logits = nn.functional.linear(states, self.embedding.weight, self.bias)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1), write.flatten(), ignore_index=PAD, label_smoothing=SMOOTHING, reduction="sum"
        )

    def _vectors(self, ids: Tensor) -> Tensor:
        return self.dropout(self.embedding(ids) * self.scale + self.positions[: ids.shape[1]])


def batches(model: Model, parts: int) -> list[list[Batch]]:
    """Random pairs of about 22 tokens, lengths alike within an update, about 4,096 target tokens each, in parts."""
    random = np.random.default_rng(0)
    made = []
    for middle in np.linspace(14, 30, SEQUENCES).astype(int):
        rows = TOKENS // int(middle + 1)
        sources = [random.integers(4, VOCABULARY, n) for n in np.clip(middle + random.integers(-3, 4, rows), 3, None)]
        targets = [random.integers(4, VOCABULARY, n) for n in middle - random.integers(0, 2, rows)]
        cut = [(sources[part::parts], targets[part::parts]) for part in range(parts)]
        made.append([Batch(text.collate(s, None), model.task.collate(t), tuple(range(len(s)))) for s, t in cut])
    return made


def ours(width: int, heads: int, layers: int) -> Model:
    """The same model of headway."""
    settings = ModelSettings(
        task={"kind": "transduce", "decoder": {"kind": "autoregressive", "tie": "all"}, "smoothing": SMOOTHING},
        encoder=EncoderSettings(
            layers=layers,
            width=width,
            dropout=RATE,
            position="sinusoidal",
            norm_place="post",
            mixer={"kind": "attention", "heads": heads},
        ),
    )
    sizes = TargetSizes(VOCABULARY, shared=True)
    return Model(settings, TextSizes(VOCABULARY), {"sizes": sizes, "metrics": ()})


def compare(size: str, precision: str, rounds: int, threads: int) -> dict[str, object]:
    """One row of the table."""
    machine = MachineSettings(threads=threads, precision=precision, device="cpu")
    set_up(machine)
    width, heads, layers = SIZES[size]
    model, reference = ours(width, heads, layers).train(), Reference(width, heads, layers).train()
    replicas = Replicas(model, threads, lambda: precision_of(machine, torch.device("cpu")))

    def learned(parts: list[Batch]) -> float:
        return replicas.gradients([([batch], seed) for seed, batch in enumerate(parts)])[1]

    def referred(parts: list[Batch]) -> float:
        (batch,) = parts
        with precision_of(machine, torch.device("cpu")):
            loss = reference(batch.input["ids"], batch.target["read"], batch.target["write"])
        loss.backward()
        return int((batch.target["write"] != PAD).sum())

    def updates(module: nn.Module, gradients, data: list[list[Batch]]):
        optimizer = torch.optim.AdamW(module.parameters(), 1e-4, fused=True)

        def work() -> float:
            tokens = 0
            for parts in data:
                count = gradients(parts)
                found = [p.grad for p in module.parameters() if p.grad is not None]
                torch._foreach_mul_(found, 1 / count)
                nn.utils.clip_grads_with_norm_(module.parameters(), 1.0, norm_of(found))
                optimizer.step()
                optimizer.zero_grad()
                tokens += count
            return tokens

        return work

    subjects = {
        "headway": updates(model, learned, batches(model, threads)),
        "nn.Transformer": updates(reference, referred, batches(model, 1)),
    }
    found = take_turns(subjects, rounds, threads)
    ratio = ratios(found, "headway", "nn.Transformer")
    print(
        f"{size:6} {precision:9} headway {spread(found['headway'])}  nn.Transformer {spread(found['nn.Transformer'])}  "
        f"ratio {spread(ratio)}",
        flush=True,
    )
    return {
        "size": size,
        "precision": precision,
        "threads": threads,
        "target_tokens_per_second": found,
        "ratio": statistics.median(ratio),
        "ratios": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", nargs="+", default=["small"], choices=SIZES)
    parser.add_argument("--precision", nargs="+", default=["float32", "medium", "bfloat16"])
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*(nested tensor|mismatched).*")
    print("target tokens a second: median (range)")
    rows = [compare(size, p, given.rounds, given.threads) for size in given.size for p in given.precision]
    print(f"kept in {record('speed_training', rows)}")


if __name__ == "__main__":
    main()
