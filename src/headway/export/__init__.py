"""In which other program can a run live?  One file a format; `headway export RUN --to NAME`.

An export is checked before it is there: it writes what the run writes, token for token, or the difference is a tie.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from headway.batch import SPECIALS, Example
from headway.data.encoding import encode
from headway.errors import MissingPackage, RunError, UsageError, printable
from headway.export._agreement import Agreement, agreement
from headway.predictor import Predictor
from headway.settings import Branch, Room, dump
from headway.storage import whole_folder, write_json
from headway.version import __version__

ABOUT = "headway.json"
"""The file of an exported folder that says what it is, with the tokenizers of the run."""
FORMAT = 1
SENTENCES = 200
"""Random sources that an export is checked on, where no data are given."""
LONGEST = 24
"""Elements of the longest of them."""


class Written(NamedTuple):
    """One sequence as another program wrote it: its tokens, and whether it ended before its limit."""

    tokens: tuple[int, ...]
    finished: bool


class Engine:
    """The model in an exported folder, by number: rows of source tokens in, sequences of target tokens out."""

    def write(self, rows: Sequence[NDArray], limits: Sequence[int]) -> list[Written]:
        """Greedy, of at most so many tokens each."""
        raise NotImplementedError

    def score(self, rows: Sequence[NDArray], targets: Sequence[Sequence[int]]) -> list[list[float]]:
        """The log probability of every token of a given target, END's last."""
        raise NotImplementedError


class Exporter:
    """Made of its settings; writes a run into a folder, and writes sequences with what lies in such a folder."""

    package: ClassVar[str]
    "The package that reads the format."
    exact: bool
    "Whether its numbers are those of the run, so that everything else than the same sequence is a mistake."

    def __init__(self, settings: Any):
        raise NotImplementedError

    def refuses(self, predictor: Predictor) -> str | None:
        """Why the format has no place for this run, and what would have one; None where it has."""
        raise NotImplementedError

    def write(self, predictor: Predictor, folder: Path) -> None:
        """Put the run's model into a folder."""
        raise NotImplementedError

    def read(self, predictor: Predictor, folder: Path) -> Engine:
        """The model that was put into a folder, in the hands of the other program."""
        raise NotImplementedError


EXPORTS = Room(__name__, Exporter, "export")


@dataclass(frozen=True)
class Exported:
    """What an export came to: the folder, its bytes, and how far it agrees with the run."""

    folder: Path
    size: int
    package: str
    agreement: Agreement


def export(
    run: Path | str | Predictor,
    to: str,
    out: Path | str,
    examples: Sequence[Example] | None = None,
    **settings: Any,
) -> Exported:
    """Write a run for another program, and check that it writes there what it writes here.

    run        a run folder, or a loaded one
    to         a name of `headway list exports`
    out        a folder that is not there yet
    examples   whose sources the export is checked on; random sources of the vocabulary where none are given
    settings   those of the format

    Raises UsageError where the format has no place for the run, RunError where the outputs differ, MissingPackage.
    """
    chosen = settings_of(to, settings)
    exporter: Exporter = EXPORTS.build(chosen)
    _import(exporter, to)
    folder = Path(out)
    if folder.exists():
        raise UsageError(f"{folder} exists; choose another --out")
    predictor = run if isinstance(run, Predictor) else Predictor(run)
    if (reason := exporter.refuses(predictor)) is not None:
        raise UsageError(f"{predictor.folders[0].path} cannot be exported to {to}: {reason}")
    rows = _sources(predictor, examples)
    with whole_folder(folder) as inside:
        exporter.write(predictor, inside)
        found = agreement(predictor, rows, exporter.read(predictor, inside))
        if exporter.exact and found.different:
            raise RunError(
                f"{folder} was not written: {found.different} of {found.rows} sequences are others than the run's own. "
                "This is a mistake in headway; please report it with the run's run.yaml"
            )
        write_json(inside / ABOUT, _about(predictor, exporter, to, chosen, found))
        size = sum(file.stat().st_size for file in inside.iterdir())
    return Exported(folder, size, f"{exporter.package} {metadata.version(exporter.package)}", found)


def settings_of(to: str, given: Mapping[str, Any]) -> Branch:
    """The settings of a format. Raises UsageError for a setting that it does not have."""
    kind = EXPORTS.settings(to)
    unknown = sorted(given.keys() - kind.model_fields.keys())
    if unknown:
        raise UsageError(
            f"the export {to} has no setting {unknown[0]}; it has {', '.join(kind.model_fields) or 'none'}"
        )
    try:
        return kind(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where} of the export {to}: {printable(first['input'])!r}; {first['msg']}") from None


def _import(exporter: Exporter, to: str) -> None:
    try:
        importlib.import_module(exporter.package)
    except ModuleNotFoundError as error:
        raise MissingPackage(error.name or exporter.package, "export", f"the export {to}") from None


def _sources(predictor: Predictor, examples: Sequence[Example] | None) -> list[NDArray]:
    """Rows of source tokens to check with; empty ones are left out, for other programs read no empty source."""
    if examples is not None:
        sources = encode(examples, predictor.codecs, predictor.run.data, with_targets=False).sources
        found = [row for row in (sources[i] for i in range(len(sources))) if len(row)]
        if not found:
            raise UsageError("there is no source with an element to check the export on; leave the data out")
        return found
    random, vocabulary = np.random.default_rng(0), predictor.codecs.source.sizes.vocabulary
    lengths = random.integers(1, min(LONGEST, predictor.run.data.max_length) + 1, SENTENCES)
    return [random.integers(min(len(SPECIALS), vocabulary - 1), vocabulary, length, np.int32) for length in lengths]


def _about(predictor: Predictor, exporter: Exporter, to: str, settings: Branch, found: Agreement) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "headway": __version__,
        "export": to,
        "settings": dump(settings),
        "package": {exporter.package: metadata.version(exporter.package)},
        "run": predictor.folders[0].path.resolve().name,
        "positions": predictor.model.task.decoder.stack.position.positions,
        "agreement": asdict(found),
        "run_settings": dump(predictor.run),
        "codecs": predictor.codecs.state(),
    }
