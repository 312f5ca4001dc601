"""Cells on disk: what is reused, what is refused, and what one process writes of its training."""

import json
import threading
from pathlib import Path

import pytest

from headway.data.index import fingerprint
from headway.errors import RunError, UsageError
from headway.experiment import evaluate, load
from headway.lab.compare.cells import Cell, begun, placed
from headway.lab.compare.process import STOPPED, Told, train_and_measure
from headway.planning import plan
from headway.settings import assignments
from little import tiny


@pytest.fixture
def cell(runs, tmp_path):
    """A cell of the tagger, to be trained in tmp_path/cells/a-0."""

    def made(name: str = "a-0", part: str | None = "test", asked: str = "tag", **more) -> Cell:
        data = runs.data(asked)
        run = plan(data, settings=assignments(tiny(asked, more), "given")).run
        prints = {"train": "1", "test": "2"}
        return Cell(tmp_path / "cells" / name, name.partition("-")[0], 0, run, str(data), prints, part)

    return made


def trained(one: Cell) -> dict:
    """What is in cell.json when its process is done."""
    one.write()
    assert train_and_measure(one, Told(one.folder), threading.Event()) == 0
    assert one.result is not None
    return one.result


# ------------------------------------------------------------------------------------------------------------- on disk


def test_a_cell_is_read_as_it_was_written(cell):
    one = cell()
    one.write()
    again = Cell.read(one.folder)
    assert again == one and again.fingerprint == one.fingerprint and again.result is None


def test_a_fingerprint_is_of_all_settings_but_where_the_data_lie(cell, runs):
    one, same = cell(), cell(**{"data.test": str(runs.data("tag") / "test.slash")})
    assert one.run != same.run and one.fingerprint == same.fingerprint
    others = [cell(**{"training.steps": 13}), cell(**{"machine.seed": 1}), cell(**{"machine.threads": 2})]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_a_cell_that_is_the_same_is_reused_under_whatever_name(cell, tmp_path):
    one = cell("attention-0")
    one.write()
    (found,) = placed([cell("attention+softmax-0")], tmp_path / "cells")
    assert found.folder == one.folder and found.arm == "attention+softmax"
    (new,) = placed([cell("b-0", **{"training.steps": 13})], tmp_path / "cells")
    assert new.folder.name == "b-0"


def test_cells_of_other_settings_or_data_are_not_mixed(cell, tmp_path):
    cell().write()
    with pytest.raises(UsageError) as refused:
        placed([cell(**{"training.steps": 13})], tmp_path / "cells")
    assert "cells of different settings are not mixed:\n  training.steps: 12 there, 13 now\n" in str(refused.value)
    other = cell()
    other = Cell(other.folder, "a", 0, other.run, other.data, {"train": "1", "test": "3"}, "test")
    with pytest.raises(UsageError, match=r"was made with other data \(test differ\).*choose another --out"):
        placed([other], tmp_path / "cells")


def test_a_damaged_task_is_named(cell, tmp_path):
    one = cell()
    one.write()
    (one.folder / "task.json").write_text("{}")
    with pytest.raises(RunError, match=r"task.json is damaged"):
        list(begun(tmp_path / "cells"))


# --------------------------------------------------------------------------------------------------------- one process


def test_what_a_cell_keeps_is_what_its_run_answers(cell, runs):
    one = cell(**{"training.learning_rate": 0.02})
    found = trained(one)
    values, _ = evaluate(one.folder / "run", runs.data("tag"))
    assert found["values"] == values == found["metrics"]["test"]
    items = found["items"]
    assert len(items["amounts"]) == len(items["lengths"]) == items["count"] == 12
    assert sum(items["amounts"]) / sum(items["weights"]) == pytest.approx(values["accuracy"])
    assert found["resampled"]["accuracy"]["by"] == "sums" and len(found["resampled"]["accuracy"]["values"]) == 2000
    facts = found["facts"]
    assert facts["steps"] == 12 and facts["best_step"] in (4, 8, 12) and facts["seconds"] > 0 < facts["peak_memory"]
    assert [point[0] for point in found["curve"]] == [4, 8, 12] and found["learning_rate"] == 0.02
    assert found["fingerprint"] == one.fingerprint and found["version"] and found["machine"]["threads"] == 1
    assert found["baselines"] == {} and not (one.folder / "run" / "checkpoints").exists()


def test_its_run_has_exactly_the_settings_of_the_arm(cell):
    one = cell()
    trained(one)
    assert load(one.folder / "run").run == one.run


def test_a_file_that_is_split_is_measured_on_its_share(runs, tmp_path, cell):
    whole = (runs.data("tag") / "train.slash").read_text()
    (tmp_path / "all.slash").write_text(whole)
    one = cell()
    one = Cell(one.folder, "a", 0, one.run, str(tmp_path / "all.slash"), one.prints, "test")
    found = trained(one)
    assert 0 < found["items"]["count"] < len(whole.splitlines()) / 3
    assert found["values"] == found["metrics"]["test"]


def test_files_that_are_named_one_by_one(runs, cell):
    data = runs.data("tag")
    named = {f"data.{part}": str(data / f"{part}.slash") for part in ("train", "valid", "test")}
    one = cell(**named)
    found = trained(Cell(one.folder, "a", 0, one.run, None, one.prints, "test"))
    assert found["items"]["count"] == 12


def test_a_trial_is_not_measured_on_the_test_part(cell):
    found = trained(cell(part=None))
    assert "values" not in found and "items" not in found and found["metrics"]["valid"]["accuracy"] >= 0


def test_a_training_that_diverges_has_a_result_too(cell, capsys):
    found = trained(cell(**{"training.learning_rate": 1e30, "training.clip": 0}))
    assert "training has diverged" in found["failed"] and "values" not in found


@pytest.mark.long
def test_a_cell_that_is_stopped_goes_on_as_if_nothing_had_been(cell, monkeypatch):
    whole, halved = cell("whole-0"), cell("halved-0")
    stop = threading.Event()

    class StopsAt4(Told):
        def evaluated(self, step, values, best):
            super().evaluated(step, values, best)
            stop.set()

    halved.write()
    assert train_and_measure(halved, StopsAt4(halved.folder), stop) == STOPPED and halved.result is None
    found, other = trained(halved), trained(whole)
    assert found["values"] == other["values"] and found["items"] == other["items"]
    assert found["resampled"] == other["resampled"] and found["facts"]["tokens"] == other["facts"]["tokens"]


def test_the_peak_of_memory_is_the_largest_of_all_sessions(tmp_path):
    told = Told(tmp_path)
    (tmp_path / "peak.json").write_text(json.dumps(10**15))
    assert told.peak_so_far() == 10**15
    Path(tmp_path / "peak.json").write_text("1")
    assert 1 < (told.peak_so_far() or 0) < 10**12


def test_fingerprints_of_data_differ_with_their_order(runs):
    examples = plan(runs.data("tag")).train
    assert fingerprint(examples) == fingerprint(list(examples)) != fingerprint(examples[::-1])
