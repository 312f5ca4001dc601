"""`headway check`."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from headway.cli._options import Json, Settings, assigned
from headway.errors import UsageError, file_name


def check(
    first: Annotated[Path | None, Parameter(name="data")] = None,
    second: Annotated[Path | None, Parameter(name="and-data", show=False)] = None,
    /,
    *,
    recipe: str | None = None,
    config: Path | None = None,
    examples: int | None = None,
    part: Literal["train", "valid", "test"] = "test",
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Look through a data set before anything is trained on it; or, with a run before it, prove that answers hold.

    DATA alone: counts, lengths, labels, unknown words, repetitions, leakage between
    the parts, contradictions, odd characters and encodings, each with file and line,
    and what to do. The exit code is 1 where training would stop or learn what is not
    meant.

    RUN DATA: some examples are answered alone and in batches of many kinds, in every
    mode of the run. The exit code is 1 where one answer depends on its neighbours.

      headway check news
      headway check pairs --data.source en --data.target de
      headway check tagger news

    Parameters
    ----------
    first
        A data set, as for `headway train`, in any format; or a run folder, and a data set behind it.
    recipe
        Of DATA alone: a preset, of `headway list recipes`: how texts are cut, and how long they may be, are its.
    config
        Of DATA alone: a YAML file of settings.
    examples
        Of RUN DATA: how many are answered; 64 where nothing is said.
    part
        Of RUN DATA: which part of the data set they are taken from.
    """
    if second is None:
        return _data(first, recipe, config, json, settings, examples)
    if recipe or config or settings:
        raise UsageError("settings are for data alone: a trained run keeps its own; leave them out")
    assert first is not None
    return _run(first, second, 64 if examples is None else examples, part, json)


def _data(
    data: Path | None, recipe: str | None, config: Path | None, json: bool, settings: Settings, examples: int | None
) -> int:
    """A data set is looked through."""
    from headway.cli._checks import print_report
    from headway.data.checking import check as look_through
    from headway.planning import outline

    if examples is not None:
        raise UsageError("--examples is for a run and a data set: a data set alone is looked through as a whole")
    if data is not None and (data / "manifest.json").is_file() and (data / "run.yaml").is_file():
        raise UsageError(f"{file_name(data)} is a run folder; name a data set behind it, or a data set alone")
    found, setup, told = outline(data, recipe, config, assigned(settings))
    report = look_through(found, setup, _progress())
    print_report(report, told, json)
    return 1 if report.count("error") else 0


def _run(run: Path, data: Path, most: int, part: str, json: bool) -> int:
    """A run answers a data set in many ways."""
    from headway.cli._checks import print_steadiness
    from headway.experiment import examples_for, load
    from headway.steadiness import reservations, steadiness

    if most < 1:
        raise UsageError(f"--examples must be at least 1, and is {most}")
    predictor = load(run)
    examples = examples_for(predictor, data, part)
    found = list(steadiness(predictor, examples, most, _doing()))
    print_steadiness(found, reservations(predictor), json)
    return 0 if all(one.holds for one in found) else 1


def _doing() -> Callable[[str], None]:
    """Tells a person who waits what is done; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return lambda what: None
    return lambda what: print(f"\r{what}\033[K", end="\r", file=sys.stderr, flush=True)


def _progress() -> Callable[[str, int], None]:
    """Tells a person who waits how far it is."""
    say, last = _doing(), time.monotonic()

    def heard(part: str, count: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            say(f"{part}: {count:,} rows")

    return heard
