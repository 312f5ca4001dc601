"""What is measured: data set, time, settings, how it is answered, and what was aimed at.

A cell trains by the ordinary recipe of its question; only what stands in `settings` is other than `headway train DATA`
would choose. `must` and `goal` are bounds for `metric` on the test part.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One training and its measurement, or several by as many seeds.

    data       a name of `headway data list`
    what       what this cell does with the data, where others do something else
    minutes    the time limit of training
    metric     what the bounds are for; `higher` whether more is better
    answer     options of `headway evaluate`
    peer       the classical method that is run beside it, of `peers.py`
    also       (must, goal) of further metrics of the same test
    members    models, of one seed after another, that answer together
    seeds      trainings by seeds 0, 1, … that are each measured; the bounds are for their mean
    recipe     another recipe than that of the question
    modes      further ways in which the run writes, whose answers are compared with those of `answer`
    judges     further measures of the answers, of `judges.py`
    beyond     the must as so much more than the classical method, where it is not a number
    fill       train for all the time there is, and not for the recipe's epochs
    note       what is to be said beside the figure: why it is missed, what would come next
    """

    name: str
    data: str
    minutes: float
    metric: str
    must: float | None
    goal: float | None
    peer: str
    higher: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    also: dict[str, tuple[float, float]] = field(default_factory=dict)
    members: int = 1
    seeds: int = 1
    recipe: str | None = None
    modes: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    what: str = ""
    beyond: float | None = None
    fill: bool = False
    note: str = ""

    @property
    def title(self) -> str:
        return f"{self.data}, {self.what}" if self.what else self.data


LEAN = {"machine.precision": "bfloat16", "machine.threads": 1}
"""One thread and bfloat16 products, so that two cells can be trained side by side on two cores."""

ONE = {"machine.threads": 1}
"""One thread, whose time is the time of its core."""

DRAFT = {"model.task.draft": "ctc"}

OTHER_VOICE = {"model.input.pitch": "alone", "model.input.augment.speed": 0.2}
"""The voice that is tested is more than an octave above the one that is learned from: only the course of the pitch is
told, in octaves from its own middle, so that no voice is higher than another."""

SUMS = {"model.task.pooling": "sum", "model.task.loss": "absolute"}
"""What atoms add up to, by the error that is measured."""

READABLE = {"data.on_bad": "skip"}
"""Without the SMILES that are none."""

NOTES = {
    "people_daily": (
        "Missed the goal: best after 6 of 16 passes, then it overfits. Next: the recipe's 6 passes with more "
        "dropout, subword vectors of longer n-grams, a wider context."
    ),
    "brown": (
        "Missed the goal: trained for 7 of 45 minutes by the recipe. Next: several seeds together, longer "
        "n-grams of letters."
    ),
    "reviews_zh": (
        "Must met by five models together; one alone is between 0.848 and 0.858, about tf-idf. It overfits from "
        "the second pass on. Other pooling, more dropout, R-Drop (0.851), longer n-grams (0.846), BPE (0.813) and a "
        "narrower encoder (0.841) were not better. Goal missed. Next: pretraining on text without labels."
    ),
    "imdb": "tf-idf is better by 0.009. Next: the recipe's three passes with documents of more than 512 words whole.",
    "cmudict": (
        "Both musts met where the time limit cut it, at 7,526 of 9,011 updates, as other work shared the machine; "
        "both rates were still falling. Goals missed. Next: both threads (parts side by side), width 256, several "
        "models together."
    ),
    "multi30k": (
        "Missed the goal: the time limit cut a plan of 6,609 updates at 4,283, with the rate still high, "
        "because other work shared the machine. Next: the whole plan, a shallower decoder, R-Drop."
    ),
    "tones": "Missed the goal by two recordings of 290. Next: several seeds together, the pitch beside the bands.",
    "tones_other_voice": (
        "Missed the goal after little more than a minute of training; of sounds of the voice that it learned from "
        "it hears 86.3% right (the valid part). Next: longer training, more seeds, how loud a frame is."
    ),
    "logp": (
        "Must missed in two minutes, less than half of the recipe's 60 passes, in whose second half the error of the "
        "valid part fell from 0.55 to 0.46. Next: all 60 passes, several seeds together."
    ),
    "solubility": (
        "18 of 1,282 molecules, 4 of them of the test part, are left out, whose SMILES rdkit cannot read. "
        "Next: read the drawn molecules of the package instead."
    ),
    "debian": (
        "Headway's own logistic regression on surroundings, given all the training part, is better by 0.006. Next: "
        "several seeds together, names of neighbours by their parts."
    ),
}

CELLS = [
    Cell(
        "people_daily", "people_daily", 22, "accuracy", 0.960, 0.975, "tnt", settings=LEAN, note=NOTES["people_daily"]
    ),
    Cell("brown", "brown", 22, "accuracy", 0.968, 0.980, "tnt", settings=LEAN, note=NOTES["brown"]),
    Cell(
        "reviews_zh",
        "reviews_zh",
        10,
        "accuracy",
        None,
        0.90,
        "tfidf",
        settings=LEAN,
        members=5,
        beyond=0.005,
        note=NOTES["reviews_zh"],
    ),
    Cell("imdb", "imdb", 14, "accuracy", 0.88, None, "tfidf", settings=LEAN, note=NOTES["imdb"]),
    Cell(
        "cmudict",
        "cmudict",
        57,
        "phone_error_rate",
        0.07,
        0.05,
        "nearest",
        higher=False,
        settings=LEAN,
        also={"sequence_error_rate": (0.28, 0.21)},
        fill=True,
        note=NOTES["cmudict"],
    ),
    Cell(
        "multi30k",
        "multi30k",
        75,
        "bleu",
        35.0,
        40.0,
        "nearest",
        settings=LEAN | {"data.source": "en", "data.target": "de"},
        answer={"mode": "beam", "beam": 5},
        fill=True,
        note=NOTES["multi30k"],
    ),
    Cell(
        "tones",
        "mandarin_tones",
        3,
        "accuracy",
        0.965,
        0.99,
        "spectrum",
        settings=ONE,
        seeds=3,
        note=NOTES["tones"],
    ),
    Cell(
        "tones_other_voice",
        "mandarin_tones_other_voice",
        1.5,
        "accuracy",
        0.21,
        0.60,
        "spectrum",
        settings=ONE | OTHER_VOICE,
        seeds=3,
        note=NOTES["tones_other_voice"],
    ),
    Cell(
        "syllables",
        "mandarin_syllables",
        10,
        "phone_error_rate",
        0.20,
        0.08,
        "nearest_sound",
        higher=False,
        settings=ONE,
        what="one symbol after another",
    ),
    Cell(
        "syllables_ctc",
        "mandarin_syllables",
        10,
        "phone_error_rate",
        0.20,
        0.08,
        "nearest_sound",
        higher=False,
        settings=ONE | {"model.task.decoder": "ctc"},
        what="all symbols at once (CTC)",
    ),
    Cell(
        "syllables_joint",
        "mandarin_syllables",
        10,
        "phone_error_rate",
        0.20,
        0.08,
        "nearest_sound",
        higher=False,
        settings=ONE | DRAFT,
        answer={"mode": "greedy"},
        modes=("verify", "nat"),
        what="with a draft (CTC)",
    ),
    Cell("logp", "logp", 2, "mae", 0.45, 0.35, "ridge", higher=False, settings=ONE | SUMS, seeds=3, note=NOTES["logp"]),
    Cell(
        "solubility",
        "solubility",
        1,
        "mae",
        None,
        None,
        "ridge",
        higher=False,
        settings=ONE | SUMS | READABLE,
        seeds=5,
        beyond=0.0,
        note=NOTES["solubility"],
    ),
    Cell(
        "solubility_classes",
        "solubility_classes",
        1,
        "accuracy",
        None,
        None,
        "pieces",
        settings=ONE | READABLE,
        seeds=5,
        beyond=0.0,
        note=NOTES["solubility"],
    ),
    Cell(
        "melting_points",
        "melting_points",
        14,
        "mae",
        36.0,
        30.0,
        "ridge",
        higher=False,
        settings=ONE | {"model.task.loss": "absolute"},
        seeds=3,
    ),
    Cell(
        "debian",
        "debian_packages",
        4,
        "accuracy",
        0.62,
        0.70,
        "dependencies",
        settings=ONE,
        seeds=3,
        note=NOTES["debian"],
    ),
    Cell(
        "names_to_smiles",
        "molecule_names",
        30,
        "exact_match",
        None,
        None,
        "nearest",
        settings=ONE | {"data.source": "name", "data.target": "smiles"},
        recipe="transduce_joint",
        answer={"mode": "greedy"},
        modes=("verify", "nat"),
        judges=("valid", "same_molecule"),
        fill=True,
        what="name to SMILES",
    ),
    Cell(
        "smiles_to_names",
        "molecule_names",
        30,
        "exact_match",
        None,
        None,
        "nearest",
        settings=ONE | DRAFT | {"data.source": "smiles", "data.target": "name"},
        answer={"mode": "greedy"},
        modes=("verify", "nat"),
        fill=True,
        what="SMILES to name",
    ),
]
