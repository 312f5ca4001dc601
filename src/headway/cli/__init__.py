"""The command line: one command a file, which imports what it needs when it is called: `--help` imports no torch."""

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import takewhile

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError
from rich.console import Console

from headway.errors import HeadwayError, lacks_memory, printable
from headway.version import __version__

COMMANDS = (
    "train", "evaluate", "predict", "inspect", "knockout", "data", "get", "list", "config", "check", "lab", "compare",
    "tune", "distill", "race", "export", "serve",
)  # fmt: skip
WITH_SETTINGS = ("train", "config", "check", "compare", "data", "tune")

DESCRIPTION = """Train, explain and serve a Transformer of your own on sequences of your own, offline.

Four commands from nothing to a figure:

  headway data get people_daily news --fetch      make a data set from a package
  headway train news --out tagger                 train on it
  headway predict tagger --text "我 爱 北京"        ask the trained run
  headway evaluate tagger news                    measure it on the test part

Every setting has a path, which is an option, too: --model.encoder.layers 6.
`headway config DATA` shows all of them with the value each would have, and why.
"""


def app() -> App:
    """The commands, in the order in which a person meets them."""
    from headway.cli import (
        check,
        compare,
        config,
        data,
        distill,
        evaluate,
        export,
        inspect,
        knockout,
        lab,
        predict,
        race,
        serve,
        train,
        tune,
    )
    from headway.cli.list import list_

    commands = App(
        name="headway",
        help=DESCRIPTION,
        help_format="plaintext",
        version=f"headway {__version__}",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(show_default=lambda value: None if value in (None, False, ()) else str(value)),
        console=Console(),
        error_console=Console(stderr=True),
    )
    commands.command(train.train, sort_key=1)
    commands.command(evaluate.evaluate, sort_key=2)
    commands.command(predict.predict, sort_key=3)
    commands.command(inspect.inspect, sort_key=3)
    commands.command(data.commands)
    commands.command(list_, name="list", sort_key=5)
    commands.command(config.config, sort_key=6)
    commands.command(check.check, sort_key=6)
    commands.command(compare.compare, sort_key=7)
    commands.command(tune.tune, sort_key=7)
    commands.command(knockout.knockout, sort_key=8)
    commands.command(lab.lab, sort_key=8)
    commands.command(distill.distill, sort_key=8)
    commands.command(race.race, sort_key=8)
    commands.command(export.export, sort_key=9)
    commands.command(serve.serve, sort_key=9)
    return commands


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed, 2 usage or settings, 3 data, 130 and 143 signals."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command. A person's mistake gives a message, never a traceback."""
    try:
        code = app()(settings_as_options(arguments), exit_on_error=False, print_error=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        command = " ".join(["headway", *takewhile(lambda word: word in COMMANDS, arguments[:2])])
        _complain(f"{error}\n`{command} --help` shows what there is.")
        return 2
    except HeadwayError as error:
        _complain("\n".join([str(error), *getattr(error, "__notes__", ())]))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except SystemExit:  # rich, whose reader has gone
        return 0
    except BrokenPipeError:  # the reader of our output has gone, as in `headway predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if lacks_memory(error):
            _complain("out of memory; a smaller training.tokens or machine.micro_tokens needs less")
            return 1
        if isinstance(error, OSError) and error.strerror:
            _complain(f"{error.strerror}{'' if error.filename is None else f': {error.filename}'}")
            return 1
        if os.environ.get("HEADWAY_DEBUG"):
            traceback.print_exc()
        _complain(
            f"{type(error).__name__}: {error}\nThis is a mistake in headway and not in what you asked. "
            "With HEADWAY_DEBUG=1 it prints where it happened; please report that."
        )
        return 1


def settings_as_options(arguments: Sequence[str]) -> list[str]:
    """`--a.b.c value` and `--a.b.c=value` as `--set a.b.c=value`, which the commands that take settings read.

    A path without a value, or before another option, means true.
    """
    found, rest = [], [*arguments]  # not list(): the file list.py beside this one has that name, once it is imported
    if not rest or rest[0] not in WITH_SETTINGS:
        return rest
    while rest:
        token = rest.pop(0)
        if token == "--":
            return [*found, token, *rest]
        path, sign, value = token[2:].partition("=")
        if not token.startswith("--") or "." not in path:
            found.append(token)
            continue
        if not sign:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        found += ["--set", f"{path}={value}"]
    return found


def _complain(message: str) -> None:
    console = Console(stderr=True, highlight=False)
    console.print("[bold red]headway:[/] ", end="", soft_wrap=True)
    console.print(safe(message), markup=False, soft_wrap=True)


def safe(message: str) -> str:
    """A message of several lines with which no terminal can be told anything: what file names and data brought in."""
    return "\n".join(printable(line, limit=sys.maxsize) for line in message.split("\n"))
