"""Jobs of the portfolio: synchronise with the broker, rebuild, reconcile, import fills."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from analytics.errors import DomainError
from analytics.models import JobRun, Source
from analytics.services import jobs
from analytics.services.job_registry import Kind, Report, register
from performance.models import Account

SYNC: Final = "sync_alpaca"
RECONCILE: Final = "reconcile_portfolio"
REBUILD: Final = "rebuild_portfolio"


class NoAccount(DomainError):
    """There is no such account."""


def sync_alpaca(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Synchronise the broker's account: ``account`` (key) must be it; ``full`` asks for all."""
    from performance.services import alpaca_sync, brokers

    account = _account(arguments["account"]) if arguments.get("account") else None
    report.progress(0, None, "asking the broker")
    with brokers.connect_alpaca() as alpaca:
        done = alpaca_sync.sync(
            alpaca=alpaca,
            account=account,
            full=bool(arguments.get("full")),
            now=report.now(),
            say=report.progress,
        )
    return {
        "account": done.account.pk,
        "new": done.new,
        "findings": done.found,
        "differences": done.differences,
        "message": "; ".join(done.said),
    }


def reconcile_portfolio(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Hold the account ``account`` (key) against the broker, without reading its activities."""
    from performance.services import alpaca_sync, brokers

    account = _account(arguments["account"])
    report.progress(0, None, "asking the broker")
    with brokers.connect_alpaca() as alpaca:
        done = alpaca_sync.check(alpaca=alpaca, account=account, now=report.now())
    said = f"{done.standing} differences, {done.resolved} resolved"
    return {"differences": done.standing, "message": said}


def rebuild_portfolio(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Rebuild the account ``account`` (key), or all active ones."""
    from performance.services import portfolio

    chosen = arguments.get("account")
    accounts = [_account(chosen)] if chosen else list(Account.objects.filter(is_active=True))
    changed, said = 0, []
    for number, account in enumerate(accounts):
        report.progress(number, len(accounts), f"rebuilding {account}")
        done = portfolio.rebuild(account=account, now=report.now())
        changed += done.changed
        said.append(f"{done.account}: {done.trades} trades, {done.findings} findings")
    report.progress(len(accounts), len(accounts))
    return {"changed": changed, "message": "; ".join(said)[:300] or "no accounts"}


def request_sync(*, now: datetime) -> JobRun | None:
    """Ask for a synchronisation; None without keys for the broker."""
    from performance.services import brokers

    if not brokers.has_alpaca():
        return None
    return jobs.request(kind=SYNC, arguments={"source": Source.LIVE}, now=now)


def _account(key: Any) -> Account:
    found = Account.objects.filter(pk=key).first()
    if found is None:
        raise NoAccount(f"There is no account {key}.")
    return found


def add_kinds() -> None:
    """Make the kinds of the portfolio known."""
    register(
        Kind(name=SYNC, title="Synchronisation with Alpaca", work=sync_alpaca),
        Kind(name=RECONCILE, title="Reconciliation with Alpaca", work=reconcile_portfolio),
        Kind(name=REBUILD, title="Rebuild of the portfolio", work=rebuild_portfolio),
    )
