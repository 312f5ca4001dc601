"""What is told of training: every listener hears it, the log survives a crash, TensorBoard reads its copy."""

import json

import pytest

from headway.errors import RunError
from headway.training.events import EventLog, Listener, Sentences, TensorBoard, Together, read_events

VALUES = {"loss": 2.5, "seconds": 1.0}


def told(listener: Listener) -> None:
    listener.started({"step": 0, "steps": 2})
    listener.stepped(1, VALUES)
    listener.evaluated(2, {"accuracy": 0.75}, True)
    listener.said("a sentence")
    listener.finished({"step": 2, "metrics": {}})


def test_all_hear_everything():
    heard: list[tuple] = []

    class Ear(Listener):
        def __init__(self, name: str):
            for method in ("started", "stepped", "evaluated", "said", "finished"):
                setattr(self, method, lambda *what, m=method: heard.append((name, m, *what)))

    told(Together([Ear("left"), Ear("right")]))
    methods = ["started", "stepped", "evaluated", "said", "finished"]
    assert [event[:2] for event in heard] == [(side, method) for method in methods for side in ("left", "right")]
    assert heard[4] == ("left", "evaluated", 2, {"accuracy": 0.75}, True)


def test_sentences_are_kept():
    sentences = Sentences()
    told(sentences)
    assert sentences.all == ["a sentence"]


def test_the_log_is_a_line_an_event(tmp_path):
    told(EventLog(tmp_path / "log"))
    assert [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()] == [
        {"event": "start", "step": 0, "steps": 2},
        {"event": "step", "step": 1, **VALUES},
        {"event": "valid", "step": 2, "accuracy": 0.75, "best": True},
        {"event": "end", "step": 2, "metrics": {}},
    ]


def test_a_log_goes_on_from_the_checkpoint_and_forgets_what_came_after_and_the_end(tmp_path):
    path = tmp_path / "log"
    told(EventLog(path))
    EventLog(path).started({"step": 1, "steps": 2})
    assert [(e["event"], e["step"]) for e in read_events(path)] == [("start", 0), ("step", 1), ("start", 1)]
    again = EventLog(path)
    again.started({"step": 2, "steps": 2})
    again.finished({"step": 2})
    EventLog(path).started({"step": 2, "steps": 2})
    assert "end" not in [event["event"] for event in read_events(path)]


def test_a_line_that_a_crash_cut_is_left_out(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'{"event": "step", "step": 1}\n[3]\n{"event": "step"}\n\xff\n{"event": "step", "ste')
    assert read_events(path) == [{"event": "step", "step": 1}] and read_events(tmp_path / "none") == []


def test_a_log_that_cannot_be_written_ends_training_in_words(tmp_path):
    with pytest.raises(RunError, match="log could not be written: Is a directory"):
        (tmp_path / "log").mkdir()
        EventLog(tmp_path / "log").stepped(1, VALUES)


def test_tensorboard_reads_its_copy(tmp_path):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    told(TensorBoard(tmp_path / "board"))
    (file,) = (tmp_path / "board").iterdir()
    found = list(EventFileLoader(str(file)).Load())
    assert found[0].file_version == "brain.Event:2"
    values = {(v.tag, event.step): v.tensor.float_val[0] for event in found[1:] for v in event.summary.value}
    assert values == {("train/loss", 1): 2.5, ("train/seconds", 1): 1.0, ("valid/accuracy", 2): 0.75}


def test_training_does_not_end_for_a_copy_that_cannot_be_written(tmp_path):
    (tmp_path / "board").write_text("a file")
    told(TensorBoard(tmp_path / "board"))
    board = TensorBoard(tmp_path / "other")
    (file,) = (tmp_path / "other").iterdir()
    size = file.stat().st_size
    assert board.file is not None
    board.record._writer = _Full()  # type: ignore[union-attr]
    told(board)
    assert board.file is None and file.stat().st_size == size


class _Full:
    def write(self, content: bytes) -> None:
        raise OSError(28, "No space left on device")
