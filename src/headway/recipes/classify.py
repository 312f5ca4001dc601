"""A label for the whole: words and phrases (hashed n-grams), a small encoder, the mean of what it says."""

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.data.tokenizers import word
from headway.inputs import text
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import attention
from headway.model import ModelSettings
from headway.recipes import epochs_for
from headway.run import Run
from headway.tasks import classify
from headway.training.settings import TrainingSettings


def recipe(survey: Survey) -> Run:
    """Documents are few and long, so the encoder is small and the dropout large."""
    return Run(
        model=ModelSettings(
            input=text.Settings(word_ngrams=3 if survey.han > 0.3 else 2, buckets=131_072, word_dropout=0.1),
            encoder=EncoderSettings(layers=2, width=128, dropout=0.3, mixer=attention.Settings(heads=4)),
            task=classify.Settings(pooling="mean"),
        ),
        data=DataSettings(
            tokenizer=word.Settings(size=30_000, least=2, lowercase=True),
            max_length=min(512, max(32, survey.longest)),
            over_long="truncate",
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, 8192, epochs=8), tokens=8192, learning_rate=1e-3, schedule="cosine"
        ),
    )
