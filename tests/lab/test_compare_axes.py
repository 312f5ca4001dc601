"""The arms of a comparison: the grid, names, what applies to which arm, and what is refused."""

from typing import Any

import numpy as np
import pytest

from headway.data.batching import plan
from headway.data.encoding import Encoded
from headway.errors import UsageError
from headway.lab.compare.axes import Axis, arms_of, axis_of, check_axes
from headway.lab.compare.budget import Budget, seconds_of, steps_for
from headway.layers.mixers import attention
from headway.rows import Rows
from headway.run import Run
from headway.settings import Assignment, changes, resolve

BASE = Run().replace(
    model=Run().model.replace(encoder=Run().model.encoder.replace(mixer=attention.Settings(heads=2, dropout=0.25)))
)
ORIGINS = {one.path: one.origin for one in changes(BASE, "recipe tag")}
MIXER = "model.encoder.mixer"


def arms(*texts: str, below: list[tuple[str, Any]] = []) -> list:  # noqa: B006
    given = [Assignment(path, value, f"--{path}") for path, value in below]
    return arms_of(BASE, ORIGINS, [axis_of(text) for text in texts], given)


def test_an_axis_is_a_path_and_its_values():
    assert axis_of("model.encoder.layers=1, 2,4") == Axis("model.encoder.layers", ("1", "2", "4"))
    for text in ("model.encoder.layers", "=1,2"):
        with pytest.raises(UsageError, match="expected PATH=VALUE,VALUE"):
            axis_of(text)


def test_two_axes_give_their_grid_with_the_first_slowest():
    found = arms(f"{MIXER}.heads=1,2", "model.encoder.position=none,rotary")
    assert [arm.name for arm in found] == [f"heads={h} + position={p}" for h in (1, 2) for p in ("none", "rotary")]
    assert [arm.run.model.encoder.mixer.heads for arm in found] == [1, 1, 2, 2]
    assert found[0].folder == "heads=1+position=none"


def test_names_say_what_is_needed_and_folders_hold_only_plain_characters():
    assert [arm.name for arm in arms(f"{MIXER}=attention,convolution")] == ["attention", "convolution"]
    assert [arm.name for arm in arms("training.clip=0,1")] == ["clip=0.0", "clip=1.0"]
    assert [arm.name for arm in arms(f"{MIXER}.dropout=none,0.5")] == ["dropout=none", "dropout=0.5"]
    one, other = arms("data.tokenizer=character,word", "data.target_tokenizer=character,word")[:2]
    assert (one.name, other.folder) == ("character + character", "character+word")
    plain, odd = arms("model.input.vectors=a,a/ü b")
    assert plain.folder == "vectors=a" and odd.folder.startswith("vectors=a_ü_b-")


def test_what_does_not_apply_is_dropped_and_said_and_equal_arms_are_one():
    found = arms(f"{MIXER}=attention,convolution", f"{MIXER}.heads=1,2")
    assert [arm.name for arm in found] == ["attention + heads=1", "attention + heads=2", "convolution"]
    kept, _, other = found
    assert kept.run.model.encoder.mixer == attention.Settings(heads=1, dropout=0.25) and kept.dropped == ()
    assert set(other.dropped) == {f"{MIXER}.heads", f"{MIXER}.heads (recipe tag)", f"{MIXER}.dropout (recipe tag)"}
    assert dict(other.choices) == {MIXER: "convolution"}


def test_a_setting_below_an_axis_goes_to_the_arms_that_have_it():
    attends, convolves = arms(f"{MIXER}=attention,convolution", below=[(f"{MIXER}.heads", 8)])
    assert attends.run.model.encoder.mixer.heads == 8 and f"{MIXER}.heads" in convolves.dropped
    with pytest.raises(UsageError, match=r"model.encoder.mixer.hads .* is no setting.*Did you mean model.*heads"):
        arms(f"{MIXER}=attention,convolution", below=[(f"{MIXER}.hads", 8)])


@pytest.mark.parametrize(
    "text, told",
    [
        ("model.encoder.layer=1,2", "Did you mean model.encoder.layers?"),
        ("model.encoder.mixer=attention,convolutoin", "no mixer called 'convolutoin'"),
        ("model.encoder.layers=1,two", "model.encoder.layers must be a whole number, and is 'two' (--axis model.enc"),
        ("model.encoder.layers=1,0", "model.encoder.layers must be above 0"),
        ("model.encoder.layers=2,02", "all arms are the same"),
    ],
)
def test_values_that_cannot_be_are_refused(text, told):
    with pytest.raises(UsageError) as refused:
        arms(text)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "texts, told",
    [
        ([], "nothing to compare"),
        (["model.encoder.layers=2"], "has one value, and a comparison needs two"),
        (["model.encoder.layers="], "has no value"),
        (["model.encoder.layers=2,2,3"], "has a value twice"),
        (["model.encoder.layers=1,2", "model.encoder.layers=3,4"], "was given twice"),
        (["training.epochs=1,2"], "cannot be an axis: every arm has the same budget"),
        (["machine.seed=1,2"], "--seeds N"),
        (["data.test=a,b"], "the same items"),
        (["model.encoder.width=8,16"], "is an axis and a setting: leave out --model.encoder.width"),
    ],
)
def test_axes_that_are_not_fair_are_refused(texts, told):
    with pytest.raises(UsageError) as refused:
        check_axes([axis_of(text) for text in texts], [Assignment("model.encoder.width", 8, "--model.encoder.width")])
    assert told in str(refused.value)


# -------------------------------------------------------------------------------------------------------------- budgets


def test_one_budget_and_above_zero():
    with pytest.raises(UsageError, match="--tokens and --steps were given"):
        Budget(tokens=5, steps=5)
    with pytest.raises(UsageError, match="--steps must be above 0"):
        Budget(steps=-1)
    assert seconds_of("1h30m") == 5400 and seconds_of(90) == 90 and seconds_of(None) is None
    for time in ("0", "soon"):
        with pytest.raises(UsageError, match=f"--time {time}: "):
            seconds_of(time)
    with pytest.raises(UsageError, match="--steps is the budget of every arm, and --training"):
        Budget(steps=5).check([Assignment("training.epochs", 3, "--training.epochs")])


def encoded(rows: int = 40) -> Encoded:
    """What a training part of so many rows is learned from."""
    costs = np.random.Generator(np.random.PCG64(0)).integers(2, 9, rows)
    return Encoded([], Rows.of([]), [], costs)


def test_a_budget_of_tokens_is_as_many_whole_updates_as_reach_it():
    run = resolve(Run, [[Assignment("training.tokens", 30, "here"), Assignment("machine.seed", 5, "here")]])[0]
    train = encoded()
    sums = [int(train.costs[u[0]].sum()) for epoch in range(9) for u in plan(train.costs, 30, 5, epoch)]
    for tokens in (1, 29, 100, int(train.costs.sum()), 900, 1234):
        steps = steps_for(run, train, tokens)
        assert sum(sums[:steps]) >= tokens > sum(sums[: steps - 1])
    assert Budget(tokens=100).given_to(run, train).training.steps == steps_for(run, train, 100)


def test_a_share_of_every_budget():
    train = encoded()
    run = resolve(Run, [[Assignment("training.tokens", 30, "here"), Assignment("training.epochs", 10, "here")]])[0]
    timed = Budget(seconds=300).given_to(run, train, 0.2).training
    assert (timed.time_limit, timed.steps, timed.epochs) == (60, None, None)
    assert Budget(steps=12).given_to(run, train, 0.2).training.steps == 2
    assert Budget().given_to(run, train) == run
    updates = len(plan(train.costs, 30, 0, 0))
    shared = Budget().given_to(run, train, 0.2).training
    assert (shared.steps, shared.epochs, shared.time_limit) == (2 * updates, None, None)
