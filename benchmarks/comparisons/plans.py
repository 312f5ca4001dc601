"""What is compared on which data: the axis, the time of a cell, what was expected before, and what came out."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """One `headway compare`.

    data        a name of `headway data list`; `name` is of the file that the table is kept in
    axis        the path of a setting, and its values; the first is what differences are taken from
    minutes     of training a cell
    made        the commands that make the data, where `headway data get` does not
    expected    written before anything was run
    found       written by whoever read the table
    """

    name: str
    data: str
    axis: str
    values: tuple[Any, ...]
    expected: str
    found: str = ""
    minutes: float = 5
    seeds: int = 3
    settings: dict[str, Any] = field(default_factory=dict)
    made: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What a user types for the same."""
        set_ = "".join(f" --{path} {value}" for path, value in self.settings.items())
        values = ",".join(map(str, self.values))
        compare = (
            f"headway compare datasets/{self.data} --axis {self.axis}={values} --seeds {self.seeds} "
            f"--time {self.minutes:g}m --jobs 2{set_}"
        )
        return "\n".join([*self.made, compare])


MIXERS = ("attention", "convolution", "recurrent")
POSITIONS = ("rotary", "none", "sinusoidal", "learned", "alibi", "relative")
NORMALIZERS = ("softmax", "relu", "relu_normed", "sigmoid", "softmax_plus_one", "sparsemax", "entmax15")
SCORES = ("scaled_dot", "dot", "additive", "bilinear", "cosine")

MIXER, POSITION = "model.encoder.mixer", "model.encoder.position"
NORMALIZER, SCORE = "model.encoder.mixer.normalizer", "model.encoder.mixer.score"

COMPARISONS = [
    Comparison(
        "people_daily_mixer",
        "people_daily",
        MIXER,
        MIXERS,
        "A tag is decided by the neighbours: a convolution should be as good as attention, and faster. A recurrent "
        "network reads in order and knows both sides, but makes fewer updates in the same time.",
        "The convolution is best, and attention is a clear 1.25 points behind: what it has to learn first, to look at "
        "the neighbours, the other two are built for, and in 360 updates it has not caught up. The recurrent network "
        "is nearly as good as the convolution with a fifth fewer updates. For tagging in little time take "
        "`--model.encoder.mixer convolution`.",
    ),
    Comparison(
        "people_daily_position",
        "people_daily",
        POSITION,
        POSITIONS,
        "Without positions a word does not know its neighbours from the far end: clearly worst. Those that tell "
        "distance (rotary, alibi, relative) should be ahead of those that number the places (sinusoidal, learned).",
        "As expected in order: those that tell distance are ahead, none is last. Not expected is how far: rotary is "
        "1.3 points ahead of alibi and more than two ahead of all others, and numbered places are hardly better than "
        "none. After 400 updates what was not given by the form of the scores is not learned yet; longer "
        "trainings will be nearer to each other.",
    ),
    Comparison(
        "people_daily_normalizer",
        "people_daily",
        NORMALIZER,
        NORMALIZERS,
        "Differences within chance, but for relu without a norm, whose output is small in long sentences; sparse ones "
        "cost time, so they make fewer updates.",
        "Not as expected: only softmax_plus_one is within chance of softmax, all others are clearly behind. relu "
        "without a norm is, as expected, worse than with one, but sparsemax is last by two points, which a tenth fewer "
        "updates do not explain: what a sparse normalizer leaves out has no gradient, which probably is most of a "
        "sentence while nothing is known yet; entmax15, which leaves out less, loses a third of that. "
        "Published gains of sparse ones are of trainings many times as long.",
    ),
    Comparison(
        "reviews_zh_mixer",
        "reviews_zh",
        MIXER,
        MIXERS,
        "Sentiment is told by words and short phrases: all three alike, within chance, and near to tf-idf.",
        "As expected: the recurrent network is 1.2 points ahead, which with three seeds can be chance, and none is "
        "ahead of the baseline's n-grams. All overfit: attention and the convolution are at their best after half of "
        "their updates, the recurrent network after a fifth, so what a mixer costs decides nothing here.",
    ),
    Comparison(
        "reviews_zh_position",
        "reviews_zh",
        POSITION,
        POSITIONS,
        "Order counts little here: no positions should lose nothing, or hardly anything.",
        "As expected, no positions lose nothing: they are even ahead of alibi by more than chance. Not expected is "
        "that sinusoidal places are best, 1.46 points ahead of rotary, which the recipe takes, and as good as the "
        "baseline's n-grams, the reverse of tagging. Whether that holds for longer texts and other languages is to be "
        "measured before the recipe is changed.",
    ),
    Comparison(
        "reviews_zh_normalizer",
        "reviews_zh",
        NORMALIZER,
        NORMALIZERS,
        "Within chance of each other.",
    ),
    Comparison(
        "cmudict_score",
        "cmudict",
        SCORE,
        SCORES,
        "All dot products alike once they learn their scale; additive as good an update, and slower, so behind at "
        "equal time; dot without a scale a little behind.",
    ),
]
