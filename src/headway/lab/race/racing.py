"""`race`: all runs in all their modes on one part of a data set, on this machine."""

import gc
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from headway.batch import Example, TransduceAnswer
from headway.data.index import fingerprint
from headway.errors import UsageError, file_name
from headway.experiment import examples_for
from headway.lab.race.contestants import Contestant, contestants
from headway.lab.race.quality import Quality, quality, right_repetitions
from headway.lab.race.results import Results, Row
from headway.lab.race.timing import BATCHES, latencies, spread, throughputs
from headway.lab.race.writing import write_results
from headway.machine import cores, description
from headway.report.units import length, unit_of

SENTENCES = 100
"""Examples that are answered alone, where nothing else is asked."""


class Watcher:
    """Hears of a race; each method may be left out."""

    def counted(self, what: str, done: int, total: int) -> None:
        """So much of what is measured now is done."""


def race(
    runs: Path | str | Sequence[Path | str],
    data: Path | str,
    *,
    part: str = "test",
    modes: Sequence[str] = (),
    sentences: int = SENTENCES,
    beam: int | None = None,
    threads: int | None = None,
    out: Path | str | None = None,
    watch: Watcher | None = None,
    command: str | None = None,
) -> Results:
    """Measure runs in all their modes: quality on a whole part, latency, throughput and calls of decoders.

    runs         run folders, or folders that `headway export` made
    data         a data set, or one file, which is taken whole
    part         which part of a data set
    modes        those that race; all but sample where none are given
    sentences    examples that are answered one after another for the latency, evenly from the part
    beam         sequences side by side in mode beam
    threads      of a CPU, the same for all; as many as there are cores where none are given
    out          a folder for race.html, race.md and race.json
    watch        hears of progress
    command      the command line that makes it, for the page

    Raises UsageError, DataError, RunError.
    """
    folders = [Path(run) for run in ([runs] if isinstance(runs, (Path, str)) else runs)]
    _check(folders, sentences, threads)
    watch = watch or Watcher()
    racing = contestants(folders, modes, threads or cores(), beam)
    examples = _examples(racing, data, part)
    judged, signatures = _judged(racing, examples, watch)
    alone, together = spread(examples, sentences), spread(examples, max(sentences, BATCHES[-1]))
    gc.collect()
    seconds = latencies(racing, alone, watch.counted)
    speeds = throughputs(racing, together, watch.counted)
    rows = [
        Row(one.folder, one.mode, name, found, tuple(took), {1: len(took) / max(sum(took), 1e-9), **by_batch})
        for one, name, found, took, by_batch in zip(racing, _names(racing), judged, seconds, speeds, strict=True)
    ]
    unit = unit_of([example.source for example in examples])
    results = Results(
        rows=tuple(rows),
        data=str(data),
        part=part,
        examples=len(examples),
        timed=(len(alone), len(together)),
        lengths=tuple(length(example.source, unit) for example in alone),
        unit=unit,
        repetitions=right_repetitions(examples, racing[0].codec),
        signatures=signatures,
        machine=description(),
        command=command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    )
    if out is not None:
        write_results(results, Path(out))
    return results


def _check(folders: Sequence[Path], sentences: int, threads: int | None) -> None:
    """Raises UsageError."""
    if not folders:
        raise UsageError("nothing races: give a run folder, or several")
    for name, number in (("sentences", sentences), ("threads", threads)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} must be at least 1, and is {number}")
    twice = next((folder for number, folder in enumerate(folders) if folder in folders[:number]), None)
    if twice is not None:
        raise UsageError(f"{file_name(twice)} was given twice; one run races once in each of its modes")


def _examples(racing: Sequence[Contestant], data: Path | str, part: str) -> list[Example]:
    """What all of them answer. Raises UsageError where they read the data differently, DataError."""
    predictors = {one.folder: one.predictor for one in racing if one.predictor is not None}
    found = {folder: examples_for(predictor, data, part) for folder, predictor in predictors.items()}
    (first, examples), *others = found.items()
    for folder, theirs in others:
        if fingerprint(theirs) != fingerprint(examples):
            raise UsageError(
                f"{file_name(first)} and {file_name(folder)} read other sources or targets from {file_name(data)}, so "
                "their figures cannot stand side by side: race runs that were trained on the same columns"
            )
    return examples


def _judged(
    racing: Sequence[Contestant], examples: Sequence[Example], watch: Watcher
) -> tuple[list[Quality], dict[str, str]]:
    """(for each contestant what its answers are worth, the signatures of the metrics)."""
    found, signatures = [], {}
    metrics = next(one.predictor.model.task.metrics for one in racing if one.predictor is not None)
    greedy: dict[str, list[TransduceAnswer]] = {}
    for number, one in enumerate(racing):
        watch.counted(f"quality of {one.folder} {one.mode}", number, len(racing))
        answers = one.answer(examples, None)
        if one.mode == "greedy":
            greedy[one.original] = answers
        if one.greedy is not None and one.original not in greedy:
            greedy[one.original] = one.greedy(examples, None)
        judged, signatures = quality(
            answers, examples, one.codec, metrics, one.predictor is not None, greedy.get(one.original)
        )
        found.append(judged)
    watch.counted("quality", len(racing), len(racing))
    return found, signatures


def _names(racing: Sequence[Contestant]) -> list[str]:
    """The mode, behind the name of the run where there are several."""
    folders = list(dict.fromkeys(one.folder for one in racing))
    if len(folders) == 1:
        return [one.mode for one in racing]
    names = [Path(folder).resolve().name for folder in folders]
    short = dict(zip(folders, names if len(set(names)) == len(names) else folders, strict=True))
    return [f"{short[one.folder]} {one.mode}" for one in racing]
