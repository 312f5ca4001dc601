"""All checks over all parts of a data set, one pass and little memory; and the fast ones over what was read anyway."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from headway.batch import Example
from headway.data.checks import SHOWN, Check, Finding, Place, Row, Setup, Table, checks_for, counted, lead
from headway.data.loading import Complaints, DataSet
from headway.data.parts import PARTS
from headway.errors import DataError, printable

TOO_MANY = 10_000
"""Lines of a part that cannot be used, after which the rest of it is not read."""
MOST = 10_000
"""Rows of a part that a glance looks into; all are compared with each other."""
ORDER = ("error", "warning", "note", "ok")

Heard = Callable[[str, int], None]
"""(part, rows seen): how far it is."""


@dataclass
class Report:
    """What a check of a data set came to."""

    tables: list[Table] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def count(self, severity: str) -> int:
        """Findings of this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def sorted(self) -> list[Finding]:
        """The worst first."""
        return sorted(self.findings, key=lambda finding: ORDER.index(finding.severity))

    @property
    def verdict(self) -> str:
        """One sentence."""
        told = [counted(self.count(severity), severity) for severity in ORDER[:3] if self.count(severity)]
        if self.count("error"):
            end = "training would stop, or learn what is not meant"
        elif self.count("warning"):
            end = "training would run; look at the warnings before its figures are believed"
        else:
            end = "ready to be trained on"
        return f"{', '.join(told) or 'nothing found'}: {end}"


class _Unusable(Complaints):
    """Counts the lines of a part that cannot be used and keeps the first. Raises the complaint that is one too many.

    count, taken   of this part; `places` is of all, since a file that is split is read once for every part
    over           whether there were too many
    """

    def __init__(self) -> None:
        super().__init__(skip=True)
        self.count, self.over = 0, False

    def __call__(self, error: DataError) -> None:
        if not error.where.line:
            raise error
        if error.where in self.places:
            return
        self.places.add(error.where)
        self.count += 1
        if len(self.taken) < SHOWN:
            self.taken.append(error)
        if self.count >= TOO_MANY:
            self.over = True
            raise error


def check(found: DataSet, setup: Setup, heard: Heard = lambda part, count: None) -> Report:
    """Read every part once, and say what there is to say."""
    checks, report = checks_for(setup), Report()
    skips = found.settings.on_bad == "skip"
    unusable = found.complaints = _Unusable()
    for part in PARTS:
        if part not in found:
            continue
        unusable.count, unusable.over = 0, False
        unusable.taken.clear()
        try:
            examples = found.read(found.parts.part(part))
            seen = lead(checks, setup, part, examples, lambda count, part=part: heard(part, count))
            if not seen:
                report.findings.append(_empty(part, setup))
        except DataError as error:
            if not unusable.over:
                what = f"{part}: {error.problem}"
                report.findings.append(Finding("lines", "error", what, 1, (Place(error.where),)))
        if unusable.count:
            report.findings.append(_lines(part, unusable, skips))
    if not report.findings:
        report.findings.append(Finding("lines", "ok", "every line of every file can be used"))
    return _summed(checks, report)


def glance(setup: Setup, parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """The warnings of the fast checks over examples that were read already; what is no text takes longer to compare."""
    if setup.kind != "text":
        return []
    checks = checks_for(setup, fast=True)
    for part in PARTS:
        examples = parts.get(part, ())
        setup.prints.extend(part, examples)
        for example in examples[:: -(-len(examples) // MOST) or 1]:
            row = Row(part, example, setup)
            for check in checks:
                check.see(row)
    found = chain.from_iterable(check.findings() for check in checks)
    return [finding for finding in found if finding.severity in ("error", "warning")]


def in_short(findings: Sequence[Finding]) -> list[str]:
    """What a training says of them: two lines at most."""
    told = [f"check: {one.what}" + (f" (the first: {one.places[0].where})" if one.places else "") for one in findings]
    if not told:
        return []
    more = f" and {len(told) - 2} more" if len(told) > 2 else ""
    return [*told[:1], *(f"{one}{more}" for one in told[1:2]), "`headway check` with the same data says more"]


def _summed(checks: Sequence[Check], report: Report) -> Report:
    for one in checks:
        report.tables += [table for table in one.tables() if table.rows]
        report.findings += one.findings()
    return report


def _empty(part: str, setup: Setup) -> Finding:
    return Finding("lines", "error", f"no line of the {part} part can be used for {setup.task}")


def _lines(part: str, unusable: _Unusable, skips: bool) -> Finding:
    """What is to be said of the lines of a part that cannot be used."""
    count = unusable.count
    what = f"{counted(count, 'line')} of the {part} part cannot be used"
    if unusable.over:
        what += " so far; the rest was not read"
    places = tuple(Place(error.where, printable(error.problem, 200)) for error in unusable.taken)
    if skips:
        return Finding("lines", "warning", f"{what} and will be left out", count, places)
    return Finding("lines", "error", what, count, places, "mend them, or leave them out by --data.on_bad skip")
