"""The parts of the server by themselves: when a worker waits, whose a key is, what metric files say, what is asked."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from headway.errors import UsageError
from headway.predictor import Predictor
from headway.serve import schemas
from headway.serve.house import names_of
from headway.serve.keys import Keys
from headway.serve.limits import Limits, Refusal
from headway.serve.reading import checked, given_of, media
from headway.serve.sounds import sound_of
from headway.serve.trainings import Trainings, news_of
from headway.serve.window import KEPT, TRIAL, Window

# -------------------------------------------------------------------------------------------------------------- window


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def batches(window, clock, count, requests, without, waiting):
    """Answer batches of so many requests, each of which takes so long."""
    for _ in range(count):
        clock.now += waiting if window.open else without
        window.answered(requests, requests)


@pytest.mark.parametrize("waiting, opens", [(0.5, True), (0.97, False), (1.5, False)])
def test_a_worker_waits_only_where_that_was_measured_to_be_faster(waiting, opens):
    clock = Clock()
    window = Window(0.003, clock)
    assert window.wait(1) == 0.0  # off until it has won
    batches(window, clock, TRIAL, 8, 1.0, waiting)
    assert window.open and window.wait(7) == 0.003 and window.wait(8) == 0.0  # the trial
    batches(window, clock, TRIAL, 8, 1.0, waiting)
    assert window.open is opens
    batches(window, clock, KEPT - 1, 8, 1.0, waiting)
    assert window.open is opens
    batches(window, clock, 1, 8, 1.0, waiting)
    assert not window.open  # then it is measured again


def test_a_single_client_never_waits():
    clock = Clock()
    window = Window(0.003, clock)
    for _ in range(10 * TRIAL):
        batches(window, clock, 1, 1, 1.0, 0.1)
        assert not window.open and window.wait(1) == 0.0


def test_a_window_of_nothing_is_a_request_a_batch():
    window = Window(0.0)
    for _ in range(3 * TRIAL):
        window.answered(9, 9)
    assert not window.together and not window.open


# ---------------------------------------------------------------------------------------------------------------- keys


def test_keys_have_owners():
    keys = Keys.read("# who\nann: 0123456789abcdef\n\nbob :fedcba9876543210 # his\n", "keys.txt")
    assert keys.owner("0123456789abcdef") == "ann" and keys.owner("fedcba9876543210") == "bob"
    for wrong in ("", "0123456789abcde", "0123456789abcdefg", "0123456789ABCDEF", "\udcff"):
        assert keys.owner(wrong) is None


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "holds no key"),
        ("ann 0123456789abcdef", "keys.txt:1: expected name:key"),
        ("\nann:short", "keys.txt:2: the key of 'ann' needs 16"),
        ("ann:0123456789abcdef\nann:0123456789abcdeg", "keys.txt:2: expected name:key, each name once"),
    ],
)
def test_keys_that_are_none(text, said):
    with pytest.raises(UsageError, match=said) as found:
        Keys.read(text, "keys.txt")
    assert "short" not in str(found.value)


def test_keys_come_from_a_file_or_the_environment(tmp_path):
    (tmp_path / "keys").write_text("ann:0123456789abcdef\n")
    file = Keys.of(tmp_path / "keys", {})
    environment = Keys.of(None, {"HEADWAY_KEYS": "ann:0123456789abcdef,bob:fedcba9876543210"})
    assert file and file.owner("0123456789abcdef") == "ann"
    assert environment and environment.owner("fedcba9876543210") == "bob"
    assert Keys.of(None, {}) is None
    with pytest.raises(UsageError, match="cannot be read"):
        Keys.of(tmp_path / "none", {})


def test_models_have_names(tmp_path):
    assert names_of(["runs/speaker", "other=runs/speaker"]) == names_of(["runs/speaker/", "other=runs/speaker"])
    assert list(names_of(["runs/speaker", "other=runs/speaker"])) == ["speaker", "other"]
    with pytest.raises(UsageError, match="two models would be called 'speaker'"):
        names_of(["a/speaker", "b/speaker"])


# ----------------------------------------------------------------------------------------------------------- trainings


def line(**event):
    return json.dumps(event) + "\n"


def test_a_metric_file_is_read_as_it_grows(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(event="start", step=0, steps=9) + line(event="step", step=1, loss=float("nan")) + '{"ev')
    first = news_of(path, "")
    assert [event["event"] for event in first.events] == ["start", "step"] and first.events[1]["loss"] is None
    assert not first.restarted and not first.more
    assert news_of(path, first.after).events == []
    with open(path, "a") as file:
        file.write('ent": "valid", "step": 2}\nno json\n[1]\n' + line(event="end", step=9))
    second = news_of(path, first.after)
    assert [(event["event"], event["step"]) for event in second.events] == [("valid", 2), ("end", 9)]
    path.rename(tmp_path / "old")  # a resumed training writes its file anew
    path.write_text(line(event="start", step=4))
    third = news_of(path, second.after)
    assert third.restarted and third.events == [{"event": "start", "step": 4}]


@pytest.mark.parametrize("after", ["x", "-", "1-", "-5", "1-99999999999999999999999", "0-0", "\u0661-\u0661", "1--1"])
def test_a_place_that_is_none_is_the_beginning(after, tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(event="start", step=0))
    assert len(news_of(path, after).events) == 1


def test_a_long_file_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("headway.serve.trainings.CHUNK", 200)
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(line(event="step", step=n) for n in range(30)))
    found, after, more = [], "", True
    while more:
        news = news_of(path, after)
        found, after, more = found + news.events, news.after, news.more
    assert [event["step"] for event in found] == list(range(30))


def test_trainings_are_found_by_name_and_never_by_path(tmp_path):
    for name in ("one", "group/two", "deep/a/b/c/d/e/f", ".hidden"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "metrics.jsonl").write_text(line(event="start", step=0, steps=5) + line(event="step", step=3))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "metrics.jsonl").write_text(line(event="start", step=0))
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "secret")
    trainings = Trainings([tmp_path / "runs"])
    assert {one["name"] for one in trainings.all()} == {"one", "group/two"}
    (one,) = [one for one in trainings.all() if one["name"] == "one"]
    assert one["state"] == "running" and (one["step"], one["steps"]) == (3, 5)
    with open(tmp_path / "runs" / "one" / "metrics.jsonl", "a") as file:
        file.write(line(event="end", step=5))
    assert {one["name"]: one["state"] for one in trainings.all()}["one"] == "ended"
    for name in ("../secret", "one/../../secret", str(tmp_path / "secret"), "link", ""):
        with pytest.raises(Refusal, match="no run called"):
            trainings.news(name, "")
    with pytest.raises(UsageError, match="no such folder"):
        Trainings([tmp_path / "none"])


# ---------------------------------------------------------------------------------------------------- what is asked for


class Reads:
    """What `given_of` asks of a predictor: which kind it reads."""

    def __init__(self, kind):
        self.kind = kind


def reader(kind):
    made = Predictor.__new__(Predictor)
    made.run = Reads(kind)
    return made


PATHS = ["/etc/passwd", "a.wav", "b.npy", "all.safetensors#x", "file:///etc/passwd", "http://127.0.0.1:1/a.wav", "~/a"]


@pytest.mark.parametrize("kind, status", [("sound", 415), ("vectors", 422)])
@pytest.mark.parametrize("path", PATHS)
def test_a_text_is_never_opened_as_a_path(kind, status, path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("it was opened")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr("pathlib.Path.stat", refuse)
    for given in (path, [path], [[path]], {"path": path}):
        with pytest.raises(Refusal, match="never opened") as found:
            given_of(reader(kind), given, 0, Limits())
        assert found.value.status == status


@pytest.mark.parametrize(
    "bad", [[], [[]], [[1, "2"]], [[1, 2], [3]], [1, 2], [[None]], [[True]], [[1e300]], [[10**400]], 3]
)
def test_vectors_are_rows_of_as_many_finite_numbers(bad):
    with pytest.raises(Refusal, match="a list of vectors is expected"):
        given_of(reader("vectors"), bad, 0, Limits())
    good = given_of(reader("vectors"), [[1, 2.5], [3, -4]], 0, Limits())
    assert good.dtype == np.float32 and good.tolist() == [[1, 2.5], [3, -4]]


def test_graphs_are_objects_or_smiles_of_some_size():
    graph = {"nodes": ["C"] * 30, "edges": []}
    assert given_of(reader("graph"), graph, 0, Limits()) is graph
    assert given_of(reader("graph"), "CCO", 0, Limits()) == "CCO"
    for given in (graph, "C" * 30):
        with pytest.raises(Refusal, match=r"30 (nodes|characters), and one may have 20"):
            given_of(reader("graph"), given, 0, Limits(characters=20))


def test_options_of_a_sound_stand_in_the_query():
    found = checked(schemas.Options, {"nbest": "3", "scores": "true", "temperature": "0.5", "layers": ["0", "2"]})
    assert (found.nbest, found.scores, found.temperature, found.layers) == (3, True, 0.5, [0, 2])
    with pytest.raises(Refusal, match="nbest: Input should be a valid integer"):
        checked(schemas.Options, {"nbest": "three"})


@pytest.mark.parametrize(
    "name, kind", [("application/json; charset=utf-8", "application/json"), ("AUDIO/WAV", "audio/wav")]
)
def test_media_types(name, kind):
    assert media(name) == kind


# --------------------------------------------------------------------------------------------------------------- sounds


def written(samples, rate=8000, format="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG"])
def test_a_body_is_a_sound(format):
    tone = np.sin(np.arange(1600) / 10).astype(np.float32) / 2
    sound = sound_of(written(np.stack([tone, -tone / 2], 1), format=format), 10.0)
    assert sound.rate == 8000 and len(sound.read()) == 1600 and sound.file is None
    assert np.abs(sound.read() - tone / 4).max() < (0.05 if format == "OGG" else 1e-3)


def test_bodies_that_are_no_sounds():
    tone = written(np.zeros(800, np.float32))
    for body in (b"", b"RIFF", b"PK\x03\x04" + b"0" * 100, b"\x00" * 5000, tone[:30], b"fLaC" + b"\xff" * 200):
        with pytest.raises(Refusal, match=r"no sound that can be read|holds no samples"):
            sound_of(body, 10.0)
    with pytest.raises(Refusal, match="17 channels, and at most 16"):
        sound_of(written(np.zeros((100, 17), np.float32)), 10.0)
    broken = np.zeros(100, np.float32)
    broken[50] = np.nan
    with pytest.raises(Refusal, match="no finite number"):
        sound_of(written(broken, subtype="FLOAT"), 10.0)


def test_a_server_that_cannot_hear_says_what_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(Refusal, match="needs the package soundfile") as found:
        sound_of(b"RIFF", 10.0)
    assert (found.value.status, found.value.code, found.value.members["extra"]) == (501, "package", "sound")


def test_a_small_file_that_unpacks_to_hours_is_left_early():
    """Silence in flac is thousands of times smaller than its samples."""
    bomb = written(np.zeros(8000 * 600, np.int16), format="FLAC")
    assert len(bomb) < 200_000
    with pytest.raises(Refusal, match=r"600\.0 seconds long or longer, and at most 30\.0 are read"):
        sound_of(bomb, 30.0)
    lying = bytearray(bomb)
    lying[21:26] = bytes([lying[21] & 0xF0, 0, 0, 0, 0])  # its header does not say how many samples there are
    with pytest.raises(Refusal, match=r"at most|can be read"):
        sound_of(bytes(lying), 30.0)


# ------------------------------------------------------------------------------------------------------------ searches


@pytest.fixture(scope="module")
def speller(runs):
    return Predictor(runs("transduce"))


class Enough(Exception):
    pass


@pytest.mark.parametrize("mode", ["greedy", "sample", "beam", "verify"])
def test_a_search_ends_by_what_its_watch_raises(mode, speller):
    steps = []

    def watch(written):
        steps.append(list(written()))
        if len(steps) == 2:
            raise Enough

    examples, search = speller.asked(["abcdefg", "hgfedcb"], mode=mode, prefix="abcdef")
    with pytest.raises(Enough):
        speller.answered(examples, replace(search, watch=watch))
    assert len(steps) == 2


@pytest.mark.parametrize("mode", ["greedy", "sample"])
def test_a_watch_is_told_every_token_of_every_input(mode, speller):
    inputs = ["a", "abcdefgh", "bc", "hgf"] * 5
    told = [[] for _ in inputs]

    def watch(written):
        for number, token in written():
            told[number].append(token)

    examples, search = speller.asked(inputs, mode=mode, limit=4)
    answers = speller.answered(examples, replace(search, watch=watch))
    pieces = speller.codecs.target.tokenizer.pieces
    assert [pieces(tokens) for tokens in told] == [answer.tokens for answer in answers]
    assert answers == speller.predict(inputs, mode=mode, limit=4)
