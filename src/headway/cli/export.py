"""`headway export`."""

import json as json_
from pathlib import Path

from headway.cli._options import Json


def export(
    run: Path,
    /,
    *,
    to: str,
    out: Path,
    quantization: str | None = None,
    data: Path | None = None,
    json: Json = False,
) -> int:
    """Write a trained run for another program, and check that it writes there what it writes here.

    The check compares greedy outputs token for token and prints how many are the same.
    Ties, two tokens as probable as each other, are counted; anything else that differs
    is an error, except where the weights are quantized: then it is only told.

      headway export translator --to ctranslate2 --out fast
      headway export translator --to ctranslate2 --out small --quantization int8 --data pairs

    Parameters
    ----------
    run
        A run folder.
    to
        The format, of `headway list exports`: ctranslate2.
    out
        The folder to write, which must not be there yet.
    quantization
        How the weights are kept: float32, or int8, a quarter of the size.
    data
        A data set whose test part the check takes, or one file; random sources where none is given.
    """
    from headway.experiment import examples_for
    from headway.export import export as export_
    from headway.predictor import Predictor

    predictor = Predictor(run)
    examples = None if data is None else examples_for(predictor, data, "test")
    settings = {} if quantization is None else {"quantization": quantization}
    made = export_(predictor, to, out, examples, **settings)
    found = made.agreement
    share = found.same / found.rows
    if json:
        told = {"rows": found.rows, "same": found.same, "ties": found.ties, "log_probability_off": found.off}
        print(json_.dumps({"folder": str(made.folder), "bytes": made.size, "package": made.package, "check": told}))
        return 0
    print(f"{made.folder}: {made.size / 1e6:,.1f} MB for {made.package}")
    print(
        f"greedy outputs the same as the run's: {share:.1%} of {found.rows:,}"
        + (f"; {found.ties} part at a tie" if found.ties else "")
        + (f"; {found.different} differ" if found.different else "")
    )
    print(f"log probabilities of their tokens: at most {found.off:.1e} off")
    return 0
