"""`headway predict --out`: files answered in pieces of fixed composition, by one process or several.

OUT.unfinished/task.json       what was asked, written before anything else
               piece-0000012   the answers to so many examples, behind a line with their checksum
OUT                            all pieces in their order: there once the last one is

A piece is answered by itself, whoever answers it, so that the same bytes come out of one process or many, in one go or
after an interruption.
"""

import contextlib
import hashlib
import io
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headway import storage
from headway.batch import Example
from headway.cli._answers import read_inputs, write_answers
from headway.data.sources.text import SourceText
from headway.errors import HeadwayError, RunError, UsageError, file_name
from headway.machine import give_memory_back
from headway.predictor import AHEAD, TIDY, Predictor, chunks
from headway.processes import share, side_by_side, tell
from headway.run import RunFolder
from headway.training.settings import MachineSettings
from headway.version import __version__

NAMES = {"weights": "the run", "contents": "the files", "how": "how it answers"}
"""What makes a task the same, wherever its files lie; and what it is called."""


@dataclass(frozen=True)
class Task:
    """What is to be answered, and how.

    weights     checksums of the runs that answer together; `contents` those of the files
    how         what `Predictor.predict` is told; `shape` what `write_answers` is told
    """

    runs: list[str]
    files: list[str]
    weights: list[str]
    contents: list[str]
    how: dict[str, Any]
    shape: dict[str, Any]
    format: str | None
    source: str | None

    @classmethod
    def read(cls, folder: Path) -> "Task":
        """The task of a folder. Raises RunError."""
        told = storage.read_sealed(folder / "task.json")
        try:
            told.pop("version")
            return cls(**told)
        except (TypeError, KeyError, AttributeError) as error:
            raise RunError(f"{folder / 'task.json'} is damaged: {error}") from error

    def same(self, other: "Task") -> list[str]:
        """What differs in another task."""
        found = [name for key, name in NAMES.items() if getattr(self, key) != getattr(other, key)]
        shaped = (self.shape, self.format, self.source) != (other.shape, other.format, other.source)
        return [*found, *["what is written"] * shaped]


def answer_files(task: Task, out: Path, processes: int) -> str:
    """Answer everything and write `out`; a sentence for the user. Raises UsageError, DataError, RunError."""
    if out.exists():
        raise UsageError(f"{file_name(out)} exists; choose another --out")
    folder = out.with_name(f"{out.name}.unfinished")
    begun = _begin(task, folder)
    busy = UsageError(f"another headway predict works in {file_name(folder)}; wait for it to end")
    with storage.held_alone(folder, busy):
        storage.sweep(folder)
        if begun:
            there = sum(1 for _ in folder.glob("piece-*"))
            print(f"going on: {there:,} pieces are answered already", file=sys.stderr)
        if processes == 1:
            for _ in _answered(task, folder, 0, 1):
                pass
        else:
            shares = [[number, processes] for number in range(processes)]
            for _ in side_by_side("headway.cli._sharded", [str(folder)], shares, folder):
                pass
        count = _join(folder, out)
    shutil.rmtree(folder, ignore_errors=True)
    return f"{file_name(out)}: {count:,} examples are answered"


def task_of(
    runs: Sequence[Path], files: Sequence[Path], how: dict[str, Any], shape: dict[str, Any], **read: str | None
) -> Task:
    """The task of these files and runs, known by what they hold. Raises RunError."""
    manifests = [RunFolder(run).manifest() for run in runs]
    return Task(
        [str(run.resolve()) for run in runs],
        [str(file) for file in files],
        [manifest["files"][manifest["weights"]] for manifest in manifests],
        [storage.checksum(file) for file in files],
        how,
        shape,
        read["format"],
        read["source"],
    )


def _begin(task: Task, folder: Path) -> bool:
    """Whether something is there to go on with; the task is put there where nothing is. Raises UsageError."""
    if (folder / "task.json").is_file():
        if other := Task.read(folder).same(task):
            raise UsageError(
                f"{file_name(folder)} holds answers that were asked for otherwise ({', '.join(other)} differ): give "
                "the same, remove it, or choose another --out"
            )
        begun = True
    else:
        begun = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage.not_written(folder, error) from error
    storage.write_sealed(folder / "task.json", {"version": __version__, **asdict(task)})
    return begun


# ------------------------------------------------------------------------------------------------------------- pieces


def _answered(task: Task, folder: Path, number: int, of: int) -> Iterator[int]:
    """The examples of every piece that this process answers: those of its number, of so many processes."""
    predictor = Predictor(*task.runs, machine=MachineSettings(threads=1))
    since = 0
    for piece, first, columns, chunk in _pieces(task, predictor):
        path = folder / f"piece-{piece:07d}"
        if piece % of != number or _read(path) is not None:
            continue
        text = io.StringIO()
        _forget(predictor)
        answers = zip(chunk, predictor.predict(chunk, **task.how, first=first), strict=True)
        with contextlib.redirect_stdout(text):
            write_answers(answers, columns=columns, at_once=False, **task.shape)
        _write(path, len(chunk), text.getvalue().encode("utf-8"))
        since += len(chunk)
        if since >= TIDY:
            give_memory_back()
            since = 0
        yield len(chunk)


def _pieces(task: Task, predictor: Predictor) -> Iterator[tuple[int, int, bool, list[Example]]]:
    """(number, the number of its first example in its file, whether it is answered in columns, examples) of each."""
    piece = 0
    for examples, columns in read_inputs(predictor, [Path(file) for file in task.files], (), task.format, task.source):
        first = 0
        for chunk in chunks(examples, AHEAD):
            yield piece, first, columns, chunk
            piece, first = piece + 1, first + len(chunk)


def _forget(predictor: Predictor) -> None:
    """Number word forms anew, so that a piece does not depend on those that were answered before it."""
    source = predictor.codecs.source
    if isinstance(source, SourceText) and source.forms is not None:
        source.forms.forget()


def _write(path: Path, count: int, content: bytes) -> None:
    head = f"{count} {hashlib.sha256(content).hexdigest()}\n"
    storage.write(path, head.encode() + content)


def _read(path: Path) -> tuple[int, bytes] | None:
    """(examples, their answers) of a piece; None where it is not there, or not as it was written."""
    try:
        head, _, content = path.read_bytes().partition(b"\n")
        count, checksum = head.decode().split(" ")
        return (int(count), content) if hashlib.sha256(content).hexdigest() == checksum else None
    except (OSError, ValueError):
        return None


def _join(folder: Path, out: Path) -> int:
    """All pieces in one file, whole or not there; how many examples they are. Raises RunError."""
    paths = sorted(folder.glob("piece-*"))
    temporary, total = folder / f".joined{storage.HALF}", 0
    try:
        with open(temporary, "wb") as file:
            for number, path in enumerate(paths):
                found = _read(path)
                if found is None or path.name != f"piece-{number:07d}":
                    raise RunError(f"a piece in {folder} is damaged or gone; the same command writes it again")
                total += found[0]
                file.write(found[1])
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, out)
        storage.sync_folder(out.parent)
    except OSError as error:
        raise storage.not_written(out, error) from error
    return total


def main(folder: Path) -> int:
    """What a process that shares the work does; the exit code."""
    number, of = share()
    try:
        for count in _answered(Task.read(folder), folder, number, of):
            tell(count=count)
        return 0
    except HeadwayError as error:
        tell(failed=str(error))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
