"""Real kills at random moments, in every phase, and files damaged at random: nothing differs, nothing is unreadable."""

import operator
import random
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="forks need a system that has them")

from benchmarks.kills import damaging, killing
from benchmarks.kills.children import Child
from benchmarks.kills.equality import differences
from benchmarks.kills.phases import PHASES, Watch
from benchmarks.kills.tasks import TASKS

FEW = {"training.steps": 4, "training.evaluate_every": 2, "training.optimizer": "adamw"}


def killed(names: list[str], kills: int, folder: Path, **changed: int | str) -> killing.Tally:
    tally = killing.kill_many(names, kills, seed=3, folder=folder, changed=changed)
    assert not tally.differences and not tally.unreadable
    assert tally.total == kills and sum(tally.compared.values()) >= len(names)
    return tally


def test_killed_and_resumed_is_never_stopped(tmp_path):
    tally = killed(["tag"], 3, tmp_path, **FEW)
    assert len(tally.kills["tag"]) > 1, "in more than one phase"


@pytest.mark.long
def test_killed_in_every_phase_of_three_tasks(tmp_path):
    tally = killed(list(TASKS), 20, tmp_path, **{"training.steps": 6, "training.evaluate_every": 2})
    assert len(sum(tally.kills.values(), Counter())) >= len(PHASES) - 1


@pytest.mark.long
def test_damaged_files_are_refused_or_recovered_and_never_taken_in_silence(tmp_path):
    subjects = [damaging.Stopped("tag", tmp_path / "tag"), damaging.Finished("tag", tmp_path / "finished")]
    found, wrong = damaging.damage_many(subjects, 25, seed=11)
    outcomes = sum(found.values(), Counter())
    assert not wrong and outcomes["refused"] and outcomes["recovered"]


# ------------------------------------------------------------------------------ the instruments see what they look for


def test_a_difference_of_one_bit_is_seen(runs, tmp_path):
    run = runs.copy("tag", tmp_path / "run")
    assert differences(run, runs("tag")) == []
    file = run / "checkpoints" / "step-000000012" / "optimizer.safetensors"
    damaging.damage(file, "bit", random.Random(1))
    (run / "codecs.json").unlink()
    (run / "another").write_text("")
    log = run / "metrics.jsonl"
    log.write_text(log.read_text().replace('"loss": ', '"loss": 1', 1))
    assert differences(run, runs("tag")) == [
        f"another is only in {run}",
        f"codecs.json is missing in {run}",
        "checkpoints/step-000000012/optimizer.safetensors differs",
        "metrics.jsonl differs",
    ]


@pytest.mark.parametrize("how", damaging.MUTATIONS)
def test_damage_changes_a_file(how, tmp_path):
    file = tmp_path / "file"
    for seed in range(20):
        file.write_bytes(content := bytes(range(1, 200)))
        assert damaging.damage(file, how, random.Random(seed))
        assert not file.exists() if how == "deleted" else file.read_bytes() != content


def test_children_end_as_they_end(tmp_path):
    child = Child(partial(print, "told"), tmp_path / "a")
    assert child.wait() == 0 and child.said == "told\n" and not child.kill()
    child = Child(partial(operator.truediv, 1, 0), tmp_path / "b")
    assert child.wait() == 70 and "ZeroDivisionError: division by zero" in child.said
    assert Child(partial(time.sleep, 60), tmp_path / "c").kill()


def test_a_phase_is_read_from_the_files(tmp_path):
    checkpoints, log = tmp_path / "checkpoints", tmp_path / "metrics.jsonl"
    checkpoints.mkdir()
    watch = Watch(tmp_path, every=2, steps=4)
    phases = [watch.phase()]
    told = ""
    for event, step in (("start", 0), ("step", 1), ("step", 2)):
        log.write_text(told := f'{told}{{"event": "{event}", "step": {step}}}\n')
        phases.append(watch.phase())
    (tmp_path / "weights-000000002.safetensors").write_text("")
    phases.append(watch.phase())
    log.write_text(f'{told}{{"event": "valid", "step": 2}}\n')
    phases.append(watch.phase())
    (checkpoints / "step-000000002").mkdir()
    phases.append(watch.phase())
    assert phases == ["preparation", "step", "step", "validation", "best weights", "checkpoint", "step"]
