"""Recipes: whole runs that can be built and trained, for whatever the data look like."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from headway import recipes
from headway.data.survey import Survey
from headway.decoders import DECODERS, TargetSizes
from headway.errors import UsageError
from headway.inputs.text import TextSizes
from headway.model import Model
from headway.run import Run
from headway.settings import dump, load

PLAIN = Survey("tag", False, 9_000, 100_000, 40, True, False, 0.0)
SURVEYS = {
    "tag": PLAIN,
    "classify": replace(PLAIN, task="classify", given_words=False, longest=900),
    "regress": replace(PLAIN, task="regress", given_words=False, longest=900),
    "transduce": replace(PLAIN, task="transduce", given_words=False, same_script=True),
}


def steps(run: Run, survey: Survey) -> float:
    """Updates that the run makes, by its steps or its passes over the data."""
    training = run.training
    return training.steps or (training.epochs or 0) * survey.elements / training.tokens


def test_every_question_has_a_recipe():
    assert set(SURVEYS) <= set(recipes.names())
    for task, survey in SURVEYS.items():
        name, run = recipes.choose(None, survey)
        assert name == task == run.task and recipes.choose(task, survey)[1] == run


def test_a_recipe_that_is_not_there_or_answers_something_else():
    with pytest.raises(UsageError, match=r"no recipe called 'tagg'; there are: classify, .*Did you mean 'tag'\?"):
        recipes.choose("tagg", PLAIN)
    with pytest.raises(UsageError, match=r"the recipe regress answers regress, and the data ask tag; --data.task over"):
        recipes.choose("regress", PLAIN)


@settings(max_examples=50)
@given(
    task=some.sampled_from(sorted(SURVEYS)),
    examples=some.integers(1, 10_000_000),
    length=some.integers(1, 5_000),
    flags=some.tuples(*[some.booleans()] * 5),
    han=some.floats(0, 1),
    symbols=some.integers(0, 500),
)
def test_any_data_give_a_run_that_is_whole(task, examples, length, flags, han, symbols):
    several, given_words, single_words, single_targets, same_script = flags
    survey = Survey(task, several, examples, examples * length, length, given_words, single_words, han, symbols,
                    single_targets, same_script)  # fmt: skip
    run = recipes.choose(None, survey)[1]
    encoder = run.model.encoder
    assert run.task == task and load(Run, dump(run), "again") == run
    assert encoder.width % encoder.mixer.heads == 0
    assert run.training.steps is not None or run.training.epochs is not None or run.training.time_limit is not None
    assert steps(run, survey) > 0
    assert not (task == "transduce" and run.data.over_long == "window")


def test_more_data_are_never_seen_by_a_smaller_tagger():
    sizes = [replace(PLAIN, elements=elements) for elements in (1_000, 99_999, 100_000, 500_001, 9_000_000)]
    runs = [recipes.choose(None, survey)[1] for survey in sizes]
    shapes = [(run.model.encoder.layers, run.model.encoder.width) for run in runs]
    assert shapes == sorted(shapes)


def test_characters_symbols_and_pieces_by_what_the_sequences_are():
    pairs = SURVEYS["transduce"]
    found = {}
    for single, symbols, alone in product((False, True), (0, 39), (False, True)):
        survey = replace(pairs, single_words=single, symbols=symbols, single_targets=alone and not symbols)
        data = recipes.choose(None, survey)[1].data
        kinds = [type(each).__module__.rpartition(".")[2] for each in (data.tokenizer, data.target_tokenizer)]
        found[single, symbols, survey.single_targets] = (*kinds, data.joint)
    assert found[True, 39, False] == ("character", "word", False), "spelling to sound"
    assert found[True, 0, True][:2] == ("character", "character"), "spelling to spelling"
    assert found[False, 0, False] == ("bpe", "bpe", True), "translation in one script"
    assert recipes.choose(None, replace(pairs, same_script=False))[1].data.joint is False


VARIANTS = ("transduce_joint", "transduce_12_1", "transduce_6_1")


@pytest.mark.parametrize("name", VARIANTS)
@given(examples=some.sampled_from([1_000, 60_000, 200_000]), flags=some.tuples(*[some.booleans()] * 3))
def test_variants_of_transduce_change_what_their_names_say_and_nothing_else(name, examples, flags):
    single_words, single_targets, same_script = flags
    survey = replace(
        SURVEYS["transduce"], examples=examples, single_words=single_words, single_targets=single_targets,
        same_script=same_script,
    )  # fmt: skip
    base, run = recipes.choose(None, survey)[1], recipes.choose(name, survey)[1]
    assert load(Run, dump(run), "again") == run
    assert (run.data, run.training, run.machine) == (base.data, base.training, base.machine)
    task, encoder = run.model.task, run.model.encoder
    if name == "transduce_joint":
        assert DECODERS.name_of(task.draft) == "ctc" and task.draft_weight > 0
        assert task.replace(draft=None, draft_weight=base.model.task.draft_weight) == base.model.task
        assert encoder == base.model.encoder
        return
    deep, shallow = (int(number) for number in name.removeprefix("transduce_").split("_"))
    assert (encoder.layers, task.decoder.layers) == (deep, shallow)
    assert encoder.replace(layers=base.model.encoder.layers) == base.model.encoder
    assert task.replace(decoder=task.decoder.replace(layers=None)) == base.model.task


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_transduce_become_models(name):
    for joint in (False, True):
        survey = replace(SURVEYS["transduce"], same_script=joint, examples=1_000)
        run = recipes.choose(name, survey)[1]
        sizes = {"sizes": TargetSizes(31, 1.5, 4, joint), "metrics": ("bleu",)}
        model = Model(run.model, TextSizes(31, 0), sizes)
        assert model.task.modes[:2] == ("greedy", "beam")
        assert ("rerank" in model.task.modes) == (name == "transduce_joint")
