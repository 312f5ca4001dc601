"""What only several processes can show: the same run however it is divided, and what is seen when one is lost."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from headway.cli import run as headway
from headway.training import sharding
from little import events, options, quick, same_weights, tiny, weights

COMMAND = [sys.executable, "-W", "error", "-m", "headway", "train"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SLOWLY = tiny("tag", {"training.steps": 60, "training.evaluate_every": 20, "model.encoder.dropout": 0.1})


def until(holds: Callable[[], object], process: subprocess.Popen) -> None:
    """Wait for something that a process does."""
    while not holds():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)


def rank(number: int, run: Path) -> int:
    """The process of this rank that trains into this folder."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"RANK={number}".encode() in environment and any(str(run).encode() in one for one in arguments):
            return int(folder.name)
    raise AssertionError(f"no process has rank {number}")


def told_of(run: Path) -> list[dict[str, Any]]:
    """The log but for the loss of the valid part, whose batches several processes make otherwise."""
    return [{k: v for k, v in one.items() if (one["event"], k) != ("valid", "loss")} for one in events(run)]


def same_checkpoints(first: Path, second: Path) -> None:
    """The last checkpoints of two runs hold the same bits, whoever wrote them."""
    last = [sorted(run.glob("checkpoints/step-*"))[-1] for run in (first, second)]
    for kind in ("weights", "optimizer", "average"):
        one, other = (sharding.read(path, kind) for path in last)
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one), kind


@pytest.mark.long
def test_a_lost_process_is_named_and_all_go_on_to_the_very_run_of_one_process(runs, tmp_path):
    run = tmp_path / "run"
    command = [*COMMAND, str(runs.data("tag")), "--out", str(run), "--processes", "2", "--restarts", "1"]
    with subprocess.Popen(
        [*command, *options(SLOWLY)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        until(lambda: list(run.glob("checkpoints/step-*")), process)
        os.kill(rank(1, run), signal.SIGKILL)
        told = process.stderr.read() if process.stderr else ""
    assert process.returncode == 0, told
    assert "headway: another process of this training, or the way to it, was lost: " in told and "Traceback" not in told
    assert re.search(
        r"process 1 of 2 was ended by SIGKILL.*; all go on from the last checkpoint \(restart 1 of 1\)", told
    )
    assert f"going on with {run} from step " in told
    quick(runs.data("tag"), tmp_path / "whole", settings={**SLOWLY, "machine.parts": 2})
    assert same_weights(run, tmp_path / "whole") and told_of(run) == told_of(tmp_path / "whole")
    same_checkpoints(run, tmp_path / "whole")


@pytest.mark.long
def test_a_divided_model_is_the_same_run_and_one_process_goes_on_with_its_files(runs, tmp_path):
    """Two processes with half of every tensor each are stopped; one with all of them ends what they began."""
    run = tmp_path / "run"
    settings = {**SLOWLY, "training.steps": 6, "training.evaluate_every": 2, "machine.micro_tokens": 60}
    command = [*COMMAND, str(runs.data("tag")), "--out", str(run), "--processes", "2", "--machine.shard", "true"]
    with subprocess.Popen(
        [*command, *options(settings)], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        until(lambda: list(run.glob("checkpoints/step-*")), process)
        process.send_signal(signal.SIGTERM)
        told = process.stderr.read() if process.stderr else ""
    assert process.returncode == 143 and "Traceback" not in told, told
    assert told.count("everything is saved. Go on with the same command and --resume") == 1
    last = sorted(run.glob("checkpoints/step-*"))[-1]
    assert len(list(last.glob("*-of-00002.safetensors"))) == 6 and not (last / "weights.safetensors").exists()
    shares = [(last / f"weights-0000{rank}-of-00002.safetensors").stat().st_size for rank in range(2)]
    assert max(shares) < 0.7 * sum(shares)
    quick(runs.data("tag"), run, resume=True, settings=settings)
    quick(runs.data("tag"), tmp_path / "whole", settings={**settings, "machine.parts": 2})
    one, other = weights(run), weights(tmp_path / "whole")
    for name in one:  # what is divided is summed over processes first and over batches then
        if not name.endswith("key.bias"):  # a softmax does not see it: its gradient is rounding
            torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=2e-4, msg=name)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--processes", "0", "--out", "x"], "--processes is a number from 1"),
        (["--restarts", "1", "--out", "x"], "--restarts one from 0, for several processes"),
        (["--processes", "2", "--dry-run"], "--dry-run and --verify-resume are of one process: leave out --processes"),
        (["--processes", "2"], "--out is missing"),
    ],
)
def test_what_cannot_be_asked_of_several_processes(arguments, complaint, capsys):
    assert headway(["train", "data", *arguments]) == 2
    assert complaint in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------- two machines


@contextmanager
def two_machines(number: int) -> Iterator[tuple[str, str]]:
    """Two network namespaces with an address each, joined by a wire; nothing else is reached from them."""
    names, ends = [f"headway{number}{end}" for end in "ab"], [f"hw{number}{end}" for end in "ab"]
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for at, (name, end) in enumerate(zip(names, ends, strict=True)):
            _ip("link", "set", end, "netns", name)
            _ip("-n", name, "address", "add", f"10.93.7.{at + 1}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names[0], names[1]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    made = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="not root")
def test_torchrun_on_two_machines_where_one_is_lost_and_the_other_ends_what_they_began(runs, tmp_path):
    """Two namespaces with addresses of their own; the second worker is killed, its node comes back with the first."""
    number, run = os.getpid() % 10_000, tmp_path / "run"
    launch = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    launch += [
        "--max-restarts",
        "1",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "10.93.7.1:29431",
        "--rdzv-id",
        str(number),
    ]
    command = ["-m", "headway", "train", str(runs.data("tag")), "--out", str(run), *options(SLOWLY)]
    with two_machines(number) as names:
        nodes: list[subprocess.Popen] = []
        for at, name in enumerate(names):
            there = ["--local-addr", f"10.93.7.{at + 1}", "--rdzv-conf", f"is_host={1 - at}"]
            environment = {**ENVIRONMENT, "GLOO_SOCKET_IFNAME": f"hw{number}{'ab'[at]}"}
            started = ["ip", "netns", "exec", name, *launch, *there, *command]
            with open(tmp_path / f"{at}.txt", "w") as log:
                nodes.append(subprocess.Popen(started, stdout=log, stderr=log, env=environment))
        try:
            until(lambda: list(run.glob("checkpoints/step-*")), nodes[0])
            os.kill(rank(1, run), signal.SIGKILL)
            codes = [node.wait(timeout=200) for node in nodes]
        finally:
            for node in nodes:
                node.kill()
    told = [(tmp_path / f"{at}.txt").read_text() for at in range(2)]
    assert codes == [0, 0], told
    assert any("another process of this training, or the way to it, was lost" in one for one in told)
    assert any(f"going on with {run} from step " in one for one in told)
    quick(runs.data("tag"), tmp_path / "whole", settings={**SLOWLY, "machine.parts": 2})
    assert same_weights(run, tmp_path / "whole")
