"""The command line as a person meets it: what is asked, what is printed, what is complained about, the exit code."""

from collections.abc import Callable
from typing import NamedTuple

import pytest


class Printed(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def headway(capsys: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    """`headway("train", DATA, "--out", RUN)`: the command in this process. No traceback may ever be printed."""
    from headway.cli import run

    def command(*arguments: object) -> Printed:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = Printed(code, *capsys.readouterr())
        assert "Traceback" not in printed.err and "mistake in headway" not in printed.err, printed.err
        return printed

    return command
