"""Which exact way is faster: measured with a clock of its own, kept by machine, and never in the way."""

import json

import pytest
import torch

from headway import crossover
from headway.crossover import UNMEASURED, keep, known, machine, measured, rows_to_verify


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch):
    """A clock that only answers move: verifying takes so long a row, a batch of steps so long whatever its size."""
    now, asked = [0.0], []
    monkeypatch.setattr(crossover.time, "perf_counter", lambda: now[0])

    def made(a_row: float, steps: float):
        def answer(mode: str, rows: int) -> None:
            asked.append((mode, rows))
            now[0] += a_row * rows if mode == "verify" else steps

        return answer, asked

    return made


@pytest.mark.parametrize(
    "a_row, steps, rows", [(0.1, 0.35, 2), (0.1, 0.05, 0), (0.1, 0.1, 0), (0.001, 9.0, 1), (1e-6, 0.01, 32)]
)
def test_the_largest_batch_at_which_verifying_is_faster(a_row, steps, rows, timed):
    answer, asked = timed(a_row, steps)
    found = measured(answer, most=32)
    assert found["rows"] == rows
    sizes = {size for _, size in asked}
    assert {int(size) for size in found["seconds"]["verify"]} == sizes
    assert found["seconds"]["verify"]["1"] == pytest.approx(a_row)
    assert steps > 1 or max(sizes) <= max(1, 2 * rows), "no larger batch is tried behind the one where steps win"


def test_no_more_rows_than_there_are_and_no_longer_than_is_allowed(timed):
    answer, asked = timed(1e-6, 0.01)
    assert measured(answer, most=5)["rows"] == 4 and max(size for _, size in asked) == 4
    answer, asked = timed(0.5, 10.0)
    assert measured(answer, most=32)["rows"] == 1, "the next would begin after 2 seconds"


def test_it_is_kept_for_each_machine_beside_the_others(tmp_path):
    assert rows_to_verify(tmp_path, "here") == UNMEASURED and known(tmp_path) == {}
    keep(tmp_path, "here", {"rows": 8, "seconds": {}})
    keep(tmp_path, "there", {"rows": 4, "seconds": {}})
    assert rows_to_verify(tmp_path, "here") == 8 and rows_to_verify(tmp_path, "there") == 4
    assert rows_to_verify(tmp_path, "elsewhere") == 4, "what every known machine can bear"
    keep(tmp_path, "here", {"rows": 0, "seconds": {}})
    assert rows_to_verify(tmp_path, "here") == 0 and json.loads((tmp_path / "crossover.json").read_text())["there"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"here": 3}', '{"here": {"rows": "many"}}'])
def test_a_file_that_holds_something_else_is_as_none(content, tmp_path):
    (tmp_path / "crossover.json").write_text(content)
    assert rows_to_verify(tmp_path, "here") == UNMEASURED
    keep(tmp_path, "here", {"rows": 2})
    assert rows_to_verify(tmp_path, "here") == 2


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path):
    keep(tmp_path / "no such folder", "here", {"rows": 2})
    (tmp_path / "crossover.json").mkdir()
    keep(tmp_path, "here", {"rows": 2})
    assert rows_to_verify(tmp_path, "here") == UNMEASURED


def test_a_machine_is_its_processor_and_its_threads():
    assert machine(torch.device("cpu")).endswith(f", threads {torch.get_num_threads()}")
