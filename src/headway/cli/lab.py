"""`headway lab`."""

import json as json_
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.cli._options import Json
from headway.errors import UsageError, file_name


def lab(
    *names: str,
    list_: Annotated[bool, Parameter(name="--list", negative="")] = False,
    html: Path | None = None,
    run: Path | None = None,
    json: Json = False,
) -> int:
    """Run what a lecture on self-attention and the Transformer claims, and see whether it holds.

    Every claim is printed with what was measured, its bound, and PASS or FAIL; the
    exit code is 1 if one fails. All of them take a few minutes on one core.

      headway lab --list
      headway lab mask convolution
      headway lab --html lab.html
      headway lab vectors --run tagger

    Parameters
    ----------
    names
        Demonstrations, of `headway lab --list`; all of them where none is named.
    list_
        Show the demonstrations and run none.
    html
        Write everything to a page as well, which needs no network.
    run
        A run folder to show claims with, for the demonstrations that can (vectors).
    """
    from headway import storage
    from headway.lab.demonstrations import DEMONSTRATIONS, Findings, demonstrate, title_of
    from headway.lab.demonstrations._page import page
    from headway.machine import set_up
    from headway.training.settings import MachineSettings

    chosen = list(dict.fromkeys(names)) or DEMONSTRATIONS.names()
    titles = {name: title_of(name) for name in chosen}
    if list_:
        _show_titles(titles)
        return 0
    _check(chosen, html, run)
    set_up(MachineSettings(device="cpu", threads=1))
    found: dict[str, Findings] = {}
    for name in chosen:
        found[name] = demonstrate(name, lambda line: print(f"  {line}", file=sys.stderr), run)
        if not json:
            _show(name, titles[name], found[name])
    if html is not None:
        storage.write(html, page([(name, titles[name], found[name]) for name in chosen]).encode())
    if json:
        print(json_.dumps({name: [_told(claim) for claim in one.claims] for name, one in found.items()}))
    else:
        _show_sum(found, html)
    return 0 if all(one.hold for one in found.values()) else 1


def _check(chosen: Sequence[str], html: Path | None, run: Path | None) -> None:
    """Refuse at once what would be refused after minutes. Raises UsageError."""
    from headway.lab.demonstrations import DEMONSTRATIONS

    if html is not None and not html.parent.is_dir():
        raise UsageError(f"--html {file_name(html)}: there is no folder {file_name(html.parent)}")
    if run is not None and not any(DEMONSTRATIONS.part(name).reads_run for name in chosen):
        able = [name for name in DEMONSTRATIONS.names() if DEMONSTRATIONS.part(name).reads_run]
        raise UsageError(f"--run is for {', '.join(able)}, and only {', '.join(chosen)} would run")


def _show_titles(titles: dict[str, str]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for name, title in titles.items():
        console.print(f"[bold]{name:16}[/] {title}")


def _show(name: str, title: str, findings) -> None:
    from rich.console import Console

    from headway.cli._pictures import together

    console = Console(highlight=False)
    console.print(f"\n[bold]{name}[/]\n{title}\n", markup=True)
    console.print(together(findings.shown))


def _show_sum(found: dict, html: Path | None) -> None:
    claims = [claim for one in found.values() for claim in one.claims]
    failed = [name for name, one in found.items() if not one.hold]
    print(f"\n{len(claims) - sum(not claim.holds for claim in claims)} of {len(claims)} claims hold", end="")
    print(f"; not those of {', '.join(failed)}" if failed else "", end="")
    print(f"; all of it to look at: {html}" if html is not None else "")


def _told(claim) -> dict:
    bound = {"at_least" if claim.least else "at_most": claim.bound}
    return {"claim": claim.text, "value": claim.value, **bound, "holds": claim.holds}
