"""Sound and vectors through the commands and the one door of Python: trained, asked by file, by manifest, by array."""

import json
from pathlib import Path

import numpy as np
import pytest

import headway as library
from headway.batch import TagAnswer
from headway.data.sources.sound import Sound
from headway.errors import DataError, UsageError
from little import TINY, options
from sounds import RATE, glides, save, spoken

HEARD = TINY | {
    "model.input.rate": RATE,
    "model.input.mels": 12,
    "model.input.channels": 4,
    "training.steps": 30,
    "training.evaluate_every": 15,
    "training.learning_rate": 0.02,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return glides(tmp_path_factory.mktemp("glides"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Path:
    """A run that tells rising tones from falling ones, made by the command."""
    from headway.cli import run as command

    out = tmp_path_factory.mktemp("heard") / "run"
    assert command(["train", str(data), "--out", str(out), *options(HEARD)]) == 0
    return out


def test_training_says_what_it_heard_and_stands_beside_a_baseline(run, data):
    told = json.loads((run / "results.json").read_text())
    assert told["metrics"]["test"]["accuracy"] == 1.0
    assert told["baselines"]["spectrum"]["test"]["accuracy"] >= 0.75
    assert set(told["baselines"]) == {"majority", "spectrum"}
    assert "sounds/200.wav" in (run / "report.html").read_text() or "log-mel" in (run / "report.html").read_text()


def test_files_and_manifests_are_answered_a_line_each(headway, run, data, tmp_path):
    files = [data / "sounds" / f"{number}.wav" for number in (200, 201, 202)]
    printed = headway("predict", run, *files)
    assert (printed.code, printed.lines) == (0, ["up", "down", "up"])
    printed = headway("predict", run, data / "test.tsv", "--json")
    answers = [json.loads(line) for line in printed.lines]
    assert [answer["label"] for answer in answers] == ["up", "down"] * 4
    assert answers[0]["source"] == "sounds/200.wav"
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{file}\n" for file in files))
    assert headway("predict", run, listed).lines == ["up", "down", "up"]
    assert headway("predict", run, "--text", f"{files[1]}#t=0,0.1").lines == ["down"]


def test_a_part_is_evaluated(headway, run, data):
    printed = headway("evaluate", run, data, "--json")
    assert printed.code == 0 and json.loads(printed.out)["metrics"]["accuracy"] == 1.0


def test_complaints_name_the_file_and_the_line(headway, run, data, tmp_path):
    printed = headway("predict", run, tmp_path / "no.wav")
    assert printed.code == 3 and "no.wav: there is no such file" in printed.err
    bad = tmp_path / "list.tsv"
    bad.write_text("path\tlabel\nnowhere.wav\tup\n")
    printed = headway("predict", run, bad)
    assert printed.code == 3 and f"{bad}:2: " in printed.err and "names are relative to" in printed.err
    (tmp_path / "text.wav").write_text("no sound " * 50)
    printed = headway("predict", run, tmp_path / "text.wav")
    assert printed.code == 3 and "is no sound that can be read" in printed.err


def test_sounds_from_python(run, data):
    predictor = library.load(run)
    up, down = Sound.of(spoken("up", 300), RATE), Sound.of(spoken("down", 301), RATE)
    assert [str(answer) for answer in predictor.predict([up, down])] == ["up", "down"]
    assert str(predictor.predict(up)[0]) == "up"
    assert str(predictor.predict(str(data / "sounds" / "200.wav"))[0]) == "up"
    (found,) = predictor.attention(up)
    assert found.asked[0] == "0.00" and found.weights.shape[-1] == len(found.asked)
    with pytest.raises(DataError, match="there is no such file"):
        predictor.predict("nowhere.wav")
    alone = [predictor.predict(sound, scores=True)[0].score for sound in (up, down)]
    together = [answer.score for answer in predictor.predict([up, down], scores=True)]
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.long
def test_sounds_are_written_down_with_a_draft_by_ctc(headway, data, tmp_path):
    for part in ("train", "valid", "test"):
        rows = (data / f"{part}.tsv").read_text().splitlines()[1:]
        lines = [row.replace("\tup", "\tm a u p").replace("\tdown", "\td o n") for row in rows]
        (tmp_path / f"{part}.tsv").write_text("path\ttext\n" + "".join(f"{data}/{line}\n" for line in lines))
    asked = {"model.input.subsampling": 2, "model.task.draft": "ctc", "data.target_tokenizer": "word"}
    changed = HEARD | asked | {"training.steps": 60, "model.encoder.width": 24}
    printed = headway("train", tmp_path, "--out", tmp_path / "run", *options(changed))
    assert printed.code == 0, printed.err
    told = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {"copy", "ngram"}.isdisjoint(told["baselines"]) and "spectrum" in told["baselines"]
    predictor = library.load(tmp_path / "run")
    assert {"greedy", "beam", "verify", "nat"} <= set(predictor.modes)
    sounds = [Sound.of(spoken(label, number), RATE) for number, label in enumerate(("up", "down", "up"), 300)]
    greedy, verified = (predictor.predict(sounds, mode=mode) for mode in ("greedy", "verify"))
    assert [str(answer) for answer in greedy] == [str(answer) for answer in verified]


def test_a_question_that_sounds_have_no_answer_to(headway, data, tmp_path):
    printed = headway("train", data, "--out", tmp_path / "run", "--data.task", "tag")
    assert printed.code == 2 and "tag gives a label to every element" in printed.err


def test_bad_files_are_skipped_and_said(headway, data, tmp_path):
    glides(tmp_path)
    (tmp_path / "sounds" / "3.wav").write_bytes(b"RIFF")
    settings = HEARD | {"training.steps": 1, "training.evaluate_every": 1, "data.on_bad": "skip"}
    printed = headway("train", tmp_path, "--out", tmp_path / "run", *options(settings))
    assert printed.code == 0
    assert "1 line was skipped (data.on_bad skip)" in printed.err + printed.out
    assert "train.tsv:5" in printed.err + printed.out


# ------------------------------------------------------------------------------------------------------------- vectors


def walks(folder: Path, rows: int = 30) -> Path:
    """Rows of three numbers; an element is labelled by which of them is the largest."""
    for part, count in {"train": rows, "valid": 6, "test": 6}.items():
        lines = []
        for number in range(count):
            array = np.random.default_rng([len(part), number]).standard_normal((3 + number % 5, 3)).astype(np.float32)
            np.save(folder / f"{part}{number}.npy", array)
            labels = ["abc"[largest] for largest in array.argmax(1)]
            lines.append(json.dumps({"path": f"{part}{number}.npy", "labels": labels}))
        (folder / f"{part}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder


def test_vectors_are_tagged_from_files_and_from_arrays(headway, tmp_path):
    settings = TINY | {"training.steps": 60, "training.evaluate_every": 20, "training.learning_rate": 0.03}
    printed = headway("train", walks(tmp_path), "--out", tmp_path / "run", *options(settings))
    assert printed.code == 0, printed.err
    told = json.loads((tmp_path / "run" / "results.json").read_text())
    assert told["metrics"]["test"]["accuracy"] > 0.7
    predictor = library.load(tmp_path / "run")
    array = np.array([[3, -2, -2], [-2, 3, -2], [-2, -2, 3], [3, -1, 0]], np.float32)
    (answer,) = predictor.predict(array)
    assert isinstance(answer, TagAnswer) and answer.labels == tuple("abca")
    assert answer.elements == ("0", "1", "2", "3")
    np.save(tmp_path / "asked.npy", array)
    assert headway("predict", tmp_path / "run", tmp_path / "asked.npy").lines == ["0/a 1/b 2/c 3/a"]
    with pytest.raises(DataError, match=r"vectors of 4 numbers, and those of the training part have 3"):
        predictor.predict(np.zeros((2, 4), np.float32))


def test_a_label_for_every_vector(headway, tmp_path):
    walks(tmp_path, 8)
    rows = (tmp_path / "train.jsonl").read_text().splitlines()
    rows[1] = json.dumps({"path": "train1.npy", "labels": ["a"]})
    (tmp_path / "train.jsonl").write_text("".join(f"{row}\n" for row in rows))
    printed = headway("train", tmp_path, "--out", tmp_path / "run", "--data.task", "tag")
    assert printed.code == 3
    assert "train.jsonl:2: 4 elements and 1 label: every element needs one label" in printed.err


def test_one_vocabulary_for_sounds_and_texts_there_is_none(data, tmp_path):
    with pytest.raises(UsageError, match="sources that are no text have none"):
        library.train(data, tmp_path / "run", settings={"data.joint": True, "data.task": "transduce"})


def test_labelled_folders_are_trained_on(headway, tmp_path):
    for part, numbers in {"train": range(12), "valid": range(100, 104)}.items():
        for number in numbers:
            label = ("up", "down")[number % 2]
            save(tmp_path / "data" / part / label / f"{number}.wav", spoken(label, number))
    settings = HEARD | {"training.steps": 2, "training.evaluate_every": 2}
    printed = headway("train", tmp_path / "data", "--out", tmp_path / "run", *options(settings))
    assert printed.code == 0, printed.err
