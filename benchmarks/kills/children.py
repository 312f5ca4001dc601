"""Processes that are cheap to begin and to kill: forks of one that has imported everything and computed nothing."""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from headway.errors import HeadwayError

FAILED, MISTAKE = 1, 70
"""Exit codes: a complaint for a person, and anything else."""
SERVER = multiprocessing.get_context("forkserver")
"""Whose forks have no thread of ours behind them: libraries of matrices keep memory by thread, which a fork breaks."""
SERVER.set_forkserver_preload(["benchmarks.kills.damaging", "headway.report", "torch._dynamo"])


class Child:
    """A process that does some work and ends; what it prints is in a file.

    work    can be pickled: a function of a module, or a `partial` of one
    """

    def __init__(self, work: Callable[[], object], log: Path):
        self.log = log
        self.process = SERVER.Process(target=_work, args=(work, log), daemon=True)
        self.process.start()

    @property
    def code(self) -> int | None:
        """Its exit code, below 0 the number of a signal; None as long as it works."""
        return self.process.exitcode

    def ended(self) -> bool:
        return self.code is not None

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        self.process.join()
        assert self.code is not None
        return self.code

    def kill(self) -> bool:
        """SIGKILL; whether it was that which ended it."""
        self.process.kill()
        return self.wait() == -signal.SIGKILL

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


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
