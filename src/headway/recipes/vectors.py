"""Vectors made elsewhere, whatever is asked of them: a projection, and an encoder that grows with the data."""

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.inputs import vectors
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import attention
from headway.model import ModelSettings
from headway.recipes import epochs_for
from headway.recipes.sound import target_of
from headway.run import Run
from headway.settings import Branch
from headway.tasks import classify, regress, tag, transduce
from headway.training.settings import TrainingSettings


def recipe(survey: Survey) -> Run:
    """Long rows are read in windows where the question allows it."""
    small = survey.elements < 500_000
    tokens = 2048 if small else 8192
    return Run(
        model=ModelSettings(
            input=vectors.Settings(),
            encoder=EncoderSettings(
                layers=2 if small else 4,
                width=128 if small else 192,
                dropout=0.2 if small else 0.1,
                mixer=attention.Settings(heads=4),
            ),
            task=_asked(survey),
        ),
        data=DataSettings(
            target_tokenizer=target_of(survey) if survey.task == "transduce" else None,
            max_length=min(1024, max(32, survey.longest)),
            over_long="truncate" if survey.task == "transduce" else "window",
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens, epochs=40), tokens=tokens, learning_rate=1e-3, schedule="cosine"
        ),
    )


def _asked(survey: Survey) -> Branch:
    return {
        "tag": tag.Settings(smoothing=0.1),
        "classify": classify.Settings(pooling="attention", smoothing=0.1),
        "regress": regress.Settings(pooling="attention"),
        "transduce": transduce.Settings(smoothing=0.1),
    }[survey.task]
