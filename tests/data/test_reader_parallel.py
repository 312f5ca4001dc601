"""Parallel files as examples."""

import gzip
import os
from pathlib import Path

import pytest
from reading import write

from headway.batch import Example
from headway.data.parallel import read_parallel
from headway.errors import DataError, Where


class TestParallel:
    def files(self, folder: Path, *contents: str | bytes) -> list[Path]:
        return [write(folder, name, content) for name, content in zip("abcd", contents)]

    def heard(self, paths: list[Path]) -> tuple[list[Example], list[str]]:
        errors: list[DataError] = []
        found = list(read_parallel(paths[0], paths[1:], errors.append))
        return found, [str(error).replace(f"{paths[0].parent}{os.sep}", "") for error in errors]

    def test_pairs_and_references(self, tmp_path):
        source, *targets = self.files(
            tmp_path, "a\nb\n\nc", "\ufeffA\r\n\r\n\r\nC\r\n\n", gzip.compress(b"X\nY\n\n\n\n\n", mtime=0)
        )
        found = list(read_parallel(source, targets))
        assert [(e.source, e.references, e.where) for e in found] == [
            ("a", ("A", "X"), Where(source, 1)),
            ("b", ("Y",), Where(source, 2)),
            ("c", ("C",), Where(source, 4)),
        ]

    def test_lines_that_are_empty_on_one_side(self, tmp_path):
        found, heard = self.heard(self.files(tmp_path, "a\n\nb\n", "A\nB\n \n"))
        assert [example.source for example in found] == ["a"]
        folder = f"{tmp_path}{os.sep}"
        assert heard == [
            "a:2: the line is empty, and line 2 of b is not".replace(folder, ""),
            "b:3: the line is empty, and line 3 of a is not",
        ]

    def test_a_bad_line_takes_its_partner_along(self, tmp_path):
        found, heard = self.heard(self.files(tmp_path, b"a\nb\nc", b"A\n\xff\nC"))
        assert [(example.source, example.target) for example in found] == [("a", "A"), ("c", "C")]
        assert heard == [
            "b:2: byte 1 of the line (0xff) is not UTF-8; convert the file with `iconv -f latin1 -t utf-8`"
        ]

    def test_different_lengths_end_the_reading_and_name_both(self, tmp_path):
        for contents in (("a\nb\nc\n", "A\nB\n"), ("a\nb\n", "A\nB\n\n\nC\n\n")):
            source, target = self.files(tmp_path, *contents)
            heard: list[DataError] = []
            running = read_parallel(source, [target], heard.append)
            assert [next(running).source, next(running).source] == ["a", "b"]
            with pytest.raises(DataError) as caught:
                next(running)
            counts = [3, 2] if len(contents[0]) > 4 else [2, 5]
            words = (
                f"{source}: {source} has {counts[0]} lines, {target} has {counts[1]} lines; parallel files have as many"
            )
            assert str(caught.value).startswith(words)
            assert not heard

    def test_an_empty_or_a_lost_side(self, tmp_path):
        with pytest.raises(DataError, match="b: the file is empty"):
            list(read_parallel(*(lambda s, t: (s, [t]))(*self.files(tmp_path, "a\n", ""))))
        with pytest.raises(DataError, match="zz: there is no such file"):
            list(read_parallel(tmp_path / "a", [tmp_path / "zz"]))

    def test_shares_nothing_between_runs(self, tmp_path):
        source, target = self.files(tmp_path, "a\nb\n", "A\nB\n")
        assert list(read_parallel(source, [target])) == list(read_parallel(source, [target]))
