"""`headway serve` as a process that is watched from outside: its address, its time on the processor, its memory."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Server(NamedTuple):
    process: subprocess.Popen
    url: str

    def processor(self) -> float:
        """Seconds that it has been on a processor."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> int:
        """Bytes that it holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def started(run: Path, *options: str) -> Iterator[Server]:
    """A server of one run, on a free port, with one thread."""
    command = [
        sys.executable,
        "-m",
        "headway",
        "serve",
        str(run),
        "--quiet",
        "--threads",
        "1",
        "--per-client",
        "0",
        "--timeout",
        "300",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, "--port", "0", *options], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"http://\S+", first)
        if found is None:
            raise SystemExit(first + process.stderr.read())
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield Server(process, found[0])
        finally:
            process.terminate()
            process.wait()
