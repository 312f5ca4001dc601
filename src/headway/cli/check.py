"""`headway check`."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from headway.cli._options import Json, Settings, assigned


def check(
    data: Path | None = None,
    /,
    *,
    recipe: str | None = None,
    config: Path | None = None,
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Look through a data set before anything is trained on it.

    Counts, lengths, labels, unknown words, repetitions, leakage between the parts,
    contradictions, odd characters and encodings: each with file and line, and what to
    do. The exit code is 1 where training would stop or learn what is not meant.

      headway check news
      headway check pairs --data.source en --data.target de

    Parameters
    ----------
    data
        A data set, as for `headway train`, in any format.
    recipe
        A preset, of `headway list recipes`: how texts are cut, and how long they may be, are its.
    config
        A YAML file of settings.
    """
    from headway.cli._checks import print_report
    from headway.data.checking import check as look_through
    from headway.planning import outline

    found, setup, told = outline(data, recipe, config, assigned(settings))
    report = look_through(found, setup, _progress())
    print_report(report, told, json)
    return 1 if report.count("error") else 0


def _progress() -> Callable[[str, int], None]:
    """Tells a person who waits how far it is; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return lambda part, count: None
    last = time.monotonic()

    def heard(part: str, count: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            print(f"\r{part}: {count:,} rows\033[K", end="\r", file=sys.stderr, flush=True)

    return heard
