"""Messages: where, what was meant, and nothing from outside that a terminal would obey."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import (
    DataError,
    HeadwayError,
    MissingPackage,
    RunError,
    UsageError,
    Where,
    file_name,
    nearest,
    printable,
    unknown,
)


def test_one_tree_with_an_exit_code_for_each_kind_of_mistake():
    assert (HeadwayError.exit_code, RunError.exit_code, MissingPackage.exit_code) == (1, 1, 1)
    assert (UsageError.exit_code, DataError.exit_code) == (2, 3)
    for kind in (RunError, MissingPackage, UsageError, DataError):
        assert issubclass(kind, HeadwayError)


def test_a_place_is_a_file_and_a_line_where_there_is_one():
    assert str(Where(Path("a/b.tsv"), 3)) == "a/b.tsv:3" and str(Where("a/b.tsv")) == "a/b.tsv"
    error = DataError(Where("a.tsv", 3), "too few columns")
    assert str(error) == "a.tsv:3: too few columns" and error.where.line == 3


def test_the_name_of_a_file_is_whole_and_safe():
    long = Path("/folder" * 60) / "reviews.tsv"
    assert file_name(long) == str(long) and str(Where(long, 7)) == f"{long}:7"
    assert str(DataError(Where("a\x1b[2J\udcff.tsv", 3), "empty")) == r"a\x1b[2J\udcff.tsv:3: empty"


def test_a_missing_package_comes_with_the_line_that_installs_it():
    assert str(MissingPackage("soundfile", "sound", "reading sound")) == (
        "reading sound needs the package soundfile, which is not installed.\n"
        "  pip install 'headway[sound]'    (or: pip install soundfile)"
    )


def test_an_unknown_name_comes_with_what_there_is_and_what_may_be_meant():
    assert nearest("rotery", ["none", "rotary"]) == "rotary" and nearest("xyz", ["none", "rotary"]) is None
    assert unknown("position", "rotery", ["rotary", "none"]) == (
        "no position called 'rotery'; there are: none, rotary. Did you mean 'rotary'?"
    )
    assert unknown("position", "xyz", ["none"]) == "no position called 'xyz'; there are: none."
    assert unknown("position", "xyz", []) == "no position called 'xyz'; there are: none."


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=200), st.integers(2, 100))
def test_printable_text_is_printable_and_short(text, limit):
    safe = printable(text, limit)
    assert safe.isprintable() and len(safe) <= limit
    safe.encode("utf-8")


def test_what_is_printable_stays_and_what_a_terminal_obeys_is_escaped():
    assert printable("我 爱 é") == "我 爱 é"
    assert printable("a\x1b[31m\u202eb\n") == r"a\x1b[31m\u202eb\n"
    assert printable("x" * 100) == "x" * 79 + "…"
    assert printable(5) == "5"


@pytest.mark.parametrize("name", ["rotery\x1b[31m", "\u202erotary"])
def test_an_unknown_name_is_printed_safely(name):
    assert unknown("position", name, ["rotary"]).isprintable()
