"""`headway predict`: whatever format the inputs have, one answer each, in order; what is right already is not read."""

import gzip
import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

import headway as library
from headway import predictor as predictor_module
from headway.data.sources import text as text_source
from little import Runs, lines, write

SENTENCES = ["ant bee cat", "dog elk", "hen", "fox gnu ant bee", "cat cat"]


def joined(rows: list[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def columns(per_word: str, end: str = "\n") -> str:
    """A word a line, and an empty line behind each sentence."""
    return "".join("".join(per_word.format(w, i) for i, w in enumerate(s.split(), 1)) + end for s in SENTENCES)


FORMATS = {
    "plain.txt": joined(SENTENCES),
    "tagged.txt": joined([" ".join(f"{word}/Q" for word in s.split()) for s in SENTENCES]),
    "tagged.slash": joined([" ".join(f"{word}/Q" for word in s.split()) for s in SENTENCES]),
    "alone.tsv": joined(SENTENCES),
    "pairs.tsv": joined([f"{s}\twhatever" for s in SENTENCES]),
    "named.csv": joined(["target,source", *[f"whatever,{s}" for s in SENTENCES]]),
    "texts.jsonl": joined([json.dumps({"text": s}) for s in SENTENCES]),
    "words.jsonl": joined([json.dumps({"tokens": s.split(), "tags": ["Q"] * len(s.split())}) for s in SENTENCES]),
    "labels.conll": columns("{0}\tQ\n"),
    "words.conll": columns("{0}\n"),
    "tree.conllu": columns("{1}\t{0}\t_\tQ\t_\t_\t0\t_\t_\t_\n"),
}
"""The same sentences in every form, some with targets that no training ever saw."""


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    """Puts bytes on standard input."""

    def given(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    return given


def tags(runs: Runs) -> list[tuple[str, ...]]:
    """The labels that the tagger gives the sentences."""
    return [answer.labels for answer in library.load(runs("tag")).predict([tuple(s.split()) for s in SENTENCES])]


# ------------------------------------------------------------------------------------------------------------ formats


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_tagger_answers_every_format_alike(name, zipped, headway, runs, tmp_path):
    file = tmp_path / (f"{name}.gz" if zipped else name)
    file.write_bytes(gzip.compress(FORMATS[name].encode(), mtime=0) if zipped else FORMATS[name].encode())
    done = headway("predict", runs("tag"), file)
    assert done.code == 0 and done.err == ""
    sentences = [list(zip(s.split(), labels)) for s, labels in zip(SENTENCES, tags(runs))]
    if "conll" in name:
        assert done.out == "".join("".join(f"{w}\t{label}\n" for w, label in s) + "\n" for s in sentences)
    else:
        assert done.lines == [" ".join(f"{w}/{label}" for w, label in s) for s in sentences]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", ["classify", "several", "regress", "transduce"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_run_answers_every_format_one_line_an_example(kind, name, headway, runs, tmp_path):
    (tmp_path / name).write_text(FORMATS[name])
    done = headway("predict", runs(kind), tmp_path / name)
    words = [tuple(s.split()) if re.search(r"conll|tagged|words", name) else s for s in SENTENCES]
    assert done.code == 0 and done.lines == [str(answer) for answer in library.load(runs(kind)).predict(words)]


def test_several_files_are_answered_one_behind_the_other(headway, runs, tmp_path):
    write(tmp_path / "a.tsv", lines("classify", 7, seed=5))
    write(tmp_path / "b.txt", SENTENCES)
    both = headway("predict", runs("classify"), tmp_path / "a.tsv", tmp_path / "b.txt")
    alone = [headway("predict", runs("classify"), tmp_path / name).out for name in ("a.tsv", "b.txt")]
    assert both.out == "".join(alone) and len(both.lines) == 7 + len(SENTENCES)


def test_the_format_can_be_said(headway, runs, tmp_path):
    write(tmp_path / "slashes.txt", ["a/b c/d"] * 3)
    assert headway("predict", runs("tag"), tmp_path / "slashes.txt").lines[0].split()[0].startswith("a/")
    taken = headway("predict", runs("tag"), tmp_path / "slashes.txt", "--format", "lines")
    assert taken.lines[0].split()[0].startswith("a/b/") and len(taken.lines) == 3
    wrong = headway("predict", runs("tag"), tmp_path / "slashes.txt", "--format", "linse")
    assert wrong.code == 2 and "Did you mean 'lines'?" in wrong.err


def test_columns_of_a_file_are_those_of_the_training_or_chosen(headway, runs, tmp_path):
    (tmp_path / "two.tsv").write_text("one\tother\nant bee\tdog\n")
    first = headway("predict", runs("tag"), tmp_path / "two.tsv", "--source", "one")
    other = headway("predict", runs("tag"), tmp_path / "two.tsv", "--source", "other")
    assert first.lines[0].startswith("ant/") and other.lines[0].startswith("dog/")
    lost = headway("predict", runs("tag"), tmp_path / "two.tsv", "--source", "othre")
    assert lost.code == 3 and "no column called 'othre'" in lost.err
    beyond = headway("predict", runs("tag"), tmp_path / "two.tsv", "--source", "3")
    assert beyond.code == 3 and "there is no column 3: the first row has 2 columns" in beyond.err


# ------------------------------------------------------------------------------------------------------ standard input


def test_standard_input_is_a_text_a_line(headway, runs, stdin):
    stdin(joined(SENTENCES).encode())
    done = headway("predict", runs("tag"), "-")
    assert done.lines == headway("predict", runs("tag"), *[f"--text={s}" for s in SENTENCES]).lines
    assert not sys.stdin.buffer.closed


def test_standard_input_may_be_zipped_and_have_a_format(headway, runs, stdin):
    stdin(gzip.compress(FORMATS["labels.conll"].encode(), mtime=0))
    done = headway("predict", runs("tag"), "-", "--format", "conll")
    assert done.lines[0].split("\t") == ["ant", tags(runs)[0][0]]


def test_what_is_wrong_with_standard_input_is_named_by_its_line(headway, runs, stdin):
    stdin(b"ant bee\nca\xf6t\n")
    done = headway("predict", runs("tag"), "-")
    assert done.code == 3 and "standard input:2: byte 3 of the line (0xf6) is not UTF-8" in done.err
    stdin(b"")
    done = headway("predict", runs("tag"), "-")
    assert done.code == 3 and "standard input: the file is empty" in done.err


def test_no_more_is_read_ahead_than_one_chunk(runs, monkeypatch):
    """So answers come while input still comes, and memory does not grow with it."""
    tagger, read = library.load(runs("tag")), []

    def endless():
        while True:
            read.append(1)
            yield library.Example(("ant", "bee"))

    answers = tagger.stream(endless(), 3)
    for number in range(1, 9):
        next(answers)
        assert len(read) == -(-number // 3) * 3
    monkeypatch.setattr(predictor_module, "ELEMENTS", 5)
    read.clear()
    next(tagger.stream(endless(), 1000))
    assert len(read) == 3, "2 + 2 + 2 words are more than 5"


def test_a_stream_forgets_word_forms_and_answers_on_alike(runs, monkeypatch):
    tagger = library.load(runs("tag"))
    examples = [library.Example((f"w{number}", "ant", "bee")) for number in range(40)]
    whole = tagger.predict(examples)
    monkeypatch.setattr(text_source, "FORMS", 7)
    found = list(tagger.stream(iter(examples), 4))
    assert [example for example, _ in found] == examples and [answer for _, answer in found] == whole
    assert len(tagger.codecs.source.forms) <= 7 + 4 * 3


# ------------------------------------------------------------------------------------------------------------- answers


def test_scores_stand_behind_tabs(headway, runs):
    line = headway("predict", runs("tag"), "--text", "ant bee cat", "--scores").out.rstrip("\n")
    answer = library.load(runs("tag")).predict("ant bee cat", scores=True)[0]
    assert line == f"{answer}\t{' '.join(f'{score:.4f}' for score in answer.scores)}"
    label, score = headway("predict", runs("classify"), "--text", "good ant", "--scores").out.split()
    assert label in ("pos", "neg") and 0.5 <= float(score) <= 1
    _, score = headway("predict", runs("transduce"), "--text", "abc", "--scores").out.rstrip("\n").split("\t")
    assert float(score) < 0


def test_scores_are_a_column_of_columns(headway, runs, tmp_path):
    (tmp_path / "in.conll").write_text(FORMATS["words.conll"])
    rows = [line.split("\t") for line in headway("predict", runs("tag"), tmp_path / "in.conll", "--scores").lines]
    assert [len(row) for row in rows] == [3 if row[0] else 1 for row in rows]
    assert all(0 < float(row[2]) <= 1 for row in rows if row[0])


def test_the_best_of_a_beam_in_order(headway, runs):
    found = headway("predict", runs("transduce"), "--text", "abcd", "--nbest", 3, "--scores").out.rstrip("\n")
    cells = found.split("\t")
    assert len(cells) == 6 and cells[0::2] == list(dict.fromkeys(cells[0::2]))
    one = headway("predict", runs("transduce"), "--text", "abcd", "--mode", "beam", "--beam", 5).out.rstrip("\n")
    assert one == cells[0]
    exact = library.load(runs("transduce")).predict("abcd", nbest=3)[0]
    assert cells[0::2] == [a.text for a in (exact, *exact.alternatives)]
    assert cells[1::2] == [f"{a.score:.4f}" for a in (exact, *exact.alternatives)]


def test_modes_give_what_they_are_asked_for(headway, runs):
    by_mode = {m: headway("predict", runs("transduce"), "--text", "abcd", "--mode", m).out for m in ("auto", "greedy")}
    assert by_mode["auto"] == by_mode["greedy"]
    prefixed = headway("predict", runs("transduce"), "--text", "abcd", "--prefix", "ga").out
    assert prefixed.startswith("ga")


@pytest.mark.long
def test_two_writers_answer_in_every_mode(headway, runs):
    def answered(*how) -> list[str]:
        done = headway("predict", runs("joint"), "--text", "abcd", "--text", "hgfe", *how)
        assert done.code == 0 and done.err == ""
        return done.lines

    exact = answered("--mode", "greedy", "--scores")
    assert answered("--mode", "verify", "--scores") == answered("--scores") == exact
    for mode in ("nat", "rerank", "beam"):
        assert [len(line.split("\t")) for line in answered("--mode", mode, "--nbest", "2")] == [2, 2]
    drawn = ["--mode", "sample", "--temperature", "1.5", "--top-k", "4", "--top-p", "0.95", "--sampling-seed", "7"]
    assert answered(*drawn) == answered(*drawn) and len({*map(tuple, (answered(*drawn[:-1], s) for s in range(5)))}) > 1


def test_a_tolerance_is_said_to_be_inexact_where_no_answer_is(headway, runs):
    done = headway("predict", runs("joint"), "--text", "abcd", "--mode", "verify", "--tolerance", "0.5")
    assert done.code == 0 and done.err == "tolerance 0.5: answers may differ from those of greedy search\n"
    assert len(done.lines) == 1
    none = headway("predict", runs("joint"), "--text", "abcd", "--mode", "verify", "--tolerance", "0")
    assert none.err == "" and none.out == headway("predict", runs("joint"), "--text", "abcd").out


def test_a_trace_stands_below_its_answer_or_in_the_json(headway, runs):
    done = headway("predict", runs("joint"), "--text", "abcd", "--mode", "verify", "--trace")
    plain = headway("predict", runs("joint"), "--text", "abcd", "--mode", "verify")
    assert done.code == 0 and done.lines[0] == plain.lines[0] and len(done.lines) > 1 and len(plain.lines) == 1
    told = json.loads(headway("predict", runs("joint"), "--text", "abcd", "--mode", "verify", "--trace", "--json").out)
    whats = {one["what"] for one in told["trace"]}
    assert whats <= {"draft", "accepted", "corrected", "single", "token", "end"} and told["calls"] >= 1


def test_given_targets_are_scored_and_not_answered(headway, runs, tmp_path):
    write(tmp_path / "pairs.tsv", ["abc\tcba", "de\ted"])
    found = [float(line) for line in headway("predict", runs("transduce"), tmp_path / "pairs.tsv", "--given").lines]
    exact = library.load(runs("transduce")).score([("abc", "cba"), ("de", "ed")])
    assert found == pytest.approx([sum(row) for row in exact], abs=1e-4) and all(row for row in exact)
    write(tmp_path / "alone.tsv", ["abc"])
    done = headway("predict", runs("transduce"), tmp_path / "alone.tsv", "--given")
    assert done.code == 2 and f"{tmp_path / 'alone.tsv'}:1: there is no target to score" in done.err


@pytest.mark.parametrize(
    "kind, text, keys",
    [
        ("tag", "ant bee", {"source", "elements", "labels"}),
        ("classify", "good", {"source", "label", "labels", "score"}),
        ("several", "ant", {"source", "label", "labels", "score"}),
        ("regress", "tick", {"source", "value"}),
        ("transduce", "abc", {"source", "text", "tokens"}),
    ],
)
def test_json_is_an_object_a_line(kind, text, keys, headway, runs):
    told = [json.loads(line) for line in headway("predict", runs(kind), "--text", text, "--text", text, "--json").lines]
    assert len(told) == 2 and told[0] == told[1] and keys <= told[0].keys(), told[0].keys()


def test_json_has_the_probabilities_and_alternatives_that_were_asked_for(headway, runs):
    tagged = json.loads(headway("predict", runs("tag"), "--text", "ant bee", "--json", "--scores").out)
    assert len(tagged["scores"]) == 2
    judged = json.loads(headway("predict", runs("classify"), "--text", "good", "--json", "--scores").out)
    assert sum(judged["scores"].values()) == pytest.approx(1)
    written = json.loads(headway("predict", runs("transduce"), "--text", "abc", "--json", "--nbest", 2).out)
    assert len(written["alternatives"]) == 1 and written["score"] >= written["alternatives"][0]["score"]


@pytest.mark.long
def test_several_runs_answer_together(headway, runs):
    one, other = runs("classify"), runs("classify", seed=1)
    together = headway("predict", one, "--with", other, "--text", "good ant", "--json", "--scores")
    mean = json.loads(together.out)["scores"]["pos"]
    each = [json.loads(headway("predict", r, "--text", "good ant", "--json", "--scores").out) for r in (one, other)]
    assert mean == pytest.approx(sum(told["scores"]["pos"] for told in each) / 2, abs=1e-6)
    done = headway("predict", runs("joint"), "--with", runs("joint", seed=1), "--text", "ab", "--mode", "verify")
    assert done.code == 2 and "an ensemble has no mode verify: greedy gives the same answers" in done.err
    done = headway("predict", one, "--with", runs("tag"), "--text", "good")
    assert done.code == 2 and "make no ensemble: their vocabularies or labels differ" in done.err


@pytest.mark.sampled(5)
@pytest.mark.parametrize("text", ["", " ", "\u3000", "🙂 \u202e", "word " * 700, "x" * 3000, "--text", "a\tb\nc"])
@pytest.mark.parametrize("kind", ["tag", "classify", "several", "regress", "transduce"])
def test_no_text_is_without_answer(kind, text, headway, runs):
    done = headway("predict", runs(kind), f"--text={text}")
    assert done.code == 0 and len(done.lines) == 1


# ------------------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    "kind, arguments, words",
    [
        ("tag", [], "nothing to answer: give files, - or --text"),
        ("tag", ["x.txt", "--text", "a"], "give files, or --text, and not both"),
        ("tag", ["--text", "a", "--mode", "gredy"], "no mode called 'gredy'; there are: auto, direct."),
        ("transduce", ["--text", "a", "--mode", "gredy"], "Did you mean 'greedy'?"),
        ("tag", ["--text", "a", "--nbest", "2"], "an n-best list is for new sequences, and this run answers tag"),
        ("transduce", ["--text", "a", "--nbest", "0"], "nbest must be at least 1, and is 0"),
        ("transduce", ["--text", "a", "--mode", "beam", "--beam", "0"], "beam must be at least 1, and is 0"),
        ("transduce", ["--text", "a", "--nbest", "2", "--mode", "greedy"], "comes from mode beam, and not from greedy"),
        ("transduce", ["--text", "a", "--mode", "nat"], "mode nat needs a draft, a second writer"),
        ("transduce", ["--text", "a", "--mode", "rerank"], "by --recipe transduce_joint, or model.task.draft ctc"),
        ("at_once", ["--text", "a", "--mode", "verify"], "mode verify needs an autoregressive decoder"),
        ("at_once", ["--text", "a", "--prefix", "b"], "a forced prefix needs a run that writes"),
        ("joint", ["--text", "a", "--mode", "verify", "--nbest", "2"], "comes from mode beam, and not from verify"),
        ("joint", ["--text", "a", "--mode", "verify", "--beam", "3"], "beam is of mode beam, and this is mode verify"),
        ("joint", ["--text", "a", "--temperature", "0.5"], "temperature is of mode sample, and this is mode auto"),
        ("joint", ["--text", "a", "--mode", "nat", "--prefix", "b"], "all at once"),
        ("joint", ["--text", "a", "--mode", "rerank", "--prefix", "b"], "a forced prefix is for the modes greedy"),
        ("classify", ["--text", "a", "--temperature", "2"], "temperature is for new sequences, and this run answers"),
        ("classify", ["--text", "a", "--trace"], "trace is for new sequences, and this run answers classify"),
        ("classify", ["--text", "a", "--prefix", "b"], "a forced prefix needs a run that writes"),
        ("classify", ["--text", "a", "--alignments"], "an alignment needs a run that writes"),
        ("tag", ["--text", "a", "--nbst", "2"], "no option --nbst. Did you mean --nbest?"),
        ("tag", ["x.txt", "--model.encoder.layers", "2"], "settings are for headway train"),
        ("tag", ["--text", "a", "--nbest", "two"], "two"),
    ],
)
def test_a_wrong_question_is_told_in_words(kind, arguments, words, headway, runs):
    done = headway("predict", runs(kind), *arguments)
    assert done.code == 2 and words in done.err and done.out == ""


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("in.tsv", b"ant\tA\nbee\tB\tC\n", ":2: the row has 3 cells, and the first row (line 1) has 2 cells"),
        ("in.csv", b'ant,"A\nbee,B\n', ":1: a quote is opened in this row and not closed"),
        ("in.jsonl", b'{"text": "ant"}\nbee\n', ":2: this is no JSON"),
        ("in.jsonl", b'{"text": "ant"}\n{"txt": "bee"}\n', ":2: no key called 'text'"),
        ("in.slash", b"ant/A bee\n", ":1: token 2, 'bee', has no slash; word/tag is expected"),
        ("in.conll", b"ant A\nbee\n\n", ":2: 2 columns parted by blanks expected, as on line 1, and this line has 1"),
        ("in.conllu", b"ant A\n", ":1: "),
        ("in.txt", b"ant\n\nbee\n", ":2: the line is empty"),
        ("in.txt", b"ant\n\x00\n", ":2: byte 1 of the line is NUL"),
        ("in.txt", b"", ": the file is empty"),
        ("in.txt.gz", b"ant\n", ": the name ends in .gz, and this is no gzip file"),
        ("in.txt.gz", gzip.compress(b"ant\n" * 999, mtime=0)[:-9], ": the gzip file is damaged or cut short"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_by_its_line(name, content, words, headway, runs, tmp_path):
    (tmp_path / name).write_bytes(content)
    done = headway("predict", runs("tag"), tmp_path / name)
    assert done.code == 3 and f"{tmp_path / name}{words}" in done.err


def test_a_file_that_is_not_there_is_named_with_the_nearest(headway, runs, tmp_path):
    (tmp_path / "reviews.tsv").write_text("ant\n")
    done = headway("predict", runs("tag"), tmp_path / "review.tsv")
    assert (
        done.code == 3 and f"{tmp_path / 'review.tsv'}: there is no such file. Did you mean 'reviews.tsv'?" in done.err
    )
    done = headway("predict", runs("tag"), tmp_path)
    assert done.code == 3 and "this is a folder, and a file is expected; it holds reviews.tsv" in done.err


def test_answers_before_a_bad_line_are_not_lost(headway, runs, tmp_path, monkeypatch):
    monkeypatch.setattr(predictor_module, "ELEMENTS", 1)
    (tmp_path / "in.tsv").write_text("ant\nbee\n\ncat\n")
    done = headway("predict", runs("tag"), tmp_path / "in.tsv")
    assert done.code == 3 and len(done.lines) == 2


def test_a_run_that_is_none(headway, runs, tmp_path):
    done = headway("predict", tmp_path / "none", "--text", "a")
    assert done.code == 1 and f"{tmp_path / 'none'} is no run folder: there is no such folder" in done.err
    done = headway("predict", tmp_path, "--text", "a")
    assert done.code == 1 and "is no finished run folder: it has no manifest.json" in done.err


def test_a_run_answers_where_it_was_moved_to(headway, runs, tmp_path):
    here = headway("predict", runs("tag"), "--text", "ant bee").out
    moved = Path(shutil.copytree(runs("tag"), tmp_path / "elsewhere"))
    for name in ("checkpoints", "tensorboard"):
        shutil.rmtree(moved / name, ignore_errors=True)
    for name in ("metrics.jsonl", "results.json", "environment.json"):
        (moved / name).unlink()
    assert headway("predict", moved, "--text", "ant bee").out == here
