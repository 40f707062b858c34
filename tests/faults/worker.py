"""A real worker that also knows two kinds of jobs made to be watched and killed."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amc_trader.celery import app
from analytics.services.job_registry import Kind, Report, register

__all__ = ["app"]


def step(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Take some steps; every start and end is a line in ``diary``, and each end leaves a mark."""
    diary, number = Path(arguments["diary"]), arguments["number"]
    _write(diary, f"start {number} {os.getpid()} {time.monotonic()}")
    for done in range(arguments["steps"]):
        report.progress(done, arguments["steps"], f"step {done}")
        time.sleep(arguments["pause_s"])
    diary.with_name(f"done-{number}").touch()
    _write(diary, f"end {number} {os.getpid()} {time.monotonic()}")
    return {"number": number}


def _write(diary: Path, line: str) -> None:
    with diary.open("a") as lines:
        lines.write(f"{line}\n")


def add_kinds() -> None:
    register(
        Kind(name="step", title="Steps", work=step, max_attempts=30),
        Kind(name="small", title="Nothing", work=lambda arguments, report: None),
    )


add_kinds()
