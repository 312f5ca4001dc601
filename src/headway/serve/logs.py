"""Logs as lines of JSON: times, names and numbers. What clients send is not written."""

import json
import logging
import sys
import time
import traceback
from typing import Any

from headway.errors import printable

LOG = logging.getLogger("headway.serve")
FIELDS = "told"
"""The attribute of a record that holds its fields."""


class Lines(logging.Formatter):
    """One record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "event": record.getMessage().strip()}
        line |= getattr(record, FIELDS, {})
        if record.exc_info:
            line["error"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps({name: _safe(value) for name, value in line.items()}, ensure_ascii=False)


def _safe(value: Any) -> Any:
    """Texts with which no terminal can be told anything."""
    return printable(value, limit=20_000) if isinstance(value, str) else value


def start(quiet: bool) -> None:
    """Write to standard error; with `quiet` only what went wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    for name in ("headway.serve", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING if quiet or name != "headway.serve" else logging.INFO)


def tell(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Write one line."""
    if LOG.isEnabledFor(level):
        LOG.log(level, event, extra={FIELDS: fields})
