"""From a SIGKILL to the first answer of the process that is started anew."""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks.serving.process import started


def restarted(run: Path, rounds: int) -> list[dict[str, float]]:
    """Seconds by the clock, and on the processor, until /readyz answers, for each round."""
    found = []
    for _ in range(rounds):
        with started(run) as server:
            server.process.kill()
            server.process.wait()
            port = server.url.rpartition(":")[2]
        command = [sys.executable, "-m", "headway", "serve", str(run), "--quiet", "--threads", "1", "--port", port]
        begun = time.perf_counter()
        with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL) as again:
            while True:
                try:
                    urlopen(f"{server.url}/readyz", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.02)
            seconds = time.perf_counter() - begun
            fields = Path(f"/proc/{again.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            found.append(
                {"seconds": seconds, "processor": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")}
            )
            again.kill()
    return found
