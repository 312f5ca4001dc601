"""Layers of assignments become one tree; every mistake is named with its origin and its remedy."""

from typing import Any

import pytest

from headway.errors import UsageError
from headway.positions import learned, rotary
from headway.run import Run
from headway.settings import Assignment, assignments, dump, load, resolve


def resolved(*layers: dict[str, Any]) -> tuple[Run, dict[str, str]]:
    """Each layer from a mapping of paths; its origins are `first`, `second`, …"""
    names = ("first", "second", "third")
    return resolve(Run, [[Assignment(*pair, name) for pair in layer.items()] for name, layer in zip(names, layers)])


def refused(*layers: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(*layers)
    return str(caught.value)


# -------------------------------------------------------------------------------------------------------------- layers


def test_nothing_assigned_is_the_defaults_and_has_no_origins():
    assert resolved() == (Run(), {})


def test_a_value_goes_to_its_path_and_has_its_origin():
    tree, origins = resolved({"model.encoder.layers": 6, "training.time_limit": "5m"})
    assert tree.model.encoder.layers == 6 and tree.training.time_limit == 300
    assert origins == {"model.encoder.layers": "first", "training.time_limit": "first"}
    assert tree.model.encoder.replace(layers=3) == Run().model.encoder


def test_the_words_of_a_command_line_become_values():
    tree, _ = resolved({"model.encoder.layers": "6", "machine.compile": "true", "data.train": "a.tsv, b.tsv"})
    assert tree.model.encoder.layers == 6 and tree.machine.compile is True
    assert tree.data.train == ("a.tsv", "b.tsv")


def test_later_layers_win_and_are_the_origin():
    tree, origins = resolved({"model.encoder.layers": 2, "machine.seed": 1}, {"model.encoder.layers": 4})
    assert (tree.model.encoder.layers, tree.machine.seed) == (4, 1)
    assert origins == {"model.encoder.layers": "second", "machine.seed": "first"}


def test_within_a_layer_what_comes_later_wins():
    tree, _ = resolve(Run, [[Assignment("machine.seed", 1, "a"), Assignment("machine.seed", 2, "b")]])
    assert tree.machine.seed == 2


def test_a_choice_is_a_file_of_its_room_and_its_settings_hang_below():
    tree, _ = resolved({"model.encoder.position": "learned", "model.encoder.position.positions": 70})
    assert tree.model.encoder.position == learned.Settings(positions=70)


def test_the_settings_may_be_given_before_the_choice_and_without_it_where_it_is_the_default():
    tree, _ = resolved({"model.encoder.position.positions": 70, "model.encoder.position": "learned"})
    assert tree.model.encoder.position == learned.Settings(positions=70)
    tree, _ = resolved({"model.encoder.position.base": 500})
    assert tree.model.encoder.position == rotary.Settings(base=500.0)


def test_what_was_set_below_another_choice_is_dropped():
    first = {"model.encoder.position": "learned", "model.encoder.position.positions": 70}
    tree, origins = resolved(first, {"model.encoder.position": "rotary"})
    assert tree.model.encoder.position == rotary.Settings()
    assert origins == {"model.encoder.position": "second"}
    tree, _ = resolved({"model.encoder.position.base": 500}, {"model.encoder.position": "learned"})
    assert tree.model.encoder.position == learned.Settings()


def test_what_the_same_layer_sets_below_its_choice_is_kept():
    first = {"model.encoder.position": "learned", "model.encoder.position.positions": 70}
    tree, _ = resolved(first, {"model.encoder.position.base": 500, "model.encoder.position": "rotary"})
    assert tree.model.encoder.position == rotary.Settings(base=500.0)


def test_choosing_the_same_file_again_drops_nothing():
    first = {"model.encoder.position": "learned", "model.encoder.position.positions": 70}
    tree, origins = resolved(first, {"model.encoder.position": "learned"})
    assert tree.model.encoder.position.positions == 70
    assert origins["model.encoder.position"] == "second" and origins["model.encoder.position.positions"] == "first"


def test_naming_the_file_that_is_the_default_drops_nothing():
    tree, _ = resolved({"model.encoder.position.base": 500}, {"model.encoder.position": "rotary"})
    assert tree.model.encoder.position == rotary.Settings(base=500.0)


def test_a_file_may_be_named_by_its_whole_module():
    tree, _ = resolved({"model.encoder.position.base": 500}, {"model.encoder.position": "headway.positions.rotary"})
    assert tree.model.encoder.position == rotary.Settings(base=500.0)


def test_going_away_and_back_again_begins_anew():
    tree, _ = resolved(
        {"model.encoder.position.base": 500}, {"model.encoder.position": "none"}, {"model.encoder.position": "rotary"}
    )
    assert tree.model.encoder.position == rotary.Settings()


def test_what_is_dropped_is_dropped_at_every_depth_and_is_no_origin():
    below = "model.task.decoder.position"
    tree, origins = resolved(
        {"model.task": "transduce", below: "learned", f"{below}.positions": 70, "model.task.decoder.layers": 3},
        {"model.task": "tag"},
        {"model.task": "transduce", f"{below}": "learned"},
    )
    assert tree.model.task.decoder.position == learned.Settings() and tree.model.task.decoder.layers is None
    assert origins == {"model.task": "third", below: "third"}


def test_choices_inside_choices():
    tree, _ = resolved(
        {"model.task": "transduce", "model.task.decoder.position": "learned", "model.task.decoder.layers": 2}
    )
    assert (tree.task, tree.model.task.decoder.layers) == ("transduce", 2)
    assert tree.model.task.decoder.position == learned.Settings()
    tree, _ = resolved({"model.task": "transduce", "model.task.decoder.layers": 2}, {"model.task": "tag"})
    assert tree.task == "tag"


@pytest.mark.parametrize("none", [None, "none", "None", "null"])
def test_none_takes_back_what_is_optional(none):
    tree, _ = resolved({"data.tokenizer": "bpe", "training.steps": 5}, {"data.tokenizer": none, "training.steps": none})
    assert tree.data.tokenizer is None and tree.training.steps is None


def test_none_is_a_file_where_the_room_has_one_of_that_name():
    tree, _ = resolved({"model.task": "transduce", "model.task.decoder.position": "none"})
    assert type(tree.model.task.decoder.position).__module__ == "headway.positions.none"
    tree, _ = resolved({"model.task": "transduce", "model.task.decoder.position": None})
    assert tree.model.task.decoder.position is None


def test_plain_mappings_may_be_nested_or_dotted_and_name_choices_by_kind():
    plain = {"model": {"encoder": {"layers": 2, "position": {"kind": "learned", "positions": 70}}}, "machine.seed": 3}
    tree = load(Run, plain, "here")
    assert tree.model.encoder.position == learned.Settings(positions=70)
    assert (tree.model.encoder.layers, tree.machine.seed) == (2, 3)
    assert {a.path for a in assignments(plain, "here")} >= {
        "model.encoder.position",
        "model.encoder.position.positions",
    }
    assert dump(tree)["model"]["encoder"]["position"] == {"kind": "learned", "positions": 70}


def test_settings_may_be_given_as_they_are_and_changed_by_a_later_layer():
    given = Run().model.encoder.replace(layers=2, position=learned.Settings(positions=70))
    tree, origins = resolved({"model.encoder": given}, {"model.encoder.width": 96})
    assert tree.model.encoder == given.replace(width=96)
    assert origins["model.encoder.position.positions"] == "first" and origins["model.encoder.width"] == "second"
    tree, _ = resolved({"model.encoder": given}, {"model.encoder.position": "rotary"})
    assert tree.model.encoder == given.replace(position=rotary.Settings())


def test_settings_may_be_given_as_they_are():
    nested = {"model": {"encoder": {"position": learned.Settings(positions=70), "layers": 2}}}
    assert load(Run, nested, "here").model.encoder.position == learned.Settings(positions=70)
    assert load(Run, {"model.encoder": Run().model.encoder.replace(layers=2)}, "here").model.encoder.layers == 2
    position = learned.Settings(positions=70)
    assert load(Run, {"model.encoder.position": position}, "here").model.encoder.position == position


# -------------------------------------------------------------------------------------------------------------- errors

HAS = "layers, width, hidden, dropout, norm, norm_place, feedforward, block, mixer, position"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "model.encoder.layrs",
            f"model.encoder.layrs (first) is no setting; model.encoder has: {HAS}. Did you mean model.encoder.layers?",
        ),
        ("heads", "heads (first) is no setting. Did you mean model.encoder.mixer.heads?"),
        ("model.encoder.heads", "model.encoder.heads (first) is no setting. Did you mean model.encoder.mixer.heads?"),
        ("zzz", "zzz (first) is no setting; the top has: model, data, training, machine."),
        (
            "model.encoder.position.positions",
            "model.encoder.position.positions (first) is no setting: positions belongs to learned, "
            "and model.encoder.position is rotary",
        ),
        (
            "model.task.decoder",
            "model.task.decoder (first) is no setting: decoder belongs to transduce, and model.task is classify",
        ),
        (
            "model.encoder.layers.deep",
            "model.encoder.layers holds one value, so there is no model.encoder.layers.deep (first)",
        ),
    ],
)
def test_a_setting_that_does_not_exist_comes_with_where_it_may_have_been_meant(path, message):
    assert refused({path: 1}) == message


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.encoder.layers", "many", "model.encoder.layers must be a whole number, and is 'many' (first)"),
        ("model.encoder.layers", 2.5, "model.encoder.layers must be a whole number, and is 2.5 (first)"),
        ("model.encoder.layers", 0, "model.encoder.layers must be above 0, and is 0 (first)"),
        ("model.encoder.dropout", 1.0, "model.encoder.dropout must be below 1.0, and is 1.0 (first)"),
        ("model.encoder.dropout", -0.1, "model.encoder.dropout must be at least 0.0, and is -0.1 (first)"),
        ("model.encoder.dropout", "high", "model.encoder.dropout must be a number, and is 'high' (first)"),
        ("machine.compile", "maybe", "machine.compile must be true or false, and is 'maybe' (first)"),
        ("machine.device", 5, "machine.device must be a word, and is 5 (first)"),
        (
            "model.encoder.norm",
            "lair",
            "model.encoder.norm must be 'layer' or 'rms', and is 'lair'. Did you mean 'layer'? (first)",
        ),
        (
            "training.time_limit",
            "5 parsecs",
            "training.time_limit cannot be '5 parsecs': a time is written 90s, 5m, 1h30m, and not '5 parsecs' (first)",
        ),
        (
            "model.encoder.position",
            "rotery",
            "model.encoder.position: no position called 'rotery'; "
            "there are: alibi, learned, none, relative, rotary, sinusoidal. "
            "Did you mean 'rotary'? (from first)",
        ),
        (
            "model.encoder.position",
            "my.rotery",
            "model.encoder.position: no position called 'my.rotery': there is no module of that name (from first)",
        ),
    ],
)
def test_a_value_that_cannot_be_says_what_can(path, value, message):
    assert refused({path: value}) == message


def test_a_branch_is_no_value():
    assert refused({"model.encoder": 5}).startswith("model.encoder cannot be 5: ")


def test_below_nothing_there_are_no_settings():
    expected = "data.tokenizer is none, so there is no data.tokenizer.size (first)"
    assert refused({"data.tokenizer": "none", "data.tokenizer.size": 5}) == expected
    assert refused({"data.tokenizer.size": 5}) == expected


def test_every_problem_is_told_at_once_each_with_its_own_origin():
    message = refused(
        {"training.steps": "many", "training.tokens": 0, "data.max_lenth": 5},
        {"machine.seed": "x", "model.encoder.position": "rotery", "model.input.characters": "y"},
    )
    expected = {
        "training.steps must be a whole number": "first",
        "training.tokens must be above 0": "first",
        "data.max_lenth (first) is no setting": "first",
        "machine.seed must be a whole number": "second",
        "model.encoder.position: no position called 'rotery'": "second",
        "model.input.characters must be a whole number": "second",
    }
    found = message.splitlines()
    assert len(found) == len(expected)
    for beginning, origin in expected.items():
        (line,) = [line for line in found if line.startswith(beginning)]
        assert origin in line


def test_strange_characters_in_a_value_are_escaped():
    message = refused({"model.encoder.position": "ro\x1b[31mtary", "machine.seed": "\u202e5"})
    assert "\x1b" not in message and "\u202e" not in message
    assert r"x1b[31mtary" in message and r"u202e5" in message
