"""Processes that are cheap to begin and to kill: forks of one that has imported everything."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from headway.errors import HeadwayError

FAILED, MISTAKE = 1, 70
"""Exit codes: a complaint for a person, and anything else."""


class Child:
    """A fork that does some work and ends; what it prints is in a file.

    The parent must have only one thread of its own computing, since no other lives on in a fork.
    """

    def __init__(self, work: Callable[[], object], log: Path):
        self.log, self.code = log, None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns where there are threads
            self.pid = os.fork()
        if self.pid == 0:
            _work(work, log)

    def ended(self) -> bool:
        """Whether it is over; `code` is then its exit code, below 0 the number of a signal."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def kill(self) -> bool:
        """SIGKILL; whether it was that which ended it."""
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


def _work(work: Callable[[], object], log: Path) -> None:
    code = MISTAKE
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout = sys.stderr = os.fdopen(handle, "w", buffering=1)
        work()
        code = 0
    except HeadwayError as error:
        print(f"{type(error).__name__}: {error}")
        code = FAILED
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
