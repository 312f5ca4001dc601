"""What every file of every room offers: a first line to be listed by, one part, settings that come back."""

import importlib

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.cli.list import ROOMS
from headway.settings import Branch, Room, dump, leaves, meanings
from trees import trees

CHOICES = {name: home for name, home in ROOMS.items() if ":" in home}
"""The rooms whose files are parts with settings; recipes are functions."""


def room_named(name: str) -> Room:
    package, _, attribute = CHOICES[name].partition(":")
    return getattr(importlib.import_module(package), attribute)


FILES = [(name, file) for name in CHOICES for file in room_named(name).names()]
each_file = pytest.mark.parametrize(("room", "file"), FILES, ids=[f"{name}-{file}" for name, file in FILES])


def test_the_rooms_of_the_design_are_all_there():
    rooms = {"scores", "normalizers", "positions", "mixers", "engines", "inputs", "decoders", "tasks", "tokenizers"}
    assert rooms <= set(CHOICES)
    assert all(room_named(name).names() for name in CHOICES)


@each_file
def test_its_first_line_says_what_it_is_in_a_line(room, file):
    first = (room_named(room).module(file).__doc__ or "").strip().partition("\n")[0]
    assert 15 < len(first) <= 120 and first.isprintable()


@each_file
def test_it_offers_exactly_one_part(room, file):
    part = room_named(room).part(file)
    assert issubclass(part, room_named(room).contract) and part is not room_named(room).contract


@each_file
def test_every_one_of_its_settings_says_what_it_does_and_has_a_default(room, file):
    settings = room_named(room).settings(file)
    assert issubclass(settings, Branch) and isinstance(settings(), settings)
    for name in settings.model_fields:
        told = meanings(settings).get(name, "")
        assert told and told[0].isupper() and told.rstrip()[-1] in ".?", name
    assert len(settings.model_fields) <= 10


@each_file
@hypothesis.settings(max_examples=10, suppress_health_check=list(hypothesis.HealthCheck))
@given(data=st.data())
def test_its_settings_come_back_from_text(room, file, data):
    chosen = data.draw(trees(room_named(room).settings(file)))
    kept = room_named(room)
    assert kept.choose({"kind": kept.name_of(chosen), **dump(chosen)}) == chosen
    assert kept.name_of(chosen) == file
    assert all(path and not path.startswith(".") for path, _ in leaves(chosen))


@pytest.mark.parametrize("name", ROOMS)
def test_every_room_says_what_it_is(name):
    package = importlib.import_module(ROOMS[name].partition(":")[0])
    assert (package.__doc__ or "").strip().partition("\n")[0].isprintable()
