"""Graphs, for every question: where a node lies is told by random walks, who is related to whom by biases.

Ying et al. 2021 (Graphormer) for the biases, Dwivedi et al. 2022 for the walks, and for sizes and dropout Rampášek et
al. 2022 (GPS) on its smallest sets. Of one large graph, a neighbourhood is read by its first node, the one asked for.
"""

from headway.data.settings import DataSettings
from headway.data.survey import Survey
from headway.data.tokenizers import bpe, character, word
from headway.decoders import autoregressive
from headway.inputs import graph
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import attention
from headway.model import ModelSettings
from headway.positions import none, rotary
from headway.recipes import epochs_for
from headway.run import Run
from headway.settings import Branch
from headway.tasks import classify, regress, tag, transduce
from headway.training.settings import TrainingSettings

LARGEST = 2048
"""Nodes that a graph may have; the biases of a larger one would take more memory than a laptop has."""
GROUPS, FEW = 4, 50
"""Batches of an update where less than FEW updates are all of the data: of so few batches each holds graphs of many
sizes, and the small ones are padded (1,000 molecules: 14 % of the nodes in one batch an update, 4 % in four)."""
NEIGHBOURHOOD = 32
"""Nodes of a neighbourhood that are read, the near ones first."""


def recipe(survey: Survey) -> Run:
    """By the question, and by whether graphs are asked about or single nodes of a large one."""
    return _of_nodes(survey) if survey.longest <= 1 and survey.task == "classify" else _of_graphs(survey)


def _of_graphs(survey: Survey) -> Run:
    small = survey.examples < 20_000
    tokens = 2048 if survey.elements < 500_000 else 4096
    return Run(
        model=ModelSettings(
            input=graph.Settings(),
            encoder=EncoderSettings(
                layers=4,
                width=96 if small else 128,
                hidden=192 if small else 384,
                dropout=0.1,
                position=none.Settings(),
                mixer=attention.Settings(heads=4),
            ),
            task=_task(survey),
        ),
        data=DataSettings(
            target_tokenizer=_written(survey) if survey.task == "transduce" else None,
            max_length=min(LARGEST, max(512, survey.longest)),
            over_long="refuse" if survey.longest <= LARGEST else "truncate",
        ),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens, epochs=60),
            tokens=tokens,
            groups=GROUPS if survey.elements < FEW * tokens else 1,
            learning_rate=2e-3,
            schedule="cosine",
        ),
    )


def _of_nodes(survey: Survey) -> Run:
    """A node by the nodes around it: names that were seen often speak, and the labels of those that are known.

    On Debian's packages two hops with few neighbours were better than one with many (0.758 and 0.709 of the test part).
    """
    tokens = 2048
    return Run(
        model=ModelSettings(
            input=graph.Settings(attend="edges", position="none", word_dropout=0.2, neighbours=4),
            encoder=EncoderSettings(
                layers=2,
                width=96,
                hidden=192,
                dropout=0.2,
                position=none.Settings(),
                mixer=attention.Settings(heads=4),
            ),
            task=classify.Settings(pooling="first", smoothing=0.1),
        ),
        data=DataSettings(max_length=NEIGHBOURHOOD, over_long="truncate"),
        training=TrainingSettings(
            epochs=epochs_for(survey, tokens // (NEIGHBOURHOOD // 2), epochs=6),
            tokens=tokens,
            learning_rate=3e-3,
            schedule="cosine",
        ),
    )


def _task(survey: Survey) -> Branch:
    if survey.task == "tag":
        return tag.Settings(smoothing=0.1)
    if survey.task == "regress":
        return regress.Settings(pooling="mean")
    if survey.task == "classify":
        return classify.Settings(pooling="mean", smoothing=0.1)
    return transduce.Settings(decoder=autoregressive.Settings(position=rotary.Settings()), smoothing=0.1)


def _written(survey: Survey) -> Branch:
    """Symbols, characters of single words, or pieces of text, as for other sources."""
    if survey.symbols:
        return word.Settings(split="blanks")
    return character.Settings() if survey.single_targets else bpe.Settings(size=2_000)
