"""`headway train` with decoders that write all at once: what they cannot write is told, or refused."""

import pytest

from headway.decoders import DECODERS
from little import options, tiny, write

AT_ONCE = [name for name in DECODERS.names() if "nat" in DECODERS.part(name).modes]


def trained(headway, folder, lines, *more, **changed):
    """`headway train` on these lines, with these settings of the task."""
    data = write(folder / "train.tsv", lines)
    changed = {
        "training.steps": 3,
        "data.task": "transduce",
        **{f"model.task.{name}": value for name, value in changed.items()},
    }
    asked = options(tiny("transduce", {"training.evaluate_every": 3} | changed))
    return headway("train", data, "--out", folder / "run", *asked, *more)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the page and the baselines, which are not looked at."""
    monkeypatch.setattr("headway.outcome.write_report", lambda *_: None)
    monkeypatch.setattr("headway.outcome.baselines_for", lambda *_, **__: [])


SHORT = [f"{'abcdefgh'[n % 8] * (1 + n % 3)}\t{'hgfedcba'[n % 8] * (1 + n % 2)}" for n in range(20)]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", AT_ONCE)
def test_every_decoder_trains_and_answers_by_itself(name, headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder=name)
    assert done.code == 0, done.err
    answered = headway("predict", tmp_path / "run", "--text", "aab")
    assert answered.code == 0 and len(answered.lines) == 1


def test_targets_out_of_reach_are_told_with_their_lines_and_left_out(headway, tmp_path):
    lines = [*SHORT, *["abc\tabcdefghab"] * 5]
    given = {"decoder": "bound", "decoder.ratio": 1.0, "decoder.extra": 3}
    done = trained(headway, tmp_path, lines, "--data.valid", tmp_path / "train.tsv", **given)
    assert done.code == 0, done.err
    places = ", ".join(f"{tmp_path / 'train.tsv'}:{line}" for line in (21, 22, 23))
    assert (
        f"5 of 25 training targets are out of reach of model.task.decoder bound: {places} and 2 more. They are left "
        "out; for the decoder to learn them set model.task.decoder.extra higher"
    ) in " ".join(done.err.split())


def test_a_draft_tells_what_it_cannot_write_and_the_decoder_learns_it_all(headway, tmp_path):
    given = {"draft": "length", "draft.reach": 2}
    done = trained(headway, tmp_path, [*SHORT, "ab\tabcdefghab"], "--data.valid", tmp_path / "train.tsv", **given)
    assert done.code == 0, done.err
    said = " ".join(done.err.split())
    assert f"1 of 21 training targets are out of reach of model.task.draft length: {tmp_path / 'train.tsv'}:21." in said
    assert "set model.task.draft.reach higher" in said and "model.task.decoder autoregressive" not in said


def test_where_none_can_be_reached_it_is_refused_with_what_to_set(headway, tmp_path):
    valid, given = ("--data.valid", tmp_path / "train.tsv"), {"decoder.ratio": 1.0, "decoder.extra": 0}
    done = trained(headway, tmp_path, ["a\tabcdefgh"] * 20, *valid, decoder="bound", **given)
    assert done.code == 2 and not (tmp_path / "run").exists()
    said = " ".join(done.err.split())
    assert "targets of the training part are out of reach of model.task.decoder bound" in said
    assert "There is nothing to learn; set model.task.decoder.extra higher" in said


@pytest.mark.parametrize("name", AT_ONCE)
def test_without_positions_it_is_refused(name, headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder=name, **{"decoder.layers": 1, "decoder.position": "none"})
    assert done.code == 2 and "without positions writes the same token everywhere" in " ".join(done.err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["bound", "mask_predict"])
def test_what_does_not_glance_is_not_shown_anything(name, headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder=name, glancing="true")
    assert done.code == 2 and "set model.task.decoder or model.task.draft to one of them" in " ".join(done.err.split())


def test_glancing_trains(headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder="length", glancing="true")
    assert done.code == 0, done.err


@pytest.mark.parametrize("setting, value", [("lengths", 0), ("reach", 0), ("length_weight", 0), ("rounds", 0)])
def test_a_count_of_none_is_no_setting(setting, value, headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder="mask_predict", **{f"decoder.{setting}": value})
    assert done.code == 2 and setting in done.err


@pytest.mark.parametrize("setting, value", [("ratio", 0), ("extra", -1), ("mu", -1), ("cut", "last")])
def test_a_bound_that_is_none_is_no_setting(setting, value, headway, tmp_path):
    done = trained(headway, tmp_path, SHORT, decoder="bound", **{f"decoder.{setting}": value})
    assert done.code == 2 and setting in done.err
