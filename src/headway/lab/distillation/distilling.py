"""`distill`: a training set whose targets a trained model wrote, piece by piece, stored as it goes, gone on with."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from headway import storage
from headway.data.index import fingerprint
from headway.data.loading import DataSet, open_data
from headway.data.settings import DataSettings
from headway.errors import RunError, UsageError, file_name
from headway.lab.distillation.files import keep_part, one_line, write_part
from headway.lab.distillation.sharing import side_by_side
from headway.lab.distillation.task import FORMAT, ORIGIN, SAME, UNFINISHED, Task
from headway.lab.distillation.writing import Writing, data_for, teacher
from headway.machine import cores, description
from headway.predictor import Predictor
from headway.run import RunFolder
from headway.search.asking import search_for
from headway.tasks.transduce import Transduce
from headway.version import __version__

BEAM = 5
TOKENS = 8192
"""Source elements that are answered together, those of all sequences of a beam: large batches are fast."""


class Watcher:
    """Hears of a distillation; each method may be left out."""

    def said(self, text: str) -> None:
        """Something a person should know."""

    def counted(self, done: int, total: int) -> None:
        """So many of the sources have a target."""


@dataclass(frozen=True)
class Distilled:
    """A finished data set: `facts` are what distilled.json holds."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, str]:
        """What `headway train` must be told to read it, by path."""
        return dict(self.facts["settings"])


def distill(
    run: Path | str,
    data: Path | str,
    out: Path | str,
    *,
    mode: str = "greedy",
    beam: int | None = None,
    length_penalty: float | None = None,
    tokens: int | None = None,
    jobs: int | None = None,
    watch: Watcher | None = None,
) -> Distilled:
    """Write a data set whose training targets are what a trained run writes; valid and test stay as they are.

    run              a run that writes sequences
    data             a data set, as for `train`
    out              the folder to write; one that was begun for the same is gone on with
    mode             greedy or beam, or another of the run's modes; auto is greedy where the run can
    beam             sequences side by side in mode beam; 5 where none is given
    length_penalty   in mode beam: 0 favours short outputs, 1 (the default) and more longer ones
    tokens           source elements, padding included, that are answered together
    jobs             processes that write side by side, with one thread each; as many as cores where none are given

    A source that stands several times, with further references, is written once. Raises UsageError, DataError and
    RunError.
    """
    out, watch = Path(out), watch or Watcher()
    for name, number in (("tokens", tokens), ("jobs", jobs)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} must be at least 1, and is {number}")
    predictor = teacher(run)
    _check(predictor, run, mode, beam, length_penalty)
    if mode == "auto":  # which takes what is fastest here, and writes the same
        mode = "greedy" if "greedy" in predictor.modes else predictor.modes[0]
    found = data_for(predictor, Path(data))
    train = found.examples("train")
    manifest = RunFolder(run).manifest()
    width = (beam or BEAM) if mode == "beam" else None
    task = Task(
        run=str(Path(run).resolve()),
        data=str(Path(data).resolve()),
        checksum=manifest["files"][manifest["weights"]],
        fingerprint=fingerprint(train),
        mode=mode,
        beam=width,
        length_penalty=(1.0 if length_penalty is None else length_penalty) if mode == "beam" else None,
        tokens=tokens or TOKENS // (width or 1),
    )
    with storage.work_folder(out, "distill", [ORIGIN, f"{UNFINISHED}/task.json"], [UNFINISHED]):
        if (out / ORIGIN).is_file():
            return _finished(out, task, tokens is not None, watch)
        task = _begun(out, task, tokens is not None)
        writing = Writing(task, predictor, train, out / UNFINISHED)
        _write(writing, out, jobs or cores(), watch)
        return _finish(out, writing, found, len(train))


def _check(predictor: Predictor, run: Path | str, mode: str, beam: int | None, length_penalty: float | None) -> None:
    """Refuse a run that writes nothing, and a way in which it cannot write. Raises UsageError."""
    if not isinstance(predictor.model.task, Transduce):
        raise UsageError(
            f"{file_name(run)} answers {predictor.task}, and distill needs a run that writes sequences (transduce)"
        )
    search_for(predictor.modes, mode, beam=beam, length_penalty=length_penalty)
    if mode == "sample":
        raise UsageError("what is drawn at random is no teacher: choose --mode greedy or beam")


# ----------------------------------------------------------------------------------------------------------- going on


def _finished(out: Path, task: Task, tokens_given: bool, watch: Watcher) -> Distilled:
    """What lies there, if it is what was asked. Raises UsageError and RunError."""
    facts = storage.read_json(out / ORIGIN)
    if not isinstance(facts, dict) or not isinstance(facts.get("task"), dict):
        raise RunError(f"{out / ORIGIN} is damaged: it does not say what was distilled")
    _same(out, facts["task"], task, tokens_given)
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    watch.said(f"{file_name(out)} is finished already: nothing was written")
    return Distilled(out, facts)


def _begun(out: Path, task: Task, tokens_given: bool) -> Task:
    """The task as the folder has it; it is put there where there is none. Raises UsageError where it is another."""
    folder = out / UNFINISHED
    if not (folder / "task.json").is_file():
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise storage.not_written(folder, error) from error
        task.write(folder)
        return task
    storage.sweep(folder)
    begun = Task.read(folder)
    _same(out, asdict(begun), task, tokens_given)
    moved = replace(begun, run=task.run, data=task.data)
    if moved != begun:
        moved.write(folder)
    return moved


def _same(out: Path, begun: Mapping[str, Any], task: Task, tokens_given: bool) -> None:
    """Raises UsageError where a folder holds another distillation."""
    now = asdict(task)
    other = [
        f"{SAME[name]} {begun.get(name)} there, {now[name]} now"
        for name in SAME
        if begun.get(name) != now[name] and (name != "tokens" or tokens_given)
    ]
    if other:
        raise UsageError(
            f"{file_name(out)} holds another distillation ({'; '.join(other)}): give the same, or choose another --out"
        )


# ------------------------------------------------------------------------------------------------------------ writing


def _write(writing: Writing, out: Path, jobs: int, watch: Watcher) -> None:
    """The pieces that are left, in this process or in several."""
    left = writing.left()
    total = len(writing.sources)
    done = total - sum(len(writing.pieces[number]) for number in left)
    if done and left:
        watch.said(f"going on with {file_name(out)}: {done:,} of {total:,} sources are written")
    watch.counted(done, total)
    jobs = min(jobs, len(left)) if writing.predictor.device.type == "cpu" else 1
    for count in writing.write(left) if jobs <= 1 else side_by_side(out, left, jobs):
        done += count
        watch.counted(done, total)


def _finish(out: Path, writing: Writing, data: DataSet, examples: int) -> Distilled:
    """The data set from its pieces; distilled.json is written last: where it is, everything is."""
    texts, seconds = writing.result()
    settings, task = writing.predictor.run.data, writing.task
    rows = [
        (example.source, line)
        for example, text in zip(writing.sources, texts, strict=True)
        if (line := one_line(text)).strip()
    ]
    if not rows:
        raise UsageError(f"{file_name(task.run)} writes nothing for any source, so there is nothing to learn from it")
    names = write_part(out, "train", data.parts.part("train"), rows, settings)
    for part in ("valid", "test"):
        if part in data:
            names += keep_part(out, part, data, settings)
    facts = {
        "format": FORMAT,
        "headway": __version__,
        "task": asdict(task),
        "data": {"how": data.parts.how},
        "counts": {"examples": examples, "sources": len(texts), "written": len(rows), "empty": len(texts) - len(rows)},
        "seconds": seconds,
        "settings": _needed(out, settings),
        "machine": description(),
        "files": {name: storage.checksum(out / name) for name in names},
    }
    storage.write_json(out / ORIGIN, facts)
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    return Distilled(out, facts)


def _needed(out: Path, settings: DataSettings) -> dict[str, str]:
    """What training must be told to read the files, by path: the run's choices, and the question where it is not seen.

    A weak run writes a few things again and again, which look like labels.
    """
    given = {"source": settings.source, "target": ",".join(settings.target), "format": settings.format}
    needed = {f"data.{name}": value for name, value in given.items() if value}
    found = open_data(out, settings.replace(task=None, train=(), valid=(), test=()))
    return needed if found.recognized.task == "transduce" else {**needed, "data.task": "transduce"}
