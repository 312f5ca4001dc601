"""Pieces written by several processes side by side: begun together, watched, never left behind."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from headway.errors import HeadwayError
from headway.lab.distillation.task import UNFINISHED

Told = dict[str, int | str]
"""A line of a process; {} where it has ended."""


def side_by_side(out: Path, numbers: Sequence[int], jobs: int) -> Iterator[int]:
    """How many sources each piece has, once it is written. Raises HeadwayError of a process that failed.

    Neighbouring pieces are of like length, and are dealt out in turn.
    """
    heard: queue.Queue[tuple[_Process, Told]] = queue.Queue()
    processes = [_Process(out, number, list(numbers[number::jobs]), heard) for number in range(jobs)]
    try:
        going = len(processes)
        while going:
            process, told = heard.get()
            if "count" in told:
                yield int(told["count"])
            elif "failed" in told:
                raise HeadwayError(f"{told['failed']}\nWhat is written is kept, and the same command goes on with it")
            else:
                going -= 1
                process.check()
    finally:
        for process in processes:
            process.end()


class _Process:
    """One process and the thread that reads what it tells."""

    def __init__(self, out: Path, number: int, pieces: list[int], heard: "queue.Queue[tuple[_Process, Told]]"):
        self.log = out / UNFINISHED / f"log-{number}.txt"
        command = [sys.executable, "-m", "headway.lab.distillation.process", str(out)]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for whoever started it, who ends it
            )
        self._ask(pieces)
        self.listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self.listener.start()

    def _ask(self, pieces: list[int]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(pieces) + "\n")
        self.process.stdin.flush()

    def _listen(self, heard: "queue.Queue[tuple[_Process, Told]]") -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            heard.put((self, json.loads(line)))
        heard.put((self, {}))

    def check(self) -> None:
        """Raises HeadwayError where it did not end well."""
        if self.process.wait() != 0:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            why = lines[-1] if lines else f"a process that writes ended with {self.process.returncode}"
            raise HeadwayError(f"{why}\nWhat is written is kept, and the same command goes on with it")

    def end(self) -> None:
        """Close its input, which ends it, and wait for that."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()
