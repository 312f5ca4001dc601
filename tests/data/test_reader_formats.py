"""Which reader for a file."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FAST, FORMATS, SAMPLES, UD, write

from headway.data.formats import guess, reader_for
from headway.data.readers import READERS
from headway.errors import DataError, UsageError


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "format"),
        [
            ("a.tsv", "tsv"),
            ("a.TSV.GZ", "tsv"),
            ("a.tab", "tsv"),
            ("a.b.csv", "csv"),
            ("a.jsonl.gz", "jsonl"),
            ("a.json", "json"),
            ("a.conllu", "conllu"),
            ("a.conll", "conll"),
            ("a.bio", "conll"),
            ("-", "lines"),
        ],
    )
    def test_by_the_end_of_the_name(self, name, format):
        assert reader_for(Path(name))[0] == format
        assert isinstance(reader_for(Path(name))[1], READERS.part(format))

    def test_by_name(self):
        assert reader_for(Path("a.tsv"), "lines")[0] == "lines"
        assert reader_for(Path("-"), "jsonl")[0] == "jsonl"
        with pytest.raises(
            UsageError, match=r"no format called 'tvs'; there are: arrow, conll, .*\. Did you mean 'tsv'\?"
        ):
            reader_for(Path("a.tsv"), "tvs")

    @pytest.mark.parametrize(
        ("content", "format"),
        [
            (SAMPLES["slash"], "slash"),
            ("中共中央/nt  总书记/n  、/w  国家/n\n\n//w\n", "slash"),
            ("\n\tThe/at Fulton/np-tl\n\n\tcounty/nn\n", "slash"),
            ("word and/or word\nyes/no\n", "lines"),
            ("http://a.example/b\nhttp://a.example/c\n", "lines"),
            (SAMPLES["conll"], "conll"),
            ("a\tb\nc\td\n\ne\tf\n", "conll"),
            ("a b\nc d e\n\nf g\n", "lines"),
            ("two words\n\nother words\n", "lines"),
            ("A whole sentence.\tpos\n\nAnother one.\tneg\nA third one.\tneg\n", "tsv"),
            ("Go.\tGeh.\nHello there!\tHallo!\n", "tsv"),
            ("a\tb\nno tab here\n", "lines"),
            (SAMPLES["jsonl"], "jsonl"),
            ("{a set}\n", "lines"),
            (UD, "conllu"),
            ("some text\nmore text here\n", "lines"),
            ("\n \n", "lines"),
            ("", "lines"),
            (b"\xff\xfe\x00", "lines"),
        ],
    )
    @pytest.mark.parametrize("name", ["a.txt", "a", "a.txt.gz", "a.strange"])
    def test_by_the_first_lines(self, tmp_path, content, format, name):
        raw = content if isinstance(content, bytes) else content.encode()
        path = write(tmp_path, name, gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
        assert reader_for(path)[0] == format

    def test_a_line_that_the_look_cuts_does_not_count(self, tmp_path):
        assert reader_for(write(tmp_path, "a.txt", "ab\tc\n" * 20_000))[0] == "tsv"

    def test_a_lost_file_is_said_at_once(self, tmp_path):
        with pytest.raises(DataError, match="there is no such file"):
            reader_for(tmp_path / "a.txt")

    @FAST
    @given(st.lists(st.text(alphabet="a/\t #{}[]1.", max_size=20), max_size=8))
    def test_any_lines_are_some_format(self, lines):
        assert guess(lines) in FORMATS
