"""A new sequence: encoder and autoregressive decoder; pieces, characters or symbols by what the data are."""

from typing import Any

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.data.tokenizers import bpe, character, word
from headway.decoders import autoregressive
from headway.inputs import text
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import attention
from headway.model import ModelSettings
from headway.recipes import epochs_for
from headway.run import Run
from headway.settings import Branch
from headway.tasks import transduce
from headway.training.settings import TrainingSettings


def recipe(survey: Survey) -> Run:
    """Single words are read by their characters, text by pieces; one vocabulary where the scripts are one."""
    characters = survey.single_words
    joint = not characters and not survey.symbols and survey.same_script
    shape = _shape(survey)
    tokens = 2048 if characters else 4096  # short targets: more updates, each of enough pairs
    return Run(
        model=ModelSettings(
            input=text.Settings(),
            encoder=shape,
            task=transduce.Settings(decoder=autoregressive.Settings(tie="all" if joint else "output"), smoothing=0.1),
        ),
        data=DataSettings(
            tokenizer=_source(survey),
            target_tokenizer=_target(survey),
            joint=joint,
            max_length=256,
            over_long="truncate",
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens, epochs=40),
            tokens=tokens,
            learning_rate=4e-3 if shape.width < 192 else 2e-3,
            schedule="cosine",
        ),
    )


def deep_shallow(survey: Survey, layers: int) -> Run:
    """The same with so many layers in the encoder and one in the decoder."""
    run = recipe(survey)
    decoder = autoregressive.Settings(tie="all" if run.data.joint else "output", layers=1)
    run = changed(run, decoder=decoder)
    return run.replace(model=run.model.replace(encoder=run.model.encoder.replace(layers=layers)))


def changed(run: Run, **settings: Any) -> Run:
    """A run with other settings of its task."""
    return run.replace(model=run.model.replace(task=run.model.task.replace(**settings)))


def _shape(survey: Survey) -> EncoderSettings:
    """Few pairs want a narrow model and much dropout (Araabi & Monz 2020; Wu et al. 2021 on 29,000 pairs)."""
    if survey.examples < 50_000:
        layers, width, hidden, dropout = 4, 128, 256, 0.3
    elif survey.single_words:
        layers, width, hidden, dropout = 3, 192, 768, 0.1
    else:
        layers, width, hidden, dropout = 3, 256, 1024, 0.3 if survey.examples < 100_000 else 0.1
    mixer = attention.Settings(heads=4)
    return EncoderSettings(layers=layers, width=width, hidden=hidden, dropout=dropout, feedforward="relu", mixer=mixer)


def _source(survey: Survey) -> Branch:
    return character.Settings() if survey.single_words else bpe.Settings(size=_pieces(survey))


def _target(survey: Survey) -> Branch | None:
    if survey.symbols:
        return word.Settings(split="blanks")
    return character.Settings() if survey.single_targets else bpe.Settings(size=_pieces(survey))


def _pieces(survey: Survey) -> int:
    return 2_000 if survey.examples < 10_000 else 4_000 if survey.examples < 50_000 else 8_000
