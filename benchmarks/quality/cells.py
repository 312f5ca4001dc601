"""What is measured: data set, time, settings, how it is answered, and what was aimed at.

A cell trains by the ordinary recipe of its question; only what stands in `settings` is other than `headway train DATA`
would choose. `must` and `goal` are bounds for `metric` on the test part.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One training and its measurement.

    data       a name of `headway data list`
    minutes    the time limit of training
    metric     what the bounds are for; `higher` whether more is better
    answer     options of `headway evaluate`
    peer       the classical method that is run beside it, of `peers.py`
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
    beyond: float | None = None
    fill: bool = False
    note: str = ""


LEAN = {"machine.precision": "bfloat16", "machine.threads": 1}
"""One thread and bfloat16 products, so that two cells can be trained side by side on two cores."""

CELLS = [
    Cell("people_daily", "people_daily", 22, "accuracy", 0.960, 0.975, "tnt", settings=LEAN),
    Cell("brown", "brown", 22, "accuracy", 0.968, 0.980, "tnt", settings=LEAN),
    Cell("reviews_zh", "reviews_zh", 10, "accuracy", None, 0.90, "tfidf", settings=LEAN, beyond=0.005),
    Cell("imdb", "imdb", 30, "accuracy", 0.88, None, "tfidf", settings=LEAN),
    Cell("cmudict", "cmudict", 40, "phone_error_rate", 0.07, 0.05, "nearest", higher=False, settings=LEAN, fill=True),
    Cell(
        "multi30k",
        "multi30k",
        75,
        "bleu",
        35.0,
        40.0,
        "nearest",
        settings=LEAN,
        answer={"mode": "beam", "beam": 5},
        fill=True,
    ),
]
