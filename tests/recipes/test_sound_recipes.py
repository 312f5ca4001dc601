"""The recipes of sound and of vectors: whole runs for every question, and what new sequences are measured by."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headway import recipes
from headway.data.survey import Survey
from headway.errors import UsageError
from headway.planning import metrics_for
from headway.run import Run
from headway.settings import dump, load

HEARD = Survey("classify", False, 1_800, 1_800 * 35, 63, False, False, 0.0, kind="sound")
TASKS = {"sound": ("classify", "regress", "transduce"), "vectors": ("tag", "classify", "regress", "transduce")}


@given(
    kind=some.sampled_from(sorted(TASKS)),
    number=some.integers(0, 3),
    examples=some.integers(1, 1_000_000),
    length=some.integers(1, 30_000),
    symbols=some.integers(0, 500),
    single=some.booleans(),
)
def test_any_data_give_a_run_that_is_whole(kind, number, examples, length, symbols, single):
    task = TASKS[kind][number % len(TASKS[kind])]
    survey = replace(HEARD, task=task, kind=kind, examples=examples, elements=examples * length, longest=length,
                     symbols=symbols, single_targets=single)  # fmt: skip
    name, run = recipes.choose(None, survey)
    assert name == kind == run.kind and run.task == task and load(Run, dump(run), "again") == run
    assert run.model.encoder.width % run.model.encoder.mixer.heads == 0
    assert run.training.epochs and run.data.max_length >= 1
    assert not (task == "transduce" and run.data.over_long == "window")
    assert (run.data.target_tokenizer is not None) == (task == "transduce")


def test_words_keep_more_frames_than_sentences_and_nothing_is_cut():
    short, long = (recipes.choose(None, replace(HEARD, elements=1_800 * n, longest=2 * n))[1] for n in (35, 900))
    assert (short.model.input.subsampling, long.model.input.subsampling) == (2, 4)
    assert short.data.max_length >= 35 and long.data.max_length >= 450


def test_a_recipe_for_something_else():
    with pytest.raises(UsageError, match="the recipe tag answers tag, and the data ask classify"):
        recipes.choose("tag", HEARD)
    with pytest.raises(UsageError, match="the recipe classify reads text, and the data are sound"):
        recipes.choose("classify", HEARD)


def test_what_is_said_is_measured_by_words_symbols_or_characters():
    said = replace(HEARD, task="transduce")
    assert metrics_for(said)[0] == "word_error_rate"
    assert metrics_for(replace(said, symbols=41))[0] == "phone_error_rate"
    assert metrics_for(replace(said, single_targets=True))[0] == "character_error_rate"
    assert metrics_for(replace(said, kind="text"))[0] == "bleu"
