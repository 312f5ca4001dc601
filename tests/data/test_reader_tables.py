"""Tables as examples: which column is what, and what is wrong with a row."""

import json
from pathlib import Path

import pytest
from reading import complaints, pairs, read, refusal, write

# ----------------------------------------------------------------------------------------------------------------- TSV


def tsv(folder: Path, *rows: str) -> Path:
    return write(folder, "a.tsv", "".join(row + "\n" for row in rows))


class TestTsv:
    def test_without_header_the_first_column_is_the_source(self, tmp_path):
        assert pairs("tsv", tsv(tmp_path, "a b\tc\tx", "d\te\ty")) == [("a b", "c"), ("d", "e")]

    def test_one_column_gives_sources(self, tmp_path):
        assert pairs("tsv", tsv(tmp_path, "a b", "c")) == [("a b", None), ("c", None)]
        assert pairs("tsv", tsv(tmp_path, "Sentence", "a")) == [("a", None)]

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("text\tlabel\tid", ("1", "2")),
            ("ID\tLabel\tText", ("3", "2")),
            ("id\tsentence\tgrade", ("2", "3")),
            ("text\tlabel\tsource", ("1", "2")),  # a source by its name, and less well known than `text`
            ("source\ttarget\tscore", ("1", "2")),
            ("src\ttranslation\tmood", ("1", "2")),
            ("grade\tcategory\tuser", ("1", "2")),
            ("mood\tgrade\tSentence", ("3", None)),  # which of two unknown names is the target?
            ("idx\ttext\tlang", ("2", None)),
            ("\ttext\tlabel", ("2", "3")),  # pandas numbers the rows under no name, and reads that as `Unnamed: 0`
            ("\tlabel\tmood", ("3", "2")),
            ("Unnamed: 0\tmood\tlabel", ("2", "3")),
        ],
    )
    def test_a_header_is_known_by_its_names(self, tmp_path, header, expected):
        assert pairs("tsv", tsv(tmp_path, header, "1\t2\t3")) == [expected]

    @pytest.mark.parametrize("first", ["a text\tlabels are", "text\ttext", "text\t", "id\tuser", "posts\ttexts"])
    def test_a_first_row_that_is_no_header_is_an_example(self, tmp_path, first):
        assert len(pairs("tsv", tsv(tmp_path, first, "c\td"))) == 2

    @pytest.mark.parametrize("choice", [("en", "de"), ("EN", "De"), ("1", "2"), ("en", "2")])
    def test_a_choice_by_name_makes_the_header(self, tmp_path, choice):
        path = tsv(tmp_path, "en\tde\tfr", "a\tb\tc")
        assert pairs("tsv", path, *choice)[-1] == ("a", "b")
        assert len(pairs("tsv", path, *choice)) == (2 if choice == ("1", "2") else 1)

    def test_a_choice_by_number_makes_no_header(self, tmp_path):
        assert pairs("tsv", tsv(tmp_path, "a\t2", "b\t1"), None, "2") == [("a", "2"), ("b", "1")]

    def test_what_is_not_chosen_is_found(self, tmp_path):
        path = tsv(tmp_path, "x\ttext\tlabel", "1\t2\t3")
        assert pairs("tsv", path, "x") == [("1", "3")]
        assert pairs("tsv", path, None, "x") == [("2", "1")]
        assert pairs("tsv", tsv(tmp_path, "a\tb\tc"), "2") == [("b", "c")]
        assert pairs("tsv", tsv(tmp_path, "a\tb\tc"), None, "1") == [("b", "a")]
        assert pairs("tsv", tsv(tmp_path, "a\tb"), "2") == [("b", "a")]

    def test_several_targets_are_references(self, tmp_path):
        path = tsv(tmp_path, "src\tr1\tr2\tr3", "a\tb\t\td", "e\t\tf\tg", "h\t\t\t")
        found = read("tsv", path, None, "r1", "r2", "r3")
        assert [example.references for example in found] == [("b", "d"), ("f", "g"), ("",)]

    def test_quotes_are_characters(self, tmp_path):
        assert pairs("tsv", tsv(tmp_path, '"a\t"b"')) == [('"a', '"b"')]

    def test_an_empty_target_is_left_to_the_task(self, tmp_path):
        assert pairs("tsv", tsv(tmp_path, "a\t", "b\tc")) == [("a", ""), ("b", "c")]

    def test_complaints(self, tmp_path):
        rows = ("text\tlabel", "a\tb", "c", "d\te\tf", "", "", "\tx", " \ty", "g\th", "\t", "")
        found, heard = complaints("tsv", tsv(tmp_path, *rows))
        assert [example.where.line for example in found] == [2, 9]
        assert heard == [
            "a.tsv:3: the row has 1 cell, and the first row (line 1) has 2 cells",
            "a.tsv:4: the row has 3 cells, and the first row (line 1) has 2 cells (is there a tab inside a cell?)",
            "a.tsv:5: the row is empty; empty rows may stand at the end of the file only",
            "a.tsv:7: the source (column 1, 'text') is empty",
            "a.tsv:8: the source (column 1, 'text') is empty",
        ]
        assert complaints("tsv", tsv(tmp_path, "a\tb", "\tc"))[1] == ["a.tsv:2: the source (column 1) is empty"]

    def test_a_chosen_column_that_is_not_there_ends_the_reading(self, tmp_path):
        path = tsv(tmp_path, "text\tlabel", "a\tb")
        assert refusal("tsv", path, None, "lable") == (
            "a.tsv: no column called 'lable'; there are: label, text. Did you mean 'label'?"
        )
        assert refusal("tsv", path, "3") == "a.tsv: there is no column 3: the first row has 2 columns, numbered from 1"
        assert "no column 0" in refusal("tsv", path, "0") and "no column 9" in refusal("tsv", path, "9" * 5000)
        assert refusal("tsv", tsv(tmp_path, "a b\tc"), "en") == (
            "a.tsv: no column called 'en': the first row names no columns, it holds a b, c; "
            "choose columns by number, from 1"
        )
        assert refusal("tsv", tsv(tmp_path, "label", "a"), None, "label") == (
            "a.tsv: no column is left for the source: label; choose one: --data.source"
        )
        assert refusal("tsv", tsv(tmp_path, "text\tlabel")) == "a.tsv: the file holds no examples"


# ----------------------------------------------------------------------------------------------------------------- CSV


class TestCsv:
    def test_cells_hold_commas_quotes_and_line_ends(self, tmp_path):
        content = 'text,label\n"a, ""b""",x\r\n"c\nd\r\n\n",y\ne,z\n'
        found = read("csv", write(tmp_path, "a.csv", content))
        assert [(e.source, e.target, e.where.line) for e in found] == [
            ('a, "b"', "x", 2),
            ("c\nd\n\n", "y", 3),
            ("e", "z", 7),
        ]

    def test_semicolons_part_cells_where_the_header_says_so(self, tmp_path):
        assert pairs("csv", write(tmp_path, "a.csv", '"Text";Label\n"a;b";1,5\n')) == [("a;b", "1,5")]
        assert pairs("csv", write(tmp_path, "b.csv", "en;de\na;b\n"), "en", "de") == [("a", "b")]
        assert pairs("csv", write(tmp_path, "c.csv", "good;a,b\n")) == [("good;a", "b")]

    def test_a_cell_may_be_longer_than_the_csv_module_likes(self, tmp_path):
        assert pairs("csv", write(tmp_path, "a.csv", f"{'x' * 200_000},y\n")) == [("x" * 200_000, "y")]

    def test_complaints(self, tmp_path):
        content = 'text,label\n"a"b,x\nc,d,e\n\n\nf\n"\n",y\n,\ng,h\n"i\n\xff",j\nk,l\n,\n\n'.encode("latin1")
        found, heard = complaints("csv", write(tmp_path, "a.csv", content))
        assert [(example.source, example.where.line) for example in found] == [("g", 10), ("k", 13)]
        assert heard == [
            "a.csv:2: a cell goes on after its closing quote; a quote inside a cell is written twice",
            "a.csv:3: the row has 3 cells, and the first row (line 1) has 2 cells "
            "(a comma inside a cell needs quotes around the cell)",
            "a.csv:4: the row is empty; empty rows may stand at the end of the file only",
            "a.csv:6: the row has 1 cell, and the first row (line 1) has 2 cells",
            "a.csv:7: the source (column 1, 'text') is empty",
            "a.csv:9: the row is empty; empty rows may stand at the end of the file only",
            "a.csv:12: byte 1 of the line (0xff) is not UTF-8; convert the file with `iconv -f latin1 -t utf-8`",
        ]

    def test_a_quote_that_is_not_closed(self, tmp_path):
        path = write(tmp_path, "a.csv", 'a,b\n"c,d\ne,f\n')
        assert complaints("csv", path)[1] == [
            "a.csv:2: a quote is opened in this row and not closed before the end of the file"
        ]
        path = write(tmp_path, "b.csv", 'a,b\n"c,d\n' + f"{'x' * 999}\n" * 10_010)
        assert complaints("csv", path)[1][0] == (
            "b.csv:2: a cell is longer than 10,000,000 characters; is a quote not closed?"
        )

    def test_a_carriage_return_in_a_cell(self, tmp_path):
        assert complaints("csv", write(tmp_path, "a.csv", "a,b\nc\rd,e\n"))[1] == [
            "a.csv:2: a carriage return stands inside a cell without quotes"
        ]


# --------------------------------------------------------------------------------------------------------------- JSONL


def jsonl(folder: Path, *rows: object) -> Path:
    return write(folder, "a.jsonl", "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


class TestJsonl:
    @pytest.mark.parametrize(
        ("row", "source", "target", "others"),
        [
            ({"text": "a", "label": "b", "id": 7}, "a", "b", ()),
            ({"id": 7, "Label": "b", "Text": "a"}, "a", "b", ()),
            ({"en": "a", "de": "b"}, "a", "b", ()),
            ({"text": "a"}, "a", None, ()),
            ({"text": "a", "label": None}, "a", None, ()),
            ({"text": "a", "score": 1}, "a", 1, ()),
            ({"text": "a", "score": -1.5e3}, "a", -1500.0, ()),
            ({"text": "a", "label": True}, "a", "true", ()),
            ({"text": "a", "label": False}, "a", "false", ()),
            ({"text": "a", "labels": ["x", "y"]}, "a", ("x", "y"), ()),
            ({"text": "a", "labels": []}, "a", (), ()),
            ({"tokens": ["a", "b"], "tags": ["x", "y"]}, ("a", "b"), ("x", "y"), ()),
            ({"tokens": ["a", "b"], "ner_tags": [0, 3]}, ("a", "b"), ("0", "3"), ()),
            ({"tokens": ["a", "b"], "target": ["x", "y"]}, ("a", "b"), ("x", "y"), ()),
            ({"src": "a", "target": ["x", "y"]}, "a", "x", ("y",)),
            ({"src": "a", "translation": ["x"]}, "a", "x", ()),
            ({"src": "a", "references": ["x", "y", "z"]}, "a", "x", ("y", "z")),
            ({"src": "a", "references": "x"}, "a", "x", ()),
            ({"tokens": ["a"], "references": [["x"], ["y"]]}, ("a",), ("x",), (("y",),)),
            ({"src": "a", "tgt": "x", "references": ["x", "y"]}, "a", "x", ("y",)),
            ({"text": "a\u2028b\n", "label": "é"}, "a\u2028b\n", "é", ()),
        ],
    )
    def test_what_keys_and_values_mean(self, tmp_path, row, source, target, others):
        (example,) = read("jsonl", jsonl(tmp_path, row))
        assert (example.source, example.target, example.others) == (source, target, others)
        assert type(example.target) is type(target)

    def test_keys_are_chosen_by_name(self, tmp_path):
        path = jsonl(tmp_path, {"Q": "a", "A": "b", "B": "c", "label": "d"}, {"a": "f", "q": "e"})
        assert [(e.source, e.references) for e in read("jsonl", path, "q", "a", "b")] == [
            ("a", ("b", "c")),
            ("e", ("f",)),
        ]

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ('{"text": "a"', "this is no JSON: Expecting ',' delimiter, at column 13"),
            ("[1]", "an object is expected on every line, and this is a list; every line is one object (`jq -c '.[]'`"),
            ("[", "this is no JSON: Expecting value, at column 2; every line is one object (`jq -c '.[]'` makes lines"),
            ("{", "`jq -c .` of objects)"),
            ("7", "an object is expected on every line, and this is a number"),
            ("null", "an object is expected on every line, and this is null"),
            ('{"text": "a", "label": NaN}', "NaN is no number of JSON"),
            ('{"text": "a", "label": -Infinity}', "-Infinity is no number of JSON"),
            ('{"text": "a", "label": 1e999}', "the number under 'label' is too large"),
            (f'{{"text": "a", "label": {"9" * 5000}}}', "a whole number of 5,000 digits is too long"),
            ('{"text": "a", "label": "b", "label": "c"}', "the key 'label' stands twice in one object"),
            (
                '{"text": "a", "label": {"b": 1}}',
                "the target ('label') is an object; a string, a number or a list is exp",
            ),
            ('{"text": "a", "label": [["b"]]}', "the list under 'label' holds something else than labels: strings are"),
            ('{"text": "a", "label": [1.5]}', "the list under 'label' holds something else than labels"),
            ('{"text": "", "label": "b"}', "the source ('text') is empty"),
            ('{"text": " ", "label": "b"}', "the source ('text') is empty"),
            ('{"text": [], "label": "b"}', "the source ('text') is empty"),
            ('{"text": ["a", 1], "label": "b"}', "the source ('text') is a list with something else than words in it"),
            ('{"text": ["a", ""], "label": "b"}', "the source ('text') is a list with something else than words in it"),
            (
                '{"text": 7, "label": "b"}',
                "the source ('text') is a number, and a string or a list of words is expected",
            ),
            (
                '{"text": null, "label": "b"}',
                "the source ('text') is null, and a string or a list of words is expected",
            ),
            ('{"text": true, "label": "b"}', "the source ('text') is true or false, and a string or"),
            ('{"tixt": "a", "label": "b"}', "no key called 'text'; there are: label, tixt. Did you mean 'text'?"),
            ('{"text": "a", "lable": "b"}', "no key called 'label'; there are: lable, text. Did you mean 'lable'?"),
            ('{"text": "\\ud800", "label": "b"}', "the string under 'text' holds \\u0000 or half of a surrogate pair"),
            ('{"text": "a", "label": "\\u0000"}', "the string under 'label' holds \\u0000 or half of a surrogate pair"),
            ("[" * 100_000, "the JSON is nested too deep"),
            ('{"text": "a", "label": ' + "[" * 100_000, "the JSON is nested too deep"),
            ("", "the line is empty; empty lines may stand at the end of the file only"),
            ("{}", "no key called 'text'; there are: none."),
        ],
    )
    def test_complaints(self, tmp_path, row, words):
        path = jsonl(tmp_path, {"text": "a", "label": "b"}, row, {"text": "c", "label": "d"})
        found, heard = complaints("jsonl", path)
        assert [example.source for example in found] == ["a", "c"]
        assert len(heard) == 1 and heard[0].startswith("a.jsonl:2: ")
        assert words.replace("Did you mean 'text'?", "Did you mean 'tixt'?") in heard[0]

    def test_other_complaints(self, tmp_path):
        path = jsonl(tmp_path, {"text": "a"}, {"text": "b", "label": "c"})
        assert complaints("jsonl", path)[1] == ["a.jsonl:2: the key 'label' stands here, and line 1 has no target"]
        assert complaints("jsonl", jsonl(tmp_path, {"src": "a", "references": []}))[1] == [
            "a.jsonl:1: the list 'references' is empty"
        ]
        assert complaints("jsonl", jsonl(tmp_path, {"text": "a", "label": "b"}), None, "lable")[1] == [
            "a.jsonl:1: no key called 'lable'; there are: label, text. Did you mean 'label'?"
        ]
        assert complaints("jsonl", jsonl(tmp_path, {"id": "a", "url": "b"}))[1] == [
            "a.jsonl:1: no key holds a source; there are: id, url. Choose it: --data.source"
        ]

    def test_an_object_of_very_many_keys_is_read_quickly(self, tmp_path):
        many = ", ".join(f'"k{i}": 1' for i in range(20_000))
        heard = complaints("jsonl", jsonl(tmp_path, {"text": "a"}, "{" + many + "}", "{" + many + ', "k5": 1}'))[1]
        assert len(heard) == 2 and all(len(text) < 400 for text in heard)
