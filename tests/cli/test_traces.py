"""The trace of a decoding in the terminal and as JSON: every kind of decision, with and without colours."""

import io
import json
import math

from rich.console import Console

from headway.batch import BEGIN, END, PAD, Decision, Example, TransduceAnswer
from headway.cli._answers import as_json, write_answers
from headway.cli._traces import trace_lines
from headway.data.codecs import Sequences
from headway.data.tokenizers import TOKENIZERS, tokenizer_of
from headway.search import Choice, Hypothesis


def step(what: str, where: int, taken: str | int, p: float, call: int = 0, **others: float) -> Decision:
    return Decision(what, where, taken, math.log(p), tuple((name, math.log(q)) for name, q in others.items()), call)


def shown(*trace: Decision, calls: int = 1, width: int = 100, colours: bool = False) -> str:
    """What is printed, without the blanks at the ends of lines."""
    out = io.StringIO()
    console = Console(
        file=out, highlight=False, soft_wrap=True, color_system="standard" if colours else None, force_terminal=colours
    )
    for line in trace_lines(TransduceAnswer("", calls=calls, trace=trace), width):
        console.print(line)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_one_token_after_another_with_what_else_it_could_have_been():
    told = shown(step("token", 0, " ich", 0.93, du=0.03, er=0.02), step("end", 1, "<end>", 0.99, 1), calls=2)
    assert told == (
        "     step  written      p  instead\n"
        "        0  ▁ich     0.930  du 0.030  er 0.020\n"
        "        1  <end>    0.990\n"
        "    2 passes through a decoder"
    )


def test_a_length_comes_first_with_the_next_best():
    length = Decision("length", 0, 2, math.log(0.62), ((3, math.log(0.2)), (1, math.log(0.1))))
    told = shown(length, step("token", 0, "D", 0.9, T=0.1), step("token", 1, "R", 0.5))
    assert told == (
        "    length 2  0.620  3 0.200  1 0.100\n"
        "     step  written      p  instead\n"
        "        0  D        0.900  T 0.100\n"
        "        1  R        0.500\n"
        "    1 pass through a decoder"
    )


def test_positions_that_are_written_again_stand_below_their_pass():
    told = shown(step("token", 0, "a", 0.5), step("token", 1, "b", 0.4), step("token", 1, "c", 0.9, 1), calls=2)
    assert told == (
        "     step  written      p  instead\n"
        "    pass 0\n"
        "        0  a        0.500\n"
        "        1  b        0.400\n"
        "    pass 1\n"
        "        1  c        0.900\n"
        "    2 passes through a decoder"
    )


def test_of_several_candidates_it_is_told_which_was_taken():
    chosen = Decision("candidate", 0, 4, math.log(0.021), ((0, math.log(0.017)),))
    assert shown(chosen) == "    candidate 4  0.021  0 0.017\n    1 pass through a decoder"


FRAMES = [step("token", 0, "IH", 0.9), step("repeat", 1, "IH", 0.8), step("blank", 2, "<blank>", 0.7, R=0.2)]


def test_frames_stand_above_the_pieces_that_they_begin():
    assert shown(*FRAMES, step("token", 3, "R", 0.6)) == (
        "    frames   IH IH · R\n"
        "    written  IH      R\n"
        "    frame  written      p  instead\n"
        "        0  IH       0.900\n"
        "        1  ″IH      0.800\n"
        "        2  ·        0.700  R 0.200\n"
        "        3  R        0.600\n"
        "    1 pass through a decoder"
    )


def test_many_frames_are_wrapped():
    lines = shown(*FRAMES, *FRAMES, width=24).splitlines()
    assert lines[:4] == ["    frames   IH IH · IH", "    written  IH      IH", "    frames   IH ·", "    written"]


def test_a_path_through_nodes():
    told = shown(step("node", 0, "D", 0.9), step("node", 3, "R", 0.8, L=0.1), step("end", 7, "<end>", 1.0))
    assert told.splitlines()[:2] == ["    path     D@0 → R@3 → <end>@7", "     node  written      p  instead"]
    told = shown(step("node", 0, "D", 0.9), step("repeat", 2, "D", 0.8))
    assert told.splitlines()[0] == "    path     D@0 → ″D@2", "which is written once"


VERIFIED = [
    *(step("draft", i, piece, 0.5) for i, piece in enumerate([" ich", " lauf", "<end>"])),
    step("accepted", 0, " ich", 0.9, 1),
    step("corrected", 1, " laufe", 0.8, 1, lauf=0.1),
    step("single", 2, " heim", 0.7, 2),
    step("accepted", 3, "<end>", 0.9, 3),
]


def test_what_was_drafted_and_what_became_of_it_is_told_by_signs():
    assert shown(*VERIFIED, calls=4) == (
        "    draft    ▁ich ▁lauf <end>\n"
        "    pass 1   +▁ich !▁laufe\n"
        "    pass 2   =▁heim\n"
        "    pass 3   +<end>\n"
        "    + accepted, ! corrected, = written alone\n"
        "     step  written      p  instead\n"
        "        0  +▁ich    0.900\n"
        "        1  !▁laufe  0.800  lauf 0.100\n"
        "        2  =▁heim   0.700\n"
        "        3  +<end>   0.900\n"
        "    4 passes through a decoder"
    )


def test_a_terminal_gets_the_same_in_colours():
    coloured = shown(*VERIFIED, colours=True)
    assert "\x1b[32m+▁ich" in coloured and "\x1b[1;33m!▁laufe" in coloured and "\x1b" not in shown(*VERIFIED)


def test_pieces_tell_the_terminal_nothing_and_no_trace_is_no_line():
    assert "\\x1b[31m" in shown(step("token", 0, "\x1b[31m[bold]", 0.5)) and "[bold]" in shown(*FRAMES[:0]) + "[bold]"
    assert trace_lines(TransduceAnswer("a")) == []


def codec() -> Sequences:
    tokenizer = tokenizer_of(TOKENIZERS.choose("character"))
    tokenizer.fit(["ab"])
    return Sequences(tokenizer, False, ())


def test_the_codec_names_tokens_and_leaves_lengths():
    trace = (
        Choice("length", 0, 7, -0.5, ((8, -1.0),)),
        Choice("token", 0, 4, -0.25, ((5, -2.0), (END, -3.0)), 1),
        Choice("blank", 1, PAD, -0.1, ((4, -4.0),)),
        Choice("draft", 1, END, -0.1),
    )
    answer = codec().answer([Hypothesis((4, 5), calls=3, trace=trace)], (), False)
    assert answer.text == "ab" and answer.calls == 3
    assert answer.trace == (
        Decision("length", 0, 7, -0.5, ((8, -1.0),)),
        Decision("token", 0, "a", -0.25, (("b", -2.0), ("<end>", -3.0)), 1),
        Decision("blank", 1, "<blank>", -0.1, (("a", -4.0),)),
        Decision("draft", 1, "<end>", -0.1),
    )
    assert answer == codec().answer([Hypothesis((4, 5))], (), False), "calls and trace are no part of what was answered"
    assert BEGIN not in (choice.taken for choice in trace)


def test_json_has_the_trace_only_where_it_was_asked_for():
    trace = (Decision("token", 0, "a", -0.5, (("b", -1.0),)),)
    told = json.loads(json.dumps(as_json(Example("x"), TransduceAnswer("a", ("a",), calls=1, trace=trace))))
    assert told["calls"] == 1
    assert told["trace"] == [
        {"what": "token", "where": 0, "taken": "a", "log_p": -0.5, "others": [["b", -1.0]], "call": 0}
    ]
    assert as_json(Example("x"), TransduceAnswer("a", ("a",), calls=1)) == {
        "source": "x",
        "text": "a",
        "tokens": ("a",),
    }


def test_the_trace_stands_below_its_answer(capsys):
    answer = TransduceAnswer("a", trace=(Decision("token", 0, "a"),))
    how = {"scores": False, "nbest": 1, "columns": False, "json": False, "at_once": False}
    write_answers([(Example("x"), answer), (Example("y"), TransduceAnswer("b"))], **how)
    assert capsys.readouterr().out.splitlines() == [
        "a",
        "     step  written      p  instead",
        "        0  a        1.000",
        "b",
    ]
