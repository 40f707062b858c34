"""Slow queries: noted by every process as they happen, read by the health probe.

A line of JSON each in ``VAR_DIR/slow_queries.jsonl``: the statement with its placeholders, never
with its values. The file is started anew when it has grown to a megabyte; the one before is kept.
"""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

logger = logging.getLogger(__name__)

SLOW_S: Final = 1.0
LONGEST: Final = 500  # characters of a statement
FULL: Final = 1024**2  # bytes
NAME: Final = "slow_queries.jsonl"


@dataclass(frozen=True, kw_only=True)
class SlowQuery:
    """One statement that took long."""

    at: datetime
    seconds: float
    statement: str


def note(*, at: datetime, seconds: float, statement: str) -> None:
    """Write one down; a disk that is full must not break the query."""
    short = " ".join(statement.split())[:LONGEST]
    logger.warning("slow query: %.2f s: %s", seconds, short)
    line = {"at": at.isoformat(), "seconds": round(seconds, 3), "sql": short}
    with suppress(OSError):
        path = _path()
        if path.exists() and path.stat().st_size > FULL:
            path.replace(path.with_suffix(".before"))
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def get_recent(*, since: datetime) -> list[SlowQuery]:
    """Return those of this machine since then, oldest first; damaged lines are left out."""
    found = []
    for path in (_path().with_suffix(".before"), _path()):
        with suppress(OSError):
            for line in path.read_text().splitlines():
                with suppress(ValueError, KeyError):
                    row = json.loads(line)
                    at = datetime.fromisoformat(row["at"])
                    found.append(SlowQuery(at=at, seconds=row["seconds"], statement=row["sql"]))
    return [query for query in found if query.at >= since]


def _path() -> Path:
    return Path(settings.VAR_DIR) / NAME
