"""Several processes that share some work: begun together, watched, never left behind.

Each is told its share as a line of JSON on its standard input, tells what it has done as lines of JSON on its standard
output, and ends at once when its input ends, as it does when whoever started it has died (see `obey`).
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError
from headway.machine import how_ended

Told = dict[str, Any]
"""A line of a process; {} where it has ended."""
KEPT = "What is written is kept, and the same command goes on with it"


def side_by_side(module: str, arguments: Sequence[str], shares: Sequence[Any], logs: Path) -> Iterator[Told]:
    """What the processes tell, as they tell it: one for each share. Raises HeadwayError of one that failed.

    module    is run as a program with these arguments
    logs      a folder for what they complain of
    """
    heard: queue.Queue[tuple[_Process, Told]] = queue.Queue()
    processes: list[_Process] = []
    try:
        for number, share in enumerate(shares):
            processes.append(_Process([module, *arguments], share, logs / f"log-{number}.txt", heard))
        going = len(processes)
        while going:
            process, told = heard.get()
            if "failed" in told:
                raise HeadwayError(f"{told['failed']}\n{KEPT}")
            if told:
                yield told
            else:
                going -= 1
                process.check()
    finally:
        for process in processes:
            process.end()


class _Process:
    """One process and the thread that reads what it tells."""

    def __init__(self, program: Sequence[str], share: Any, log: Path, heard: "queue.Queue[tuple[_Process, Told]]"):
        self.log = log
        with open(log, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for whoever started it, who ends it
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(share) + "\n")
        self.process.stdin.flush()
        self.listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self.listener.start()

    def _listen(self, heard: "queue.Queue[tuple[_Process, Told]]") -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            heard.put((self, json.loads(line)))
        heard.put((self, {}))

    def check(self) -> None:
        """Raises HeadwayError where it did not end well."""
        if self.process.wait() != 0:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            why = lines[-1] if lines else how_ended(self.process.returncode)
            raise HeadwayError(f"{why}\n{KEPT}")

    def end(self) -> None:
        """Close its input, which ends it, and wait for that."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()


# ------------------------------------------------------------------------------------------------- inside a process


def share() -> Any:
    """What this process is to do; from now on it ends when its input does."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_obey, daemon=True).start()
    return asked


def tell(**values: Any) -> None:
    """A line for whoever started this process."""
    stream = sys.__stdout__
    assert stream is not None
    stream.write(json.dumps(values) + "\n")
    stream.flush()


def _obey() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # at once and anywhere: what is written is whole or not there
