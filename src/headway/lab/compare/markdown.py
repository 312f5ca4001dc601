"""compare.md: the table, what it says, and the command that makes it."""

from collections.abc import Iterator

from headway.lab.compare.results import ArmResult, Results
from headway.lab.compare.table import legend, table
from headway.lab.compare.verdict import verdict
from headway.report.markup import visible
from headway.report.wording import measured


def markdown(results: Results) -> str:
    """The whole page."""
    plan = results.plan
    found = table(results)
    lines = [
        "# " + _safe(", ".join(plan["axes"])),
        "",
        *(f"{_safe(sentence)}" for sentence in verdict(results)),
        "",
        _row("arm", *found.columns),
        "|---|" + "---:|" * len(found.columns),
        *(
            _row(f"*{_safe(row.name)}*" if row.baseline else _safe(row.name), *_bold(row.cells, row.best))
            for row in found.rows
        ),
        "",
        legend(results),
        "",
        *_ladders(results),
        *(f"- {_safe(sentence)}" for said in plan["said"] for sentence in said.splitlines()),
        *(f"- {_safe(signature)}" for signature in results.signatures.values()),
        f"- FLOPs: {plan['flops']}",
        "",
        "```",
        plan["command"],
        "```",
        "",
    ]
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _bold(cells: tuple[str, ...], best: bool) -> tuple[str, ...]:
    cells = tuple(cell.replace("*", "\\*") for cell in cells)
    return (f"**{cells[0]}**", *cells[1:]) if best and cells else cells


def _ladders(results: Results) -> Iterator[str]:
    climbed = [arm for arm in results.arms if arm.told["ladder"]]
    if climbed:
        factors = [f"× {rung['factor']:g}" for rung in climbed[0].told["ladder"]]
        yield from ("Learning rates tried, by the valid part:", "")
        yield from (_row("arm", *factors), "|---|" + "---:|" * len(factors))
        yield from (_row(_safe(arm.name), *rungs(results, arm)) for arm in climbed)
        yield ""


def rungs(results: Results, arm: ArmResult) -> list[str]:
    """What each trial of an arm came to; the chosen one is bold."""
    found = []
    for rung in arm.told["ladder"]:
        value = rung["value"]
        words = "–" if value is None else f"{value:g}" if results.metric is None else measured(results.metric, value)
        found.append(f"**{words}**" if rung["rate"] == arm.told["learning_rate"] and value is not None else words)
    return found


def _safe(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("*", "\\*")
