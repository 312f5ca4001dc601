"""A label for every element: words with their letters, a small encoder, averaged weights."""

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.data.tokenizers import word
from headway.inputs import text
from headway.layers.encoder import EncoderSettings
from headway.model import ModelSettings
from headway.recipes import epochs_for
from headway.run import Run
from headway.tasks import tag
from headway.training.settings import TrainingSettings


def recipe(survey: Survey) -> Run:
    """Letters speak for unknown words; the size grows with the number of words."""
    small = survey.elements < 100_000
    return Run(
        model=ModelSettings(
            input=text.Settings(character_ngrams=4, buckets=32_768, spread=0.1, word_dropout=0.1),
            encoder=EncoderSettings(layers=2, width=128 if small else 192, dropout=0.3),
            task=tag.Settings(smoothing=0.1),
        ),
        data=DataSettings(
            tokenizer=word.Settings(least=2, lowercase=survey.han < 0.3), max_length=256, over_long="window"
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, 4096, epochs=6), tokens=4096, learning_rate=4e-3, schedule="cosine"
        ),
    )
