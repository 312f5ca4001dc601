"""Trees as mappings, as paths, and as what differs from the defaults: random trees of a whole Run."""

import json
from typing import Annotated, Literal

import hypothesis
from hypothesis import given
from pydantic import create_model

from headway.errors import UsageError
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.positions import POSITIONS
from headway.run import Run
from headway.settings import Assignment, Branch, Count, Names, changes, describe, dump, leaves, load, meanings, resolve
from trees import trees


@hypothesis.settings(max_examples=8, suppress_health_check=list(hypothesis.HealthCheck))
@given(trees(Run))
def test_a_random_tree_is_dumped_and_loaded_changed_and_resolved_and_read_leaf_by_leaf(tree):
    plain = dump(tree)
    assert load(Run, plain, "here") == tree
    assert load(Run, json.loads(json.dumps(plain)), "here") == tree  # and through text

    changed = changes(tree, "recipe tag")  # how a recipe becomes a layer below what a user sets
    again, origins = resolve(Run, [changed])
    assert again == tree
    assert set(origins.values()) <= {"recipe tag"}
    some = range(0, len(changed), 1 + len(changed) // 6)
    assert all(_without(number, changed) != tree for number in some)  # each of them is needed

    found = dict(leaves(tree))
    again, origins = resolve(Run, [[Assignment(path, value, "leaf") for path, value in found.items()]])
    assert again == tree
    assert set(origins) == set(found)


def _without(number: int, changed: list[Assignment]) -> Run | None:
    """The tree when one change is left out; None where the others cannot stand without it."""
    try:
        return resolve(Run, [changed[:number] + changed[number + 1 :]])[0]
    except UsageError:
        return None


def test_the_defaults_have_no_changes():
    assert changes(Run(), "x") == []


class Small(Branch):
    position: Annotated[Branch, POSITIONS] = POSITIONS.default("rotary")
    "How order is told."
    other: Annotated[Branch | None, POSITIONS] = None
    "Told twice."
    sizes: Count | None = None
    "How many."
    norm: Literal["layer", "rms"] = "rms"
    words: Names = ("a",)
    inner: AttentionSettings = AttentionSettings()


def test_leaves_come_in_order_a_choice_before_its_settings():
    assert list(leaves(Small()))[:5] == [
        ("position", "rotary"),
        ("position.base", 10_000.0),
        ("other", None),
        ("sizes", None),
        ("norm", "rms"),
    ]


def test_changes_name_the_choice_where_it_is_another_and_only_what_differs_below():
    changed = Small(position="learned", inner=AttentionSettings(heads=2), words=("b", "c"))
    found = [(change.path, change.value, change.origin) for change in changes(changed, "here")]
    assert found == [("position", "learned", "here"), ("words", ("b", "c"), "here"), ("inner.heads", 2, "here")]


def test_a_description_says_path_type_default_and_what_it_does():
    found = {path: rest for path, *rest in describe(Small)}
    files = " | ".join(POSITIONS.names())
    assert found["position"] == [files, "rotary", "How order is told."]
    assert found["position.base"] == ["float", 10_000.0, "Wavelengths run from 2π to 2π × base."]
    assert found["other"] == ["none | " + files, None, "Told twice."]
    assert found["sizes"] == ["int | none", None, "How many."]
    assert found["norm"] == ["layer | rms", "rms", ""]
    assert "inner.heads" in found and "inner" not in found


def test_meanings_are_inherited_and_replaced_and_empty_without_a_file():
    class Base(Branch):
        one: int = 1
        "First."
        two: int = 2
        "Second."

    class Further(Base):
        two: int = 3
        "Another."
        three: int = 3

    assert meanings(Base)["one"] == "First." and meanings(Base)["two"] == "Second."
    assert meanings(Further) == {"one": "First.", "two": "Another."}
    assert meanings(create_model("Nowhere", __base__=Branch, x=(int, 1))) == {}


def test_every_setting_of_a_run_says_what_it_does():
    silent = [path for path, _, _, text in describe(Run) if not text]
    assert silent == []
