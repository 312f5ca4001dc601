"""What is to be written, and the pieces of it that are: a distillation on disk until it is finished.

OUT/unfinished/task.json        what was asked, written before anything else
               piece-00012.json what was written for the sources of one batch, with a checksum
OUT/distilled.json              where the finished data set came from
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from headway import storage
from headway.errors import RunError, printable
from headway.version import __version__

FORMAT = 1
UNFINISHED, ORIGIN = "unfinished", "distilled.json"
SAME = {
    "checksum": "weights",
    "fingerprint": "training data",
    "mode": "mode",
    "beam": "beam",
    "length_penalty": "length penalty",
    "tokens": "tokens",
}
"""What makes a distillation the same, wherever its run and its data lie; and what it is called."""


@dataclass(frozen=True)
class Task:
    """What one distillation writes; the same task writes the same, in one go or in several.

    run, data      where they lie
    checksum       of the run's weights; `fingerprint` that of the training part
    beam           and length_penalty: of mode beam
    tokens         source elements, padding included, that are answered together
    """

    run: str
    data: str
    checksum: str
    fingerprint: str
    mode: str
    beam: int | None
    length_penalty: float | None
    tokens: int

    def write(self, folder: Path) -> None:
        """Keep it in the folder of what is unfinished. Raises RunError."""
        storage.write_json(folder / "task.json", {"format": FORMAT, "version": __version__, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> "Task":
        """The task of a folder. Raises RunError."""
        path = folder / "task.json"
        told = storage.read_json(path)
        try:
            if told["format"] > FORMAT:
                raise RunError(f"{path} was written by headway {printable(told['version'])}; a newer headway reads it")
            return cls(**{field.name: told[field.name] for field in fields(cls)})
        except (KeyError, TypeError) as error:
            raise RunError(f"{path} is damaged: {printable(repr(error))}") from error


class Piece(NamedTuple):
    """What was written for some sources, and the seconds that it took."""

    texts: list[str]
    seconds: float


def write_piece(folder: Path, number: int, piece: Piece) -> None:
    """All of a piece, or nothing. Raises RunError."""
    told = {"checksum": _checksum(piece.texts), "seconds": piece.seconds, "texts": piece.texts}
    storage.write(_path(folder, number), json.dumps(told, ensure_ascii=False).encode("utf-8"))


def read_piece(folder: Path, number: int, count: int) -> Piece | None:
    """A piece of so many texts; None where it is not there, or not as it was written."""
    path = _path(folder, number)
    if not path.is_file():
        return None
    try:
        told: dict[str, Any] = json.loads(path.read_bytes().decode("utf-8"))
        texts = told["texts"]
        whole = len(texts) == count and told["checksum"] == _checksum(texts)
        return Piece(texts, float(told["seconds"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(folder: Path, number: int) -> Path:
    return folder / f"piece-{number:05d}.json"


def _checksum(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8")).hexdigest()
