"""The one table of a comparison as words: what the terminal, the Markdown and the page all show."""

from collections.abc import Callable
from dataclasses import dataclass

from headway.lab.compare.results import ArmResult, Results
from headway.lab.compare.verdict import apart
from headway.report.wording import duration, large, measured, metric_name, significant

NOTHING = "–"


@dataclass(frozen=True)
class Row:
    """An arm, or a classical method; `best` and `first` say which it is."""

    name: str
    cells: tuple[str, ...]
    best: bool = False
    baseline: bool = False


@dataclass(frozen=True)
class Table:
    """The columns from number `costs` on say what an arm took."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    costs: int


def table(results: Results) -> Table:
    """Metrics with their intervals, the difference from the first arm, the spread over seeds, and what it took."""
    costs = [*([_RATE] if len({arm.told["learning_rate"] for arm in results.arms}) > 1 else []), *_COST]
    columns = [*_metric_columns(results), *costs]
    best = results.best()
    rows = [
        Row(arm.name, tuple(cell(results, arm) if arm.metrics else NOTHING for _, cell in columns), arm is best)
        for arm in results.arms
    ]
    for method, values in results.baselines.items():
        cells = [measured(name, values[name]) if name in values else NOTHING for name in results.metrics]
        rows.append(Row(method, _around(results, cells, len(columns)), baseline=True))
    return Table(tuple(name for name, _ in columns), tuple(rows), len(columns) - len(costs))


Cell = Callable[[Results, ArmResult], str]


def _metric_columns(results: Results) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = []
    for number, name in enumerate(results.metrics):
        found.append((metric_name(name), lambda _, arm, name=name: measured(name, arm.metrics[name].mean)))
        if number == 0:
            found += [("95 % interval", _interval), ("over seeds", _seeds), ("from the first arm", _difference)]
    return found


def _around(results: Results, cells: list[str], columns: int) -> tuple[str, ...]:
    """The metrics of a classical method in their columns, nothing in the others."""
    if not results.metrics:
        return ()
    filled = [cells[0], NOTHING, NOTHING, NOTHING, *cells[1:]]
    return (*filled, *([NOTHING] * (columns - len(filled))))


def _interval(results: Results, arm: ArmResult) -> str:
    low, high = arm.metrics[str(results.metric)].interval
    return _from_to(str(results.metric), low, high)


def _seeds(results: Results, arm: ArmResult) -> str:
    """The lowest and the highest seed; how many are finished where not all are."""
    values = arm.metrics[str(results.metric)].by_seed
    wanted = len(results.plan["seeds"])
    few = "" if len(values) == wanted else f" ({len(values)} of {wanted})"
    return _from_to(str(results.metric), min(values), max(values)) + few


def _from_to(metric: str, low: float, high: float) -> str:
    """Two values of a metric; one where they are written the same."""
    first, last = measured(metric, low), measured(metric, high)
    return last if first == last else f"{first.removesuffix('%')} … {last}"


def _difference(results: Results, arm: ArmResult) -> str:
    first, name = results.arms[0], str(results.metric)
    pair = results.pair(first.name, arm.name) if arm is not first else None
    if pair is None:
        return NOTHING
    low, high = (apart(name, bound, sign=True) for bound in pair.interval)
    return f"{apart(name, pair.difference, sign=True)} ({low} … {high}){'*' if pair.holds else ''}"


def _fact(name: str, words: Callable[[float], str]) -> Cell:
    def cell(results: Results, arm: ArmResult) -> str:
        value = arm.peak_memory if name == "peak_memory" else arm.mean_fact(name)
        return NOTHING if value is None else words(value)

    return cell


def _whole(value: float) -> str:
    return f"{value:,.0f}"


_RATE: tuple[str, Cell] = ("learning rate", lambda _, arm: significant(arm.told["learning_rate"], 3))
_COST: list[tuple[str, Cell]] = [
    ("parameters", _fact("parameters", large)),
    ("FLOPs a token", lambda _, arm: large(arm.told["flops_per_token"])),
    ("tokens/s", _fact("tokens_per_second", _whole)),
    ("seconds", _fact("seconds", lambda value: duration(value))),
    ("peak memory", _fact("peak_memory", lambda value: f"{value / 1e6:,.0f} MB")),
    ("updates", _fact("steps", _whole)),
    ("best after", _fact("best_step", _whole)),
]

LEGEND = (
    "The interval is over the items of the {part} part (bootstrap, mean of the seeds); over seeds, the lowest and the "
    "highest; from the first arm, the difference with its 95 % interval (paired bootstrap), * where it is larger than "
    "chance. FLOPs are for training, forward and back; time and updates are means over seeds, memory is the most."
)


def legend(results: Results) -> str:
    """What the columns are."""
    return LEGEND.format(part=results.part)
