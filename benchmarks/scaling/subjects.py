"""Processes that wait for their turn: started once, asked again and again, ended when nobody asks any more."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headway.cli._launching import MEETING


class Subject:
    """One process, or several that train together, each on a core of its own."""

    def __init__(self, cores: Sequence[int | None], **asked: Any):
        self.asked, self.folder = asked, tempfile.TemporaryDirectory(prefix="headway-")
        self.processes = [self._begun(rank, core, len(cores)) for rank, core in enumerate(cores)]
        self.facts = self._told()[0]

    def _begun(self, rank: int, core: int | None, number: int) -> subprocess.Popen:
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": number, "LOCAL_WORLD_SIZE": number}
        environment = {**os.environ, **{name: str(value) for name, value in place.items()}, "GLOO_SOCKET_IFNAME": "lo"}
        environment[MEETING] = str(Path(self.folder.name) / "meeting")
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scaling.worker", json.dumps({**self.asked, "core": core})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def turn(self, what: str, how_much: int) -> dict[str, Any]:
        """What the first of them took; all work at once."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps({what: how_much}) + "\n")
            process.stdin.flush()
        return self._told()[0]

    def _told(self) -> list[dict[str, Any]]:
        found = []
        for process in self.processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"a process of {self.asked} has ended; what it said is above")
            found.append(json.loads(line))
        return found

    def close(self) -> None:
        for process in self.processes:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()
