"""`headway train --verify-resume`: a resume shown to be exact, or what differs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from headway.cli import safe
from headway.lab.resuming.task import Task
from headway.lab.resuming.verifying import SECONDS, Findings, verify_resume
from headway.settings import Assignment


def verified_resume(
    data: Path | None,
    out: Path | None,
    settings: Sequence[Assignment],
    as_json: bool,
    recipe: str | None = None,
    config: Path | None = None,
    start: Path | None = None,
    seed: int | None = None,
    cache: Path | None = None,
) -> int:
    """The exit code: 0 where all is equal, 1 where something differs."""
    task = Task(
        data=_text(data),
        recipe=recipe,
        config=_text(config),
        start=_text(start),
        seed=seed,
        cache=_text(cache),
        settings=[[setting.path, setting.value, setting.origin] for setting in settings],
        seconds=SECONDS,
    )
    beside = out.absolute().parent if out is not None else None
    found = verify_resume(task, beside, lambda line: print(safe(line), file=sys.stderr, flush=True))
    if as_json:
        print(json.dumps({"equal": found.equal, **asdict(found)}))
    else:
        print_findings(found)
    return 0 if found.equal else 1


def print_findings(found: Findings) -> None:
    """A line for each thing that was compared, and the sentence that follows from them."""
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        told = f"equal    {check.count}" if check.difference is None else f"DIFFERS  {check.difference}"
        console.print(f"{check.name:{width}}  {safe(told)}", markup=False)
    console.print(
        f"the first {found.updates:,} of {found.steps:,} updates, an evaluation and a checkpoint every {found.every:,}"
        f"; killed {' and '.join(found.kills)}",
        markup=False,
    )
    verdict = (
        "a run that is killed and resumed is the run that was never stopped, bit by bit"
        if found.equal
        else "a run that is killed and resumed is ANOTHER run: what differs is above"
    )
    console.print(verdict, markup=False)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
