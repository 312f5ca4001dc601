"""`headway evaluate`."""

import json as json_
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headway.cli._options import Json, SkipBad, warn_of


def evaluate(
    run: Path,
    data: Path,
    /,
    *,
    part: Literal["train", "valid", "test"] = "test",
    mode: str = "auto",
    beam: int | None = None,
    length_penalty: float | None = None,
    candidates: int | None = None,
    tolerance: float | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    sampling_seed: int | None = None,
    together: Annotated[tuple[Path, ...], Parameter(name="--with", negative="")] = (),
    skip_bad: SkipBad = False,
    json: Json = False,
) -> int:
    """Measure a trained run on data whose answers are known.

    Prints the metrics last, one `name value` a line; what they are exactly stands before them.

      headway evaluate tagger news
      headway evaluate translator pairs --mode beam --beam 5

    Parameters
    ----------
    run
        A run folder.
    data
        A data set, or one file, which is taken whole.
    part
        Which part of a data set.
    mode
        How to answer: auto, or one of the run's modes (greedy, beam, sample, verify, nat, rerank).
    beam
        Sequences side by side in mode beam; 5 where none is given.
    length_penalty
        In modes beam and rerank: 0 favours short outputs, 1 (the default) and more longer ones.
    candidates
        In mode rerank: sequences that are written at once, of which the decoder chooses; 5 where none is given.
    tolerance
        In mode verify: how much less probable (in log probability) a drafted token may be than the best.
    temperature
        In mode sample: below 1 the probable is drawn more often, above 1 less.
    top_k
        In mode sample: draw of so many most probable tokens only.
    top_p
        In mode sample: draw of the most probable tokens only that have this probability together.
    sampling_seed
        In mode sample: the same seed and inputs give the same answers.
    together
        A further run folder; all answer together, as an ensemble.
    """
    from headway.experiment import examples_for, load

    predictor = load(run, *together)
    examples = examples_for(predictor, data, part, skip_bad, say=partial(print, file=sys.stderr))
    how = {
        "mode": mode, "beam": beam, "length_penalty": length_penalty, "candidates": candidates, "tolerance": tolerance,
        "temperature": temperature, "top_k": top_k, "top_p": top_p, "sampling_seed": sampling_seed,
    }  # fmt: skip
    warn_of(tolerance)
    values, signatures, _ = predictor.evaluate(examples, **how)
    if json:
        print(json_.dumps({"part": part, "examples": len(examples), "metrics": values, "signatures": signatures}))
        return 0
    print(f"{len(examples):,} examples, {data}" + (f", part {part}" if data.is_dir() else ""))
    for signature in signatures.values():
        print(f"  {signature}")
    for name, value in values.items():
        print(f"{name} {value:.6g}")
    return 0
