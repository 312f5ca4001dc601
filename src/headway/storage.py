"""Files that are whole or not there: written beside their place, synced, renamed, and known by their checksum.

A crash at any moment leaves the file of before or the file of after, never half of one.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as _tensors_of
from safetensors.torch import save as _bytes_of
from torch import Tensor

from headway.errors import HeadwayError, RunError, UsageError, file_name, printable

JSON_LIMIT = 512 * 1024 * 1024
"""Bytes of the largest JSON file that is read."""
HALF = ".tmp"
"""How names end of what is not whole yet."""


def write(path: Path, content: bytes) -> None:
    """Put content at a path, all of it or nothing. Raises RunError; what stood there before then still does."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{HALF}")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        if not path.parent.name.endswith(HALF):  # `whole_folder` syncs it once, when all is inside
            sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> RunError:
    """The complaint about a file that the system would not take."""
    return RunError(f"{path} could not be written: {error.strerror or error}; what was there before is untouched")


def write_json(path: Path, value: Any) -> None:
    """`write` of JSON, readable by people."""
    write(path, json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> None:
    """`write` of named tensors as safetensors."""
    cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write(path, _bytes_of(cpu, dict(about) if about else None))  # safetensors writes no tensors with {} wrongly


def read_json(path: Path) -> Any:
    """The JSON in a file. Raises RunError."""
    try:
        if path.stat().st_size > JSON_LIMIT:
            raise RunError(f"{path} is larger than {JSON_LIMIT >> 20} MiB, and no file of headway's is")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {printable(error)}") from error


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """`write_json` of a mapping with its own checksum inside, for files that no manifest names."""
    write_json(path, {**value, CHECKSUM: _digest(value)})


def read_sealed(path: Path) -> Any:
    """What `write_sealed` wrote, without the checksum; files of older versions have none. Raises RunError."""
    value = read_json(path)
    if not isinstance(value, dict):
        return value
    name = CHECKSUM if CHECKSUM in value else next(reversed(value), None)  # where its very name is damaged
    if name is None:
        return value
    rest = {key: below for key, below in value.items() if key != name}
    if (_digest(rest) == value[name]) != (name == CHECKSUM):
        raise RunError(f"{path} is damaged: its checksum is not the one inside it")
    return rest if name == CHECKSUM else value


CHECKSUM = "checksum"


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file. Raises RunError."""
    try:
        return _tensors_of(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a type of number that torch does not have
        raise RunError(f"{path} is damaged, or no safetensors file: {printable(error)}") from error


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make a rename inside a folder outlive a loss of power; a system that cannot sync folders is left as it is."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder that appears at `path` only when everything inside is written, with a manifest of its files."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{HALF}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        seal(temporary)
        sync_folder(temporary)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def held_alone(folder: Path, refusal: HeadwayError) -> Iterator[None]:
    """Nobody else holds the folder inside; the system ends that with the process, however it ends.

    Raises `refusal` where somebody does. Nothing is held where the system has no such locks.
    """
    handle = None
    try:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise refusal from None
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def work_folder(out: Path, command: str, marks: Sequence[str], left: Sequence[str]) -> Iterator[None]:
    """The folder of work that takes long, made where it is missing, for one command at a time. Raises UsageError.

    command   of headway, which makes such folders
    marks     files of which one tells that it was made so
    left      what one may hold that was ended before it had such a file
    """
    ours = any((out / mark).is_file() for mark in marks)
    if out.exists() and not ours and (not out.is_dir() or any(_strange(out, left))):
        raise UsageError(f"{file_name(out)} exists, and headway {command} did not make it; choose another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(out, error) from error
    busy = UsageError(f"another headway {command} works in {file_name(out)}; wait for it to end")
    with held_alone(out, busy):
        yield


def _strange(folder: Path, known: Sequence[str]) -> Iterator[Path]:
    """What lies in a folder, but for what is known, what is half written, and hidden files, a file manager's."""
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.is_file()
        if path.name not in known and path.suffix != HALF and not hidden:
            yield path


def sweep(folder: Path) -> None:
    """Remove what a process that was killed left half written in a folder."""
    for left in folder.glob(f".*{HALF}"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                left.unlink()


MANIFEST = "manifest.json"


def seal(folder: Path, names: Sequence[str] | None = None, **more: Any) -> None:
    """Write the manifest of a folder: the checksum of these files (of all, where none are named), and `more`."""
    if names is None:
        names = sorted(file.name for file in folder.iterdir() if file.is_file() and file.name != MANIFEST)
    write_sealed(folder / MANIFEST, {**more, "files": {name: checksum(folder / name) for name in names}})


def verified(folder: Path, needed: Sequence[str] = ()) -> dict[str, Any]:
    """The manifest of a folder whose files are all there and unchanged. Raises RunError naming what is not.

    needed    files that the manifest must name
    """
    manifest = read_sealed(folder / MANIFEST)
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict):
        raise RunError(f"{folder / MANIFEST} is damaged: it names no files")
    if missing := sorted(set(needed) - files.keys()):
        raise RunError(f"{folder / MANIFEST} is damaged: it does not name {missing[0]} among its files")
    for name, expected in files.items():
        if Path(name).name != name:
            raise RunError(f"{folder / MANIFEST} is damaged: {printable(name)!r} is no plain file name")
        if not (folder / name).is_file():
            raise RunError(f"{folder / printable(name)} is missing, and {MANIFEST} says it belongs there")
        if checksum(folder / name) != expected:
            raise RunError(f"{folder / name} is damaged: its checksum is not the one in {MANIFEST}")
    return manifest


def load_into(module: torch.nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put stored weights into a module that has exactly these names and shapes. Raises RunError."""
    own = dict(module.named_parameters())
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or extra:
        raise RunError(
            f"{path} does not fit the model: it lacks {missing[:3] or 'nothing'}, and has {extra[:3] or 'nothing'} more"
        )
    for name, parameter in own.items():
        if parameter.shape != tensors[name].shape:
            raise RunError(
                f"{path} does not fit the model: {name} is {tuple(tensors[name].shape)}, not {tuple(parameter.shape)}"
            )
        if parameter.dtype != tensors[name].dtype:
            raise RunError(f"{path} does not fit the model: {name} is {tensors[name].dtype}, not {parameter.dtype}")
        if not torch.isfinite(tensors[name]).all():
            raise RunError(f"{path} is damaged: {name} holds numbers that are not finite")
        with torch.no_grad():
            parameter.copy_(tensors[name])


def take_over(module: torch.nn.Module, tensors: Mapping[str, Tensor]) -> tuple[int, list[str]]:
    """Put in the stored weights whose name and shape fit; returns (how many did, the names of what stays new)."""
    new = []
    own = dict(module.named_parameters())
    for name, parameter in own.items():
        if name in tensors and tensors[name].shape == parameter.shape:
            with torch.no_grad():
                parameter.copy_(tensors[name])
        else:
            new.append(name)
    return len(own) - len(new), new
