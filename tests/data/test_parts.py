"""Where the parts of a data set are: folders, parallel files, one file that is split, files named one by one."""

import os
import re
import sys
from collections import Counter
from io import BytesIO, TextIOWrapper
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import write

from headway.data.parts import Share, bucket_of, parts_of
from headway.data.readers import Columns
from headway.errors import DataError, UsageError


def fill(folder: Path, *names: str, rows: int = 2) -> Path:
    """A folder with files of these names, each with rows that name the file."""
    folder.mkdir(exist_ok=True)
    for name in names:
        write(folder, name, "".join(f"{name} {row}\n" for row in range(rows)))
    return folder


def table(folder: Path, name: str, rows: int, word: str = "row") -> Path:
    return write(folder, name, "".join(f"{word} {row}\t{row % 2}\n" for row in range(rows)))


def said(folder: Path, how: str) -> str:
    return how.replace(f"{folder}{os.sep}", "")


def sources(parts, name: str) -> list:
    return [example.source for example in parts.part(name).read()]


def refusal(*args, **options) -> str:
    with pytest.raises(UsageError) as caught:
        parts_of(*args, **options)
    return str(caught.value)


# -------------------------------------------------------------------------------------------------------------- folders


class TestFolder:
    @pytest.mark.parametrize("valid", ["valid.tsv", "val.tsv", "dev.tsv", "validation.tsv", "Valid.TSV"])
    def test_parts_are_files_by_name_and_the_rest_is_left_alone(self, tmp_path, valid):
        for name in ("train.tsv", valid, "test.tsv", "README.md", "LICENSE", "recipe.json", "train.md", ".train.csv"):
            table(tmp_path, name, 3, name)
        (tmp_path / "test.csv").mkdir()
        parts = parts_of(tmp_path)
        assert said(tmp_path, parts.how) == (
            f"train is train.tsv (tsv); valid is {valid} (tsv); test is test.tsv (tsv); left aside: test.csv, train.md"
        )
        for name, file in (("train", "train.tsv"), ("valid", valid), ("test", "test.tsv")):
            assert sources(parts, name) == [f"{file} {row}" for row in range(3)]
            assert parts.part(name).files == (tmp_path / file,)
        assert list(parts.part("train").read()) == list(parts.part("train").read())

    def test_formats_may_differ_and_be_zipped_and_unknown_ends_are_looked_into(self, tmp_path):
        write(tmp_path, "train.txt", "the/DT dog/NN\n")
        write(tmp_path, "dev.data", "the DT\ndog NN\n\na DT\n")
        parts = parts_of(tmp_path)
        assert said(tmp_path, parts.how) == "train is train.txt (slash); valid is dev.data (conll)"
        assert sources(parts, "train") == [("the", "dog")]

    def test_no_test_part_is_said_when_it_is_asked_for(self, tmp_path):
        parts = parts_of(fill(tmp_path, "train.tsv", "valid.tsv"))
        assert "test" not in parts and "valid" in parts
        with pytest.raises(UsageError) as caught:
            parts.part("test")
        assert said(tmp_path, str(caught.value)).startswith("there is no test part: the folder ")
        assert "holds train.tsv, valid.tsv; expected are train.*, valid.* (or val.*, dev.*) and test.*" in str(
            caught.value
        )
        with pytest.raises(
            UsageError, match=r"no part called 'tset'; there are: test, train, valid. Did you mean 'test'\?"
        ):
            parts.part("tset")

    def test_one_part_alone_can_be_had(self, tmp_path):
        parts = parts_of(fill(tmp_path, "test.tsv"))
        assert sources(parts, "test") == ["test.tsv 0", "test.tsv 1"]
        with pytest.raises(UsageError, match=r"there is no train part: the folder .* holds test\.tsv; expected are"):
            parts.part("train")

    def test_a_folder_without_parts(self, tmp_path):
        message = refusal(fill(tmp_path, "data.tsv", "notes.md"))
        assert message == (
            f"there is no train part: the folder {tmp_path} holds data.tsv, notes.md; expected are train.*, valid.* "
            "(or val.*, dev.*) and test.*, each one file (.arrow, .conll, .conllu, .csv, .json, .jsonl, .parquet, "
            ".sdf, .slash, .smi, .tsv, .txt) or a pair like train.src and train.tgt, plain or .gz; or folders of "
            "sounds, vectors or molecules (.mol), each named by its label: train/LABEL/*.wav or LABEL/*.wav"
        )
        assert "holds nothing; expected" in refusal(fill(tmp_path / "empty"))

    @pytest.mark.parametrize(
        "names",
        [
            ("train.tsv", "train.jsonl"),
            ("train.tsv", "train.tsv.gz"),
            ("train.txt", "train.csv"),
            ("train.en", "train.en.gz"),
            ("train.de", "train.en", "train.tsv"),
        ],
    )
    def test_two_files_for_one_part(self, tmp_path, names):
        assert refusal(fill(tmp_path, *names)) == (
            f"{tmp_path} has several files for train: {', '.join(sorted(names))}; move all but one away, or choose: "
            "--data.train FILE"
        )

    def test_a_format_that_is_asked_for_decides_between_two(self, tmp_path):
        folder = fill(tmp_path, "train.tsv", "train.csv", "valid.txt")
        assert said(folder, parts_of(folder, format="csv").how).startswith(
            "train is train.csv (csv); valid is valid.txt (csv)"
        )

    def test_a_stray_file_beside_a_table(self, tmp_path):
        parts = parts_of(fill(tmp_path, "train.tsv", "train.scores", "train.report", "train.dat", "valid.tsv"))
        assert "train is" in parts.how and parts.part("train").files == (tmp_path / "train.tsv",)

    @pytest.mark.long
    def test_a_folder_of_very_many_files(self, tmp_path):
        for number in range(10_001):
            (tmp_path / f"{number:05}").touch()
        assert parts_of(fill(tmp_path, "train.tsv", "valid.tsv")).part("valid").files == (tmp_path / "valid.tsv",)

    def test_names_are_printable(self, tmp_path):
        assert "\x1b" not in refusal(fill(tmp_path, "a\x1b[2Jb"))


# ------------------------------------------------------------------------------------------------------- parallel files


class TestParallel:
    NAMES = ("train.en", "train.de", "val.en.gz", "val.de", "test.en", "test.de", "test.de2")

    def folder(self, tmp_path: Path) -> Path:
        fill(tmp_path, *self.NAMES)
        import gzip

        write(tmp_path, "val.en.gz", gzip.compress(b"a\nb\n", mtime=0))
        return tmp_path

    def test_the_ends_of_the_names_choose(self, tmp_path):
        parts = parts_of(self.folder(tmp_path), source="en", target=("de", "de2"))
        assert said(tmp_path, parts.how) == (
            "train is train.en + train.de (parallel); valid is val.en.gz + val.de (parallel); "
            "test is test.en + test.de + test.de2 (parallel)"
        )
        assert [example.references for example in parts.part("test").read(Columns("en", ("de",)))] == [
            ("test.de 0", "test.de2 0"),
            ("test.de 1", "test.de2 1"),
        ]
        assert parts.part("train").format == "parallel"

    @pytest.mark.parametrize("options", [{"source": "de"}, {"target": ("en",)}, {"source": "DE", "target": ("EN",)}])
    def test_one_end_is_enough_where_there_are_two(self, tmp_path, options):
        parts = parts_of(fill(tmp_path, "train.en.txt", "train.de.txt", "valid.en", "valid.de"), **options)
        assert sources(parts, "train") == ["train.de.txt 0", "train.de.txt 1"]
        assert parts.part("valid").files == (tmp_path / "valid.de", tmp_path / "valid.en")

    @pytest.mark.parametrize("ends", [("src", "tgt"), ("source", "target"), ("in", "out"), ("input", "trg")])
    def test_plain_ends_need_no_choice(self, tmp_path, ends):
        parts = parts_of(fill(tmp_path, *(f"{part}.{end}" for part in ("train", "dev") for end in ends), "train.id"))
        assert parts.part("train").files == tuple(tmp_path / f"train.{end}" for end in ends)

    def test_otherwise_it_is_asked(self, tmp_path):
        assert refusal(fill(tmp_path, "train.en", "train.de")) == (
            f"train.de, train.en in {tmp_path} are parallel files; say which is read and which is written: "
            "--data.source de --data.target en, or --data.source en --data.target de"
        )
        assert "are parallel files; say which" in refusal(fill(tmp_path, "train.fr"), source="en")

    def test_an_end_that_is_not_there(self, tmp_path):
        folder = fill(tmp_path, "train.en", "train.de")
        assert refusal(folder, source="fr") == (
            f"train in {tmp_path}: no end of a parallel file called 'fr'; there are: de, en."
        )
        assert "called 'fr'" in refusal(folder, source="en", target=("fr",))

    def test_a_side_alone(self, tmp_path):
        fill(tmp_path, "train.en", "train.de", "valid.en")
        assert refusal(tmp_path, source="en") == (
            f"{tmp_path}{os.sep}valid.en stands alone, and other parts of the folder are parallel files"
        )

    def test_files_one_by_one(self, tmp_path):
        fill(tmp_path, "a.en", "a.de", "a.de2", "b.en", "b.de")
        en, de, more = (tmp_path / f"a.{end}" for end in ("en", "de", "de2"))
        parts = parts_of(train=(en, de, more), valid=(tmp_path / "b.en", tmp_path / "b.de"))
        assert next(example.references for example in parts.part("train").read()) == ("a.de 0", "a.de2 0")
        with pytest.raises(UsageError, match=r"no test part: only train and valid were given; --data\.NAME FILE gives"):
            parts.part("test")

    def test_several_tables_are_not_parallel(self, tmp_path):
        fill(tmp_path, "a.tsv", "b.tsv")
        assert refusal(train=(tmp_path / "a.tsv", tmp_path / "b.tsv")) == (
            f"several files for train are read line by line as source and target, and {tmp_path / 'a.tsv'} is tsv, "
            "which holds both; put such files one behind the other into one"
        )

    def test_parallel_files_are_split_by_their_source(self, tmp_path):
        fill(tmp_path, "train.src", "train.tgt", rows=300)
        parts = parts_of(tmp_path)
        assert said(tmp_path, parts.how) == (
            "train.src + train.tgt (parallel) is split by a hash of the source: 80 % train, 10 % valid, 10 % test; "
            "equal sources stay together"
        )
        assert parts.part("valid").format == "parallel"
        assert sum(len(sources(parts, name)) for name in ("train", "valid", "test")) == 300


# ------------------------------------------------------------------------------------------------------------ splitting


class TestSplit:
    def test_one_file_becomes_three_parts(self, tmp_path):
        path = table(tmp_path, "reviews.tsv", 2000)
        parts = parts_of(path)
        assert said(tmp_path, parts.how) == (
            "reviews.tsv (tsv) is split by a hash of the source: 80 % train, 10 % valid, 10 % test; "
            "equal sources stay together"
        )
        found = {name: sources(parts, name) for name in ("train", "valid", "test")}
        assert sorted(chain(*found.values())) == sorted(f"row {row}" for row in range(2000))
        assert [len(part) for part in found.values()] == [1611, 196, 193]  # 80, 10 and 10 % within chance
        assert found["valid"] == sources(parts_of(path), "valid") == sources(parts_of(train=(path,)), "valid")
        assert parts.part("test").files == (path,) and parts.part("test").format == "tsv"

    def test_a_folder_with_train_alone_is_split_in_three_and_beside_test_in_two(self, tmp_path):
        table(tmp_path, "train.tsv", 500)
        assert "80 % train, 10 % valid, 10 % test" in parts_of(tmp_path).how
        table(tmp_path, "test.tsv", 7, "test")
        parts = parts_of(tmp_path)
        assert said(tmp_path, parts.how) == (
            "train.tsv (tsv) is split by a hash of the source: 90 % train, 10 % valid; equal sources stay together; "
            "test is test.tsv (tsv)"
        )
        found = {name: sources(parts, name) for name in ("train", "valid", "test")}
        assert sorted(found["train"] + found["valid"]) == sorted(f"row {row}" for row in range(500))
        assert 30 < len(found["valid"]) < 70 and len(found["test"]) == 7

    def test_files_of_the_user_come_before_those_of_the_data(self, tmp_path):
        path, other = table(tmp_path, "a.tsv", 50), table(tmp_path, "b.tsv", 3, "other")
        parts = parts_of(path, valid=(other,))
        assert said(tmp_path, parts.how) == "train is a.tsv (tsv); valid is b.tsv (tsv)"
        assert len(sources(parts, "train")) == 50
        with pytest.raises(UsageError, match=r"no test part: the data are the file .*a\.tsv; --data\.NAME FILE gives"):
            parts.part("test")
        table(tmp_path, "train.tsv", 5), table(tmp_path, "test.tsv", 5)
        parts = parts_of(tmp_path, test=(other,))
        assert sources(parts, "test") == ["other 0", "other 1", "other 2"]
        assert refusal(path, train=(other,)).startswith("training data were given twice: ")

    def test_one_file_to_evaluate_on_is_the_whole_part(self, tmp_path):
        parts = parts_of(test=(table(tmp_path, "a.tsv", 5),))
        assert len(sources(parts, "test")) == 5
        assert said(tmp_path, parts.how) == "test is a.tsv (tsv)"
        with pytest.raises(
            UsageError, match=r"there is no train part: only test was given; --data\.NAME FILE gives more"
        ):
            parts.part("train")

    def test_a_part_that_would_be_empty(self, tmp_path):
        for rows, count in ((1, "1 example"), (3, "3 examples")):
            path = table(tmp_path, "a.tsv", rows)
            parts = parts_of(path)
            empty = [name for name in ("train", "valid", "test") if not any(self.quiet(parts, name))]
            assert empty
            with pytest.raises(DataError) as caught:
                list(parts.part(empty[0]).read())
            assert str(caught.value) == (
                f"{path}: {empty[0]} would be empty: none of {count} falls into it; give a {empty[0]} file "
                f"(--data.{empty[0]} FILE), or more data"
            )

    def quiet(self, parts, name):
        try:
            yield from parts.part(name).read()
        except DataError:
            return

    def test_complaints_pass_through(self, tmp_path):
        path = write(tmp_path, "a.tsv", "".join(f"row {row}\t1\n" for row in range(90)) + "bad\n")
        heard: list[DataError] = []
        assert sum(1 for _ in parts_of(path).part("train").read(complain=heard.append)) > 50
        assert [str(error) for error in heard] == [
            f"{path}:91: the row has 1 cell, and the first row (line 1) has 2 cells"
        ]

    def test_columns_pass_through(self, tmp_path):
        path = write(tmp_path, "a.tsv", "en\tde\n" + "".join(f"e {row}\td {row}\n" for row in range(50)))
        assert all(
            example.source.startswith("d") and example.target.startswith("e")
            for example in parts_of(path).part("train").read(Columns("de", ("en",)))
        )

    def test_the_hash_is_fixed(self):
        assert [bucket_of(text) for text in ("a", "b", "the dog runs", "狗", "")] == [
            bucket_of(text) for text in (" A ", "B\n", ("The", "dog", "runs"), "狗", "  ")
        ]
        assert [bucket_of(text) for text in ("a", "the dog runs", "狗", "ﬁne", "\ud800")] == [3, 0, 4, 1, 4]

    @given(st.text(max_size=30))
    def test_equal_sources_share_a_part(self, text):
        assert bucket_of(text) == bucket_of(f"  {text} ") == bucket_of(tuple(text.split())) in range(10)

    def test_buckets_are_even(self):
        counts = Counter(bucket_of(f"source {number}") for number in range(10_000))
        assert len(counts) == 10 and min(counts.values()) > 900 and max(counts.values()) < 1100

    def test_shares_cover_all_tenths_once(self, tmp_path):
        for names in (("train.tsv",), ("train.tsv", "test.tsv")):
            parts = parts_of(fill(tmp_path, *names))
            buckets = [b for part in parts.sources.values() if isinstance(part, Share) for b in part.buckets]
            assert sorted(buckets) == list(range(10))


# ------------------------------------------------------------------------------------------------ what is not there


class TestMissing:
    def test_nothing_was_given(self):
        assert (
            refusal() == "no data was given; name a folder, a file, or files: --data.train, --data.valid, --data.test"
        )

    def test_lost_files_are_said_at_once(self, tmp_path):
        table(tmp_path, "train.tsv", 3)
        for options in ({"data": tmp_path / "trian.tsv"}, {"valid": (tmp_path / "trian.tsv",)}):
            with pytest.raises(DataError, match=r"trian.tsv: there is no such file. Did you mean 'train.tsv'\?"):
                parts_of(**options)
        with pytest.raises(DataError, match="this is a folder, and a file is expected"):
            parts_of(test=(tmp_path,))
        with pytest.raises(DataError, match="no gzip file"):
            parts_of(write(tmp_path, "a.tsv.gz", "a\tb\n"))

    def test_a_format_that_does_not_exist(self, tmp_path):
        assert re.match(
            "no format called 'tvs'; .* Did you mean 'tsv'?", refusal(table(tmp_path, "a", 3), format="tvs")
        )

    def test_standard_input_is_for_one_reading(self, tmp_path, monkeypatch):
        words = "is read more than once, and standard input or a pipe only once: name a file"
        assert refusal(Path("-")) == f"train {words}"
        assert refusal(valid=(Path("-"),)) == f"valid {words}"
        assert refusal(test=(Path("-"), Path("-"))) == f"test {words}"
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"a\tb\n")))
        parts = parts_of(test=(Path("-"),), format="tsv")
        assert sources(parts, "test") == ["a"] and parts.how == "test is - (tsv)"
