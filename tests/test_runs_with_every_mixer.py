"""Whole runs with every mixer, by one word of configuration: trained, kept, loaded, asked."""

import pytest

import headway
from headway.errors import UsageError
from headway.layers.mixers import MIXERS
from headway.planning import plan
from headway.settings import Assignment
from little import TASKS, lines, quick, tiny

OTHERS = [name for name in MIXERS.names() if name != "attention"]


def with_mixer(asked: str, **changed: object) -> dict[str, object]:
    """Settings of a tiny model in which nothing is said of heads."""
    settings = {path: value for path, value in tiny(asked).items() if not path.endswith("heads")}
    return settings | {path.replace("__", "."): value for path, value in changed.items()}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("mixer", OTHERS)
@pytest.mark.parametrize("asked", ["tag", "classify", "transduce"])
def test_a_run_learns_and_answers_the_same_when_it_is_loaded_again(asked, mixer, runs, tmp_path):
    settings = with_mixer(asked, model__encoder__mixer=mixer, training__learning_rate=0.02)
    outcome = quick(runs.data(asked), tmp_path / "run", settings=settings)
    assert all(value == value for value in outcome.metrics["test"].values())
    texts = [line.partition("\t")[0] for line in lines(asked, 5, seed=3)]
    first, again = headway.load(tmp_path / "run"), headway.load(tmp_path / "run")
    assert type(first.model.encoder.blocks[0].mixer).__module__.endswith(mixer)
    answers = first.predict(texts, scores=True)
    assert answers == again.predict(texts, scores=True)
    for text, answer in zip(texts, answers, strict=True):
        (alone,) = first.predict(text)
        assert str(alone) == str(answer)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mixer", OTHERS)
def test_a_decoder_may_have_another_mixer_than_its_encoder(mixer, runs, tmp_path):
    quick(runs.data("transduce"), tmp_path / "run", settings=tiny("transduce", {"model.task.decoder.mixer": mixer}))
    run = headway.load(tmp_path / "run")
    stack = run.model.task.decoder.stack
    assert run.model.encoder.blocks[0].mixer.heads == stack.blocks[0].cross.heads == 2
    assert type(stack.blocks[0].mixer).__module__.endswith(mixer)
    greedy, beam = (run.predict(["abc", "hgf"], mode=mode) for mode in ("greedy", "beam"))
    assert all(isinstance(answer.text, str) for answer in (*greedy, *beam))


@pytest.mark.parametrize("mixer", OTHERS)
@pytest.mark.parametrize("asked", TASKS)
def test_the_recipes_settings_of_attention_go_with_it(asked, mixer, runs):
    """One option lies over the recipe: the heads that the recipe sets are dropped, and all the rest stays."""
    usual = plan(runs.data(asked)).run.model.encoder
    made = plan(runs.data(asked), None, None, [Assignment("model.encoder.mixer", mixer, "--mixer")])
    encoder = made.run.model.encoder
    assert MIXERS.name_of(encoder.mixer) == mixer and encoder == usual.replace(mixer=MIXERS.choose(mixer))
    assert made.origins["model.encoder.mixer"] == "--mixer" and "model.encoder.mixer.heads" not in made.origins


def test_a_setting_of_another_mixer_is_refused_with_its_owner(runs):
    given = [Assignment("model.encoder.mixer", "ssru", "--m"), Assignment("model.encoder.mixer.heads", 2, "--h")]
    with pytest.raises(UsageError, match=r"heads belongs to attention, and model\.encoder\.mixer is ssru"):
        plan(runs.data("tag"), None, None, given)


@pytest.mark.parametrize("mixer", OTHERS)
def test_what_a_mixer_cannot_keep_to_is_refused_before_training(mixer, runs, tmp_path):
    for changed, words in (
        ({"model.encoder.position": "alibi", "model.encoder.mixer": mixer}, "the position alibi is a bias on scores"),
        ({"model.task.decoder.cross": mixer}, f"the mixer {mixer} compares no queries with keys, so it cannot look"),
    ):
        settings = with_mixer("transduce", **{path.replace(".", "__"): value for path, value in changed.items()})
        with pytest.raises(UsageError, match=words):
            quick(runs.data("transduce"), tmp_path / "run", settings=settings)
