"""What a comparison says, in plain words: which differences are larger than chance, and what was not equal."""

from collections.abc import Iterator

from headway.lab.compare.results import LEVEL, ArmResult, Pair, Results
from headway.report.wording import (
    is_better_higher,
    is_percent,
    measured,
    metric_name,
    plural,
    signed,
    significant,
)


def verdict(results: Results) -> list[str]:
    """One sentence after another; the first says which arm is best and whether that is more than chance."""
    if results.metric is None:
        return [f"Nothing is finished yet: {results.done} of {plural(results.total, 'cell')}."]
    return [
        *_unfinished(results),
        *_best(results),
        *_others(results),
        *_how_sure(results),
        *_failures(results),
        *_machines(results),
    ]


def apart(name: str, difference: float, sign: bool = False) -> str:
    """A difference of a metric: points of a percentage, or the number itself."""
    size = difference if sign else abs(difference)
    if is_percent(name):
        words = f"{100 * size:+.2f}" if sign else f"{100 * size:.2f} points"
    else:
        words = ("+" if sign and size > 0 else "") + significant(size, 3)
    return signed(words)


def _unfinished(results: Results) -> Iterator[str]:
    if results.done < results.total:
        yield f"So far {results.done} of {plural(results.total, 'cell')} are finished; this is what they say."


def _best(results: Results) -> Iterator[str]:
    best, name = results.best(), results.metric
    assert best is not None and name is not None
    rivals = [(arm, results.pair(best.name, arm.name)) for arm in results.arms if arm is not best and arm.metrics]
    known = [(arm, pair) for arm, pair in rivals if pair is not None]
    beaten = [(arm, pair) for arm, pair in known if pair.holds]
    same = [(arm, pair) for arm, pair in known if pair.difference == 0]
    equal = [(arm, pair) for arm, pair in known if not pair.holds and pair.difference != 0]
    value = measured(name, best.metrics[name].mean)
    yield f"The best {metric_name(name)} has {best.name}: {value} on the {results.part} part."
    if beaten:
        shown = _listed([f"{arm.name} by {apart(name, pair.difference)}" for arm, pair in beaten])
        yield f"It is better than {shown}: more than chance."
    if equal:
        shown = _listed([f"{arm.name} ({apart(name, pair.difference)})" for arm, pair in equal])
        yield f"That it is better than {shown} can be chance{_why(equal)}."
    if same:
        yield f"{_listed([arm.name for arm, _ in same])} {'is' if len(same) == 1 else 'are'} exactly as good."


def _why(equal: list[tuple[ArmResult, Pair]]) -> str:
    """Where the items would bear the difference, and the seeds do not."""
    turned = [arm.name for arm, pair in equal if pair.beyond_items and not pair.every_seed]
    if not turned:
        return ""
    return f": for {_listed(turned)} it is larger than the choice of test items explains, but not so for every seed"


def _others(results: Results) -> Iterator[str]:
    """Differences between arms that are not the best."""
    best, name = results.best(), results.metric
    assert best is not None and name is not None
    found = []
    for pair in results.pairs:
        if pair.holds and best.name not in (pair.first, pair.second):
            better = (pair.difference > 0) == is_better_higher(name)
            one, other = (pair.second, pair.first) if better else (pair.first, pair.second)
            found.append(f"{one} is better than {other} by {apart(name, pair.difference)}")
    if found:
        yield f"Among the others, {_listed(found)}: more than chance."


def _how_sure(results: Results) -> Iterator[str]:
    count = len(results.pairs)
    if not count:
        return
    seeds = len(results.plan["seeds"])
    first = next(cell for arm in results.arms for cell in arm.cells.values())
    drawn = len(first["resampled"][results.metric]["values"])
    several = ", p-values adjusted for that number by Holm" if count > 1 else ""
    over = f"paired bootstrap over {plural(first['items']['count'], 'item')} ({drawn:,} resamples)"
    signs = f", and the same sign for {'both' if seeds == 2 else f'all {seeds}'} seeds" if seeds > 1 else ""
    yield (
        f"More than chance means: {plural(count, 'comparison')} by {over}{several}, the probability of even one false "
        f"finding below {LEVEL:.0%}{signs}."
    )
    if seeds == 1:
        yield "With one seed it is not known how much of a difference is luck of the seed: --seeds 3 tells."


def _failures(results: Results) -> Iterator[str]:
    for arm in results.arms:
        for seed, why in arm.failed.items():
            yield f"{arm.name}, seed {seed}, is left out: {why}."


def _machines(results: Results) -> Iterator[str]:
    """Where times cannot be compared."""
    cells = [cell for arm in results.arms for cell in arm.cells.values()]
    if len({(cell["machine"]["processor"], cell["machine"]["gpu"], cell["machine"]["threads"]) for cell in cells}) > 1:
        yield "Cells were trained on different machines or with different threads: their times are not comparable."
    if len({(cell["version"], cell["machine"].get("revision")) for cell in cells}) > 1:
        yield "Cells were trained by different versions or revisions of headway."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
