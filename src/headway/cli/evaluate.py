"""`headway evaluate`."""

import json as json_
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headway.cli._options import Json


def evaluate(
    run: Path,
    data: Path,
    /,
    *,
    part: Literal["train", "valid", "test"] = "test",
    mode: str = "auto",
    beam: int = 5,
    length_penalty: float = 1.0,
    together: Annotated[tuple[Path, ...], Parameter(name="--with", negative="")] = (),
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
        How to answer: auto, or one of the run's modes (greedy, beam).
    beam
        Sequences side by side in mode beam.
    length_penalty
        In mode beam: 0 favours short outputs, 1 and more longer ones.
    together
        A further run folder; all answer together, as an ensemble.
    """
    from headway.experiment import examples_for, load

    predictor = load(run, *together)
    examples = examples_for(predictor, data, part)
    how = {"mode": mode, "beam": beam, "length_penalty": length_penalty}
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
