"""The machine: what it is, what it may do, and how much memory a process has held."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from headway import machine
from headway.errors import UsageError
from headway.training.settings import MachineSettings


@pytest.fixture(autouse=True)
def as_before():
    """Threads and precision belong to the whole process."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


def test_threads_precision_and_seed_are_set_as_asked():
    device = machine.set_up(MachineSettings(threads=1, precision="medium", device="cpu", seed=5))
    first = torch.rand(3)
    assert device == torch.device("cpu") and torch.get_num_threads() == 1
    assert torch.get_float32_matmul_precision() == "medium"
    machine.set_up(MachineSettings(threads=1, device="cpu", seed=5))
    assert torch.equal(torch.rand(3), first) and torch.get_float32_matmul_precision() == "highest"


def test_without_a_number_all_processors_are_taken():
    machine.set_up(MachineSettings(device="cpu"))
    assert torch.get_num_threads() == machine.cores() >= 1


@pytest.mark.parametrize("name", ["quantum", "cuda:99", ""])
def test_a_device_that_is_not_here(name):
    with pytest.raises(UsageError, match=rf"machine.device {name} cannot be used here: .*; auto takes what there is"):
        machine.device_of(name)


def test_a_description_is_json_and_names_what_a_figure_depends_on():
    told = machine.description()
    assert json.loads(json.dumps(told)) == told
    assert told["packages"]["torch"] == torch.__version__.partition("+")[0] or told["packages"]["torch"]
    assert {"headway", "revision", "python", "system", "processor", "cores", "threads", "gpu", "command"} < told.keys()


HOLDS = """
import sys
from headway.machine import peak_memory
before = peak_memory()
held = bytearray(200_000_000)
held[::4096] = b"x" * len(held[::4096])
during = peak_memory()
del held
print(before, during, peak_memory())
"""


def peaks() -> list[int]:
    printed = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True).stdout
    return [int(number) for number in printed.split()]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the system does not say")
def test_the_peak_of_memory_counts_what_was_held_and_given_back():
    before, during, after = peaks()
    assert 200_000_000 <= during - before < 215_000_000 and after == pytest.approx(during, rel=0.01)


def test_where_there_is_no_proc_the_system_is_asked_otherwise(monkeypatch):
    resource = pytest.importorskip("resource")
    there = machine.peak_memory()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert machine.peak_memory() == pytest.approx(used * (1 if sys.platform == "darwin" else 1024), rel=0.01)
    monkeypatch.undo()
    assert there is not None and there > 50_000_000


def test_a_system_that_does_not_say_is_left_out(monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert machine.peak_memory() is None
