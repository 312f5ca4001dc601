"""Refusals by their codes: one table, of which every line is used, told in OpenAPI, and what the page makes of it."""

import re
from pathlib import Path
from string import Formatter

import pytest
from served import serving, told

from headway.errors import DataError, MissingPackage, UsageError, Where
from headway.serve.limits import REFUSALS, Refusal, problem, refusal
from headway.serve.schemas import Problem

ROOT = Path(__file__).parents[2]
SOURCES = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "headway" / "serve").glob("*.py"))
CHINESE = (ROOT / "web" / "src" / "words" / "zh.ts").read_text("utf-8")


def members(code):
    return {name for _, name, _, _ in Formatter().parse(REFUSALS[code][1]) if name}


def test_every_code_is_used_and_every_number_of_a_sentence_is_in_openapi():
    used = set(re.findall(r'(?:Refusal|_few)\(\s*"(\w+)"', SOURCES)) | {"no_graph", "question"}  # these by a condition
    assert used == set(REFUSALS)
    assert set().union(*map(members, REFUSALS)) - {"said"} <= set(Problem.model_fields)
    assert Problem.model_json_schema()["properties"]["code"]["enum"] == list(REFUSALS)


def test_the_chinese_sentences_are_of_codes_that_there_are_and_of_what_these_tell():
    block = CHINESE.partition("  refusals: {\n")[2].partition("\n  },\n")[0]
    sentences = dict(re.findall(r"^    (\w+): (.*?),$(?=\n    \w+:|\Z)", block, re.M | re.S))
    assert len(sentences) > 20 and set(sentences) <= set(REFUSALS)
    for code, sentence in sentences.items():
        allowed = members(code) | ({"package", "extra"} if code == "package" else set())
        assert set(re.findall(r"of\.(\w+)", sentence)) <= allowed - {"said"}, code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UsageError("no mode called 'x'"), 422, "question"),
        (DataError(Where("a.json", 3), "no {graph}"), 422, "data"),
        (MissingPackage("captum", "explain", "an attribution"), 501, "package"),
    ],
)
def test_what_headway_says_is_a_refusal(error, status, code):
    found = problem(refusal(error))
    assert (found["status"], found["code"]) == (status, code) and str(error).splitlines()[0] in found["detail"]
    assert code != "package" or (found["package"], found["extra"]) == ("captum", "explain")


def test_the_numbers_of_a_sentence_stand_beside_it(runs):
    with serving({"tagger": runs("tag")}, characters=20, inputs=2) as server:
        found = told(server.ask(["ant", "b" * 21]), 422)
        assert (found["code"], found["input"], found["found"], found["allowed"]) == ("input_size", 1, 21, 20)
        assert found["unit"] == "characters" and "21 characters, and one may have 20" in found["detail"]
        assert told(server.ask(["a"] * 3), 422).items() >= {"code": "inputs", "found": 3, "allowed": 2}.items()
        assert told(server.http.get("/nothing"), 404)["code"] == "unknown_address"
        assert told(server.http.get("/v1/runs"), 404)["code"] == "not_watched"


def test_a_code_that_is_not_in_the_table_is_a_mistake():
    with pytest.raises(KeyError):
        Refusal("surely_not")
