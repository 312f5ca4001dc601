"""A label for the whole: words and phrases (hashed n-grams), a small encoder, a learned mean of what it says."""

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
    """Documents are few and long, so the encoder is small, the dropout large, and what was rarely seen is silent."""
    small = survey.elements < 2_000_000
    tokens = 2048 if survey.elements < 500_000 else 4096 if small else 8192
    ngrams = 3 if survey.han > 0.3 else 2
    return Run(
        model=ModelSettings(
            input=text.Settings(word_ngrams=ngrams, buckets=131_072, spread=0.03, word_dropout=0.3 if small else 0.1),
            encoder=EncoderSettings(
                layers=1 if small else 2, width=128, dropout=0.3, mixer=attention.Settings(heads=4)
            ),
            task=classify.Settings(pooling="attention", smoothing=0.1),
        ),
        data=DataSettings(
            tokenizer=word.Settings(size=30_000, least=2, lowercase=True),
            max_length=min(512, max(32, survey.longest)),
            over_long="truncate",
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens, epochs=3), tokens=tokens, learning_rate=1e-3, schedule="cosine"
        ),
    )
