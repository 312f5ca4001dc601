"""Rooms: a file is there by being there; a file outside is reached by a dotted name."""

import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import ValidationError

from headway.errors import UsageError
from headway.positions import POSITIONS, Position, rotary
from headway.run import Run
from headway.settings import Assignment, Branch, Room, dump, load, resolve

PART = """
from headway.positions import Position
from headway.settings import Branch

class Settings(Branch):
    speed: float = 2.0
    "How fast."

class Swinging(Position):
    def __init__(self, settings, width, heads):
        super().__init__()
        self.speed, self.width, self.heads = settings.speed, width, heads
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes modules outside headway: a package `elsewhere` with the files given."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files: str) -> None:
        package = tmp_path / "elsewhere"
        package.mkdir()
        for name, text in {"__init__": "", **files}.items():
            (package / f"{name}.py").write_text(text)

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "elsewhere"]:
        del sys.modules[name]


def test_the_names_of_a_room_are_its_files():
    folder = Path(rotary.__file__).parent
    assert POSITIONS.names() == sorted(file.stem for file in folder.glob("[!_]*.py"))


def test_a_part_is_built_from_its_settings_and_further_arguments():
    made = POSITIONS.build(rotary.Settings(base=5.0), 24, 3)
    assert type(made) is rotary.Rotary and (made.base, made.head_size) == (5.0, 8)
    assert POSITIONS.name_of(rotary.Settings()) == "rotary"


def test_a_choice_is_a_name_a_mapping_or_settings():
    expected = rotary.Settings(base=5.0)
    assert POSITIONS.choose(expected) is expected
    assert POSITIONS.choose({"kind": "rotary", "base": 5}) == expected
    assert POSITIONS.choose("rotary") == rotary.Settings()
    for wrong in (5, ["rotary"], {"base": 5}, None):
        with pytest.raises(UsageError, match="a position is a name, or a mapping with `kind`, and not "):
            POSITIONS.choose(wrong)


def test_a_name_that_is_not_there_comes_with_its_neighbours():
    with pytest.raises(UsageError) as caught:
        POSITIONS.module("rotery")
    assert str(caught.value) == (
        "no position called 'rotery'; there are: alibi, learned, none, relative, rotary, sinusoidal. "
        "Did you mean 'rotary'?"
    )


def test_a_file_outside_headway_is_a_choice_like_any_other(outside):
    outside(swinging=PART)
    layer = [
        Assignment("model.encoder.position", "elsewhere.swinging", "a"),
        Assignment("model.encoder.position.speed", "3.5", "a"),
    ]
    tree, origins = resolve(Run, [layer])
    chosen = tree.model.encoder.position
    assert chosen.speed == 3.5 and set(origins) == {assignment.path for assignment in layer}
    made = POSITIONS.build(chosen, 24, 3)
    assert isinstance(made, Position) and (made.speed, made.width, made.heads) == (3.5, 24, 3)
    assert dump(tree)["model"]["encoder"]["position"] == {"kind": "elsewhere.swinging", "speed": 3.5}
    assert load(Run, dump(tree), "b") == tree


def test_its_settings_are_checked_like_any_other(outside):
    outside(swinging=PART)
    with pytest.raises(UsageError) as caught:
        load(Run, {"model.encoder.position": {"kind": "elsewhere.swinging", "sped": 3}}, "a")
    assert str(caught.value) == (
        "model.encoder.position.sped (a) is no setting; model.encoder.position has: speed. "
        "Did you mean model.encoder.position.speed?"
    )


def test_a_module_that_is_not_there_is_told_from_one_that_lacks_something(outside):
    outside(broken="import no_such_module_anywhere")
    with pytest.raises(UsageError, match=r"no position called 'elsewhere.not_there': there is no module of that name"):
        POSITIONS.module("elsewhere.not_there")
    with pytest.raises(UsageError, match=r"no position called 'nowhere.at_all': there is no module of that name"):
        POSITIONS.module("nowhere.at_all")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        POSITIONS.module("elsewhere.broken")


def test_a_file_without_settings_has_none(outside):
    outside(plain=PART.replace("class Settings(Branch):", "class Unused(Branch):"))
    settings = POSITIONS.settings("elsewhere.plain")
    assert not settings.model_fields and POSITIONS.settings("elsewhere.plain") is settings
    assert POSITIONS.name_of(settings()) == "elsewhere.plain"


@pytest.mark.parametrize(("parts", "count"), [("", 0), (PART + "\nclass Second(Swinging): pass\n", 2)])
def test_a_file_that_has_not_exactly_one_part_is_refused(outside, parts, count):
    outside(several=parts)
    with pytest.raises(UsageError) as caught:
        POSITIONS.part("elsewhere.several")
    assert str(caught.value) == f"elsewhere.several must define exactly one Position, and has {count}"


def test_a_part_that_is_imported_from_another_file_does_not_count(outside):
    outside(swinging=PART, importing="from elsewhere.swinging import Swinging, Settings\n" + PART)
    assert POSITIONS.part("elsewhere.importing").__module__ == "elsewhere.importing"


def test_a_room_of_ones_own(outside):
    outside(swinging=PART, _hidden="")
    room = Room("elsewhere", Position, "swing")

    class Holder(Branch):
        swing: Annotated[Branch, room] = room.default("swinging")
        second: Annotated[Branch | None, room] = None

    assert room.names() == ["swinging"]
    assert Holder().swing.speed == 2.0 and Holder().second is None
    assert Holder(swing={"kind": "swinging", "speed": 4}, second="swinging").second.speed == 2.0
    tree, _ = resolve(Holder, [[Assignment("second", "swinging", "a"), Assignment("second.speed", 9, "a")]])
    assert tree.second.speed == 9
    with pytest.raises(ValidationError, match="a swing is a name"):
        Holder(swing=5)
    with pytest.raises(ValidationError):
        Holder(swing=None)


def test_branches_are_frozen_and_know_no_further_names():
    settings = rotary.Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.base = 5.0
    with pytest.raises(ValidationError, match="Extra inputs"):
        rotary.Settings(bass=5.0)


def test_replacing_gives_a_checked_copy():
    settings = rotary.Settings()
    assert settings.replace(base=5.0) == rotary.Settings(base=5.0) and settings.base == 10_000.0
    with pytest.raises(ValidationError):
        settings.replace(base="deep")
