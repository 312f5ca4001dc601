"""`headway distill`."""

from pathlib import Path

from headway.cli._options import Json


def distill(
    run: Path,
    data: Path,
    /,
    *,
    out: Path,
    mode: str = "greedy",
    beam: int | None = None,
    length_penalty: float | None = None,
    tokens: int | None = None,
    jobs: int | None = None,
    json: Json = False,
) -> int:
    """Write a data set whose training targets are what a trained run writes: knowledge distillation.

    What a model writes is more regular than what people wrote, and models that write all at once need that. Valid and
    test parts stay as they are. An interrupted command is given again, and goes on.

      headway distill translator pairs --out pairs-distilled
      headway distill translator pairs --out pairs-beam --mode beam --beam 5
      headway train pairs-distilled --model.task.decoder ctc --out student

    Parameters
    ----------
    run
        The run that writes.
    data
        A data set, as for `headway train`.
    out
        The folder to write, with distilled.json, which says where it came from.
    mode
        greedy, beam, or another of the run's modes.
    beam
        Sequences side by side in mode beam; 5 where none is given.
    length_penalty
        In mode beam: 0 favours short outputs, 1 (the default) and more longer ones.
    tokens
        Source elements, padding included, that are answered together; 8192 where none are given, shared by
        the sequences of a beam.
    jobs
        Processes that write side by side, with one thread each; as many as cores where none are given.
    """
    from headway.cli._distilling import watching

    how = {"mode": mode, "beam": beam, "length_penalty": length_penalty, "tokens": tokens, "jobs": jobs}
    return watching(run, data, out, json, **how)
