"""`headway train`: a folder, a table, plain lines; resumed it is the run that was never stopped."""

import json
import re
import signal
from typing import Any

import pytest
import torch

from headway.cli import _display
from headway.run import RunFolder
from little import data, events, options, same_weights, tiny, weights

FILES = {"run.yaml", "codecs.json", "manifest.json", "environment.json", "results.json", "metrics.jsonl", "report.html"}
FASTER: dict[str, Any] = {"training.steps": 6, "training.evaluate_every": 2}


def asked(kind: str = "tag", changed: dict[str, Any] | None = None) -> list[str]:
    """Options of a tiny training."""
    return list(options(tiny(kind, FASTER | (changed or {}))))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the page and the baselines, where they are not looked at."""
    monkeypatch.setattr("headway.outcome.write_report", lambda *_: None)
    monkeypatch.setattr("headway.outcome.baselines_for", lambda *_, **__: [])


def interrupt_after(step: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal arrives while this update is told."""

    def stepped(self: _display.Lines, now: int, values: Any) -> None:
        if now == step:
            signal.raise_signal(number)

    monkeypatch.setattr(_display.Lines, "stepped", stepped)


def test_a_training_leaves_a_whole_folder_and_says_what_it_came_to(headway, runs, tmp_path):
    run = tmp_path / "run"
    done = headway("train", runs.data("tag"), "--out", run, *asked())
    assert done.code == 0
    assert {file.name for file in run.iterdir() if file.is_file() and file.suffix != ".safetensors"} == FILES
    assert [file.name for file in run.glob("weights-*")] and (run / "tensorboard").is_dir()
    results = json.loads((run / "results.json").read_text())
    assert {"step", "seconds", "tokens", "parameters", "split", "peak_memory"} == results["facts"].keys()
    peak = results["facts"]["peak_memory"]
    assert "6 steps in 0:0" in done.out and f"at most {peak / 1e6:,.0f} MB of memory" in done.out
    assert "valid part" in done.out and "test part" in done.out and "majority" in done.out and str(run) in done.out
    assert f"{results['metrics']['test']['accuracy']:.2%}" in done.out
    assert done.lines[-1] == f"next: headway predict {run} --text '…'"


def test_what_is_piped_is_plain_lines(headway, runs, tmp_path, plain):
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", *asked())
    assert not any(sign in done.out + done.err for sign in ("\x1b", "\r", "\b"))
    said = done.err.splitlines()
    assert said[0].startswith("train is ") and said[1].startswith("tag: 40 rows") and said[2] == "recipe tag"
    assert "training: 6 steps, an evaluation every 2" in said
    valid = [line for line in said if "valid: accuracy" in line]
    assert [line.split()[1] for line in valid] == ["2", "4", "6"] and valid[0].endswith("(best)")


def test_the_log_has_a_line_an_event_each_with_its_step(headway, runs, tmp_path, plain):
    headway("train", runs.data("tag"), "--out", tmp_path / "run", *asked())
    found = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(e["event"], e["step"]) for e in found if e["event"] != "step"] == [
        ("start", 0), ("valid", 2), ("valid", 4), ("valid", 6), ("end", 6)
    ]  # fmt: skip
    assert [event["step"] for event in found if event["event"] == "step"] == [1, 2, 3, 4, 5, 6]


def test_json_is_one_object_with_what_the_folder_keeps(headway, runs, tmp_path, plain):
    done = headway("train", runs.data("regress"), "--out", tmp_path / "run", "--json", *asked("regress"))
    told, kept = json.loads(done.out), json.loads((tmp_path / "run" / "results.json").read_text())
    assert told == {"run": str(tmp_path / "run"), **{k: v for k, v in kept.items() if k != "stopped"}}


# --------------------------------------------------------------------------------------------------- what is there


def test_a_run_that_exists_is_refused_and_left_as_it_was(headway, runs, tmp_path):
    run = runs.copy("tag", tmp_path / "run")
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    done = headway("train", runs.data("tag"), "--out", run, *asked())
    assert done.code == 2 and f"{run} exists; choose another --out, or go on with it by --resume" in done.err
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_file_in_the_place_of_the_run_is_refused(more, headway, runs, tmp_path):
    (tmp_path / "run").write_text("mine")
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", *more, *asked())
    assert done.code == 2 and "exists; choose another --out" in done.err
    assert (tmp_path / "run").read_text() == "mine"


def test_a_run_that_cannot_be_made_says_so(headway, runs, tmp_path):
    (tmp_path / "file").write_text("")
    done = headway("train", runs.data("tag"), "--out", tmp_path / "file" / "run", *asked())
    assert done.code == 1 and "cannot be made: Not a directory" in done.err


def test_resume_begins_where_there_is_nothing_and_does_nothing_twice(headway, runs, tmp_path, plain):
    command = ("train", runs.data("tag"), "--out", tmp_path / "run", "--resume", *asked())
    assert headway(*command).code == 0
    kept, log = weights(tmp_path / "run"), events(tmp_path / "run")
    again = headway(*command)
    assert again.code == 0 and f"going on with {tmp_path / 'run'} from step 6" in again.err
    assert all(torch.equal(kept[name], weight) for name, weight in weights(tmp_path / "run").items())
    assert events(tmp_path / "run") == log


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "kind, step, number, code", [("tag", 3, signal.SIGINT, 130), ("classify", 4, signal.SIGTERM, 143)]
)
def test_a_signal_saves_and_resume_ends_as_if_nothing_had_been(
    kind, step, number, code, headway, runs, tmp_path, plain, monkeypatch
):
    changed = {"model.encoder.dropout": 0.2, "model.input.word_dropout": 0.1}
    command = ("train", runs.data(kind), "--out", tmp_path / "run", *asked(kind, changed))
    with monkeypatch.context() as patched:
        interrupt_after(step, number, patched)
        stopped = headway(*command)
    assert stopped.code == code
    assert f"stopped at step {step}; everything is saved. Go on with the same command and --resume" in stopped.err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert headway(*command).code == 2
    resumed = headway(*command, "--resume")
    assert resumed.code == 0 and f"from step {step}" in resumed.err
    whole = headway("train", runs.data(kind), "--out", tmp_path / "whole", *asked(kind, changed))
    assert whole.code == 0 and same_weights(tmp_path / "run", tmp_path / "whole")
    assert events(tmp_path / "run") == events(tmp_path / "whole")


def test_a_second_signal_ends_at_once(headway, runs, tmp_path, plain, monkeypatch):
    def stepped(self: _display.Lines, now: int, values: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_display.Lines, "stepped", stepped)
    assert headway("train", runs.data("tag"), "--out", tmp_path / "run", *asked()).code == 130
    assert not list((tmp_path / "run" / "checkpoints").glob("step-*"))


def test_a_resumed_run_is_the_same_run(headway, runs, tmp_path, plain):
    run = runs.copy("tag", tmp_path / "run")
    command = ("train", "--out", run, "--resume")
    usual = tiny("tag", {"training.learning_rate": 0.02})
    other = headway(*command, runs.data("tag"), *options(usual | {"training.steps": 13, "model.encoder.width": 32}))
    assert other.code == 2 and "was begun with other settings, and a resumed run is the same run" in other.err
    assert "  training.steps: 12 there, 13 now" in other.err and "  model.encoder.width: 16 there, 32 now" in other.err
    other = headway(*command, data("tag", tmp_path / "data", 41), *options(usual))
    assert other.code == 2 and "was begun on other training data, and a resumed run is the same run" in other.err
    moved = headway(*command, runs.data("tag"), *options(usual | {"machine.micro_tokens": 40}))
    assert moved.code == 0


# ------------------------------------------------------------------------------------------------------- settings


def test_a_settings_file_is_laid_over_the_recipe_and_options_over_both(headway, runs, tmp_path, plain):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "model:\n  encoder:\n    layers: 1\n    width: 8\n    hidden: 12\n    mixer:\n      kind: attention\n"
        "      heads: 1\n    position: sinusoidal\n  input:\n    buckets: 31\ntraining:\n  steps: 2\n  tokens: 77\n"
        "machine: {threads: 1, device: cpu}\n"
    )
    run = tmp_path / "run"
    command = ("train", runs.data("tag"), "--out", run, "--config", config)
    assert headway(*command, "--training.tokens", 99, "--model.encoder.width=6").code == 0
    found, written = RunFolder(run).settings(), (run / "run.yaml").read_text()
    encoder, training = found.model.encoder, found.training
    assert (encoder.layers, encoder.width, encoder.hidden, training.steps, training.tokens) == (1, 6, 12, 2, 99)
    for line in (f"layers: 1 # {config}:3", "width: 6 # --model.encoder.width", "tokens: 99 # --training.tokens"):
        assert line in " ".join(written.replace("\n", " \n ").split()), line
    assert "kind: sinusoidal" in written and "# recipe tag" in written


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "model:\n  encoder:\n    layer: 3\n",
            r"model.encoder.layer \(.*mine.yaml:3\) is no setting.*Did you mean mod",
        ),
        ("trainin:\n  steps: 3\n", r"trainin.* is no setting.*Did you mean training"),
        ("training:\n  steps: many\n", r"training.steps must be a whole number, and is 'many' \(.*mine.yaml:2\)"),
        ("training:\n  steps: 0\n", r"training.steps must be above 0, and is 0"),
        ("model:\n  encoder:\n    position: rotery\n", r"no position called 'rotery'.*Did you mean 'rotary'\?"),
        ("training:\n  schedule: cosin\n", r"training.schedule must be .*Did you mean 'cosine'\?"),
        ("training:\n  steps: 3\n  steps: 4\n", r"mine.yaml:3: .*duplicate key"),
        ("training: [\n", r"mine.yaml:\d: "),
        ("- training\n", r"mine.yaml: the top must be a mapping"),
    ],
)
def test_a_mistake_in_a_settings_file_is_named_with_its_line(text, words, headway, runs, tmp_path):
    (tmp_path / "mine.yaml").write_text(text)
    command = ("train", runs.data("tag"), "--out", tmp_path / "run", "--config", tmp_path / "mine.yaml")
    done = headway(*command)
    assert done.code == 2 and re.search(words, done.err, re.DOTALL), done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--model.encoder.layer", 3], r"model.encoder.layer .* is no setting.*Did you mean model.encoder.layers\?"),
        (["--layers.model", 3], r"layers.* is no setting"),
        (["--model.encoder.layers", "three"], r"must be a whole number, and is 'three' \(--model.encoder.layers\)"),
        (["--training.time_limit", "soon"], r"training.time_limit .*'soon'"),
        (["--set", "training.steps"], r"--set training.steps: expected PATH=VALUE"),
        (["--recipe", "tagg"], r"no recipe called 'tagg'; there are: .*Did you mean 'tag'\?"),
        (["--recipe", "classify"], r"the recipe classify answers classify, and the data ask tag"),
        (["--data.task", "tagg"], r"data.task must be .*Did you mean 'tag'\?"),
        (["--data.format", "tvs"], r"no \w+ called 'tvs'"),
        (["--model.task", "classify", "--data.task", "tag"], r"model.task is classify, and the data are read for tag"),
        (["--seed", "x"], r"--seed.*\"x\""),
        (["--seeed", "1"], r"--seeed"),
        (["--config", "nowhere.yaml"], r"nowhere.yaml: cannot be read: No such file"),
        (["--machine.device", "quantum"], r"machine.device quantum cannot be used here"),
        (["--model.encoder.width", 15], r"heads|width"),
        (["extra"], r"extra"),
    ],
)
def test_a_mistake_in_an_option_is_named_and_nothing_is_begun(arguments, words, headway, runs, tmp_path):
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", *arguments)
    assert done.code == 2 and re.search(words, done.err, re.DOTALL), done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_seed_is_short_for_the_setting(headway, runs, tmp_path, plain):
    for name, seed in {"a": ["--seed", 3], "b": ["--machine.seed", 3], "c": ["--seed", 4]}.items():
        assert headway("train", runs.data("tag"), "--out", tmp_path / name, *seed, *asked()).code == 0
    assert RunFolder(tmp_path / "a").settings().machine.seed == 3
    assert same_weights(tmp_path / "a", tmp_path / "b") and not same_weights(tmp_path / "a", tmp_path / "c")


# ------------------------------------------------------------------------------------------------- an earlier run


def test_from_takes_the_weights_of_an_earlier_run(headway, runs, tmp_path, plain):
    still = options(FASTER | {"training.learning_rate": 1e-12, "training.average": 0, "machine.threads": 1})
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", "--from", runs("tag"), *still)
    old, new = weights(runs("tag")), weights(tmp_path / "run")
    assert done.code == 0 and f"{len(old)} of {len(old)} tables and matrices are those of {runs('tag')}" in done.err
    for name, weight in old.items():
        torch.testing.assert_close(new[name], weight, rtol=1e-5, atol=1e-7)


def test_from_with_new_labels_begins_the_last_layer_anew(headway, runs, tmp_path, plain):
    """Another question on the same words: the encoder is taken, what belongs to the labels is new."""
    settings = options(FASTER | {"machine.threads": 1, "model.encoder.hidden": 24})
    done = headway("train", runs.data("several"), "--out", tmp_path / "run", "--from", runs("classify"), *settings)
    assert done.code == 0, done.err
    assert "tables and matrices are those of" in done.err and "; new are task." in done.err


def test_from_a_folder_that_is_no_run_says_so(headway, runs, tmp_path):
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", "--from", tmp_path, *asked())
    assert done.code == 1 and f"{tmp_path} is no finished run folder" in done.err
    done = headway("train", runs.data("tag"), "--out", tmp_path / "run", "--from", tmp_path / "none", *asked())
    assert done.code == 1 and "is no run folder: there is no such folder" in done.err


def test_from_an_unlike_model_is_refused_or_told(headway, runs, tmp_path, plain):
    command = ("train", runs.data("tag"), "--out", tmp_path / "run", "--from", runs("tag"))
    done = headway(*command, "--data.tokenizer", "character", *options(FASTER))
    assert done.code == 2 and "data.tokenizer is not that of" in done.err
