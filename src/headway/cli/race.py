"""`headway race`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headway.cli._options import Json
from headway.errors import UsageError


def race(
    run: Path,
    /,
    *more: Path,
    part: Literal["train", "valid", "test"] = "test",
    modes: str | None = None,
    sentences: int = 100,
    beam: int | None = None,
    threads: int | None = None,
    out: Annotated[Path | None, Parameter()] = None,
    json: Json = False,
) -> int:
    """Race trained runs, each in every way it can write, on your data and this machine: RUN [RUN ...] DATA.

    A row for each run and mode: quality on the whole part, the time of one answer, answers a second in batches,
    decoder calls, and whether the outputs are those of greedy search. All take turns.

      headway race translator pairs
      headway race teacher student pairs --modes greedy,verify,nat --out race
      headway race translator fast-ctranslate2 pairs --threads 1

    Parameters
    ----------
    run
        A run folder, or a folder that headway export made; several may stand one behind the other.
    more
        Further runs and, last, the data set, or one file, which is taken whole.
    part
        Which part of a data set.
    modes
        Modes that race, commas between them; all but sample where none are given.
    sentences
        Examples that are answered one after another for the latency.
    beam
        Sequences side by side in mode beam; 5 where none is given.
    threads
        Threads of a CPU, the same for all; as many as there are cores where none are given.
    out
        A folder for the page with charts (race.html), race.md and race.json.
    """
    if not more:
        raise UsageError(f"race needs runs and, last, a data set: headway race {run} DATA")
    from headway.cli._racing import watching

    chosen = tuple(name.strip() for name in (modes or "").split(",") if name.strip())
    how = {"part": part, "modes": chosen, "sentences": sentences, "beam": beam, "threads": threads, "out": out}
    return watching((run, *more[:-1]), more[-1], json, **how)
