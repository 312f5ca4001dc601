"""How good what was written is, and what goes wrong where everything is written at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from headway.batch import Example, TransduceAnswer
from headway.data.codecs import Sequences
from headway.training.evaluation import measure


@dataclass(frozen=True)
class Quality:
    """Of the answers to a whole part.

    metrics           the task's scorers
    decoder_calls     passes through decoders for a sequence, on average; None where nothing tells them
    length_ratio      tokens written for each token of the right sequences; of several the one of the nearest length
    length_accuracy   the share of sequences as long as a right one: of a length decoder, how often its length is right
    repetitions       the share of tokens that are the same as the one before
    empty             the share of sequences without tokens
    identical         the share of sequences that are the same as greedy's of the same run
    """

    metrics: dict[str, float] = field(default_factory=dict)
    decoder_calls: float | None = None
    length_ratio: float = 0.0
    length_accuracy: float = 0.0
    repetitions: float = 0.0
    empty: float = 0.0
    identical: float | None = None


def quality(
    answers: Sequence[TransduceAnswer],
    examples: Sequence[Example],
    codec: Sequences,
    metrics: Sequence[str],
    calls: bool,
    greedy: Sequence[TransduceAnswer] | None,
) -> tuple[Quality, dict[str, str]]:
    """(what is to be said of the answers, the signatures of the metrics).

    calls     whether the answers tell their calls
    greedy    what the same run writes greedily; None where it cannot
    """
    found = measure(metrics, answers, examples)
    right = [_lengths(example, codec) for example in examples]
    written = [len(answer.tokens) for answer in answers]
    nearest = [min(some, key=lambda n, own=own: (abs(n - own), n)) for some, own in zip(right, written, strict=True)]
    count = max(1, len(answers))
    same = None
    if greedy is not None:
        same = sum(one.text == other.text for one, other in zip(answers, greedy, strict=True)) / count
    return Quality(
        {name: metric.value() for name, metric in found.items()},
        sum(answer.calls for answer in answers) / count if calls else None,
        sum(written) / max(1, sum(nearest)),
        sum(own in some for some, own in zip(right, written, strict=True)) / count,
        repetitions([answer.tokens for answer in answers]),
        sum(not answer.text.strip() for answer in answers) / count,
        same,
    ), {name: metric.signature() for name, metric in found.items()}


def repetitions(sequences: Sequence[Sequence[object]]) -> float:
    """The share of all tokens that are the same as the one before."""
    total = sum(map(len, sequences))
    return sum(a == b for tokens in sequences for a, b in pairwise(tokens)) / max(1, total)


def right_repetitions(examples: Sequence[Example], codec: Sequences) -> float:
    """The same of the right sequences: what a language repeats by itself."""
    return repetitions([row.tolist() for row in codec.encode_all([example.target for example in examples])])


def _lengths(example: Example, codec: Sequences) -> list[int]:
    return [len(row) for row in codec.encode_all(list(example.references))]
