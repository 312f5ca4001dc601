"""YAML 1.2 as assignments: every value with its line, every mistake with its file and line."""

import math
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given

from headway.errors import UsageError
from headway.run import Run, as_yaml
from headway.settings import Assignment, changes, resolve
from headway.settings_file import DEPTH, LIMIT, read_yaml
from trees import trees


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def read(file: Path, text: str) -> list[tuple[str, Any, int]]:
    """(path, value, line) of everything a text assigns."""
    file.write_text(text, encoding="utf-8")
    found = read_yaml(file)
    assert all(assignment.origin.startswith(f"{file}:") for assignment in found)
    return [(assignment.path, assignment.value, int(assignment.origin.rpartition(":")[2])) for assignment in found]


def refused(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_yaml(file)
    message = str(caught.value)
    assert message.startswith(str(file))
    return message.removeprefix(str(file))


def test_every_value_has_its_path_and_its_line(file):
    text = """# a comment
model:
  encoder:
    layers: 2     # few

    position: {kind: learned, positions: 70}
  task: tag
training.steps: 5
data:
  train: [a.tsv, b.tsv]
"""
    assert read(file, text) == [
        ("model.encoder.layers", 2, 4),
        ("model.encoder.position", "learned", 6),
        ("model.encoder.position.positions", 70, 6),
        ("model.task", "tag", 7),
        ("training.steps", 5, 8),
        ("data.train", ["a.tsv", "b.tsv"], 10),
    ]


def test_the_origin_is_the_file_and_the_line(file):
    file.write_text("machine:\n  seed: 3\n")
    assert read_yaml(file) == [Assignment("machine.seed", 3, f"{file}:2")]
    tree, origins = resolve(Run, [read_yaml(file)])
    assert tree.machine.seed == 3 and origins == {"machine.seed": f"{file}:2"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("010", 10),
        ("12:30:45", "12:30:45"),
        ("1h30m", "1h30m"),
        ("~", None),
        ("null", None),
        ("'5'", "5"),
        ('"a # b"', "a # b"),
        ("我 爱", "我 爱"),
        (".inf", math.inf),
    ],
)
def test_values_are_read_as_yaml_1_2_reads_them(file, written, value):
    ((_, found, _),) = read(file, f"key: {written}\n")
    assert found == value and isinstance(found, type(value))


def test_nothing_assigns_nothing(file):
    for text in ("", "\n", "# only a comment\n", "---\n", "model: {}\n"):
        assert read(file, text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ':3: found duplicate key "a" with value "3" (original value: "1")'),
        ("m:\n  a: 1\n  a: 1\n", ':3: found duplicate key "a" with value "1" (original value: "1")'),
        ("a: &x 1\nb: *x\n", ":2: references (*name) are not used in settings; write the value out"),
        ("a: 1\n b: 2\n", ":2: mapping values are not allowed here"),
        ("a:\n\t- x\n", r":2: found character '\t' that cannot start any token"),
        ("a: 1\nb: [1,\n", ":3: expected the node content, but found '<stream end>'"),
        ("a: 1\n---\nb: 2\n", ":2: but found another document"),
        ("- a\n- b\n", ": the top must be a mapping such as `model:`, and not CommentedSeq"),
        ("5\n", ": the top must be a mapping such as `model:`, and not int"),
        ("a: b: c\n", ":1: mapping values are not allowed here"),
    ],
)
def test_what_is_no_file_of_settings_is_refused_with_its_line(file, text, message):
    assert refused(file, text) == message


def test_a_file_of_settings_is_small(file):
    assert refused(file, "a: 1\n" + "#" * LIMIT) == ": larger than 1,000,000 bytes, and no file of settings is"
    assert read(file, "a: 1\n" + "#" * (LIMIT - 5)) == [("a", 1, 1)]


def test_a_file_of_settings_is_flat(file):
    deep = "".join(" " * level + "a:\n" for level in range(DEPTH + 3)) + " " * (DEPTH + 3) + "a: 1\n"
    assert refused(file, deep) == f": nested deeper than {DEPTH} levels"
    assert refused(file, "{" * 5000)  # and one that is meant badly is an error and no crash
    assert refused(file, "a: " + "[" * 5000)


def test_a_billion_laughs_are_none(file):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "references (*name) are not used" in refused(file, "\n".join(lines))


def test_a_tag_makes_no_object(file):
    """`!!python/object/apply` and the like are never executed, and never a setting."""
    file.write_text("machine:\n  device: !!python/object/apply:os.system ['echo owned']\n")
    with pytest.raises(UsageError, match=r"machine.device must be a word"):
        resolve(Run, [read_yaml(file)])


def test_what_cannot_be_read_says_why(tmp_path):
    missing = tmp_path / "missing.yaml"
    with pytest.raises(UsageError) as caught:
        read_yaml(missing)
    assert str(caught.value) == f"{missing}: cannot be read: No such file or directory"
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"a: \xff\n")
    with pytest.raises(UsageError) as caught:
        read_yaml(binary)
    assert str(caught.value) == f"{binary}: not UTF-8 at byte 3"


def test_strange_characters_are_escaped_in_complaints(file):
    message = refused(file, "a: 1\n\x1b[31m: 2\n")
    assert "\x1b" not in message


def test_a_mistake_in_a_value_names_the_line_it_stands_in(file):
    file.write_text("model:\n  encoder:\n    layrs: 3\n    norm: lair\n")
    with pytest.raises(UsageError, match=rf"model.encoder.layrs \({file}:3\) is no setting"):
        resolve(Run, [read_yaml(file)])
    file.write_text("model:\n  encoder:\n    norm: lair\n")
    with pytest.raises(UsageError, match=rf"'lair'. Did you mean 'layer'\? \({file}:3\)"):
        resolve(Run, [read_yaml(file)])


@hypothesis.settings(max_examples=20, suppress_health_check=list(hypothesis.HealthCheck))
@given(trees(Run))
def test_a_whole_run_is_written_and_read_again(file, tree):
    origins = {change.path: "a recipe # with a hash" for change in changes(tree, "x")}
    file.write_text(as_yaml(tree, origins), encoding="utf-8")
    assert resolve(Run, [read_yaml(file)])[0] == tree
