"""Cells as processes, some side by side: begun in order, watched, stopped together, never left behind."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError
from headway.lab.compare.cells import Cell
from headway.machine import how_ended

LOOKS = 0.2
"""Seconds between two looks at whether to stop."""


class Watcher:
    """Hears of a comparison; each method may be left out. Called from several threads."""

    def said(self, text: str) -> None:
        """Something a person should know."""

    def counted(self, done: int, total: int) -> None:
        """So many of the cells are finished."""

    def began(self, cell: Cell, number: int) -> None:
        """The cell of that number, from 1, is being trained."""

    def heard(self, cell: Cell, event: Mapping[str, Any]) -> None:
        """A cell told something: `started`, `step`, `valid`, `measuring`."""

    def ended(self, cell: Cell, result: Mapping[str, Any]) -> None:
        """A cell is finished."""


class Processes:
    """Runs cells that are not finished; `finished` is called in the caller's thread after each of them."""

    def __init__(self, jobs: int, watch: Watcher, stop: threading.Event, finished: Callable[[Cell], None]):
        self.jobs, self.watch, self.stop, self.finished = jobs, watch, stop, finished
        self.active: dict[Path, subprocess.Popen[str]] = {}
        self.lock = threading.Lock()

    def run(self, cells: Sequence[Cell], done: int = 0) -> bool:
        """Whether all were finished, and none was stopped; `done` cells were before. Raises HeadwayError of a cell."""
        with ThreadPoolExecutor(self.jobs) as threads:
            waiting = {threads.submit(self._one, cell, done + n): cell for n, cell in enumerate(cells, 1)}
            try:
                self._wait(waiting)
            except BaseException:
                self.stop.set()
                for folder in list(self.active):
                    self._tell(folder, None)
                raise
        return not self.stop.is_set()

    def _wait(self, waiting: dict["Future[bool]", Cell]) -> None:
        told, left, error = False, set(waiting), None
        while left:
            ready, left = wait(left, timeout=LOOKS, return_when=FIRST_COMPLETED)
            for future in ready:
                failure = future.exception()
                if failure is not None:
                    error, _ = error or failure, self.stop.set()
                elif future.result():
                    self.finished(waiting[future])
            if self.stop.is_set() and not told:
                told = True
                for folder in list(self.active):
                    self._tell(folder, "stop\n")
        if error is not None:
            raise error

    def _tell(self, folder: Path, word: str | None) -> None:
        """Write a word to a process, or close its input, which ends it."""
        with self.lock:
            process = self.active.get(folder)
            if process is not None and process.stdin is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    if word is None:
                        process.stdin.close()
                    else:
                        process.stdin.write(word)
                        process.stdin.flush()

    def _one(self, cell: Cell, number: int) -> bool:
        """Whether the cell is finished. Raises HeadwayError."""
        if self.stop.is_set():
            return False
        cell.write()
        self.watch.began(cell, number)
        last: dict[str, Any] = {}
        command = [sys.executable, "-m", "headway.lab.compare.process", str(cell.folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        with (
            open(cell.folder / "log.txt", "w", encoding="utf-8") as log,
            subprocess.Popen(command, stderr=log, start_new_session=True, **pipes) as process,
        ):
            assert process.stdin is not None and process.stdout is not None
            with self.lock:
                self.active[cell.folder] = process
            if self.stop.is_set():
                self._tell(cell.folder, "stop\n")
            for line in process.stdout:
                last = json.loads(line)
                self.watch.heard(cell, last)
            with self.lock:
                del self.active[cell.folder]
        return self._ended(cell, process.returncode, last)

    def _ended(self, cell: Cell, code: int, last: Mapping[str, Any]) -> bool:
        result = cell.result
        if code == 0 and result is not None:
            self.watch.ended(cell, result)
            return True
        if self.stop.is_set():
            return False
        log = (cell.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip()
        why = last.get("message") or (log.splitlines() or [how_ended(code)])[-1]
        raise HeadwayError(
            f"{cell.arm}, seed {cell.seed}: {why}\nWhat is finished is kept in {cell.folder.parent.parent}, and the "
            "same command goes on with it"
        )
