"""`headway train --processes N`: that many processes of one machine, begun together, watched, begun again.

They meet in a file and talk over the loopback interface: no port is open to anybody else. Each has an input that ends
with whoever started it, and ends with it. Nothing here imports torch before something goes wrong.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from headway.errors import LostProcess

MEETING = "HEADWAY_MEETING"
GRACE = 5.0
"""Seconds that the others have to end by themselves when one has failed, before they are ended."""
FINAL = (2, 3, 130, 143)
"""Exit codes that stay what they are however often it is tried: what was asked, the data, a person who stopped it."""
TOLD = 20
"""Lines of a process's complaint that are shown."""


def launched(options: Sequence[str], processes: int, restarts: int) -> int:
    """Train with so many processes until all are done, one has failed, or a signal stops them; the exit code.

    options     of `headway train`, those of this module left out
    restarts    how often all go on from the last checkpoint after one was lost
    """
    code, why = 0, ""
    for tried in range(restarts + 1):
        with tempfile.TemporaryDirectory(prefix="headway-") as folder:
            together = _Together(options, processes, Path(folder), tried)
            code, why = together.run()
        if code in (0, *FINAL):
            return code
        if tried < restarts:
            _say(f"{why}; all go on from the last checkpoint (restart {tried + 1} of {restarts})")
    _say(f"{why}; the others were ended. What is saved is whole: go on with the same command and --resume")
    return code


def is_launched() -> bool:
    """Whether this process is one of those."""
    return MEETING in os.environ


def obey() -> None:
    """From now on this process ends when its input does, as it does when whoever started it has died."""

    def read() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)  # at once and anywhere: files are whole or not there

    threading.Thread(target=read, daemon=True).start()


class _Together:
    """The processes of one try."""

    def __init__(self, options: Sequence[str], number: int, folder: Path, tried: int):
        self.folder, self.number = folder, number
        self.processes: list[subprocess.Popen] = []
        self.told = [folder / f"complaint-{rank}.txt" for rank in range(number)]
        for rank in range(number):
            self.processes.append(self._begun(options, rank, tried))

    def _begun(self, options: Sequence[str], rank: int, tried: int) -> subprocess.Popen:
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": self.number, "LOCAL_WORLD_SIZE": self.number}
        environment = {**os.environ, **{name: str(value) for name, value in place.items()}}
        environment |= {MEETING: str(self.folder / "meeting"), "TORCHELASTIC_RESTART_COUNT": str(tried)}
        if sys.platform == "linux":
            environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
        with open(self.told[rank], "w", encoding="utf-8") as complaint:
            return subprocess.Popen(
                [sys.executable, "-m", "headway", "train", *options],
                stdin=subprocess.PIPE,
                stdout=None if rank == 0 else complaint,
                stderr=None if rank == 0 else complaint,
                env=environment,
                start_new_session=True,  # Ctrl-C is for whoever started them, who passes it on
            )

    def run(self) -> tuple[int, str]:
        """(the exit code, who failed and how)."""
        ended: list[int] = []  # by time
        try:
            with self._signals_passed_on():
                until = None
                while len(ended) < self.number and (until is None or time.monotonic() < until):
                    ended += [r for r, p in enumerate(self.processes) if r not in ended and p.poll() is not None]
                    if until is None and any(self.processes[rank].returncode for rank in ended):
                        until = time.monotonic() + GRACE
                    time.sleep(0.05)
        finally:
            self._end()
        failed = [rank for rank in ended if self.processes[rank].returncode]
        if not failed:
            return 0, ""
        rank = min(failed, key=lambda r: self.processes[r].returncode == LostProcess.exit_code)
        return self._failed(rank)

    @contextmanager
    def _signals_passed_on(self) -> Iterator[None]:
        def pass_on(number: int, frame: object) -> None:
            for process in self.processes:
                if process.poll() is None:
                    process.send_signal(number)

        before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def _failed(self, rank: int) -> tuple[int, str]:
        """The exit code of the process that failed, and what is to be said of it."""
        from headway.machine import how_ended

        code, who = self.processes[rank].returncode, f"process {rank} of {self.number}"
        lines = self.told[rank].read_text(encoding="utf-8", errors="replace").strip().splitlines()[-TOLD:]
        for line in lines:
            _say(line)
        return code if code > 0 else 128 - code, how_ended(code, who)


def _say(text: str) -> None:
    from headway.cli import safe

    print(safe(text), file=sys.stderr, flush=True)
