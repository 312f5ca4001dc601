"""Inputs of `headway predict`, and its answers as lines, columns or JSON."""

import json as json_
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from headway.batch import Answer, ClassifyAnswer, Example, TagAnswer, TransduceAnswer, as_json, plain
from headway.data.formats import reader_for
from headway.data.loading import Complaints
from headway.data.readers import Columns
from headway.data.readers.folders import SUFFIXES
from headway.data.sources import SOURCES
from headway.errors import DataError, UsageError, Where
from headway.predictor import Predictor

COLUMNS = ("conll", "conllu")
"""Formats with an element a line, which are answered in the same form."""

Inputs = Iterator[tuple[Iterable[Example], bool]]
"""For every input its examples, and whether it is answered in columns."""


def read_inputs(
    predictor: Predictor,
    files: Sequence[Path],
    texts: Sequence[str],
    format: str | None,
    source: str | None,
    complaints: Complaints | None = None,
) -> Inputs:
    """The inputs in order, read as they are needed; without those that are complained about and skipped."""
    complaints = complaints or Complaints(skip=False)
    if texts:
        yield [Example(text) for text in texts], False
    codec = SOURCES.part(predictor.run.kind)
    for file in files:
        named = Example(file.name, where=Where(file))
        if format is None and file.name.lower().endswith(SUFFIXES) and codec.recognizes(named):
            yield [named], False
            continue
        name, reader = reader_for(file, format)
        chosen = source or (
            None if predictor.trained_on == "parallel" or name == "slash" else predictor.run.data.source
        )
        examples = reader.read(file, Columns(chosen), complaints)
        yield (_usable(examples, predictor, complaints) if complaints.skip else examples), name in COLUMNS


def _usable(examples: Iterable[Example], predictor: Predictor, complaints: Complaints) -> Iterator[Example]:
    """Those that the run can read."""
    for example in examples:
        try:
            yield SOURCES.part(predictor.run.kind).opened(example, predictor.run.data)
        except DataError as error:
            complaints(error)


def write_answers(
    answers: Iterable[tuple[Example, Answer]], *, scores: bool, nbest: int, columns: bool, json: bool, at_once: bool
) -> None:
    """One line per example; with `columns` one line per element and an empty line behind each example.

    at_once    a person waits for each: none is held back to be written together with others
    """
    out = sys.stdout
    for example, answer in answers:
        if json:
            out.write(json_.dumps(as_json(example, answer), ensure_ascii=False) + "\n")
        elif isinstance(answer, TagAnswer) and columns:
            out.write(as_columns(example, answer) + "\n")
        else:
            out.write(as_line(answer, scores, nbest) + "\n")
            if isinstance(answer, TransduceAnswer) and answer.trace is not None:
                write_trace(answer)
        if at_once:
            out.flush()
    out.flush()


def write_trace(answer: TransduceAnswer) -> None:
    """Why it was written so: below its line, in colour on a terminal."""
    from rich.console import Console

    from headway.cli._traces import trace_lines

    console = Console(highlight=False, soft_wrap=True)
    for line in trace_lines(answer, console.width):
        console.print(line)


def as_line(answer: Answer, scores: bool, nbest: int) -> str:
    """An answer on one line; numbers behind tabs."""
    if isinstance(answer, TransduceAnswer):
        found = [answer, *answer.alternatives][:nbest]
        cells = [[flat(one.text), *([f"{one.score:.4f}"] if scores and one.score is not None else [])] for one in found]
        line = "\t".join(cell for group in cells for cell in group)
        if answer.alignment is not None:
            line += "\t" + " ".join(f"{position}-{number}" for number, (position, _) in enumerate(answer.alignment))
        return line
    if isinstance(answer, ClassifyAnswer):
        return flat(answer.label) + (f"\t{answer.score:.4f}" if scores else "")
    if isinstance(answer, TagAnswer):
        given = "" if answer.scores is None else "\t" + " ".join(f"{score:.4f}" for score in answer.scores)
        return flat(str(answer)) + given
    return str(answer)


def as_columns(example: Example, answer: TagAnswer) -> str:
    """Element, label and, where asked for, probability, a line each; `_` where an element has no answer."""
    lines = []
    for number, element in enumerate(example.source):
        label = answer.labels[number] if number < len(answer.labels) else "_"
        score = f"\t{answer.scores[number]:.4f}" if answer.scores and number < len(answer.scores) else ""
        lines.append(f"{element}\t{label}{score}\n")
    return "".join(lines)


def flat(text: str) -> str:
    """A text on one line and in one cell."""
    return " ".join(text.split()) if any(c in text for c in "\t\n\r") else text


def write_scores(predictor: Predictor, inputs: Inputs, json: bool) -> None:
    """The log probability of each example's own target, and of its tokens as JSON."""
    for examples, _ in inputs:
        for example in examples:
            if not isinstance(example.target, str):
                raise UsageError(f"{example.where}: there is no target to score")
            (log_p,) = predictor.score([(example, example.target)])
            line = json_.dumps(
                {"source": plain(example.source), "target": example.target, "log_p": log_p}, ensure_ascii=False
            )
            print(line if json else f"{sum(log_p):.4f}")
