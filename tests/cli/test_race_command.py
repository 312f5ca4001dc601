"""`headway race`: the tables that a person reads, the object that machines read, and what is refused."""

import json

import pytest

from headway.cli._racing import print_results
from raced import results


def test_what_a_person_reads(capsys):
    print_results(results(), None)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line] == [
        "         BLEU   identical to greedy  length ratio  length right  repeated  empty",
        " ───────────────────────────────────────────────────────────────────────────────",
        " greedy  30.00  100.00%              0.980         50.00%        1.00%     0.00%",
        " verify  30.00  100.00%              0.980         50.00%        1.00%     0.00%",
        " nat     27.50  25.00%               0.980         50.00%        12.50%    0.00%",
        "         decoder calls  ms, median  ms, p95  a second, 1  a second, 8  a second, 32  best batch",
        " ──────────────────────────────────────────────────────────────────────────────────────────────",
        " greedy  9.50           50          72.5     20           100          200           32",
        " verify  3.25           20          29       50           120          150           32",
        " nat     1.00           12.5        18.1     80           90           100           32",
        "The best BLEU has greedy: 30.00.",
        "One at a time, nat is fastest: 12.5 ms, 4.00 times as fast as greedy, BLEU −2.5.",
        "In batches, greedy answers most: 200 a second (batches of 32).",
        "verify is faster than greedy up to batches of 8, and slower from batches of 32.",
        "nat is faster than greedy one at a time, and slower from batches of 8.",
        "verify wrote for all 1,000 examples what greedy of the same run writes.",
        "Quality is of all 1,000 examples of the part. Length ratio: tokens written for each that is right; length "
        "right: outputs as long as a right one; repeated: tokens the same as the one before, 0.40% in the right "
        "sequences; decoder calls: passes through a decoder for an output.",
        "ms: 21 examples one after another, cutting into tokens and joining included, contestants in turn; a second: "
        "answers in batches of so many, of 128 examples in order of length.",
        "a chip, 1 of 2 threads, Linux, torch 2, headway 0.",
    ]


def test_json_has_a_row_for_each_run_and_mode(headway, runs):
    how = ("--modes", "greedy,beam", "--sentences", 2, "--threads", 1, "--part", "valid", "--json")
    done = headway("race", runs("transduce"), runs.data("transduce"), *how)
    assert done.code == 0 and "latency: 0 of 2" in done.err
    found = json.loads(done.out)
    assert [row["mode"] for row in found["rows"]] == ["greedy", "beam"] and found["part"] == "valid"
    greedy = found["rows"][0]
    assert greedy["run"] == str(runs("transduce")) and greedy["identical"] == 1.0 and greedy["latency_ms"] > 0
    assert greedy["decoder_calls"] > 1 and greedy["latency_p95_ms"] >= greedy["latency_ms"]
    assert found["machine"]["threads"] == 1 and set(found["signatures"]) == set(greedy["metrics"])


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--modes", "gredy"], "no mode called 'gredy'"),
        (["--sentences", "0"], "--sentences must be at least 1"),
        (["--modes", "nat"], "no mode called 'nat'"),
    ],
)
def test_what_was_asked_wrongly_is_refused_with_2(arguments, complaint, headway, runs):
    done = headway("race", runs("transduce"), runs.data("transduce"), *arguments)
    assert done.code == 2 and complaint in done.err, done.err


def test_data_come_last_and_must_be_there(headway, runs, tmp_path):
    done = headway("race", runs("transduce"))
    assert done.code == 2 and "race needs runs and, last, a data set: headway race" in done.err
    assert headway("race", runs("transduce"), tmp_path / "none.tsv").code == 3
    assert headway("race", tmp_path / "none", runs.data("transduce")).code == 1


def test_help_teaches_with_three_examples(headway):
    shown = " ".join(headway("race", "--help").out.split())
    assert shown.count("headway race t") == 3 and "--modes greedy,verify,nat" in shown
