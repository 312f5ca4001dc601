"""`headway.race`: what is measured of whom, what it says, and the files that it leaves."""

import json
import shutil
from dataclasses import replace

import pytest

import headway
from headway.batch import Example, TransduceAnswer
from headway.data.codecs import Sequences
from headway.data.tokenizers import TOKENIZERS, tokenizer_of
from headway.errors import RunError, UsageError
from headway.lab.race import race
from headway.lab.race.contestants import Contestant
from headway.lab.race.markdown import markdown
from headway.lab.race.page import page
from headway.lab.race.quality import quality, repetitions
from headway.lab.race.racing import Watcher
from headway.lab.race.table import table
from headway.lab.race.timing import latencies, spread, throughputs
from headway.lab.race.verdict import verdict
from headway.run import Run
from little import quick, tiny, write
from pages import Reader
from raced import results, row

# ------------------------------------------------------------------------------------------------------------- quality


def codec() -> Sequences:
    tokenizer = tokenizer_of(TOKENIZERS.choose("character"))
    tokenizer.fit(["abcd"])
    return Sequences(tokenizer, False, ("exact_match",))


def said(text: str, calls: int = 1) -> TransduceAnswer:
    return TransduceAnswer(text, tuple(text), calls=calls)


def test_what_goes_wrong_is_counted_by_hand():
    answers = [said("aab", 4), said("", 1), said("abcd", 5)]
    examples = [Example("1", "ab"), Example("2", "c", others=("cc",)), Example("3", "abc", others=("abcdabcd", "dcba"))]
    greedy = [said("aab"), said("c"), said("abcd")]
    found, signatures = quality(answers, examples, codec(), ["exact_match"], True, greedy)
    assert found.metrics == {"exact_match": 0.0} and set(signatures) == {"exact_match"}
    assert found.decoder_calls == pytest.approx(10 / 3)
    assert found.length_ratio == pytest.approx(7 / (2 + 1 + 4)), "of several right lengths the nearest"
    assert found.length_accuracy == pytest.approx(1 / 3) and found.empty == pytest.approx(1 / 3)
    assert found.repetitions == pytest.approx(1 / 7) and found.identical == pytest.approx(2 / 3)


def test_what_is_not_known_is_not_told():
    found, _ = quality([said("a")], [Example("1", "a")], codec(), ["exact_match"], False, None)
    assert found.decoder_calls is None and found.identical is None and found.metrics == {"exact_match": 1.0}


def test_repetitions_are_shares_of_all_tokens():
    assert repetitions([]) == 0.0 and repetitions(["aaa", "b", ""]) == pytest.approx(2 / 4)


def check(made: str) -> None:
    assert Reader(made).problems == []


# -------------------------------------------------------------------------------------------------------------- timing


def scripted(name: str, turns: list[tuple[str, tuple[str, ...], int | None]]) -> Contestant:
    def answer(examples, together):
        turns.append((name, tuple(example.source for example in examples), together))
        return [said(example.source) for example in examples]

    return Contestant(name, "greedy", Run(), codec(), answer)


def test_contestants_take_turns_and_nobody_begins_every_turn():
    turns: list = []
    racing = [scripted("A", turns), scripted("B", turns)]
    examples = [Example(source) for source in "abcd"]
    heard = []
    found = latencies(racing, examples, lambda *told: heard.append(told))
    assert [len(seconds) for seconds in found] == [4, 4] and all(second >= 0 for row in found for second in row)
    warm_up, measured = turns[:6], turns[6:]
    assert [turn[0] for turn in warm_up] == list("AAABBB")
    assert [(turn[0], turn[1][0]) for turn in measured] == list(zip("ABBAABBA", "aabbccdd"))
    assert heard[0] == ("latency", 0, 4) and heard[-1] == ("latency", 4, 4)


def test_batches_are_of_like_length_and_no_larger_than_what_there_is():
    turns: list = []
    examples = [Example("x" * (1 + i % 5)) for i in range(20)]
    (found,) = throughputs([scripted("A", turns)], examples, lambda *_: None)
    assert list(found) == [8] and found[8] > 0
    assert [len(sources) for _, sources, _ in turns] == [8, 8, 4] and [together for *_, together in turns] == [8, 8, 4]
    lengths = [len(source) for _, sources, _ in turns for source in sources]
    assert lengths == sorted(lengths)


def test_examples_are_taken_evenly():
    ten = [Example(str(i)) for i in range(10)]
    assert [example.source for example in spread(ten, 4)] == ["0", "2", "5", "7"] and spread(ten, 11) == ten


# ------------------------------------------------------------------------------------------------------------- results


def test_what_it_says_is_who_is_fastest_where_and_at_what_price():
    assert verdict(results()) == [
        "The best BLEU has greedy: 30.00.",
        "One at a time, nat is fastest: 12.5 ms, 4.00 times as fast as greedy, BLEU −2.5.",
        "In batches, greedy answers most: 200 a second (batches of 32).",
        "verify is faster than greedy up to batches of 8, and slower from batches of 32.",
        "nat is faster than greedy one at a time, and slower from batches of 8.",
        "verify wrote for all 1,000 examples what greedy of the same run writes.",
    ]


def test_one_that_is_overtaken_later_and_one_that_never_is():
    slow = row("slow", 30.0, {1: 10.0, 8: 150.0, 32: 250.0}, identical=0.5)
    said_ = verdict(results(row("greedy", 30.0, {1: 20.0, 8: 100.0, 32: 200.0}, identical=1.0), slow))
    assert said_[2:] == [
        "In batches, slow answers most: 250 a second (batches of 32), 1.25 times as fast as greedy, BLEU the same.",
        "slow is slower than greedy one at a time, and faster from batches of 8.",
    ]
    assert len(verdict(results(slow))) == 3


def test_the_table_has_a_cell_for_every_column():
    found = table(results())
    assert all(len(cells) == len(found.columns) for cells in found.rows)
    assert found.columns[found.costs :] == (
        "decoder calls", "ms, median", "ms, p95", "a second, 1", "a second, 8", "a second, 32", "best batch",
    )  # fmt: skip
    assert found.rows[1][: found.costs] == ("30.00", "100.00%", "0.980", "50.00%", "1.00%", "0.00%")
    assert found.rows[1][found.costs :] == ("3.25", "20", "29", "50", "120", "150", "32")


def test_a_row_as_json_has_these_keys():
    told = results().rows[1].as_json()
    assert list(told) == [
        "run", "mode", "name", "metrics", "decoder_calls", "length_ratio", "length_accuracy", "repetitions", "empty",
        "identical", "latency_ms", "latency_p95_ms", "best_batch", "per_second", "per_second_by_batch",
    ]  # fmt: skip
    assert told["latency_ms"] == pytest.approx(20.0) and told["latency_p95_ms"] == pytest.approx(29.0)
    assert told["best_batch"] == 32 and told["per_second"] == 150.0 and json.dumps(told)


def test_the_page_is_well_formed_and_shows_both_crossings():
    made = page(results())
    check(made)
    assert "Times as fast as greedy, over the size of batches" in made and "batch 1" in made
    assert "Milliseconds of one answer over its source" in made and "length in words" in made
    assert page(results()) == made


def test_names_from_data_break_nothing():
    bad = replace(results(), data="<script>|*", command="headway race <b>")
    check(page(bad))
    assert "<script>" not in page(bad) and "\\|\\*" in markdown(bad)
    assert "| verify | 30.00 | 100.00% | 0.980 | 50.00% | 1.00% | 0.00% |" in markdown(bad)


# -------------------------------------------------------------------------------------------------------------- a race


class Hears(Watcher):
    def __init__(self) -> None:
        self.told: list[str] = []

    def counted(self, what: str, done: int, total: int) -> None:
        self.told.append(what)


def test_two_runs_in_two_modes(runs, tmp_path):
    folders, data, watch = [runs("transduce"), runs("transduce", 1)], runs.data("transduce"), Hears()
    how = {"modes": ["greedy", "beam"], "sentences": 3, "threads": 1, "beam": 2}
    found = race(folders, data, **how, out=tmp_path / "out", watch=watch)
    assert [(one.run, one.mode) for one in found.rows] == [(str(f), m) for f in folders for m in ("greedy", "beam")]
    for folder, own in zip(folders, found.rows[::2]):
        predictor = headway.load(folder)
        examples = [Example(*line.split("\t")) for line in (data / "test.tsv").read_text().splitlines()]
        values, _, answers = predictor.evaluate(examples, mode="greedy")
        assert own.quality.metrics == pytest.approx(values) and own.quality.identical == 1.0
        mean = sum(len(answer.tokens) for answer in answers) / len(answers)
        assert own.quality.decoder_calls == pytest.approx(mean + 1), "one for every token, and one for the end"
        beam = predictor.predict(examples, mode="beam", beam=2)
        same = sum(a.text == b.text for a, b in zip(answers, beam)) / len(beam)
        assert found.rows[found.rows.index(own) + 1].quality.identical == pytest.approx(same)
    assert all(len(one.seconds) == 3 and list(one.by_batch) == [1, 8] for one in found.rows)
    assert found.timed == (3, 12) and found.examples == 12 and found.machine["threads"] == 1
    assert {"latency", "batches of 8"} <= set(watch.told)
    assert json.loads((tmp_path / "out" / "race.json").read_text())["rows"][0]["mode"] == "greedy"
    check((tmp_path / "out" / "race.html").read_text())
    assert (tmp_path / "out" / "race.md").read_text() == markdown(found)


def test_a_run_that_writes_all_at_once_races_in_its_one_mode(runs, tmp_path):
    settings = tiny("transduce", {"model.task.decoder": "length", "training.steps": 3})
    quick(runs.data("transduce"), tmp_path / "nat", settings=settings)
    (own,) = race(tmp_path / "nat", runs.data("transduce"), sentences=2, threads=1).rows
    assert own.mode == "nat" and own.quality.identical is None and own.quality.decoder_calls == pytest.approx(1.0)


def test_what_cannot_race_is_refused(runs, tmp_path):
    run, data = runs("transduce"), runs.data("transduce")
    for asked, how, told in (
        ([], {}, "nothing races: give a run folder"),
        ([run, run], {}, "was given twice"),
        ([runs("tag")], {}, r"answers tag, and race is for runs that write sequences \(transduce\)"),
        ([run], {"modes": ["gredy"]}, "no mode called 'gredy'.*Did you mean 'greedy'"),
        ([run], {"sentences": 0}, "--sentences must be at least 1, and is 0"),
        ([run], {"threads": 0}, "--threads must be at least 1, and is 0"),
        ([run], {"beam": 0, "modes": ["beam"]}, "beam must be at least 1, and is 0"),
    ):
        with pytest.raises(UsageError, match=told):
            race(asked, data, **how)
    with pytest.raises(RunError):
        race(tmp_path / "none", data)


def test_runs_that_read_the_data_differently_do_not_race(runs, tmp_path):
    rows = [line.split("\t") for line in (runs.data("transduce") / "train.tsv").read_text().splitlines()]
    for part in ("train", "valid", "test"):
        write(tmp_path / "data" / f"{part}.tsv", ["source\ttarget", *map("\t".join, rows[:30])])
    turned = tiny("transduce", {"data.source": "target", "data.target": "source", "training.steps": 2})
    quick(tmp_path / "data", tmp_path / "turned", settings=turned)
    shutil.copytree(runs("transduce"), tmp_path / "usual")
    with pytest.raises(
        UsageError, match=r"read other sources or targets from .*: race runs that were trained on the same"
    ):
        race([tmp_path / "usual", tmp_path / "turned"], tmp_path / "data", sentences=2)


@pytest.mark.long
def test_an_exported_run_races_beside_the_run_that_it_was(runs, tmp_path):
    pytest.importorskip("ctranslate2")
    from headway.export import export

    run, data = runs("transduce"), runs.data("transduce")
    export(run, "ctranslate2", tmp_path / "fast")
    greedy, fast = race([run, tmp_path / "fast"], data, modes=["greedy"], sentences=2, threads=1).rows
    assert fast.mode == "ctranslate2" and fast.name == "fast ctranslate2" and fast.run == str(tmp_path / "fast")
    assert fast.quality.identical == 1.0 and fast.quality.decoder_calls is None
    assert fast.quality.metrics == pytest.approx(greedy.quality.metrics) and list(fast.by_batch) == [1, 8]
    (_, other) = race([runs("transduce", 1), tmp_path / "fast"], data, modes=["greedy"], sentences=2, threads=1).rows
    assert other.quality.identical is None, "the run that it was does not race"
    with pytest.raises(UsageError, match="races beside runs of headway's: give the one that it was, too"):
        race(tmp_path / "fast", data)
