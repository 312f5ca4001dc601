"""wrk as the clients of a server: it takes hardly anything of the machine that the server needs."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCRIPT = """
local requests, at = {}, 0
function init(args)
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", "/v1/predict", {["Content-Type"] = "application/json"}, body)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"number": %d, "wall": %f, "median": %f, "p95": %f, "failed": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(95) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
"""Asks for each line of the file in turn, and tells what it found as JSON."""


def asked_by_wrk(url: str, requests: Sequence[Sequence[str]], seconds: float, clients: int) -> dict[str, Any]:
    """So many clients, each of which asks as soon as it has been answered: number, wall and waits in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        script, bodies = Path(folder) / "ask.lua", Path(folder) / "bodies"
        script.write_text(SCRIPT, encoding="utf-8")
        bodies.write_text("".join(json.dumps({"inputs": one}) + "\n" for one in requests), encoding="utf-8")
        how = ["--threads", "1", "--connections", str(clients), "--duration", f"{max(1, round(seconds))}s"]
        command = ["wrk", *how, "--timeout", "300s", "--script", str(script), url, "--", str(bodies)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if found["failed"]:
        raise SystemExit(f"wrk was not answered every time:\n{done.stdout}")
    return found
