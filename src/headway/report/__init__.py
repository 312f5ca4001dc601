"""report.html: what came of a training, on one page that needs no network, to look at and to pass on."""

from headway.report.findings import Findings
from headway.report.page import page, write_report

__all__ = ["Findings", "page", "write_report"]
