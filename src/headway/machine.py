"""The machine a run is on: set once, at the edge; no layer knows of it."""

import contextlib
import ctypes
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from headway.errors import UsageError
from headway.training.settings import MachineSettings
from headway.version import __version__


def set_up(machine: MachineSettings, programs: int = 64) -> torch.device:
    """Threads, precision and determinism as asked; returns the device. Raises UsageError for one that is not here.

    programs    those of oneDNN that are kept: see `keep_few_programs`
    """
    torch.set_num_threads(machine.threads or max(1, cores() // processes_here()))
    torch.set_float32_matmul_precision("medium" if machine.precision == "medium" else "highest")
    device = device_of(machine.device)
    if processes() > 1:
        device = device_among(device)
    if device.type == "cuda" and machine.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    if device.type == "cpu":
        keep_memory()
        keep_few_programs(programs)
    torch.manual_seed(machine.seed)
    return device


def keep_memory() -> None:
    """Let the C library keep memory that torch frees, instead of giving it back and mapping it anew at every step.

    Every tensor above 32 MiB (the gradient of a table of vectors) would otherwise be fetched from the system page by
    page in each update. Does nothing where the C library is not glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for option, value in ((_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, (1 << 31) - 1)):
            library.mallopt(option, value)


def give_memory_back() -> None:
    """Return to the system what the C library keeps free between pieces that are in use.

    A stream's tensors have ever new sizes, and its heap grows with the holes that they leave, though what is in use
    does not. Does nothing where the C library is not glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_few_programs(number: int) -> None:
    """Let oneDNN keep so many of the programs that it makes for products, and not 1024 in each of two places.

    It makes one for every shape, and batches of text have ever new shapes: a tagger over 100 MB held 230 MB of them.
    Read once, at the first product of the process; what the user has set stays.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, str(number))


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of glibc's malloc.h."""


def device_of(name: str) -> torch.device:
    """`auto` takes a GPU where there is one."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"machine.device {name} cannot be used here: {first}; auto takes what there is") from None
    return device


def device_among(device: torch.device) -> torch.device:
    """The device of this process, of several that train together: a GPU of its own, or the CPU. Raises UsageError."""
    place, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise UsageError(f"several processes train together on CPUs or on NVIDIA's GPUs, not on {device}; set "
                         "machine.device cpu")  # fmt: skip
    if processes_here() > there:
        raise UsageError(f"{processes_here()} processes and {there} GPUs: each process needs a GPU of its own; start "
                         f"{there}, or set machine.device cpu")  # fmt: skip
    torch.cuda.set_device(place)
    return torch.device("cuda", place)


def processes() -> int:
    """How many train together, as torchrun and `headway train --processes` tell."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def launch() -> str | None:
    """The name of the launch by torchrun that this process belongs to, over all its restarts; None without one."""
    name = os.environ.get("TORCHELASTIC_RUN_ID")
    return None if name == "none" else name  # what torchrun says where it was given no --rdzv-id


def processes_here() -> int:
    """Those of them that share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", processes()))


def cores() -> int:
    """Processors this process may run on."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> int | None:
    """Bytes of main memory that this process has held at most; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        if found is not None:  # getrusage counts what the process was before it became this program, too
            return int(found[1]) * 1024
    with contextlib.suppress(ImportError):
        import resource

        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else largest * 1024
    return None


def description() -> dict[str, Any]:
    """What a figure depends on: versions, processor, threads, and the revision of the code where it is a checkout."""
    packages = {}
    for name in ("torch", "numpy", "tokenizers", "safetensors", "sacrebleu", "jiwer"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return {
        "headway": __version__,
        "revision": _revision(),
        "python": platform.python_version(),
        "packages": packages,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "processes": processes(),
        "launch": launch(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def differences(before: Mapping[str, Any]) -> list[str]:
    """A sentence where the last bit of a sum may be another than on the machine that `description` told of."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    packages = before.get("packages")
    told = {"processes": 1, **before, "torch": packages.get("torch") if isinstance(packages, dict) else None}
    now = {"torch": torch.__version__, "processor": processor(), "threads": torch.get_num_threads(), "gpu": gpu}
    now["processes"] = processes()
    other = [f"{name} {told.get(name)} then, {value} now" for name, value in now.items() if told.get(name) != value]
    if not other:
        return []
    return [f"begun on another machine ({'; '.join(other)}): the last bits of what it computes may be others"]


def how_ended(code: int, who: str = "a process") -> str:
    """How a process ended that said nothing, from its exit code: below 0 it is the number of a signal."""
    if code >= 0:
        return f"{who} ended with {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", as the system does where memory runs out" if name == "SIGKILL" else ""
    return f"{who} was ended by {name}{why}"


def processor() -> str:
    """The processor's name, as the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _revision() -> str | None:
    """The git revision of the source tree, with a + where it has been changed; None outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(root)]
        revision = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return revision.stdout.strip() + ("+" if changed.stdout.strip() else "")
