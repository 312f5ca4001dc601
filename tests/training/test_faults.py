"""What goes wrong while training, with what the user sees: a loss that is no number, or leads nowhere; short memory."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import numpy as np
import pytest
import torch

from headway.batch import Example
from headway.cli import run as headway_command
from headway.errors import HeadwayError, RunError, Where
from headway.training import divergence
from headway.training.checkpoint import Progress
from headway.training.distributed import MEETING
from headway.training.divergence import Kept, as_json, hint, trouble
from headway.training.loop import Trainer
from headway.training.settings import MachineSettings, TrainingSettings
from little import events, options, quick, tiny, train_and, weights


def test_a_loss_that_is_no_number_ends_the_command_with_the_batch_kept_and_a_hint(runs, tmp_path, capsys):
    run = tmp_path / "run"
    settings = tiny("tag", {"training.learning_rate": 1e38, "training.clip": 0.0, "training.warmup": 0})
    code = headway_command(["train", str(runs.data("tag")), "--out", str(run), *options(settings)])
    told = capsys.readouterr().err
    assert code == 1 and "Traceback" not in told
    assert "training has diverged" in told and "what was saved before is intact" in told
    for advice in ("a lower training.learning_rate (now 1e+38)", "a longer training.warmup (now 0)", "training.clip 1"):
        assert advice in told
    kept = json.loads((run / "checkpoints" / divergence.FILE).read_text())
    assert str(run / "checkpoints" / divergence.FILE) in told
    assert kept["step"] >= 1 and not math.isfinite(float(kept["loss"]) * float(kept["gradient_norm"]))
    assert kept["learning_rate"] > 1e37 and kept["wrong"] in told
    first = kept["examples"][0]
    assert first["where"] in told and "train.slash:" in first["where"]
    line = int(first["where"].rpartition(":")[2])
    written = (runs.data("tag") / "train.slash").read_text().splitlines()[line - 1]
    assert written == " ".join(f"{word}/{tag}" for word, tag in zip(first["source"], first["target"], strict=True))


@pytest.mark.long
def test_a_resumed_run_forgets_the_batch_that_was_kept(runs, tmp_path):
    def poison(trainer: Trainer, step: int) -> None:
        if step == 6:
            with torch.no_grad():
                next(trainer.model.parameters()).fill_(torch.nan)

    path, settings = tmp_path / "run", tiny("tag")
    with pytest.raises(HeadwayError, match="the weights are no numbers any more"):
        train_and(poison, runs.data("tag"), path, settings=settings)
    assert [each.name for each in (path / "checkpoints").glob("step-*")] == ["step-000000004"]
    kept = path / "checkpoints" / divergence.FILE
    assert {each["loss"] for each in json.loads(kept.read_text())["examples"]} == {"nan"}
    quick(runs.data("tag"), path, resume=True, settings=settings)
    assert not kept.exists()


@pytest.mark.long
def test_a_full_disk_does_not_hide_that_training_has_diverged(runs, tmp_path, monkeypatch):
    write = divergence.storage.write_json

    def full(path: Path, value: Any) -> None:
        if path.name == divergence.FILE:
            raise RunError(f"{path} could not be written: No space left on device")
        write(path, value)

    monkeypatch.setattr(divergence.storage, "write_json", full)
    settings = tiny("tag", {"training.learning_rate": 1e38})
    with pytest.raises(HeadwayError, match=r"training has diverged.*are not kept \(.*No space left"):
        quick(runs.data("tag"), tmp_path / "run", settings=settings)


def test_the_very_examples_are_named_whose_loss_is_no_number(tmp_path):
    def loss(rows: np.ndarray) -> float:
        return math.nan if 7 in rows else 1.5

    kept = Kept([np.array([3, 4]), np.array([7, 2])], lambda row: Example("a b", 1.0, Where("x.tsv", row)), loss)
    assert kept.guilty == [7] and kept.rows == {3: None, 4: None, 7: pytest.approx(math.nan, nan_ok=True), 2: 1.5}
    text = hint(kept, torch.nn.Linear(2, 2), TrainingSettings(), MachineSettings())
    assert text == "Look at x.tsv:7: alone they give a loss that is no number, and the others do not"
    kept.write(tmp_path / "kept.json", {"step": 3})
    told = json.loads((tmp_path / "kept.json").read_text())
    assert told["step"] == 3 and [each["where"] for each in told["examples"]] == [f"x.tsv:{n}" for n in (3, 4, 7, 2)]
    assert told["examples"][2]["loss"] == "nan" and told["examples"][3]["loss"] == 1.5
    assert told["examples"][0] == {"where": "x.tsv:3", "source": "a b", "target": 1.0}


def test_what_is_prepared_is_kept_by_its_place_alone(tmp_path):
    kept = Kept([np.array([5])], lambda row: Example(None, where=Where("y.tsv", row)), None)
    kept.write(tmp_path / "kept.json", {})
    assert json.loads((tmp_path / "kept.json").read_text())["examples"] == [{"where": "y.tsv:5"}]
    assert kept.guilty == [] and "a lower training.learning_rate" in hint(
        kept, torch.nn.Linear(2, 2), TrainingSettings(), MachineSettings(precision="bfloat16")
    )


def test_a_loss_far_above_the_first_is_borne_for_some_updates_and_no_longer():
    progress = Progress()
    assert trouble(progress, 2.0, 1.0) is None and progress.begun == 2.0
    for _ in range(3):
        for _ in range(divergence.LONG - 1):
            assert trouble(progress, 101.0, 1.0) is None
        assert trouble(progress, 99.0, 1.0) is None, "one below begins the count again"
    for _ in range(divergence.LONG - 1):
        assert trouble(progress, 101.0, 1.0) is None
    text = trouble(progress, 101.0, 1.0)
    assert text == "the loss is 101 at step 1, above 100 for 20 updates, and began with 2"
    high = Progress(begun=300.0)
    assert all(trouble(high, 2999.0, 1.0) is None for _ in range(100))


@pytest.mark.parametrize("loss, norm", [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, math.inf)])
def test_what_is_no_number_is_trouble_at_once(loss, norm):
    assert "gradient" in (trouble(Progress(), loss, norm) or "")
    assert as_json(loss) == (1.0 if loss == 1.0 else str(loss))


@pytest.mark.long
def test_a_loss_that_grows_and_stays_there_stops(runs, tmp_path):
    """Nothing in it is ever no number."""

    def grown(trainer: Trainer, step: int) -> None:
        with torch.no_grad():
            trainer.model.task.output.bias[0] = 1e5  # every other label has next to no probability

    settings = tiny("tag", {"training.steps": 60, "training.learning_rate": 1e-9, "training.evaluate_every": 10})
    with pytest.raises(HeadwayError, match=r"the loss is .*, above 100 for 20 updates.*training has diverged\. Try"):
        train_and(grown, runs.data("tag"), tmp_path / "run", settings=settings)


# ------------------------------------------------------------------------------------------------ a limit of the system

LIMITED = """
import resource, sys
import torch
torch.set_num_threads(1)
from headway.cli import main
size = int(next(l for l in open("/proc/self/status") if l.startswith("VmSize")).split()[1]) * 1024
from headway.training import memory
if sys.argv[1] == "reacts":
    memory.Foresight.lack = lambda self, parts: None
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv[2]) * 2**20,) * 2)
main(sys.argv[3:])
"""


def limited(how: str, megabytes: int, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """`headway …` in a process that may take so much more than it has when it begins."""
    command = [sys.executable, "-c", LIMITED, how, str(megabytes), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500, check=False)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("how", ["foresees", "reacts"])
def test_under_a_limit_of_address_space_training_goes_on_in_pieces(how, tmp_path):
    """Attention by its definition keeps all pairs: a batch of 64 × 500 tokens takes far more than a row of it."""
    data = tmp_path / "data"
    data.mkdir()
    words = ["ant", "bee", "cat", "dog"]
    for part, rows in (("train", 64), ("valid", 4)):
        lines = [" ".join(words[(row + at) % 4] for at in range(500)) + f"\t{row % 2}" for row in range(rows)]
        (data / f"{part}.tsv").write_text("\n".join(lines) + "\n")
    settings = tiny("classify", {
        "training.steps": 2, "training.evaluate_every": 2, "training.tokens": 40_000, "machine.parts": 1,
        "model.encoder.mixer.engine": "definition", "model.encoder.mixer.heads": 4, "model.input.buckets": 257,
    })  # fmt: skip
    run = tmp_path / "run"
    done = limited(how, 700, "train", data, "--out", run, *options(settings))
    assert done.returncode == 0, done.stderr
    assert ("memory is short" if how == "foresees" else "out of memory") in done.stderr, done.stderr
    assert "train.tsv:" in done.stderr and "batches split for want of memory" in done.stdout
    told = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert any(event["event"] == "split" for event in told)


RANKED = """
import os, sys
import torch
from headway.cli import main
from headway.model import Model
usual = Model.encode

def encode(self, batch):
    found = usual(self, batch)
    step = round(batch.progress * 12)
    if os.environ["RANK"] == "1" and found.x.requires_grad and step == 5 and len(batch) > 4:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    return found

Model.encode = encode
main(sys.argv[1:])
"""


@pytest.mark.long
def test_where_one_of_two_processes_lacks_memory_both_make_the_update_again_in_pieces(runs, tmp_path):
    run, settings = tmp_path / "run", tiny("tag", {"model.input.word_dropout": 0.0})
    place = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", MEETING: str(tmp_path / "meeting"), "GLOO_SOCKET_IFNAME": "lo"}
    both = {**os.environ, "OMP_NUM_THREADS": "1", **place}
    command = [sys.executable, "-c", RANKED, "train", str(runs.data("tag")), "--out", str(run), *options(settings)]
    stays, held = os.pipe()  # they end when their input does
    ranks = [
        subprocess.Popen(command, env={**both, "RANK": rank, "LOCAL_RANK": rank}, stdin=stays, stderr=PIPE, text=True)
        for rank in ("0", "1")
    ]
    told = [process.communicate(timeout=300)[1] for process in ranks]
    for end in (stays, held):
        os.close(end)
    assert [process.returncode for process in ranks] == [0, 0], told
    assert told[0].count("out of memory at step 6: ") == 1 and "out of memory" not in told[1]
    (split,) = [event for event in events(run) if event["event"] == "split"]
    assert split["step"] == 6 and split["rows"] > 4 and "train.slash:" in split["where"]
    quick(runs.data("tag"), tmp_path / "whole", settings={**settings, "machine.parts": 2})
    ours, theirs = weights(run), weights(tmp_path / "whole")
    for name in theirs:
        if not name.endswith("key.bias"):  # a softmax does not see it: its gradient is rounding
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=2e-4, msg=name)
