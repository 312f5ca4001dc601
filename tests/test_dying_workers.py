"""A process that dies while others wait for it: what the user sees names the signal, and what is finished is kept."""

import threading

import pytest

from headway import processes
from headway.errors import HeadwayError
from headway.lab.compare.cells import Cell
from headway.lab.compare.running import Processes, Watcher
from headway.machine import how_ended
from headway.run import Run

DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
MEMORY = "was ended by SIGKILL, as the system does where memory runs out"


def test_how_a_process_ended_is_said():
    assert how_ended(3) == "a process ended with 3"
    assert how_ended(-9) == f"a process {MEMORY}"
    assert how_ended(-15) == "a process was ended by SIGTERM"
    assert how_ended(-99) == "a process was ended by signal 99"


def test_a_worker_that_dies_ends_the_work_and_what_is_written_stays(tmp_path, monkeypatch):
    (tmp_path / "dies.py").write_text(DIES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(HeadwayError, match=rf"{MEMORY}\nWhat is written is kept, and the same command goes on with it"):
        list(processes.side_by_side("dies", [], [[1], [2]], tmp_path))


def test_a_cell_of_a_comparison_that_dies_is_named(tmp_path):
    folder = tmp_path / "cells" / "rotary-3"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("")
    cell = Cell(folder, "rotary", 3, Run(), None, {}, None)
    pool = Processes(1, Watcher(), threading.Event(), lambda cell: None)
    words = rf"^rotary, seed 3: a process {MEMORY}\nWhat is finished is kept in {tmp_path}"
    with pytest.raises(HeadwayError, match=words):
        pool._ended(cell, -9, {})
