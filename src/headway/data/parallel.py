"""Files that belong together line by line: line i of the targets is a translation of line i of the source."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, numbered, place, text_of
from headway.data.readers import Complain, refuse
from headway.errors import DataError


def read_parallel(source: Path, targets: Sequence[Path], complain: Complain = refuse) -> Iterator[Example]:
    """The pairs of two files; with more targets, every further one gives a reference more.

    A line that is empty on one side only is a complaint; one that is empty on both is passed over. Files of different
    length are an error that cannot be skipped, for from some line on every pair is wrong; it is found at the end.
    """
    files = (source, *targets)

    def parse(row: tuple[int, tuple[bytes, ...]]) -> Example | None:
        number, raw = row
        texts = [text_of(line, place(file, number)) for file, line in zip(files, raw)]
        known = [text for text in texts[1:] if text.strip()]
        if texts[0].strip() and known:
            return Example(texts[0], known[0], place(source, number), tuple(known[1:]))
        if not texts[0].strip() and not known:
            return None
        empty, full = (source, targets[0]) if known else (targets[0], source)
        raise DataError(place(empty, number), f"the line is empty, and line {number} of {place(full)} is not")

    return examples(source, _aligned(files), parse, complain)


def _aligned(files: Sequence[Path]) -> Iterator[tuple[int, tuple[bytes, ...]]]:
    with ExitStack() as stack:
        running = [stack.enter_context(closing(numbered(file))) for file in files]  # pyright: ignore[reportArgumentType]
        number = 0
        while True:
            lines = [next(each, None) for each in running]
            if None in lines:
                break
            number += 1
            yield number, tuple(line[1] for line in lines if line is not None)
        lengths = [_length(line, each, number) for line, each in zip(lines, running)]
    if len(set(lengths)) > 1:
        counts = ", ".join(f"{place(file)} has {length:,} lines" for file, length in zip(files, lengths))
        problem = f"{counts}; parallel files have as many lines, and line i of one belongs to line i of the other"
        raise DataError(place(files[0]), problem)


def _length(line: tuple[int, bytes] | None, rest: Iterator[tuple[int, bytes]], length: int) -> int:
    """How many lines a file has, blank ones at the end not counted, where `length` were read before this line."""
    while line is not None:
        if line[1].strip():
            length = line[0]
        line = next(rest, None)
    return length
