"""What only a process of its own can show: signals, limits of the system, a person at a terminal, memory."""

import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.training.events import read_events
from little import events, lines, options, quick, same_weights, tiny, write

HEADWAY = [sys.executable, "-W", "error", "-m", "headway"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SLOWLY = tiny("tag", {"training.steps": 1500, "training.evaluate_every": 150, "model.encoder.dropout": 0.1})


def until(holds: Callable[[], bool], process: subprocess.Popen) -> None:
    """Wait for something that a process does."""
    while not holds():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_resume_ends_as_if_nothing_had_been(number, code, runs, tmp_path):
    run, log = tmp_path / "run", tmp_path / "run" / "metrics.jsonl"
    command = [*HEADWAY, "train", str(runs.data("tag")), "--out", str(run), *options(SLOWLY)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        until(lambda: any(event["event"] == "valid" for event in read_events(log)), process)
        process.send_signal(number)
        told = process.stderr.read() if process.stderr else ""
    assert process.returncode == code and "Traceback" not in told
    stopped = re.search(r"stopped at step ([\d,]+); everything is saved. Go on with the same command and --res", told)
    assert stopped and int(stopped[1].replace(",", "")) < 1500
    quick(runs.data("tag"), run, resume=True, settings=SLOWLY)
    quick(runs.data("tag"), tmp_path / "whole", settings=SLOWLY)
    assert same_weights(run, tmp_path / "whole") and events(run) == events(tmp_path / "whole")


@pytest.mark.long
def test_a_process_that_is_killed_goes_on_from_its_last_checkpoint(runs, tmp_path):
    run = tmp_path / "run"
    command = [*HEADWAY, "train", str(runs.data("tag")), "--out", str(run), *options(SLOWLY)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        until(lambda: len(list(run.glob("checkpoints/step-*"))) == 2, process)
        process.kill()
    quick(runs.data("tag"), run, resume=True, settings=SLOWLY)
    quick(runs.data("tag"), tmp_path / "whole", settings=SLOWLY)
    assert same_weights(run, tmp_path / "whole")


@pytest.mark.long
def test_interrupted_answers_end_with_130(runs):
    command = [*HEADWAY, "predict", str(runs("tag")), "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, env=ENVIRONMENT) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"ant bee\n" * 3000)
        process.stdin.flush()
        process.stdout.readline()  # it answers, and waits for more
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130 and process.stderr.read() == b""


@pytest.mark.long
def test_files_that_may_not_grow_end_training_and_resume_goes_on(runs, tmp_path):
    """The system's own refusal, as of a disk that is full: no file may be longer than the first weights are."""
    run = tmp_path / "run"
    settings = tiny("tag", {"training.steps": 400, "training.evaluate_every": 10})
    command = [*HEADWAY, "train", str(runs.data("tag")), "--out", str(run), *options(settings)]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))  # noqa: E731
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, preexec_fn=limit, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "could not be written: File too large; what was there before is untouched" in done.stderr
    quick(runs.data("tag"), run, resume=True, settings=settings)
    quick(runs.data("tag"), tmp_path / "whole", settings=settings)
    assert same_weights(run, tmp_path / "whole")


@pytest.mark.long
def test_a_person_who_types_is_answered_line_by_line(runs):
    mine, its = os.openpty()
    command = [*HEADWAY, "predict", str(runs("tag")), "-"]
    pipes = {"stdin": its, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=ENVIRONMENT) as process:
        assert process.stdout and process.stderr
        os.close(its)
        for text in ("ant bee", "cat"):
            os.write(mine, f"{text}\n".encode())
            answered, _, _ = select.select([process.stdout], [], [], 60)
            assert answered, "no answer before the input ended"
            words = [token.partition("/")[0] for token in process.stdout.readline().split()]
            assert words == text.split()
        os.write(mine, b"\x04")
        assert process.wait() == 0 and process.stderr.read() == ""
    os.close(mine)


# -------------------------------------------------------------------------------------------------------------- memory


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(re.findall(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


PROC = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@pytest.mark.long
@PROC
def test_memory_of_prediction_does_not_grow_with_its_input(tmp_path, monkeypatch):
    """Words are drawn from a vocabulary without end, so whatever is remembered of them is forgotten again."""
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):  # this process has set them for itself
        monkeypatch.delenv(name, raising=False)
    from benchmarks.memory import prediction

    run = prediction.trained(tmp_path, threads=1)
    peaks = {}
    for size in (12_000_000, 36_000_000):  # from 10 MB on, what is remembered is full
        file = prediction.write(tmp_path / "input.slash", size, seed=9)
        peaks[size], _ = prediction.headway(["predict", str(run), str(file)], tmp_path / "answers")
        with open(file, "rb") as given, open(tmp_path / "answers", "rb") as answered:
            assert sum(1 for _ in given) == sum(1 for _ in answered)
    small, large = peaks.values()
    assert small > 50_000_000 and large < 1.05 * small, peaks


EPOCHS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from headway.training.events import Listener
from headway.training.loop import Trainer
from test_processes import resident
from little import quick, tiny

class Epochs(Listener):
    def __init__(self): self.held = {}
    def prepared(self, trainer): self.trainer = trainer
    def stepped(self, step, values): self.held[self.trainer.progress.epoch] = resident()

hears = Epochs()
quick(sys.argv[2], sys.argv[3], settings=json.loads(sys.argv[4]), listener=hears, prepared=hears.prepared)
print(json.dumps(hears.held))
"""


@pytest.mark.long
@PROC
@pytest.mark.parametrize("kind", ["tag", "classify", "transduce"])
def test_memory_of_training_does_not_grow_over_epochs(kind, tmp_path):
    from little import ROWS

    for part, rows in (("train", 800), ("valid", 60)):
        write(tmp_path / "data" / f"{part}.{ROWS[kind][0]}", lines(kind, rows, seed=len(part)))
    settings = tiny(kind, {"training.steps": 350, "training.evaluate_every": 20, "training.tokens": 150})
    here = Path(__file__).parent
    environment = ENVIRONMENT | {"PYTHONPATH": str(here.parent)}
    arguments = [str(here), str(tmp_path / "data"), str(tmp_path / "run"), json.dumps(settings)]
    command = [sys.executable, "-c", EPOCHS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    held = {int(epoch): size for epoch, size in json.loads(done.stdout).items()}
    assert max(held) >= 8 and held[8] < 1.03 * held[2], held
