"""A process that encodes: `python -m headway.preparation.worker`.

Its first line of input is the task as JSON, every further one a chunk of examples. It answers a chunk with a line of
JSON and the numbers of its arrays behind it, and ends when its input ends, as it does when whoever started it has died.
"""

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from headway.batch import Example
from headway.data.encoding import Codecs, Encoded, encode
from headway.data.sources.text import SourceText
from headway.errors import DataError, Where
from headway.rows import Rows
from headway.run import Run, build_codecs
from headway.settings import load

ARRAYS = {
    "sources": "<i4",
    "source_starts": "<i8",
    "targets": "<i4",
    "target_starts": "<i8",
    "numbers": "<f8",
    "costs": "<i8",
    "windows": "<i4",
}
"""What follows an answer, in this order."""


def main(given: BinaryIO, out: BinaryIO) -> None:
    """Answer every chunk."""
    torch.set_num_threads(1)
    task = json.loads(given.readline())
    run = load(Run, task["settings"], "task")
    codecs = build_codecs(run, task["several"], tuple(task["metrics"]), task["codecs"])
    for line in given:
        chunk = [
            Example(_plain(source), _plain(target), Where(Path(file), number))
            for source, target, file, number in json.loads(line)
        ]
        try:
            head, arrays = _answer(chunk, codecs, run)
        except DataError as error:
            head = {"problem": error.problem, "file": str(error.where.file), "line": error.where.line}
            arrays = {}
        out.write(json.dumps(head).encode() + b"\n")
        for name, kind in ARRAYS.items():
            if arrays:
                out.write(np.ascontiguousarray(arrays[name], kind).tobytes())
        out.flush()


def _answer(chunk: list[Example], codecs: Codecs, run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is told in JSON, the arrays) of a chunk; word forms are numbered anew in each."""
    forms = codecs.source.forms if isinstance(codecs.source, SourceText) else None
    if forms is not None:
        forms.forget()
    encoded = encode(chunk, codecs, run.data)
    arrays = _arrays(encoded)
    place = {id(example): number for number, example in enumerate(chunk)}
    head = {
        "sizes": {name: len(values) for name, values in arrays.items()},
        "numbers": bool(len(arrays["numbers"])),
        "words": None if forms is None else forms.words,
        "cut": [place[id(example)] for example in encoded.cut],
    }
    return head, arrays


def _arrays(encoded: Encoded) -> dict[str, Any]:
    assert isinstance(encoded.sources, Rows)
    numbers = isinstance(encoded.targets[0], float)
    targets = Rows.of([] if numbers else list(encoded.targets))
    return {
        "sources": encoded.sources.values,
        "source_starts": encoded.sources.starts,
        "targets": targets.values,
        "target_starts": targets.starts,
        "numbers": np.array(encoded.targets if numbers else [], np.float64),
        "costs": encoded.costs,
        "windows": np.array(encoded.windows, np.int32).reshape(-1),
    }


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
