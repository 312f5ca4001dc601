"""Before anything is trained: what is asked, which recipe, every setting with its origin."""

import pytest

from headway.data.codecs import Classes, Tags
from headway.errors import UsageError
from headway.planning import codecs_for, metrics_for, plan, plan_again
from headway.run import RunFolder
from headway.settings import Assignment
from headway.training.settings import TrainingSettings
from little import data, lines, quick, tiny, write


def given(**values: object) -> list[Assignment]:
    """Settings as options: `model__task="tag"` is --model.task tag."""
    return [Assignment(name.replace("__", "."), value, f"--{name}") for name, value in values.items()]


@pytest.mark.parametrize("kind, task", [("tag", "tag"), ("classify", "classify"), ("several", "classify"),
                                        ("regress", "regress"), ("transduce", "transduce")])  # fmt: skip
def test_the_question_is_recognized_and_its_recipe_taken(kind, task, runs):
    made = plan(runs.data(kind))
    assert made.run.task == task == made.survey.task and f"recipe {task}" in made.said
    assert made.said[0].startswith("train is ") and made.said[1].startswith(f"{task}: ")
    assert len(made.train) == 40 and f"recipe {task}" in made.origins.values()


def test_layers_lie_over_each_other_in_their_order(runs, tmp_path):
    config = write(tmp_path / "mine.yaml", ["training:", "  tokens: 71", "  clip: 2"])
    made = plan(runs.data("tag"), None, config, given(training__clip=3))
    usual = TrainingSettings()
    training = made.run.training
    assert (training.tokens, training.clip, training.patience) == (71, 3, usual.patience)
    assert made.origins["training.tokens"] == f"{config}:2" and made.origins["training.clip"] == "--training__clip"
    assert "training.patience" not in made.origins


def test_a_run_that_is_started_from_lies_between_recipe_and_file(runs, tmp_path):
    made = plan(runs.data("tag"), None, None, given(model__encoder__dropout=0.4), runs("tag"))
    encoder = made.run.model.encoder
    assert (encoder.width, encoder.layers, encoder.dropout) == (16, 1, 0.4)
    assert made.origins["model.encoder.width"] == f"from {runs('tag')}"
    assert made.run.training.steps != 12, "training is the recipe's and not that of the run"


def test_a_task_for_the_model_is_the_task_of_the_data(runs, tmp_path):
    file = write(tmp_path / "stars.tsv", [f"film {n}\t{n % 5}" for n in range(60)])
    assert plan(file).run.task == "classify"
    assert plan(file, settings=given(model__task="regress")).run.task == "regress"
    assert plan(file, settings=given(data__task="regress")).run.task == "regress"
    with pytest.raises(UsageError, match=r"model.task is classify, and the data are read for regress .*set only"):
        plan(file, settings=given(data__task="regress", model__task="classify"))


def test_a_setting_of_the_tokenizer_that_the_recipe_chose(runs):
    for value in (True, False):
        made = plan(runs.data("tag"), settings=given(data__tokenizer__lowercase=value))
        assert made.run.data.tokenizer.lowercase is value and made.run.data.tokenizer.least == 2
    with pytest.raises(UsageError, match=r"data.tokenizer.merges .* is no setting"):
        plan(runs.data("tag"), settings=given(data__tokenizer__merges=3))


def test_windows_are_refused_where_answers_cannot_be_joined(runs):
    with pytest.raises(UsageError, match=r"data.over_long window"):
        plan(runs.data("transduce"), settings=given(data__over_long="window"))


def test_several_references_are_as_many_examples_to_learn_from(tmp_path):
    write(tmp_path / "train.jsonl", ['{"source": "a b", "references": ["x y z w", "u v w x"]}', '{"source": "c d e"'
                                     ', "references": ["q w e r"]}'] * 9)  # fmt: skip
    made = plan(
        tmp_path / "train.jsonl", settings=given(data__task="transduce", data__valid=str(tmp_path / "train.jsonl"))
    )
    assert {(e.source, e.target) for e in made.train} == {("a b", "x y z w"), ("a b", "u v w x"), ("c d e", "q w e r")}
    assert len(made.train) == 27 and all(not e.others for e in made.train)


# ------------------------------------------------------------------------------------------------------- going on


def test_a_run_goes_on_with_the_settings_it_has(runs):
    folder = RunFolder(runs("tag"))
    made = plan_again(runs.data("tag"), folder, None, [])
    assert made.run == folder.settings() and made.origins["training.steps"] == f"{runs('tag') / 'run.yaml'}"
    moved = plan_again(runs.data("tag"), folder, None, given(machine__micro_tokens=9, training__time_limit="1h"))
    assert (moved.run.machine.micro_tokens, moved.run.training.time_limit) == (9, 3600)


@pytest.mark.parametrize(
    "setting, value",
    [
        ("machine__seed", 9),
        ("training__steps", 13),
        ("model__encoder__dropout", 0.5),
        ("data__max_length", 9),
        ("model__encoder__position", "none"),
    ],
)
def test_what_would_be_another_run_is_refused(setting, value, runs):
    name = setting.replace("__", ".")
    with pytest.raises(UsageError, match=rf"a resumed run is the same run:\n  {name}: .* there, {value} now"):
        plan_again(runs.data("tag"), RunFolder(runs("tag")), None, given(**{setting: value}))


# --------------------------------------------------------------------------------------------------- from a run


def test_the_codecs_of_a_run_are_kept_as_far_as_they_fit(runs, tmp_path):
    start = RunFolder(runs("tag"))
    same = codecs_for(plan(runs.data("tag"), start=runs("tag")), start)
    assert same.state() == start.codecs(start.settings()).state()
    rows = [line.replace("/A", "/Animal") for line in lines("tag", 40)]
    write(tmp_path / "train.slash", rows)
    write(tmp_path / "valid.slash", rows)
    other = codecs_for(plan(tmp_path, start=runs("tag")), start)
    assert other.source.state() == same.source.state()
    assert isinstance(other.target, Tags) and "Animal" in other.target.labels and "A" not in other.target.labels


def test_fewer_labels_than_the_run_knows_keep_its_labels(runs, tmp_path):
    rows = [line for line in lines("classify", 60) if line.endswith("pos")]
    write(tmp_path / "train.tsv", rows)
    write(tmp_path / "valid.tsv", rows)
    start = RunFolder(runs("classify"))
    codecs = codecs_for(plan(tmp_path, start=runs("classify"), settings=given(data__task="classify")), start)
    assert isinstance(codecs.target, Classes) and set(codecs.target.labels) == {"pos", "neg"}


def test_another_tokenizer_than_that_of_the_run_is_refused(runs):
    made = plan(runs.data("tag"), start=runs("tag"), settings=given(data__tokenizer__lowercase=False))
    with pytest.raises(UsageError, match=r"data.tokenizer is not that of .*leave it out, or train without --from"):
        codecs_for(made, RunFolder(runs("tag")))


def test_another_question_takes_the_encoder_along(runs, tmp_path):
    outcome = quick(runs.data("regress"), tmp_path / "run", start=runs("classify"), settings={"training.steps": 2})
    old, new = RunFolder(runs("classify")).settings(), RunFolder(outcome.folder).settings()
    assert new.task == "regress" and new.model.encoder == old.model.encoder and new.model.input == old.model.input


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([f"word{n}\tD AO G" for n in range(50)], ("phone_error_rate", "sequence_error_rate")),
        ([f"word{n}\t{n}drow" for n in range(50)], ("character_error_rate", "exact_match")),
        ([f"the word {n} is\tdas Wort {n} ist {n * n} und {n + 7}" for n in range(50)], ("bleu", "chrf")),
    ],
)
def test_what_a_sequence_is_measured_by(rows, expected, tmp_path):
    made = plan(write(tmp_path / "pairs.tsv", rows), settings=given(data__task="transduce"))
    assert metrics_for(made.survey) == expected


def test_what_is_planned_is_what_is_trained(tmp_path):
    folder = data("tag", tmp_path / "data")
    settings = tiny("tag", {"training.steps": 2})
    made = plan(folder, settings=[Assignment(path, value, "given") for path, value in settings.items()])
    quick(folder, tmp_path / "run", settings=settings)
    assert RunFolder(tmp_path / "run").settings() == made.run
