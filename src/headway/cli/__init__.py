"""The command line: one command a file, imported when it is called, so that `headway --help` imports no torch."""

import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App
from cyclopts.exceptions import CycloptsError
from rich.console import Console

from headway.errors import HeadwayError
from headway.version import __version__

DESCRIPTION = """Train, explain and serve a Transformer of your own on sequences of your own, offline.

  headway data get people_daily news --fetch      make a data set from a package
  headway train news --out tagger                 train on it; the question is recognized
  headway predict tagger --text "我 爱 北京"        ask the trained run
  headway evaluate tagger news                    measure it on the test part

Every setting has a path, which is an option, too: --model.encoder.layers 6.
`headway config DATA` shows all of them with the value each would have, and why.
"""


def app() -> App:
    """The commands. Each is named by where it is and imported only when it is called."""
    commands = App(
        name="headway",
        help=DESCRIPTION,
        help_format="plaintext",
        version=f"headway {__version__}",
        result_action="return_value",
        console=Console(),
        error_console=Console(stderr=True),
    )
    commands.command("headway.cli.train:train")
    commands.command("headway.cli.evaluate:evaluate")
    commands.command("headway.cli.predict:predict")
    commands.command("headway.cli.data:commands", name="data")
    commands.command("headway.cli.list:list_", name="list")
    commands.command("headway.cli.config:config")
    return commands


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed, 2 usage or settings, 3 data, 130 and 143 signals."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command. A person's mistake gives a message, never a traceback."""
    try:
        code = app()(settings_as_options(arguments), exit_on_error=False, print_error=True)
        return code if isinstance(code, int) else 0
    except CycloptsError:
        return 2
    except HeadwayError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `headway predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        _complain("out of memory; a smaller training.tokens or machine.micro_tokens needs less")
        return 1
    except Exception as error:
        if os.environ.get("HEADWAY_DEBUG"):
            traceback.print_exc()
        _complain(
            f"{type(error).__name__}: {error}\nThis is a mistake in headway and not in what you asked. "
            "With HEADWAY_DEBUG=1 it prints where it happened; please report that."
        )
        return 1


def settings_as_options(arguments: Sequence[str]) -> list[str]:
    """`--a.b.c value` and `--a.b.c=value` as `--set a.b.c=value`, which every command that takes settings reads.

    A path without a value, or before another option, means true.
    """
    found, rest = [], list(arguments)
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
    console.print(message, markup=False, soft_wrap=True)
