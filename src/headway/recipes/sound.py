"""Sound, whatever is asked of it: log-mel frames joined by a convolution, and an encoder that grows with the data."""

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.data.tokenizers import bpe, character, word
from headway.decoders import autoregressive
from headway.inputs import sound
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import attention
from headway.model import ModelSettings
from headway.recipes import epochs_for
from headway.run import Run
from headway.settings import Branch
from headway.tasks import classify, regress, transduce
from headway.training.settings import TrainingSettings

SHORT = 150
"""Hundredths of a second up to which a sound is a word: then an element is two frames and not four."""


def recipe(survey: Survey) -> Run:
    """Of words every frame counts, so that fewer are joined; what is said in long sounds is written by pieces."""
    short = survey.elements <= SHORT * survey.examples
    each = 2 if short else 4
    tokens = 2048 if survey.elements < 2_000_000 else 8192
    asked, target = _asked(survey)
    return Run(
        model=ModelSettings(
            input=sound.Settings(subsampling=each, normalize="global" if short else "utterance"),
            encoder=_shape(survey),
            task=asked,
        ),
        data=DataSettings(
            target_tokenizer=target, max_length=max(64, -(-survey.longest // each) + 1), over_long="truncate"
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens * each, epochs=60, least=600),
            tokens=tokens,
            learning_rate=2e-3,
            schedule="cosine",
            warmup=0.1,
        ),
    )


def _shape(survey: Survey) -> EncoderSettings:
    """An hour of sound holds 360,000 hundredths of a second."""
    layers, width, dropout = (3, 128, 0.2) if survey.elements < 2_000_000 else (6, 192, 0.1)
    return EncoderSettings(layers=layers, width=width, dropout=dropout, mixer=attention.Settings(heads=4))


def _asked(survey: Survey) -> tuple[Branch, Branch | None]:
    """The question, and how its targets are cut."""
    if survey.task == "transduce":
        return transduce.Settings(decoder=autoregressive.Settings(tie="output"), smoothing=0.1), target_of(survey)
    if survey.task == "regress":
        return regress.Settings(), None
    return classify.Settings(pooling="attention", smoothing=0.1), None


def target_of(survey: Survey) -> Branch:
    """How the texts are cut that are written: symbols at blanks, characters, or pieces where the data are many."""
    if survey.symbols:
        return word.Settings(split="blanks")
    if survey.single_targets or survey.examples < 20_000:
        return character.Settings()
    return bpe.Settings(size=2_000)
