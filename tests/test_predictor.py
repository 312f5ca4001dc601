"""The one door to a trained run: from Python as from the command line."""

import numpy as np
import pytest
import torch

import headway
from headway.errors import UsageError
from headway.predictor import chunks
from headway.rows import Rows
from little import TASKS, lines, quick, tiny, write


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", TASKS)
def test_answers_do_not_depend_on_what_is_asked_beside_them(kind, runs):
    """Padding, order and the size of batches change nothing."""
    run = headway.load(runs(kind))
    texts = [line.partition("\t")[0] for line in lines(kind, 40, seed=3)]
    texts = [" ".join(t.partition("/")[0] for t in text.split()) for text in texts] if kind == "tag" else texts
    together = run.predict(texts, scores=True)
    for text, answer in zip(texts, together):
        (alone,) = run.predict(text, scores=True)
        if kind == "regress":
            assert alone.value == pytest.approx(answer.value, abs=1e-4)
            continue
        assert str(alone) == str(answer)
        score = "scores" if kind == "tag" else "score"
        assert getattr(alone, score) == pytest.approx(getattr(answer, score), abs=1e-4)
    backwards = run.predict(texts[::-1])[::-1]
    assert kind == "regress" or [str(answer) for answer in backwards] == [str(answer) for answer in together]


def test_one_text_or_several_or_words_or_an_example(runs):
    tagger = headway.load(runs("tag"))
    (expected,) = tagger.predict("ant bee")
    assert tagger.predict(["ant bee", ("ant", "bee")]) == [expected, expected]
    assert tagger.predict(headway.Example(("ant", "bee"))) == [expected] and tagger.predict([]) == []
    assert [pair for pair in expected] == list(zip(expected.elements, expected.labels))  # noqa: C416
    assert isinstance(headway.load(runs("regress")).predict("tick")[0].value, float)


def test_long_inputs_are_read_in_windows_and_answered_whole(runs, tmp_path):
    settings = tiny("tag", {"data.max_length": 8, "data.over_long": "window", "training.steps": 3})
    quick(runs.data("tag"), tmp_path / "run", settings=settings)
    tagger = headway.load(tmp_path / "run")
    words = tuple(["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"] * 9)
    (answer,) = tagger.predict([words], scores=True)
    assert answer.elements == words and len(answer.labels) == len(answer.scores) == 72
    (beginning,) = tagger.predict([words[:8]])
    assert answer.labels[:6] == beginning.labels[:6], "the first window is answered as if it stood alone"


def test_long_inputs_are_cut_where_the_run_cuts_them(runs, tmp_path):
    settings = tiny("tag", {"data.max_length": 8, "data.over_long": "truncate", "training.steps": 3})
    quick(runs.data("tag"), tmp_path / "run", settings=settings)
    (answer,) = headway.load(tmp_path / "run").predict([("ant",) * 20])
    assert answer.elements == ("ant",) * 8


def test_the_memory_that_answers_take_can_be_bounded(runs, monkeypatch):
    from headway.training.settings import MachineSettings

    run = headway.Predictor(runs("classify"), machine=MachineSettings(micro_tokens=9, threads=1, device="cpu"))
    seen = []
    usual = type(run.model).answer_and_doubt
    monkeypatch.setattr(
        type(run.model),
        "answer_and_doubt",
        lambda self, batch, *more: seen.append(len(batch.rows)) or usual(self, batch, *more),
    )
    texts = ["ant bee cat", "good", "dog"] * 5
    found = [answer.label for answer in run.predict(texts)]
    monkeypatch.undo()
    assert seen == [3, 3, 9] and found == [answer.label for answer in headway.load(runs("classify")).predict(texts)]


def test_scores_of_given_targets_are_log_probabilities(runs):
    """What greedy search found is given again and has the score that it said."""
    run = headway.load(runs("transduce"))
    (answer,) = run.predict("abc", scores=True, mode="greedy")
    given = run.score([("abc", answer.text)])[0]
    assert len(given) == len(answer.tokens) + 1 and all(value <= 0 for value in given)
    total = sum(given) / (len(given) if abs(sum(given) - answer.score) > 1e-3 else 1)
    assert total == pytest.approx(answer.score, abs=1e-3)
    assert run.score([]) == []


def test_prefixes_for_all_or_one_each(runs):
    run = headway.load(runs("transduce"))
    assert [a.text[0] for a in run.predict(["abc", "de"], prefix=["g", "h"])] == ["g", "h"]
    assert [a.text[:2] for a in run.predict(["abc", "de"], prefix="hg")] == ["hg", "hg"]
    with pytest.raises(UsageError, match="3 prefixes for 2 inputs: give one for all, or one each"):
        run.predict(["abc", "de"], prefix=["a", "b", "c"])


def test_a_limit_bounds_what_is_written(runs):
    run = headway.load(runs("transduce"))
    assert all(len(answer.tokens) <= 2 for answer in run.predict(["abcdefgh", "a"], limit=2))


def test_an_ensemble_is_the_mean_of_probabilities(runs):
    one, other = headway.load(runs("classify")), headway.load(runs("classify", seed=1))
    both = headway.load(runs("classify"), runs("classify", seed=1))
    for text in ("good ant", "bad bee", "cat"):
        each = [run.predict(text, scores=True)[0].scores for run in (one, other)]
        (mean,) = both.predict(text, scores=True)
        for label, value in mean.scores.items():
            assert value == pytest.approx((each[0][label] + each[1][label]) / 2, abs=1e-5)


def test_evaluate_by_hand(runs, tmp_path):
    values, signatures = headway.evaluate(runs("regress"), runs.data("regress"))
    run = headway.load(runs("regress"))
    pairs = [line.split("\t") for line in (runs.data("regress") / "test.tsv").read_text().splitlines()]
    wrong = np.array([run.predict(text)[0].value - float(number) for text, number in pairs])
    assert values["mae"] == pytest.approx(np.abs(wrong).mean(), rel=1e-4)
    assert values["rmse"] == pytest.approx(float((wrong**2).mean() ** 0.5), rel=1e-4)
    assert values.keys() == signatures.keys()
    file = write(tmp_path / "one.tsv", ["tick tick\t2.5"])
    assert headway.evaluate(run, file)[0]["mae"] == pytest.approx(
        abs(run.predict("tick tick")[0].value - 2.5), rel=1e-4
    )


def test_training_and_answering_by_python_alone(tmp_path):
    write(tmp_path / "reviews.tsv", lines("classify", 60))
    outcome = headway.train(tmp_path / "reviews.tsv", tmp_path / "judge", settings=tiny("classify"))
    assert not outcome.stopped and outcome.metrics.keys() == {"valid", "test"} and "majority" in outcome.baselines
    answer = headway.load(outcome.folder).predict("warm, funny and wise")[0]
    assert answer.label in ("pos", "neg") and 0 <= answer.score <= 1


@pytest.mark.parametrize("ahead, most, sizes", [(3, 100, [3, 3, 1]), (100, 4, [2, 2, 2, 1]), (1, 1, [1] * 7)])
def test_chunks_are_bounded_in_number_and_in_length(ahead, most, sizes, monkeypatch):
    monkeypatch.setattr("headway.predictor.ELEMENTS", most)
    examples = [headway.Example("ab") for _ in range(7)]
    assert [len(chunk) for chunk in chunks(examples, ahead)] == sizes


def test_rows_behind_rows():
    first, second = Rows.of([np.array([1, 2]), np.array([], int)]), Rows.of([np.array([3])])
    both = first.followed_by(second).followed_by(Rows.of([]))
    assert [row.tolist() for row in both] == [[1, 2], [], [3]] and both.values.dtype == first.values.dtype
    assert Rows.of([]).followed_by(second)[0].tolist() == [3] and torch.from_numpy(both.values).dtype == torch.int32


# -------------------------------------------------------------------------------------------------------- two writers


def texts(number: int = 20) -> list[str]:
    return [line.partition("\t")[0] for line in lines("transduce", number, seed=9)]


def test_one_model_two_writers_and_every_mode_of_them(runs):
    run = headway.load(runs("joint"))
    assert run.modes == ("greedy", "beam", "sample", "verify", "nat", "rerank")
    greedy = run.predict(texts(), mode="greedy", scores=True)
    for mode in ("auto", "verify"):
        found = run.predict(texts(), mode=mode, scores=True)
        assert [a.tokens for a in found] == [a.tokens for a in greedy]
        assert [a.score for a in found] == pytest.approx([a.score for a in greedy], abs=1e-4)
        assert all(one.calls <= other.calls for one, other in zip(found, greedy, strict=True))
    assert [a.calls for a in greedy] == [len(a.tokens) + 1 for a in greedy]
    assert all(a.calls == 0 for a in run.predict(texts(), mode="nat")), "a head is no pass through a decoder"
    several = run.predict(texts(), mode="rerank", nbest=2)
    assert all(a.calls == 1 for a in several) and any(a.alternatives for a in several)
    assert all(a.score >= a.alternatives[0].score * 3 for a in several if a.alternatives)


def test_a_run_without_a_draft_verifies_copies_and_one_without_a_decoder_writes_all_at_once(runs):
    run = headway.load(runs("transduce"))
    assert run.modes == ("greedy", "beam", "sample", "verify") and run.verify_rows == 0
    greedy, found = (run.predict(texts(), mode=mode) for mode in ("greedy", "verify"))
    assert [a.tokens for a in found] == [a.tokens for a in greedy]
    alone = headway.load(runs("at_once"))
    assert alone.modes == ("nat",) and alone.predict(texts()) == alone.predict(texts(), mode="nat")
    with pytest.raises(UsageError, match="mode verify needs an autoregressive decoder"):
        alone.predict("abc", mode="verify")
    with pytest.raises(UsageError, match="mode nat needs a draft"):
        run.predict("abc", mode="nat")


def test_samples_are_the_same_for_the_same_seed_order_and_inputs(runs):
    run = headway.load(runs("transduce"))

    def drawn(inputs: list[str], **how) -> list[str]:
        return [a.text for a in run.predict(inputs, mode="sample", sampling_seed=3, temperature=2.0, **how)]

    whole = drawn(texts())
    assert drawn(texts()) == whole and len(set(drawn(["abcd"] * 20))) > 3
    assert drawn(texts()[:7]) == whole[:7] and drawn(texts()[7:], first=7) == whole[7:]
    streamed = run.stream((headway.Example(t) for t in texts()), 3, mode="sample", sampling_seed=3, temperature=2.0)
    assert [answer.text for _, answer in streamed] == whole
    cold = run.predict(texts(), mode="sample", top_k=1)
    assert [a.text for a in cold] == [a.text for a in run.predict(texts(), mode="greedy")]


def test_a_trace_of_what_was_verified_spells_what_was_written(runs):
    run = headway.load(runs("joint"))
    for mode in ("greedy", "verify"):
        for answer in run.predict(texts(5), mode=mode, trace=True):
            spelled = [one.taken for one in answer.trace if one.what != "draft"]
            assert tuple(spelled[: len(answer.tokens)]) == answer.tokens and len(spelled) <= len(answer.tokens) + 1
    assert all(a.trace is None for a in run.predict(texts(3), mode="verify"))
    with pytest.raises(UsageError, match="trace is for new sequences, and this run answers tag"):
        headway.load(runs("tag")).predict("ant", trace=True)


@pytest.mark.long
def test_which_way_is_faster_is_measured_once_a_machine_and_a_folder_need_not_take_it(runs, tmp_path, monkeypatch):
    run = headway.load(runs.copy("joint", tmp_path / "run"))
    file = tmp_path / "run" / "crossover.json"
    assert file.is_file(), "training measured it"
    file.unlink()
    examples = [headway.Example(t, t[::-1]) for t in texts()]
    run.evaluate(examples)
    kept = file.read_text()
    headway.load(tmp_path / "run").evaluate(examples)
    assert file.read_text() == kept
    file.unlink()
    monkeypatch.setattr("headway.crossover.write_json", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
    assert headway.load(tmp_path / "run").evaluate(examples)[0] and not file.exists()
    assert headway.load(tmp_path / "run").measure_crossover([]) is None
    both = headway.load(tmp_path / "run", runs("joint", seed=1))
    assert both.verify_rows == 0 and both.measure_crossover(examples) is None


def test_an_ensemble_of_two_writers_each(runs):
    both = headway.load(runs("joint"), runs("joint", seed=1))
    assert both.predict(texts(3)) == both.predict(texts(3), mode="greedy")
    assert len(both.predict(texts(3), mode="nat")) == len(both.predict(texts(3), mode="sample")) == 3
    for mode in ("verify", "rerank"):
        with pytest.raises(UsageError, match=f"an ensemble has no mode {mode}"):
            both.predict("abc", mode=mode)
