"""Files as examples, whatever the format: how a file may be dressed, what can be wrong, that nothing else escapes."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import EXPECTED, FAST, FORMATS, SAMPLES, complaints, pairs, read, refusal, write

from headway.data import files
from headway.data.files import listed, words
from headway.data.formats import reader_for
from headway.data.readers import READERS
from headway.errors import DataError, Where

# --------------------------------------------------------------------------------------------------------- all formats


def test_the_formats_are_the_files_of_the_room():
    others = {"arrow", "folders", "json", "parquet", "sdf", "smi"}  # which have tests of their own
    assert set(READERS.names()) == others | set(FORMATS)


@pytest.mark.parametrize("format", FORMATS)
class TestEveryFormat:
    def test_gives_the_examples_of_its_sample_with_their_lines(self, tmp_path, format):
        path = write(tmp_path, "sample", SAMPLES[format])
        assert pairs(format, path) == EXPECTED[format]
        assert read(format, path)[0].where == Where(path, 2 if format == "csv" else 1)

    @pytest.mark.parametrize("change", ["bom", "crlf", "gzip", "gzip without a name", "no end", "blank end"])
    def test_reads_every_dress_of_a_file_alike(self, tmp_path, format, change):
        content = SAMPLES[format].encode()
        dressed = {
            "bom": b"\xef\xbb\xbf" + content,
            "crlf": content.replace(b"\n", b"\r\n"),
            "gzip": gzip.compress(content, mtime=0),
            "gzip without a name": gzip.compress(content, mtime=0),
            "no end": content.rstrip(b"\n"),
            "blank end": content + b"\n  \n\r\n",
        }[change]
        path = write(tmp_path, "sample.gz" if change == "gzip" else "sample", dressed)
        assert pairs(format, path) == EXPECTED[format]

    @pytest.mark.parametrize("zipped", [False, True])
    @pytest.mark.parametrize("stand_in", ["bytes", "text", "pipe"])
    def test_reads_standard_input_and_leaves_it_open(self, monkeypatch, format, zipped, stand_in):
        content = gzip.compress(SAMPLES[format].encode(), mtime=0) if zipped else SAMPLES[format].encode()
        stream: io.TextIOBase
        if stand_in == "pipe":
            out, into = os.pipe()
            os.write(into, content)
            os.close(into)
            stream = open(out, encoding="latin1")  # noqa: SIM115
        elif stand_in == "bytes":
            stream = io.TextIOWrapper(io.BytesIO(content), encoding="ascii")
        elif zipped:
            return
        else:
            stream = io.StringIO(content.decode())
        monkeypatch.setattr(sys, "stdin", stream)
        examples = read(format, Path("-"))
        assert [(example.source, example.target) for example in examples] == EXPECTED[format]
        assert str(examples[-1].where).startswith("standard input:")
        assert not stream.closed
        stream.close()

    def test_keeps_line_separators_of_unicode_inside_a_text(self, tmp_path, format):
        path = write(tmp_path, "sample", SAMPLES[format].replace("o", "\u2028").replace("the", "a\x85b"))
        assert len(read(format, path)) == len(EXPECTED[format])

    def test_refuses_an_empty_file(self, tmp_path, format):
        for content in (b"", b"\xef\xbb\xbf"):
            assert refusal(format, write(tmp_path, "a", content)) in (
                "a: the file is empty",
                "a: the file holds no examples",
            )
        assert refusal(format, write(tmp_path, "a.gz", gzip.compress(b"", mtime=0))) == "a.gz: the file is empty"
        assert refusal(format, write(tmp_path, "b", "\n \n")) == "b: the file holds no examples"

    def test_names_the_line_and_the_byte_that_are_not_utf8(self, tmp_path, format):
        content = SAMPLES[format].encode()
        _, heard = complaints(format, write(tmp_path, "a", content + b"\ncaf\xe9\n"))
        line = content.count(b"\n") + 2
        assert heard[-1] == (
            f"a:{line}: byte 4 of the line (0xe9) is not UTF-8; convert the file with `iconv -f latin1 -t utf-8`"
        )

    def test_names_the_line_and_the_byte_that_is_nul(self, tmp_path, format):
        _, heard = complaints(format, write(tmp_path, "a", SAMPLES[format] + "\nab\0c\n"))
        line = SAMPLES[format].count("\n") + 2
        assert heard[-1].startswith(f"a:{line}: byte 3 of the line is NUL, which no text holds; is the file binary")

    def test_knows_utf16_by_its_mark(self, tmp_path, format):
        _, heard = complaints(format, write(tmp_path, "a", SAMPLES[format].encode("utf-16")))
        assert heard[0].startswith("a:1: byte 1 of the line (0xff) is not UTF-8;")
        assert heard[0].endswith("`iconv -f utf-16 -t utf-8`")

    def test_refuses_a_line_that_is_too_long_and_reads_on(self, tmp_path, format, monkeypatch):
        monkeypatch.setattr(files, "LONGEST", 100)
        monkeypatch.setattr(f"headway.data.readers.{format}.LONGEST", 100, raising=False)
        monkeypatch.setattr("headway.data.readers._sentences.LONGEST", 100)
        path = write(tmp_path, "a", SAMPLES[format] + "\n" + "x" * 300 + "\n\n" + SAMPLES[format])
        found, heard = complaints(format, path)
        line = SAMPLES[format].count("\n") + 2
        assert f"a:{line}: the line is longer than 100 bytes; does the file have line ends?" in heard
        assert found[-1].source == EXPECTED[format][-1][0]

    def test_says_that_a_file_is_missing_and_what_is_near(self, tmp_path, format):
        write(tmp_path, "train.tsv", "a\tb\n")
        assert refusal(format, tmp_path / "trian.tsv").endswith(
            "trian.tsv: there is no such file. Did you mean 'train.tsv'?"
        )
        assert refusal(format, tmp_path / "zzz").endswith(
            f"there is no such file; the folder {files.printable(tmp_path)} holds train.tsv"
        )
        assert "there is no such file, and no folder" in refusal(format, tmp_path / "a" / "b")
        assert "there is no such file" in refusal(format, Path("a\0b"))
        assert "there is no such file" in refusal(format, tmp_path / "train.tsv" / "b")

    def test_says_that_a_folder_is_no_file(self, tmp_path, format):
        write(tmp_path, "train.tsv", "a\tb\n")
        assert refusal(format, tmp_path).endswith(": this is a folder, and a file is expected; it holds train.tsv")

    def test_says_that_a_file_may_not_be_read(self, tmp_path, format, monkeypatch):
        def denied(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
        assert "a.tsv: there is no permission to read this file" in refusal(format, tmp_path / "a.tsv")

    def test_says_that_a_file_cannot_be_read(self, tmp_path, format):
        assert "this file cannot be read: File name too long" in refusal(format, tmp_path / ("x" * 300))

    def test_refuses_gzip_that_is_cut_or_damaged_or_none(self, tmp_path, format):
        content = gzip.compress(os.urandom(3000).hex().encode() + b"\n" + SAMPLES[format].encode())
        damaged = content[:2000] + bytes(byte ^ 0xFF for byte in content[2000:2100]) + content[2100:]
        for bad in (content[:-20], content[:2000], damaged, content[:-8] + bytes(8), content + b"more"):
            reader = READERS.part(format)()
            with pytest.raises(DataError, match=r"a.gz: the gzip file is damaged or cut short \(.+`gzip -t` checks it"):
                list(reader.read(write(tmp_path, "a.gz", bad), complain=lambda error: None))
        assert refusal(format, write(tmp_path, "b.gz", SAMPLES[format])) == (
            "b.gz: the name ends in .gz, and this is no gzip file; rename it, or zip it with gzip"
        )

    def test_goes_on_after_a_complaint_and_stops_where_it_is_refused(self, tmp_path, format):
        path = write(tmp_path, "a", SAMPLES[format].encode() + b"\n\xff\n\n" + SAMPLES[format].encode())
        found, heard = complaints(format, path)
        assert len(found) >= 2 * len(EXPECTED[format]) and heard
        with pytest.raises(DataError) as caught:
            read(format, path)
        assert caught.value.where.line > 1 and caught.value.exit_code == 3

    @pytest.mark.sampled(3)
    @FAST
    @given(content=st.binary(max_size=200) | st.text(alphabet='a1/\t \n\r",;{}[]:#-.\0\ufeff\u2028é', max_size=80))
    def test_any_bytes_give_examples_or_data_errors(self, tmp_path, format, content):
        path = write(tmp_path, "any", content)
        heard: list[DataError] = []
        try:
            for example in READERS.part(format)().read(path, complain=heard.append):
                assert isinstance(example.source, str | tuple) and len(example.source) and example.where.line
        except DataError as error:
            assert not error.where.line
        assert all(error.where.line for error in heard)

    @pytest.mark.sampled(4)
    @FAST
    @given(content=st.binary(max_size=60), cut=st.integers(0, 200))
    def test_any_gzip_gives_examples_or_data_errors(self, tmp_path, format, content, cut):
        path = write(tmp_path, "any.gz", gzip.compress(content, mtime=0)[:cut] + content[:cut])
        try:
            list(READERS.part(format)().read(path, complain=lambda error: None))
        except DataError as error:
            assert str(path) in str(error)

    @pytest.mark.long
    def test_memory_does_not_grow_with_the_file(self, tmp_path, format):
        body = LONG[format] + "\n" * format.startswith("conll")
        header, body = body.split("\n", 1) if format == "csv" else ("", body)
        content = (header + "\n" * (format == "csv") + body * (20_000_000 // len(body))).encode()
        path = write(tmp_path, "big.gz", gzip.compress(content, 1, mtime=0))
        del content
        reader = READERS.part(format)()
        sum(1 for _ in reader.read(write(tmp_path, "small", SAMPLES[format])))  # what is loaded once
        tracemalloc.start()
        try:
            number = sum(1 for _ in reader.read(path))
            assert tracemalloc.get_traced_memory()[1] < 3_000_000
        finally:
            tracemalloc.stop()
        assert number > 500


LONG = {
    format: sample.replace("dog", "dog" * 5_000).replace("good", "good" * 5_000) for format, sample in SAMPLES.items()
}
LONG["lines"] = "one " * 5_000 + "\n"


def test_blank_lines_are_not_held_however_many_they_are(tmp_path):
    path = write(tmp_path, "a.tsv", "a\tb\n" + "\n" * 50_000 + "c\td\n")
    tracemalloc.start()
    try:
        found, heard = complaints("tsv", path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert [example.where.line for example in found] == [1, 50_002]
    assert heard == ["a.tsv:2: the row is empty; empty rows may stand at the end of the file only"]


def test_a_source_with_too_many_elements_is_a_complaint(tmp_path, monkeypatch):
    assert (files.MOST, files.LONGEST) == (1_000_000, 10_000_000)
    monkeypatch.setattr(files, "MOST", 1000)
    found, heard = complaints("lines", write(tmp_path, "a", "x" * 1001 + "\nshort\n"))
    assert heard == ["a:1: the source has 1,001 characters, and at most 1,000 are read; split it"]
    assert [example.source for example in found] == ["short"]
    found, heard = complaints("slash", write(tmp_path, "b", "x/y " * 1001 + "\nz/y"))
    assert heard == ["b:1: the source has 1,001 words, and at most 1,000 are read; split it"]
    heard = complaints("tsv", write(tmp_path, "c", "z\t" + "x" * 1001 + "\na\tb\n"))[1]
    assert heard == ["c:1: the target has 1,001 characters, and at most 1,000 are read; split it"]


def test_no_standard_input_is_an_empty_file(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="standard input: the file is empty"):
        read("lines", Path("-"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are Unix")
def test_reads_a_pipe_with_a_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", f"printf 'one\\ntwo\\n' > '{tmp_path}/pipe'"]):
        name, reader = reader_for(tmp_path / "pipe")
        assert name == "lines"
        assert [example.source for example in reader.read(tmp_path / "pipe")] == ["one", "two"]


def test_words_are_parted_by_blanks_and_not_by_no_break_spaces():
    assert words("  a\tb \u3000c\u00a0d\u2028e ") == ("a", "b", "c\u00a0d\u2028e")
    assert words(" ") == ()


def test_names_from_outside_are_printable_and_few():
    assert listed(["a\x1b[2J", *"bcd"], most=2) == "a\\x1b[2J, b and 2 more"
    assert listed([]) == "nothing"


# ---------------------------------------------------------------------------------------------------------- round trips

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\0"), min_size=1, max_size=20)
_CELL = _TEXT.filter(str.strip)
_LETTER = st.characters(exclude_categories=["Cs", "Zs"], exclude_characters="\n\r\t\0") | st.just("\u00a0")
_WORD = st.text(_LETTER, min_size=1, max_size=20).filter(str.strip)


class TestRoundTrips:
    @FAST
    @given(rows=st.lists(st.tuples(_CELL, _TEXT), min_size=1))
    def test_tsv(self, tmp_path, rows):
        path = write(tmp_path, "a.tsv", "".join(f"{a}\t{b}\n" for a, b in [("text", "label"), *rows]))
        assert pairs("tsv", path) == [(a, b if b.strip() else "") for a, b in rows]

    @FAST
    @given(
        rows=st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))] * 2))
    )
    def test_csv(self, tmp_path, rows):
        rows = [(a, b) for a, b in rows if a.strip() and b.strip()] or [("a", "b")]
        table = io.StringIO(newline="")
        csv.writer(table).writerows([("text", "label"), *rows])
        assert pairs("csv", write(tmp_path, "a.csv", table.getvalue())) == rows

    @FAST
    @given(
        rows=st.lists(
            st.tuples(_CELL | st.lists(_CELL, min_size=1), _TEXT | st.lists(_TEXT) | st.integers()), min_size=1
        )
    )
    def test_jsonl(self, tmp_path, rows):
        for ascii in (False, True):
            lines = [json.dumps({"text": a, "label": b}, ensure_ascii=ascii) for a, b in rows]
            path = write(tmp_path, "a.jsonl", "\n".join(lines))
            assert pairs("jsonl", path) == [tuple(tuple(x) if isinstance(x, list) else x for x in row) for row in rows]

    @FAST
    @given(sentences=st.lists(st.lists(st.tuples(_WORD, _WORD), min_size=1), min_size=1), tabs=st.booleans())
    def test_conll(self, tmp_path, sentences, tabs):
        lines = [["\t".join(row) if tabs else "  ".join(row) for row in sentence] for sentence in sentences]
        path = write(tmp_path, "a.conll", "\n\n".join("\n".join(sentence) for sentence in lines))
        if not any(line.startswith(("#", "-DOCSTART-")) for sentence in lines for line in sentence):
            assert pairs("conll", path) == [tuple(zip(*sentence)) for sentence in sentences]

    @FAST
    @given(sentences=st.lists(st.lists(st.tuples(_WORD, _WORD), min_size=1), min_size=1))
    def test_slash(self, tmp_path, sentences):
        sentences = [[(word, tag.replace("/", "-")) for word, tag in sentence] for sentence in sentences]
        path = write(tmp_path, "a", "\n".join(" ".join(map("/".join, sentence)) for sentence in sentences))
        assert pairs("slash", path) == [tuple(zip(*sentence)) for sentence in sentences]

    @FAST
    @given(rows=st.lists(_CELL, min_size=1))
    def test_lines(self, tmp_path, rows):
        assert pairs("lines", write(tmp_path, "a", "\n".join(rows))) == [(row, None) for row in rows]
