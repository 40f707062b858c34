"""The jobs of stage experiments. Heavy modules are loaded when work begins."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from analytics.models import JobRun
from analytics.services.job_registry import Kind, Report, register

BACKTEST, CERTIFICATE = "backtest", "certify_lookahead"
TERMS = ("top", "hold", "cost_bp", "capital", "max_share")


def backtest(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Run a backtest: ``source``, ``first``, ``last``, ``variants`` and terms of trading."""
    from analytics.services import backtesting, lakes

    first, last = arguments.get("first"), arguments.get("last")
    run = backtesting.record_backtest(
        question=backtesting.Question(
            source=arguments.get("source") or lakes.get_active_source(),
            first=date.fromisoformat(first) if first else None,
            last=date.fromisoformat(last) if last else None,
            variants=arguments.get("variants"),
            terms={name: arguments[name] for name in TERMS if arguments.get(name) is not None},
        ),
        clock=report.now,
        on_progress=report.progress,
        job=_job(BACKTEST, arguments),
    )
    said = f"{run.first} to {run.last}: {', '.join(run.result)}"
    return {"backtest": run.pk, "digest": run.digest, "message": said}


def certify_lookahead(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Recompute sampled stock-days: ``source``, ``stock_days`` and ``seed``."""
    from analytics.services import certificates, lakes

    found = certificates.record_certificate(
        source=arguments.get("source") or lakes.get_active_source(),
        stock_days=int(arguments.get("stock_days") or certificates.STOCK_DAYS),
        seed=int(arguments.get("seed") or 0),
        clock=report.now,
        on_progress=report.progress,
        job=_job(CERTIFICATE, arguments),
    )
    said = f"{found}; {found.leaks_caught} of {found.leaks_planted} planted leaks caught"
    return {"certificate": found.pk, "passed": found.passed, "message": said}


def _job(kind: str, arguments: Mapping[str, Any]) -> JobRun | None:
    """Return the job that is doing this work; only one of a kind and its arguments runs."""
    running = JobRun.objects.unfinished().of(kind).filter(arguments=dict(arguments))
    return running.newest_first().first()


def add_kinds() -> None:
    """Make the kinds of stage experiments known."""
    register(
        Kind(name=BACKTEST, title="Backtest", work=backtest, limit_s=3600),
        Kind(
            name=CERTIFICATE, title="Look-ahead certificate", work=certify_lookahead, limit_s=1800
        ),
    )
