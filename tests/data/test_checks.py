"""What a check says of data: each finding from a few rows, counts against comparing every row with every other."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import Example
from headway.data import checking
from headway.data.checking import Report, check, glance, in_short
from headway.data.checks import CHECKS, Finding, Row, Setup, checks_for, lead
from headway.data.checks._spread import Spread
from headway.data.checks.mojibake import twice_encoded
from headway.data.checks.scripts import is_mixed
from headway.data.tokenizers.word import Settings, Word
from headway.errors import Where
from headway.planning import outline
from headway.settings import assignments

PARTS = ("train", "valid", "test")
WORDS = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"]


def setup(task: str = "classify", **more) -> Setup:
    usual = {"several": False, "kind": "text", "max_length": 50, "over_long": "truncate"}
    tokenizer = Word(Settings()) if more.get("kind", "text") == "text" else None
    target = Word(Settings()) if task == "transduce" else None
    return Setup(task=task, source=tokenizer, target=target, **{**usual, **more})


def said(name: str, told: Setup, **parts: list[tuple]) -> list[Finding]:
    """The findings of one check about rows (source, target) of parts."""
    one = CHECKS.part(name)(told)
    for part in PARTS:
        rows = [Example(source, target, Where(part, n)) for n, (source, target) in enumerate(parts.get(part, ()), 1)]
        lead([one], told, part, rows)
    assert all(table.rows and all(len(row) == len(table.columns) for row in table.rows) for table in one.tables())
    return list(one.findings())


def bad(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity != "ok"]


def looked_at(data: Path, **settings) -> Report:
    found, told, _ = outline(
        data, settings=assignments({f"data.{name}": value for name, value in settings.items()}, "test")
    )
    return check(found, told)


def folder(path: Path, suffix: str = "tsv", **parts: str | bytes) -> Path:
    for part, text in parts.items():
        (path / f"{part}.{suffix}").write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def reviews(count: int, seed: int = 0) -> str:
    chance = random.Random(seed)
    rows = [f"{' '.join(chance.choices(WORDS, k=9))} {seed}\t{chance.choice(['pos', 'neg'])}" for _ in range(count)]
    return "".join(f"{row}\n" for row in rows)


# -------------------------------------------------------------------------------------------- who is like whom

ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "A", "a ", "b", "c d", "c  d", "e"]), st.sampled_from("xy")), max_size=9
)


@given(train=ROWS, valid=ROWS, test=ROWS)
def test_repetitions_leaks_and_contradictions_are_those_of_comparing_all_with_all(train, valid, test):
    parts = {"train": train, "valid": valid, "test": test}

    def folded(text: str) -> str:
        return " ".join(text.lower().split())

    for part in PARTS:
        rows = parts[part]
        repeated = sum(any(folded(a) == folded(s) and b == t for s, t in rows[:n]) for n, (a, b) in enumerate(rows))
        found = [one for one in bad(said("duplicates", setup(), **parts)) if f"the {part} part" in one.what]
        assert sum(one.count for one in found) == repeated
        first = dict(reversed(rows))
        against = sum(first[source] != target for source, target in rows)
        found = [one for one in bad(said("contradictions", setup(), **parts)) if f"the {part} part" in one.what]
        assert sum(one.count for one in found) == against
    for part, other in (("valid", "train"), ("test", "train"), ("test", "valid")):
        leaked = sum(any(folded(source) == folded(known) for known, _ in parts[other]) for source, _ in parts[part])
        found = [one for one in bad(said("leakage", setup(), **parts)) if f"of the {part} part" in one.what]
        assert sum(one.count for one in found if f"in the {other} part" in one.what) == leaked


def test_a_leak_names_both_lines():
    (found,) = bad(said("leakage", setup(), train=[("x", "a"), ("good film", "b")], test=[("good film", "b")]))
    assert found.severity == "warning" and found.count == 1
    assert (found.places[0].where, found.places[0].like) == (Where("test", 1), Where("train", 2))


# ----------------------------------------------------------------------------------------------------- characters


@pytest.mark.parametrize(
    ("text", "check", "severity", "word"),
    [
        ("caf\ufffd", "characters", "warning", "U+FFFD"),
        ("a\x07b", "characters", "warning", "control"),
        ("a\ufeffb", "characters", "warning", "byte order mark"),
        ("zero\u200bwidth", "characters", "note", "invisible"),
        ("a\u202eb", "characters", "note", "direction"),
        ("a\u2028b", "characters", "note", "separators"),
        ("a\ue000b", "characters", "note", "private"),
        ("a\u00a0b", "characters", "note", "no-break"),
        ("cafÃ© ist schÃ¶n", "mojibake", "note", "UTF-8"),
        ("the dogâ€™s tail", "mojibake", "note", "UTF-8"),
        ("锟斤拷", "mojibake", "note", "UTF-8"),
        ("a &amp; b<br />", "mojibake", "note", "web page"),
        ("Моsсоw pаypal", "scripts", "warning", "look alike"),
        ("... !", "empties", "note", "punctuation"),
    ],
)
def test_what_should_not_stand_in_a_text_is_found_with_its_line(text, check, severity, word):
    (found,) = bad(said(check, setup(), train=[("fine", "x"), (text, "y")]))
    assert found.severity == severity and word in found.what and found.places[0].where == Where("train", 2)


@pytest.mark.parametrize(
    "text",
    [
        "plain text, 12 %",
        "Łódź — “naïve” façade’s",
        "我爱北京。",
        "Москва и СССР",
        "β-Carotin, 5 µm",
        "👩‍👩‍👧 ok",
        "São Ávila Â",
        "Ελλάδα",
    ],
)
def test_what_is_right_in_its_language_is_not_complained_about(text):
    for name in ("characters", "mojibake", "scripts", "normalization", "empties"):
        assert not bad(said(name, setup(), train=[(text, "x")]))


def test_two_ways_to_write_one_letter():
    (found,) = bad(said("normalization", setup(), train=[("caf\u00e9", "x"), ("cafe\u0301", "x")]))
    assert found.severity == "warning" and found.count == 1 and "two words" in found.what
    (found,) = bad(said("normalization", setup(), train=[("cafe\u0301", "x")]))
    assert found.severity == "note"
    (found,) = bad(said("normalization", setup(), train=[("１２", "x"), ("12", "x")]))
    assert "full-width" in found.what


@given(st.text(alphabet="éüñçøœ’“–àâ", min_size=1, max_size=5))
def test_text_that_was_encoded_twice_is_known_again(text):
    try:
        wrong = text.encode().decode("cp1252")
    except UnicodeDecodeError:
        wrong = text.encode().decode("latin1")
    assert twice_encoded(wrong) is not None and twice_encoded(text) is None


def test_words_of_one_script_and_names_that_mix_them_on_purpose_are_not_mixed():
    assert is_mixed("pаypal") and is_mixed("Мoskau"[:2])
    assert not any(map(is_mixed, ("paypal", "Москва", "TGFβ", "Δx")))


# --------------------------------------------------------------------------------------------- labels and numbers


def test_labels_that_training_never_sees():
    many = said("labels", setup(), train=[("a", "x")] * 5 + [("b", "y")] * 5, test=[("c", "z"), ("d", "z"), ("e", "x")])
    (found,) = [one for one in bad(many) if "never sees" in one.what]
    assert found.severity == "error" and found.count == 2 and found.places[0].where == Where("test", 1)
    few = said("labels", setup(), train=[("a", "x")] * 5 + [("b", "y")] * 5, test=[("c", "z"), *[("d", "x")] * 200])
    assert [one.severity for one in bad(few) if "never sees" in one.what] == ["warning"]


def test_labels_that_are_one_rare_or_nearly_the_same():
    assert bad(said("labels", setup(), train=[("a", "x")] * 9))[0].severity == "error"
    told = [one.what for one in bad(said("labels", setup(), train=[("a", "Pos")] * 9 + [("b", "pos")] * 9))]
    assert any("'Pos' and 'pos' differ only in case" in what for what in told)
    told = [one.what for one in bad(said("labels", setup(), train=[("a", "x")] * 99 + [("b", "y")]))]
    assert any("99.0%" in what for what in told) and any("fewer than 5" in what for what in told)
    tags = said("labels", setup("tag"), train=[(("a", "b"), ("D", "N"))] * 9, valid=[(("a",), ("V",))])
    assert "V" in bad(tags)[0].what


def test_numbers():
    rows = [(f"r{n}", float(n % 7)) for n in range(300)]
    (far,) = bad(said("numbers", setup("regress"), train=[*rows, ("slip", 9e6)]))
    assert far.severity == "warning" and far.places[0].where == Where("train", 301)
    (outside,) = bad(said("numbers", setup("regress"), train=rows, test=[("x", 8.0), ("y", 3.0)]))
    assert outside.count == 1 and "0 to 6" in outside.what
    (same,) = bad(said("numbers", setup("regress"), train=[("a", 1.0), ("b", 1.0)]))
    assert same.severity == "error"


# ------------------------------------------------------------------------------------------- lengths, vocabulary


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60), st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0]))
def test_a_spread_has_the_quantiles_of_all_numbers(numbers, share):
    spread = Spread()
    for number in numbers:
        spread.add(number)
    assert spread.quantile(share) == np.quantile(numbers, share, method="inverted_cdf")
    assert (spread.total, len(spread)) == (sum(numbers), len(numbers))
    assert spread.above(100) == sum(number > 100 for number in numbers)
    assert len(spread.picture(min(numbers), max(numbers)).rstrip()) <= 16


def test_rows_that_are_too_long():
    rows = [("word " * 60, "x"), *[("word", "x")] * 30]
    for how, severity in (("truncate", "note"), ("refuse", "error"), ("window", "note")):
        (found,) = bad(said("lengths", setup(over_long=how), train=rows))
        assert (found.severity, found.count) == (severity, 1) and "more than 50" in found.what
    assert bad(said("lengths", setup(), train=rows[:3]))[0].severity == "warning"


def test_words_unknown_to_training():
    one = CHECKS.part("unknown")(told := setup())
    lead([one], told, "train", [Example("the dog runs", "x", Where("train", 1))])
    lead([one], told, "test", [Example("the cat runs fast", "x", Where("test", 1))])
    (found,) = one.findings()
    assert found.severity == "warning" and found.what.startswith("50.00%") and found.places[0].shown == "cat fast"
    assert next(iter(one.tables())).rows == (("test source", "50.00%", "cat fast"),)


def test_pairs_that_do_not_belong_together():
    rows = [(f"a sentence of some length {n}", f"ein satz von einiger laenge {n}") for n in range(200)]
    assert not bad(said("pairs", setup("transduce"), train=rows))
    (found,) = bad(said("pairs", setup("transduce"), train=[*rows, ("a sentence of some length", "@@")]))
    assert found.count == 1 and found.places[0].where == Where("train", 201) and "25 to 2" in found.places[0].shown
    (found,) = bad(
        said("pairs", setup("transduce"), train=[*rows, *[("the same words here", "the same words here")] * 9])
    )
    assert found.count == 9 and "are their source" in found.what


# ---------------------------------------------------------------------------------------------------- whole files


def test_a_data_set_that_is_as_it_should_be(tmp_path):
    report = looked_at(folder(tmp_path, train=reviews(120), valid=reviews(60, 1), test=reviews(60, 2)))
    assert (
        not report.count("error") and not report.count("warning") and report.verdict.endswith("ready to be trained on")
    )
    assert {table.title.partition(",")[0] for table in report.tables} >= {"rows", "2 labels", "lengths"}


def test_lines_that_cannot_be_used_are_all_counted_and_the_first_named(tmp_path, monkeypatch):
    rows = reviews(30).encode().splitlines(keepends=True)
    data = folder(tmp_path, train=b"".join([*rows, b"caf\xe9\tpos\n", b"one cell\n", *rows[:3]]), valid=reviews(9, 1))
    (found,) = [one for one in looked_at(data).findings if one.check == "lines"]
    assert (found.severity, found.count) == ("error", 2)
    assert [place.where.line for place in found.places] == [31, 32] and "not UTF-8" in found.places[0].shown
    (found,) = [one for one in looked_at(data, on_bad="skip").findings if one.check == "lines"]
    assert found.severity == "warning" and "left out" in found.what
    monkeypatch.setattr(checking, "TOO_MANY", 2)
    (found,) = [one for one in looked_at(data).findings if one.check == "lines"]
    assert found.what.endswith("so far; the rest was not read")


def test_a_part_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    data = folder(tmp_path, train=reviews(30), valid=reviews(9, 1))
    (data / "test.tsv.gz").write_bytes(b"\x1f\x8bno")
    report = looked_at(data)
    assert any("test: the gzip file is damaged" in one.what for one in report.findings) and report.count("error") == 1
    assert report.verdict.startswith("1 error") and "would stop" in report.verdict


@pytest.mark.long
def test_one_file_that_is_split_counts_its_bad_lines_once(tmp_path):
    (tmp_path / "all.tsv").write_text(reviews(200) + "one cell\n")
    (found,) = [one for one in looked_at(tmp_path / "all.tsv").findings if one.check == "lines"]
    assert found.count == 1 and found.places[0].where.line == 201


def test_parallel_files_that_do_not_match(tmp_path):
    for name, lines in (("train.a", 60), ("train.b", 60), ("valid.a", 9), ("valid.b", 8)):
        (tmp_path / name).write_text("".join(f"line number {n} of it\n" for n in range(lines)))
    report = looked_at(tmp_path, source="a", target="b")
    assert any("valid.b has 8 lines" in one.what for one in report.findings if one.severity == "error")


@pytest.mark.long
def test_graphs_and_vectors(tmp_path):
    rows = [{"nodes": ["a", "b"], "edges": [[0, 1]] if n else [], "label": "xy"[n % 2]} for n in range(40)]
    for part in PARTS:
        (tmp_path / f"{part}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        rows = [*rows[:9], {"nodes": ["zzz"], "edges": [], "label": "x"}]
    report = looked_at(tmp_path)
    told = [one.what for one in report.findings if one.check in ("graphs", "leakage")]
    assert any("of several nodes without an edge" in what for what in told)
    assert any("1 word of nodes" in what or "2 words of nodes" in what for what in told)
    assert any("in the train part, too" in what for what in told)
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    for n in range(24):
        np.save(arrays / f"{n}.npy", np.full((3, 5 if n == 7 else 4), float(n), np.float32))
    for part, numbers in (("train", range(16)), ("valid", range(16, 20)), ("test", range(20, 24))):
        rows = ["path\tlabel", *(f"{n}.npy\t{'xy'[n % 2]}" for n in numbers)]
        (arrays / f"{part}.tsv").write_text("\n".join(rows) + "\n")
    found = {one.check: one for one in bad(looked_at(arrays).findings) if one.check == "widths"}
    assert found["widths"].severity in ("error", "warning")


def test_sounds(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    lines = ["path\tlabel"]
    for n in range(12):
        samples = np.zeros(1600, np.float32) if n == 0 else np.sin(np.arange(1600) * (n + 1) / 9).astype(np.float32)
        soundfile.write(tmp_path / f"{n}.wav", samples * (5 if n == 1 else 0.5), 8000 if n == 2 else 16000)
        lines.append(f"{n}.wav\t{'xy'[n % 2]}")
    (tmp_path / "train.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "valid.tsv").write_text("\n".join(lines[:5]) + "\n")
    report = looked_at(tmp_path)
    told = " | ".join(one.what for one in report.findings if one.check in ("sounds", "leakage"))
    assert "nothing to hear" in told and "too loudly" in told and "8,000 Hz" in told and "4 of 4 sources" in told


# --------------------------------------------------------------------------------------- what a training says of it


def test_a_training_says_the_worst_in_short():
    train = [Example(f"row {n}", "x", Where("train", n)) for n in range(90)]
    told = setup()
    found = glance(told, {"train": train, "test": train[:9]})
    assert [one.check for one in found] == ["leakage"]
    assert in_short(found)[0].startswith("check: 9 of 9 sources of the test part (100.0%) are in the train part, too")
    assert len(in_short(found * 4)) == 3 and "and 2 more" in in_short(found * 4)[1]
    assert in_short([]) == [] and glance(setup(kind="graph"), {"train": train}) == []


def test_every_check_has_one_file_a_line_and_takes_rows_of_any_text():
    for name in CHECKS.names():
        assert (CHECKS.module(name).__doc__ or "").strip()
    told = setup("transduce")
    checks = checks_for(told)
    for text in ("", "x", "\ud83d" * 2, "a" * 999):
        row = Row("train", Example(text, text, Where("f", 1)), told)
        for one in checks:
            one.see(row)
    assert [one for check in checks for one in check.findings()]
