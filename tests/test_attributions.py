"""Integrated gradients: sums that are the difference of the outputs, and the same by gradients summed here."""

import numpy as np
import pytest
import torch

import headway
from headway.errors import MissingPackage, UsageError
from headway.inspection.attributions import Attribution
from headway.inspection.integrated import NEAR, nothing_known

ASKED = {"tag": "ant bee cat", "classify": "ant good bee", "regress": "tick ant tick", "several": "ant bee elk"}


def test_without_captum_it_is_said_what_to_install(runs, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    with pytest.raises(MissingPackage, match=r"pip install 'headway\[explain\]'"):
        headway.load(runs("tag")).inspect("ant", attributions=True)


@pytest.mark.parametrize(
    "asked",
    ["regress", *(pytest.param(a, marks=pytest.mark.long) for a in ("tag", "classify", "several", "transduce"))],
)
def test_what_the_elements_add_sums_to_the_difference_of_the_outputs(runs, asked):
    pytest.importorskip("captum")
    run = headway.load(runs(asked))
    view = run.inspect(ASKED.get(asked, "abcd"), attributions=True)
    assert view.attributions
    for each in view.attributions:
        assert each.gap <= NEAR * max(1.0, abs(each.output - each.baseline)) and np.isfinite(each.values).all()
        assert len(each.values) == len(each.elements) == len(view.maps["encoder"].asked)
        assert Attribution.read(each.as_json()) == each
    if asked == "tag":
        expected = np.log(run.predict(ASKED["tag"], scores=True)[0].scores)
        assert [each.output for each in view.attributions] == pytest.approx(expected.tolist(), abs=1e-5)
    if asked == "regress":
        assert view.attributions[0].output == pytest.approx(run.predict(ASKED["regress"])[0].value, abs=1e-5)
    if asked == "transduce":
        text = run.predict("abcd")[0].text
        (log_p,) = run.score([("abcd", text)])
        outputs = [each.output for each in view.attributions]
        assert outputs == pytest.approx(log_p[: len(outputs)], abs=1e-4) and run.inspect("abcd").attributions == ()


@pytest.mark.long
def test_they_are_the_gradients_along_the_straight_way(runs):
    """The integral as a plain midpoint sum, without Captum."""
    pytest.importorskip("captum")
    run = headway.load(runs("regress"))
    (found,) = run.inspect("tick ant tick", attributions=True).attributions
    encoded = run._whole([run._example("tick ant tick")], False)
    batch = encoded.batch(np.array([0]), run.codecs.source, run.model.task)
    with torch.no_grad():
        vectors, start = run.model.input(batch.input), nothing_known(run.model.input, batch.input)
    total = torch.zeros_like(start)
    for step in range(200):
        x = (start + (step + 0.5) / 200 * (vectors.x - start)).requires_grad_()
        total += torch.autograd.grad(run.model.task.in_unit(run.model.encoder(x, vectors.mask)).sum(), x)[0] / 200
    by_hand = ((vectors.x - start) * total).sum(-1)[0]
    assert found.values == pytest.approx(by_hand.tolist(), abs=0.01)


def test_a_writer_that_writes_all_at_once_is_refused(runs):
    pytest.importorskip("captum")
    with pytest.raises(UsageError, match="attributions follow the log probabilities of an autoregressive decoder"):
        headway.load(runs("at_once")).inspect("abc", attributions=True)
