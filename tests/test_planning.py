"""From data and layers of settings to a plan."""

import pytest

from headway.model import ModelSettings
from headway.planning import plan
from headway.settings import assignments
from headway.tasks import transduce


@pytest.mark.parametrize(
    "given",
    [{"model.task": "transduce"}, {"model.task": transduce.Settings()}, {"model": ModelSettings(task="transduce")}],
)
def test_a_task_chosen_for_the_model_is_how_the_data_are_read_however_it_is_given(tmp_path, given):
    (tmp_path / "train.tsv").write_text("".join(f"text number {row}\t{row % 2}\n" for row in range(60)))
    made = plan(tmp_path, settings=assignments(given, "given"))
    assert (made.run.task, made.survey.task) == ("transduce", "transduce")
    assert made.origins["model.task"] == "given"
