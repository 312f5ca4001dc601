"""docs/scaling.md: what was measured, what the model of costs says of it, and what it says of GPUs."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scaling.costs import (
    BUCKET,
    FAR,
    KEPT,
    NEAR,
    NUMBER,
    PUBLISHED,
    SHAPES,
    USED,
    UTILIZATION,
    Cluster,
    Cost,
    Figures,
    Published,
    Shape,
    Wire,
    affine,
    assumed,
    cost,
    machines_of,
)

HEAD = """# Several processes: measured and predicted

Written by `python -m benchmarks.scaling --write` from `benchmarks/results/` and `benchmarks/scaling/costs.py`.

## How

`headway train DATA --out RUN --processes N` trains with N processes of one machine, a GPU or a share of the cores each;
`--restarts K` lets them go on from the last checkpoint when one is lost. On several machines torchrun begins them:

    torchrun --nnodes 2 --nproc-per-node 8 --max-restarts 3 --rdzv-backend c10d --rdzv-endpoint HOST:29400 \\
      --rdzv-id NAME -m headway train DATA --out RUN

Each works on every so many rows of every batch; gradients and counts are summed over all of them and divided once, so
an update is the same however it is divided. All evaluate, the first one writes and speaks. All machines must
see the run folder, and read the same training data. A NAME of its own for each run lets all go on with it also when a
whole machine was lost. The port of `--rdzv-endpoint` listens on all addresses and trusts whoever comes: keep it inside.

`--machine.shard true` divides weights, gradients and the optimizer's states among the processes (FSDP2), for models too
large for one device; a checkpoint is then a file of each process, and any number of them, also one, goes on with it.
Muon's products of divided matrices are rounded otherwise than those of whole ones; with AdamW nothing differs.
`--machine.recompute true` keeps the input of each block only and computes the rest again, with the same dropout.

"""
NUMBERS = (1, 2, 4, 8, 16, 64, 256, 1024)
TOKENS = 16_384
"""Target tokens of each GPU in an update, where the update grows with their number."""


def page(results: Path) -> str:
    """The whole page."""
    return HEAD + "\n".join([_measured(results), _settings(results), _predicted(results), _assumptions()])


# ------------------------------------------------------------------------------------------------------------ measured


def _measured(results: Path) -> str:
    lines = ["## Measured: two processes on two cores, one on one core", ""]
    found = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("scaling_[sb]*.json"))]
    found = [one for one in found if "sums" in one["rows"][0]]
    if not found:
        return "\n".join([*lines, "Not measured yet: `python -m benchmarks.scaling` on two idle cores.", ""])
    lines += [
        "Target tokens a second of an update with 4,096 of them, dropout 0.1, AdamW; medians, taking turns. The model",
        "of costs begins with one process alone, at a whole and at half an update, and with the sums between two.",
        "",
        "| model | processes | measured | predicted | error | memory measured | predicted |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        lines += _rows(one["rows"][0])
    told = [
        f"{one['rows'][0]['size']}: two processes are {one['rows'][0]['ratio']:.2f} x one ({_machine(one['machine'])})"
        for one in found
    ]
    return "\n".join([*lines, "", *told, ""])


def _rows(row: dict[str, Any]) -> list[str]:
    lines = []
    for number, name in ((1, "one"), (2, "two")):
        speed = statistics.median(turn["tokens"] / turn["seconds"] for turn in row["turns"][name])
        peak = max(turn["peak"] for turn in row["turns"][name])
        found = _of_cores(row, number)
        error = found.tokens_per_second / speed - 1
        lines.append(
            f"| {row['size']}, {row['precision']} | {number} | {speed:,.0f} | {found.tokens_per_second:,.0f} "
            f"| {error:+.1%} | {peak / 1e6:,.0f} MB | {found.memory / 1e6:,.0f} MB |"
        )
    return lines


def _of_cores(row: dict[str, Any], number: int) -> Cost:
    """The model of costs, from what one process took and from the sums."""
    parameters = row["facts"]["one"]["parameters"]
    one, half = (_update(row["turns"][name]) for name in ("one", "half"))
    fixed, token = affine((half["tokens"], half["passes"]), (one["tokens"], one["passes"]))
    held = max(0.0, (one["peak"] - half["peak"]) / (one["tokens"] - half["tokens"]))
    program = one["peak"] - held * one["tokens"] - KEPT * NUMBER * parameters
    rest = one["seconds"] - one["passes"]
    figures = Figures(fixed, token, rest, program, held)
    sums = {int(size): seconds for size, seconds in row["sums"].items()}
    latency = min(sums.values()) / 2
    largest = max(sums)
    wire = Wire(largest / (sums[largest] - 2 * latency), latency)
    cluster = Cluster("cores", number, wire, wire, 0.0, overlap=False)
    return cost(parameters, one["tokens"], figures, cluster, number)


def _update(turns: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The median update of some turns."""
    found = {
        name: statistics.median(turn[name] / turn["updates"] for turn in turns)
        for name in ("seconds", "passes", "tokens")
    }
    return {**found, "peak": max(turn["peak"] for turn in turns)}


SETTINGS = """\
A processor without instructions for bfloat16 (AVX512_BF16, AMX) emulates them, at a small share of the speed. Compiled
blocks come after a minute of compiling and were slower here: a compiler takes torch's products and dropout in the place
of ours, which are faster on a CPU. On GPUs, where torch's are taken anyway, compiling has not been measured."""


def _settings(results: Path) -> str:
    lines = ["## Measured: settings of the machine", ""]
    paths = sorted(results.glob("scaling_settings_*.json"))
    if not paths:
        return "\n".join([*lines, "Not measured yet: `python -m benchmarks.scaling --settings`.", ""])
    for path in paths:
        kept = json.loads(path.read_text("utf-8"))
        lines += [
            f"{path.stem.rpartition('_')[2]} model, {_machine(kept['machine'])}; times that of one thread in float32:",
            "",
            "| setting | speed | memory beyond the program |",
            "|---|---|---|",
        ]
        lines += [
            f"| {row['setting']} | {statistics.median(row['ratio']):.2f} ({min(row['ratio']):.2f} to "
            f"{max(row['ratio']):.2f}) | {row['memory'][1] / row['memory'][0]:.2f} |"
            for row in kept["rows"]
        ]
        lines += ["", SETTINGS, ""]
    return "\n".join(lines)


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['processor']}, torch {machine['packages']['torch']}, revision {machine['revision']}"


# ----------------------------------------------------------------------------------------------------------- predicted


def _predicted(results: Path) -> str:
    lines = [
        "## Predicted: 1 to 1,024 GPUs",
        "",
        f"Each GPU works on {TOKENS:,} target tokens of an update, in bfloat16, so the update grows with their number.",
        "Efficiency is tokens a second for each GPU against one alone; traffic is what each GPU sends in an update.",
        "",
    ]
    for gpu in PUBLISHED:
        lines += [f"### {gpu.name}", ""]
        for shape in SHAPES:
            lines += _of_gpus(shape, gpu, results)
    return "\n".join(lines)


def _of_gpus(shape: Shape, gpu: Published, results: Path) -> list[str]:
    figures, origin = _figures(shape, gpu, results)
    cluster = machines_of(gpu)
    lines = [
        f"{shape.name}, {shape.parameters / 1e6:,.0f} million parameters ({origin}):",
        "",
        "| GPUs | tokens/s | efficiency | memory | traffic | divided: tokens/s | efficiency | memory | traffic |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    alone = cost(shape.parameters, TOKENS, figures, cluster, 1)
    for number in NUMBERS:
        cells = [f"| {number:,} "]
        for shard in (False, True):
            found = cost(shape.parameters, TOKENS * number, figures, cluster, number, shard and number > 1)
            efficiency = found.tokens_per_second / number / alone.tokens_per_second
            full = "" if found.memory < gpu.memory else " (too much)"
            cells.append(
                f"| {found.tokens_per_second:,.0f} | {efficiency:.0%} | {found.memory / 1e9:.1f} GB{full} "
                f"| {found.traffic / 1e9:.2f} GB "
            )
        lines.append("".join(cells) + "|")
    return [*lines, ""]


def _figures(shape: Shape, gpu: Published, results: Path) -> tuple[Figures, str]:
    """Those measured on one such GPU where there are any; else what the assumed share of its operations gives."""
    path = results / f"scaling_cuda_{shape.name.partition(':')[0]}.json"
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else None
    if kept is None or gpu.name.split()[0] not in str(kept["machine"]["gpu"]):
        return assumed(shape, gpu), f"from {UTILIZATION:.0%} of the published operations, not measured"
    row = kept["rows"][0]
    one, half = (_update(row["turns"][name]) for name in ("one", "half"))
    fixed, token = affine((half["tokens"], half["passes"]), (one["tokens"], one["passes"]))
    held = max(0.0, (one["peak"] - half["peak"]) / (one["tokens"] - half["tokens"]))
    return Figures(fixed, token, one["seconds"] - one["passes"], 1.5e9, held), "from one GPU, measured"


ASSUMED = f"""## Assumptions

- Passes of one device take a fixed time and a time for each token; every batch is divided row by row, so the shares of
  an update are as even as it is.
- Machines of 8 GPUs. A sum reaches {USED:.0%} of the published bandwidth; the first byte takes {NEAR * 1e6:.0f} µs
  inside a machine and {FAR * 1e6:.0f} µs between machines; nobody else is on the wire.
- Sums inside a machine are rings, 2 (n - 1) / n of the bytes; between machines each GPU sums its eighth.
- Beside GPUs, sums travel during backward, two thirds of the passes, but for the last {BUCKET >> 20} MiB; a divided
  model moves its weights during all passes. Beside a core nothing is hidden: gloo wants the core, too.
- {KEPT} numbers of {NUMBER} bytes for each weight: itself, its gradient, two of AdamW, the average; and its gradient
  again in a bucket. A divided model is whole in every process while it is evaluated.
- Where no GPU was measured: {UTILIZATION:.0%} of the published operations, 6 for each weight and token, a millisecond
  for each update beside, 34 bytes of activations for each number in a block (Korthikanti et al. 2022).
  `python -m benchmarks.scaling --device cuda` measures one GPU and replaces that.
- Reading data, evaluations, checkpoints and stragglers are left out.
"""


def _assumptions() -> str:
    published = [
        f"- {gpu.name}: {gpu.operations / 1e12:,.0f} TFLOP/s in dense bfloat16, {gpu.memory / 1e9:,.0f} GB, NVLink "
        f"{gpu.nvlink / 1e9:,.0f} GB/s in both\n  directions together, network {gpu.network / 1e9:,.0f} GB/s for each "
        f"GPU ({gpu.source})"
        for gpu in PUBLISHED
    ]
    return ASSUMED + "\n".join(published) + "\n"
