"""Tagged sentences and plain lines as examples."""

import tracemalloc

import pytest
from reading import EXPECTED, SAMPLES, UD, complaints, pairs, read, refusal, write

from headway.batch import Example
from headway.errors import UsageError, Where

# -------------------------------------------------------------------------------------------------- CoNLL-U and CoNLL


class TestConllu:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ((), ("VERB", "PRON", "NUM")),
            (("UPOS",), ("VERB", "PRON", "NUM")),
            (("xpos",), ("V", "_", "_")),
            (("deprel",), ("root", "obj", "obl")),
            (("8",), ("root", "obj", "obl")),
            (("lemma",), ("ir", "nosotros", "_")),
            (("feats",), ("Number=Plur", "_", "_")),
        ],
    )
    def test_words_and_labels(self, tmp_path, target, expected):
        path = write(tmp_path, "a.conllu", UD)
        first, second = read("conllu", path, None, *target)
        assert first == Example(("Vamos", "nos", "1\u00a0000 km"), expected, Where(path, 4))
        assert (second.source, second.where.line) == (("#",), 11)

    def test_labels_that_are_all_underscores_are_not_known(self, tmp_path):
        path = write(tmp_path, "a.conllu", UD)
        assert read("conllu", path, None, "xpos")[1].target is None
        assert read("conllu", path, None, "feats")[1].target == ("_",)
        assert read("conllu", path, None, "xpos", "upos")[1].references == (("SYM",),)

    def test_the_source_can_be_another_column(self, tmp_path):
        assert read("conllu", write(tmp_path, "a.conllu", UD), "lemma", "form")[0].source == ("ir", "nosotros", "_")

    def test_complaints(self, tmp_path):
        row = "1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n"
        bad = [
            "1\ta\ta\n",
            "1 a a X _ _ 0 root _ _\n",
            row + row,
            row + "3" + row[1:],
            "x" + row[1:],
            row.replace("X", ""),
            row.replace("\ta\ta", "\t \ta"),
        ]
        found, heard = complaints("conllu", write(tmp_path, "a.conllu", "\n".join([*bad, row])))
        assert [example.where.line for example in found] == [17]
        assert heard == [
            "a.conllu:1: 10 columns parted by tabs are expected, and this line has 3",
            "a.conllu:3: 10 columns parted by tabs are expected, and this line has 1 (blanks do not part columns here)",
            "a.conllu:6: word 2 is expected here, and its ID is '1'; is a blank line between sentences missing?",
            "a.conllu:9: word 2 is expected here, and its ID is '3'",
            "a.conllu:11: word 1 is expected here, and its ID is 'x'",
            "a.conllu:13: the column UPOS is empty; `_` stands for nothing",
            "a.conllu:15: the column FORM is empty; `_` stands for nothing",
        ]

    def test_a_column_that_does_not_exist(self, tmp_path):
        with pytest.raises(UsageError, match=r"no column of CoNLL-U called 'upps'; .* Did you mean 'upos'\?"):
            read("conllu", write(tmp_path, "a.conllu", UD), None, "upps")
        assert "there is no column 11" in refusal("conllu", write(tmp_path, "a.conllu", UD), None, "11")


class TestConll:
    def test_columns_parted_by_blanks_or_by_tabs(self, tmp_path):
        begin = "-DOCSTART- -X- -X- O\n\n"
        blanks = begin + "EU NNP I-NP  B-ORG\nrejects VBZ I-VP O\n\n\n" + begin + "Peter NNP I-NP B-PER"
        expected = [(("EU", "rejects"), ("B-ORG", "O")), (("Peter",), ("B-PER",))]
        assert pairs("conll", write(tmp_path, "a", blanks)) == expected
        tabs = "New York\tB-LOC\n1\u00a0000\tO\n"
        assert pairs("conll", write(tmp_path, "b", tabs)) == [(("New York", "1\u00a0000"), ("B-LOC", "O"))]

    def test_one_column_gives_words(self, tmp_path):
        assert pairs("conll", write(tmp_path, "a", "a\nb\n\nc\n")) == [(("a", "b"), None), (("c",), None)]

    def test_columns_are_chosen_by_number(self, tmp_path):
        path = write(tmp_path, "a", "a b c\nd e f\n")
        assert pairs("conll", path, None, "2") == [(("a", "d"), ("b", "e"))]
        assert pairs("conll", path, "3") == [(("c", "f"), None)]
        assert pairs("conll", path, "2", "1") == [(("b", "e"), ("a", "d"))]
        assert read("conll", path, None, "2", "3")[0].references == (("b", "e"), ("c", "f"))
        assert refusal("conll", path, None, "4") == (
            "a: there is no column 4: the first row has 3 columns, numbered from 1"
        )
        with pytest.raises(
            UsageError, match="the columns of the format conll have no names: a number from 1, not 'tag'"
        ):
            read("conll", path, None, "tag")

    def test_comments_before_the_first_word(self, tmp_path):
        path = write(tmp_path, "a", "# id 5b domain=en\n# x = y\n# O\nb O\n# id\n\n# only = comment\n")
        assert pairs("conll", path) == [(("#", "b", "#"), ("O", "O", "id"))]
        assert read("conll", path)[0].where.line == 3

    def test_complaints(self, tmp_path):
        content = "a\tX\nb\n\nc\tY\n\nd\tX\tY\n\ne\t\n\n\tX\n\nf  X\n"
        found, heard = complaints("conll", write(tmp_path, "a", content))
        assert [example.source for example in found] == [("c",)]
        assert heard == [
            "a:2: 2 columns parted by tabs expected, as on line 1, and this line has 1",
            "a:6: 2 columns parted by tabs expected, as on line 1, and this line has 3",
            "a:8: column 2 is empty",
            "a:10: column 1 is empty",
            "a:12: 2 columns parted by tabs expected, as on line 1, and this line has 1",
        ]
        heard = complaints("conll", write(tmp_path, "b", "a X\nb X Y\n"))[1]
        assert heard == ["b:2: 2 columns parted by blanks expected, as on line 1, and this line has 3"]

    @pytest.mark.parametrize("format", ["conll", "conllu"])
    def test_a_sentence_without_end_is_not_held(self, tmp_path, format, monkeypatch):
        monkeypatch.setattr("headway.data.readers._sentences.LONGEST", 10_000)
        path = write(tmp_path, "a", "x y\n" * 50_000 + "\n" + SAMPLES[format])
        tracemalloc.start()
        try:
            found, heard = complaints(format, path)
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
        assert found[-1].source == EXPECTED[format][-1][0]
        assert heard == [
            "a:1: the sentence that begins here has more than 10,000 bytes; are there blank lines between sentences?"
        ]


# --------------------------------------------------------------------------------------------------- slash and lines


class TestSlash:
    def test_the_last_slash_parts_word_and_tag(self, tmp_path):
        path = write(tmp_path, "a", "1/2/CD ///SYM\u3000中共/nt  //w\n\n  and/or/CC\n")
        assert pairs("slash", path) == [
            (("1/2", "//", "中共", "/"), ("CD", "SYM", "nt", "w")),
            (("and/or",), ("CC",)),
        ]

    def test_complaints(self, tmp_path):
        found, heard = complaints("slash", write(tmp_path, "a", "a/b c d/e\na/b c/\n/b\nf/g\n"))
        assert [example.where.line for example in found] == [4]
        assert heard == [
            "a:1: token 2, 'c', has no slash; word/tag is expected",
            "a:2: token 2, 'c/', has no tag; word/tag is expected",
            "a:3: token 1, '/b', has no word; word/tag is expected",
        ]

    def test_has_no_columns_to_choose(self, tmp_path):
        with pytest.raises(UsageError, match=r"the format slash has no columns: leave out --data\.source and --data"):
            read("slash", write(tmp_path, "a", "a/b"), "text")


class TestLines:
    def test_a_line_is_a_source_as_it_stands(self, tmp_path):
        path = write(tmp_path, "a", " a \tb\n<c>\n")
        assert pairs("lines", path) == [(" a \tb", None), ("<c>", None)]
        assert pairs("lines", path, "text", "label") == [(" a \tb", None), ("<c>", None)]

    def test_an_empty_line_is_a_complaint(self, tmp_path):
        found, heard = complaints("lines", write(tmp_path, "a", "a\n\n \nb\n\n"))
        assert [example.where.line for example in found] == [1, 4]
        assert heard == ["a:2: the line is empty; empty lines may stand at the end of the file only"]
