"""The cells of a comparison on disk: one arm with one seed each, begun, finished, reused, never mixed with others.

DIR/plan.json                     what is compared
DIR/cells/NAME-SEED/task.json     what the cell is to do, written before it begins
                    run/          its run folder
                    cell.json     what came of it: there once it is finished
                    log.txt       what its process complained of
DIR/trials/NAME-xFACTOR/          the same for a trial of a learning rate
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway import storage
from headway.errors import RunError, UsageError, printable
from headway.run import Run
from headway.settings import dump, leaves, load
from headway.version import __version__

FORMAT = 1
WHERE_DATA_ARE = ("data.train", "data.valid", "data.test")
"""Settings that do not count in a fingerprint: the data have their own."""


@dataclass(frozen=True)
class Cell:
    """What one process is to do, and where.

    data           the path that the user named, if one was
    fingerprint    of the settings; `prints` those of the data, by part
    part           what the answers are measured on; None for a trial, of which the valid part is all that counts
    baselines      whether classical methods are trained beside it, once for all
    """

    folder: Path
    arm: str
    seed: int
    run: Run
    data: str | None
    prints: Mapping[str, str]
    part: str | None
    baselines: bool = False

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.run)

    @property
    def result(self) -> dict[str, Any] | None:
        """What came of it; None before it is finished. Raises RunError."""
        path = self.folder / "cell.json"
        return storage.read_json(path) if path.is_file() else None

    def write(self) -> None:
        """Make the folder, with the task. Raises RunError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage.not_written(self.folder, error) from error
        told = {name: value for name, value in vars(self).items() if name not in ("folder", "run")}
        told |= {"format": FORMAT, "version": __version__, "fingerprint": self.fingerprint, "settings": dump(self.run)}
        storage.write_json(self.folder / "task.json", told)

    @classmethod
    def read(cls, folder: Path) -> "Cell":
        """The cell of a folder. Raises RunError."""
        path = folder / "task.json"
        told = storage.read_json(path)
        try:
            if told["format"] > FORMAT:
                raise RunError(f"{path} was written by headway {printable(told['version'])}; a newer headway reads it")
            names = ("arm", "seed", "data", "prints", "part", "baselines")
            run = load(Run, told["settings"], str(path))
            return cls(folder, run=run, **{name: told[name] for name in names})
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{path} is damaged: {printable(repr(error))}") from error


def fingerprint(run: Run) -> str:
    """A hash of all settings but where the data lie: equal for what is the same training."""
    told = [[path, _plain(value)] for path, value in leaves(run) if path not in WHERE_DATA_ARE]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


def placed(cells: Sequence[Cell], within: Path) -> list[Cell]:
    """Each cell where it is to lie: in a folder that has been begun for exactly it, or in its own.

    Raises UsageError where that folder holds another cell, or where cells of other data lie beside it.
    """
    known = {(cell.fingerprint, tuple(sorted(cell.prints.items()))): cell.folder for cell in begun(within)}
    found = []
    for cell in cells:
        folder = known.get((cell.fingerprint, tuple(sorted(cell.prints.items()))))
        if folder is None and (cell.folder / "task.json").is_file():
            raise UsageError(_occupied(Cell.read(cell.folder), cell))
        found.append(replace(cell, folder=folder or cell.folder))
    return found


def begun(within: Path) -> Iterator[Cell]:
    """The cells that lie in a folder. Raises RunError."""
    for path in sorted(within.glob("*/task.json")):
        yield Cell.read(path.parent)


def _occupied(there: Cell, now: Cell) -> str:
    if dict(there.prints) != dict(now.prints):
        parts = [part for part in now.prints if there.prints.get(part) != now.prints[part]]
        return (
            f"{there.folder} was made with other data ({' and '.join(parts)} differ), and a comparison is of one data "
            "set: choose another --out"
        )
    before = dict(leaves(there.run))
    other = [
        f"  {path}: {before.get(path)} there, {value} now"
        for path, value in leaves(now.run)
        if _plain(before.get(path, value)) != _plain(value) and path not in WHERE_DATA_ARE
    ]
    return (
        f"{there.folder} was made with other settings, and cells of different settings are not mixed:\n"
        + "\n".join(other)
        + "\ngive the same, or choose another --out"
    )


def _plain(value: Any) -> Any:
    return list(map(str, value)) if isinstance(value, tuple) else value
