"""What analytics can be asked to do. Heavy modules are loaded when work begins."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from analytics.errors import DomainError
from analytics.services import (
    alert_delivery,
    exit_kinds,
    experiment_kinds,
    learned_kinds,
    market_jobs,
    study_kinds,
    thesis_kinds,
)
from analytics.services.job_registry import Kind, Report, register

PART = 60  # sessions scanned between two reports


class NoFolder(DomainError):
    """AMC_DATA_DIR does not name a folder."""


def discover(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Scan one session or a range: ``session``, or ``first`` and ``last``; and ``source``."""
    from analytics.calc import sessions
    from analytics.services import discovery, lakes

    source = arguments.get("source") or lakes.get_active_source()
    first = date.fromisoformat(arguments.get("session") or arguments["first"])
    last = date.fromisoformat(arguments.get("session") or arguments["last"])
    days = sessions.between(first, last)
    totals: dict[str, int] = dict.fromkeys(
        ("sessions", "new", "superseded", "unchanged", "candidates"), 0
    )
    report.progress(0, len(days) or 1, "reading market data")
    for at in range(0, len(days), PART):
        part = days[at : at + PART]
        done = discovery.record_batches(
            first=part[0], last=part[-1], source=source, now=report.now()
        )
        for name in totals:
            totals[name] += getattr(done, name)
        report.progress(min(at + PART, len(days)), len(days), f"scanned up to {part[-1]}")
    if not totals["sessions"]:
        raise discovery.NoBars(f"There are no {source} bars from {first} to {last}.")
    said = (
        f"{totals['new']} new, {totals['superseded']} superseded, "
        f"{totals['unchanged']} unchanged; {totals['candidates']} candidates"
    )
    return {**totals, "source": source, "message": said}


def import_market_data(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Read the files of AMC_DATA_DIR; what is in already is not read again."""
    from analytics.clients.files import WrongShape
    from analytics.services import market_data, market_files

    folder = Path(settings.AMC_DATA_DIR) if settings.AMC_DATA_DIR else None
    if folder is None or not folder.is_dir():
        raise NoFolder("AMC_DATA_DIR names no folder.")
    listed = market_files.sort_out(folder)
    refused: list[str] = []
    new = 0
    for number, (path, is_bars) in enumerate(listed):
        report.progress(number, len(listed), path.name)
        read = market_data.import_bars if is_bars else market_data.import_reference
        try:
            summary = read(path=path, source="imported", now=report.now())
        except WrongShape as error:
            refused.append(str(error))
            continue
        refused += summary.refused
        new += summary.new
    report.progress(len(listed), len(listed) or 1)
    said = f"{len(listed)} files, {new} new rows, {len(refused)} refused"
    return {"files": len(listed), "new": new, "refused": refused, "message": said}


def load_sample_market(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Make the simulated market unless there is one."""
    from analytics.calc import sessions
    from analytics.services import sample_market

    report.progress(0, 1, "simulating")
    now = report.now()
    loaded = sample_market.load_sample_market(end=sessions.last_finished(now), now=now)
    report.progress(1, 1)
    said = "stored" if loaded.created else "kept as it was"
    return {"bars": loaded.bars, "symbols": loaded.symbols, "message": f"simulated market {said}"}


def deliver_alerts(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Send the alerts that are due to where they are wanted."""
    report.progress(0, 1, "sending alerts")
    done = alert_delivery.deliver(now=report.now())
    report.progress(1, 1)
    said = f"{done.sent} sent, {done.later} to be tried again, {done.failed} failed"
    return {"sent": done.sent, "later": done.later, "failed": done.failed, "message": said}


def add_kinds() -> None:
    """Make the kinds of analytics known."""
    market_jobs.add_kinds()
    study_kinds.add_kinds()
    learned_kinds.add_kinds()
    experiment_kinds.add_kinds()
    exit_kinds.add_kinds()
    thesis_kinds.add_kinds()
    register(
        Kind(name="discover", title="Discovery", work=discover, limit_s=1800),
        Kind(
            name=alert_delivery.KIND, title="Delivery of alerts", work=deliver_alerts, limit_s=600
        ),
        Kind(
            name="import_market_data",
            title="Import of AMC_DATA_DIR",
            work=import_market_data,
            limit_s=3600,
        ),
        Kind(
            name="load_sample_market",
            title="Simulated market",
            work=load_sample_market,
            limit_s=900,
        ),
    )
