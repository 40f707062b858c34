"""Performance metrics: computed after a session, stored, read by everybody else (design §11)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
from django.db import transaction

from analytics.calc import evidence, sessions
from analytics.calc.evidence import Estimate, Status
from analytics.services import bulk, trials
from performance.calc import metrics, metrics_equity, metrics_flows
from performance.calc.metrics_equity import Curve
from performance.calc.metrics_flows import Flow
from performance.models import SINCE_INCEPTION, Account, PerformanceMetric, Weighting
from performance.services import metrics_reading
from performance.services.metrics_reading import Book, Counts

WINDOWS = (1, 7, 30, 90, 365, SINCE_INCEPTION)  # calendar days; each is stored every session
HEADLINE = 90  # the window of the mission's `current` figures, design §11
FEWEST_DAYS = 30  # under which no money-weighted return a year is given

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure as it is stored: the estimate, and what it is with frozen quotes at 0."""

    estimate: Estimate
    frozen: int = 0
    at_zero: float | None = None


@dataclass(frozen=True, kw_only=True)
class MetricSheet:
    """The metrics of one window as they were last stored.

    Attributes:
        as_of: Session they reach; None if nothing is stored.
        computed_at: When.
        age: Sessions that have ended since; None if nothing is stored.
        figures: By name and weighting.
    """

    source: str
    window_days: int
    as_of: date | None
    computed_at: datetime | None
    age: int | None
    figures: Mapping[Key, Figure]

    def get(self, name: str, weighting: str = Weighting.EQUAL) -> Figure:
        """Return a figure; insufficient data where it is not stored."""
        found = self.figures.get((name, str(weighting)))
        if found is not None:
            return found
        reason = "no metrics have been computed yet" if self.as_of is None else "not computed"
        none = evidence.insufficient(n=0, reason=reason, source=self.source, as_of=self.as_of)
        return Figure(estimate=none)


def get_metrics(
    *, source: str, now: datetime, window_days: int = HEADLINE, account: Account | None = None
) -> MetricSheet:
    """Return the newest stored metrics of a window: one query.

    Args:
        source: ``imported``, ``live`` or ``simulated``.
        now: Sessions after it are not looked at.
        window_days: One of ``WINDOWS``; 0 since inception.
        account: Only this one; all of the source together otherwise.
    """
    last = sessions.last_finished(now)
    own = PerformanceMetric.objects.filter(
        source=source, window_days=window_days, account=account, as_of__lte=last
    )
    newest = own.order_by("-as_of").values("as_of")[:1]
    rows = list(own.filter(as_of=newest))
    day = rows[0].as_of if rows else None
    return MetricSheet(
        source=source,
        window_days=window_days,
        as_of=day,
        computed_at=max((row.computed_at for row in rows), default=None),
        age=sessions.number(last) - sessions.number(day) if day else None,
        figures={(row.name, row.weighting): _figure(row) for row in rows},
    )


def refresh_metrics(*, source: str, now: datetime) -> int:
    """Compute and store the metrics of every window and account; return the rows that changed.

    Safe to run twice: the same trades give the same rows. Without an account with a trade or a
    day of equity nothing is written.
    """
    book = metrics_reading.read_book(source=source, now=now)
    return store_metrics(book, now=now)


def store_metrics(book: Book, *, now: datetime) -> int:
    """Store the metrics of a book that has been read. See :func:`refresh_metrics`."""
    if book.is_empty:
        return 0
    rows = {}
    for account in (None, *book.accounts):
        own = book.of(account)
        for days in WINDOWS:
            for (name, weighting), figure in compute(own, days).items():
                rows[account, name, days, weighting] = figure
    return _store(book, rows, now)


def compute(book: Book, days: int) -> dict[Key, Figure]:
    """Return every figure of one window, by name and weighting."""
    first, last = metrics_reading.first_of(book, days), book.as_of
    trades, counts = metrics_reading.in_window(book, first)
    found: dict[Key, Figure] = {}
    for weighting in Weighting:
        by_capital = weighting == Weighting.CAPITAL
        give = partial(metrics.figures, by_capital=by_capital, source=book.source, as_of=last)
        plain = give(trades)
        zero = give(trades.frozen_at_zero()) if counts.frozen else {}
        for name, estimate in plain.items():
            other = zero[name].value if zero and estimate.value is not None else None
            found[name, weighting] = Figure(
                estimate=_noted(estimate, counts), frozen=counts.frozen, at_zero=other
            )
    plain = _of_curve(book, first, last) | _of_money(book, trades, counts, first, last)
    return found | {(name, Weighting.EQUAL): Figure(estimate=e) for name, e in plain.items()}


def _noted(estimate: Estimate, counts: Counts) -> Estimate:
    """Say beside a figure how many trades have no mark."""
    if not counts.unmarked:
        return estimate
    note = f"{counts.unmarked} open trades have no mark and are left out"
    return replace(estimate, reason="; ".join(filter(None, [estimate.reason, note])))


def _of_curve(book: Book, first: date | None, last: date) -> dict[str, Estimate]:
    """Return the figures of the equity curve of the window."""
    returns = metrics_equity.portfolio_returns(book.equity).join(
        book.market, on="session", how="left", maintain_order="left"
    )
    if first is not None:
        returns = returns.filter(pl.col("session") >= first)
    curve = Curve(
        sessions=returns["session"].to_list(),
        returns=returns["value"].to_numpy(),
        market=returns["market"].fill_null(float("nan")).to_numpy(),
    )
    found = metrics_equity.figures(curve, source=book.source)
    by_day = {
        day.isoformat(): float(value)
        for day, value in zip(curve.sessions, curve.returns, strict=True)
    }
    if found["sharpe"].value is None:
        document: Mapping[str, object] = {"reason": found["sharpe"].reason}
    else:
        document = trials.get_deflation(source=book.source, returns=by_day)
    deflated = metrics_equity.deflated(document, source=book.source, as_of=last)
    return found | {"deflated_sharpe": deflated, "money_weighted_return": _xirr(book, first, last)}


def _xirr(book: Book, first: date | None, last: date) -> Estimate:
    """Return the money-weighted return a year, over the accounts of the book."""
    days = book.equity
    start = pl.lit(value=False) if first is None else pl.col("session") < first
    before = days.filter(start).group_by("account").last()
    inside = days.filter(~start)
    flows = [
        Flow(day=day, amount=-float(amount))
        for day, amount in inside.filter(pl.col("flow") != 0).select("session", "flow").iter_rows()
    ]
    if before.height and first is not None:
        flows.append(Flow(day=first - timedelta(days=1), amount=-float(before["equity"].sum())))
    left = days.group_by("account").last()["equity"].sum()
    flows.append(Flow(day=last, amount=float(left)))
    n = len(flows)
    begun = min((flow.day for flow in flows), default=last)
    length = (last - begun).days
    rate = metrics_flows.xirr(flows) if length >= FEWEST_DAYS else None
    if rate is None:
        few = f"{length} days, {FEWEST_DAYS} are needed"
        why = few if length < FEWEST_DAYS else "no rate explains what went in and out"
        return evidence.insufficient(n=n, reason=why, source=book.source, as_of=last)
    over = metrics_flows.over(rate, length)
    return evidence.measured(
        value=rate,
        n=n,
        source=book.source,
        as_of=last,
        method=f"XIRR, a year; {over * 100:+.1f} % over its {length} days",
        reason="a fact about these flows, not an estimate",
    )


def _of_money(
    book: Book, trades: metrics.Trades, counts: Counts, first: date | None, last: date
) -> dict[str, Estimate]:
    """Return what the trades of the window cost and brought [USD]."""
    own = book.trades
    if first is not None:
        own = own.filter(pl.col("closed_session").is_null() | (pl.col("closed_session") >= first))
    sums = own.select(pl.col("invested", "realised", "unrealised").fill_null(0).sum()).row(0)
    amounts = dict(zip(("invested_usd", "realised_usd", "unrealised_usd"), sums, strict=True))
    amounts["profit_usd"] = amounts["realised_usd"] + amounts["unrealised_usd"]
    if not counts.trades:
        none = evidence.insufficient(n=0, reason="no trades", source=book.source, as_of=last)
        return dict.fromkeys([*amounts, "expectancy_usd"], none)
    found = {
        name: evidence.measured(
            value=float(value),
            n=counts.trades,
            source=book.source,
            as_of=last,
            method="sum of cents",
            reason="a fact about these trades, not an estimate",
        )
        for name, value in amounts.items()
    }
    expectancy = metrics.mean_estimate(
        trades.profits, trades.opened, trades.closed, source=book.source, as_of=last
    )
    return found | {"expectancy_usd": expectancy}


def _figure(row: PerformanceMetric) -> Figure:
    estimate = Estimate(
        value=row.value,
        n=row.n,
        low=row.low,
        high=row.high,
        level=row.level,
        method=row.method,
        as_of=row.as_of,
        source=row.source,
        status=Status(row.status),
        reason=row.reason,
    )
    return Figure(estimate=estimate, frozen=row.frozen, at_zero=row.at_zero)


def _store(book: Book, rows: Mapping[tuple[Any, ...], Figure], now: datetime) -> int:
    """Write the rows of one session: new ones, changed ones; those no longer told go."""
    fields = ("account_id", "name", "window_days", "weighting")
    with transaction.atomic():
        stored = PerformanceMetric.objects.filter(source=book.source, as_of=book.as_of)
        known = {tuple(key): pk for pk, *key in stored.values_list("pk", *fields)}
        stored.filter(pk__in=[pk for key, pk in known.items() if key not in rows]).delete()
        fresh = [key for key in rows if key not in known]
        again = [key for key in rows if key in known]
        changed = bulk.insert(PerformanceMetric, _columns(book, rows, fresh, now))
        return changed + bulk.upsert(
            PerformanceMetric,
            {"id": [known[key] for key in again], **_columns(book, rows, again, now)},
            key=["id"],
            stamps=["computed_at"],
        )


def _columns(
    book: Book, rows: Mapping[tuple[Any, ...], Figure], keys: list[tuple[Any, ...]], now: datetime
) -> dict[str, list[Any]]:
    of = [rows[key] for key in keys]
    return {
        "account_id": [key[0] for key in keys],
        "name": [key[1] for key in keys],
        "window_days": [key[2] for key in keys],
        "weighting": [str(key[3]) for key in keys],
        "as_of": [book.as_of] * len(keys),
        "value": [each.estimate.value for each in of],
        "n": [each.estimate.n for each in of],
        "low": [each.estimate.low for each in of],
        "high": [each.estimate.high for each in of],
        "level": [each.estimate.level for each in of],
        "frozen": [each.frozen for each in of],
        "at_zero": [each.at_zero for each in of],
        "method": [each.estimate.method[:160] for each in of],
        "status": [str(each.estimate.status) for each in of],
        "reason": [each.estimate.reason[:200] for each in of],
        "computed_at": [now] * len(keys),
        "source": [book.source] * len(keys),
    }
