"""The ledger of broken rules: every breach once, with its evidence (design §14)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, QuerySet

from analytics.calc import sessions
from analytics.services import bulk, lakes
from performance.calc import compliance
from performance.calc.compliance import Breach, Deals
from performance.models import Account, Position, RuleBreach, Trade, TradeSide, TradeStatus
from performance.services import risk_reading
from performance.services.risk_reading import Curve, Market

NAN = float("nan")
READ = (
    "account_id", "symbol", "side", "status", "opened_at", "opened_session", "closed_session",
    "entry_price", "exit_price", "mark_price", "invested", "candidate__close",
    "candidate__batch__session", "thesis_id", "thesis__stop_price", "thesis__session",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a check found: trades looked at, breaches in all, and those that are new."""

    trades: int
    breaches: int
    new: int


def record_breaches(*, source: str, now: datetime) -> Recorded:
    """Check every trade of the realm's active accounts; store the breaches that are new.

    A breach stays as it was first found. Four queries and one insert, whatever the trades.
    """
    accounts = risk_reading.get_accounts(source)
    trades = list(
        Trade.objects.filter(account__in=accounts).order_by("opened_at", "pk").values(*READ)
    )
    symbols = {
        trade["symbol"] for trade in trades if trade["candidate__close"] or trade["thesis_id"]
    }
    market = risk_reading.get_market(source=source, symbols=symbols, now=now)
    curves = risk_reading.get_curves(accounts, until=market.session)
    deals = _deals(trades, accounts, curves, market)
    found = compliance.breaches(
        deals, limit=settings.POSITION_SIZE_LIMIT, as_of=sessions.number(market.session)
    )
    new = _store(found, trades, {a.pk: a.source for a in accounts}, market.session, now)
    return Recorded(trades=len(trades), breaches=len(found), new=new)


def get_breaches(
    *, source: str, first: date | None = None, last: date | None = None, rule: str = ""
) -> QuerySet[RuleBreach]:
    """Return breaches found from ``first`` to ``last``, the newest found first."""
    wanted = {"session__gte": first, "session__lte": last, "rule": rule or None}
    rows = RuleBreach.objects.filter(
        source__in=lakes.sources_beside(source),
        **{name: value for name, value in wanted.items() if value is not None},
    )
    return rows.select_related("account").order_by("-pk")  # however many one night found


def count_breaches(*, source: str) -> dict[str, int]:
    """Return how often each rule was broken: one query."""
    rows = RuleBreach.objects.filter(source__in=lakes.sources_beside(source))
    return dict(rows.order_by("rule").values_list("rule").annotate(n=Count("*")))


def _deals(
    trades: Sequence[dict[str, Any]],
    accounts: Sequence[Account],
    curves: dict[int, Curve],
    market: Market,
) -> Deals:
    """Return the trades as columns; prices of signal and thesis on the trade's share basis."""
    opened = np.array([sessions.number(trade["opened_session"]) for trade in trades], np.int64)
    invested = _column(trade["invested"] for trade in trades)
    owner = np.array([trade["account_id"] for trade in trades], np.int64)
    weight = np.full(len(trades), NAN)
    for account in accounts:
        own = owner == account.pk
        weight[own] = risk_reading.entry_weights(opened[own], invested[own], curves[account.pk])
    tells = {account.pk for account in accounts if risk_reading.broker_tells(account)}
    stopped = _stopped(accounts)
    is_open = np.array([trade["status"] == TradeStatus.OPEN for trade in trades], bool)
    return Deals(
        side=np.array([-1.0 if t["side"] == TradeSide.SHORT else 1.0 for t in trades]),
        entry=_column(_positive(trade["entry_price"]) for trade in trades),
        price=_column(trade["exit_price"] or trade["mark_price"] for trade in trades),
        stop=_column(_on_basis(t, "thesis__stop_price", "thesis__session", market) for t in trades),
        signal=_column(
            _on_basis(t, "candidate__close", "candidate__batch__session", market) for t in trades
        ),
        weight=weight,
        has_thesis=np.array([trade["thesis_id"] is not None for trade in trades], bool),
        is_open=is_open,
        stop_is_known=np.isin(owner, list(tells)),
        opened=opened,
        stopped=np.array(
            [
                at if (trade["account_id"], trade["symbol"]) in stopped else -1
                for at, trade in zip(opened.tolist(), trades, strict=True)
            ],
            np.int64,
        ),
    )


def _stopped(accounts: Sequence[Account]) -> set[tuple[int, str]]:
    """Return account and symbol of every position whose stop the broker has confirmed.

    Since when is not asked: checked nightly, a late one was found while it was missing.
    """
    rows = Position.objects.filter(account__in=accounts, stop_confirmed_at__isnull=False)
    return set(rows.values_list("account_id", "symbol"))


def _on_basis(trade: dict[str, Any], price: str, session: str, market: Market) -> float | None:
    """Return a price of an earlier session, on the share basis that the trade ended on."""
    if trade[price] is None or trade[session] is None:
        return None
    until = trade["closed_session"] or market.session
    return float(trade[price]) / market.factor(trade["symbol"], trade[session], until)


def _store(
    found: Sequence[Breach],
    trades: Sequence[dict[str, Any]],
    sources: dict[int, str],
    session: date,
    now: datetime,
) -> int:
    """Insert the breaches that are not there yet; return how many."""
    stored = set(
        RuleBreach.objects.filter(account__in=list(sources)).values_list(
            "account_id", "rule", "symbol", "opened_at"
        )
    )
    rows = []
    for breach in found:
        trade = trades[breach.at]
        key = (trade["account_id"], str(breach.rule), trade["symbol"], trade["opened_at"])
        if key not in stored:
            stored.add(key)
            rows.append((key, breach, trade))
    columns: dict[str, list[Any]] = {
        "account": [key[0] for key, _, _ in rows],
        "rule": [key[1] for key, _, _ in rows],
        "symbol": [key[2] for key, _, _ in rows],
        "opened_at": [key[3] for key, _, _ in rows],
        "session": [session] * len(rows),
        "measured": [breach.measured for _, breach, _ in rows],
        "allowed": [breach.limit for _, breach, _ in rows],
        "text": [breach.text for _, breach, _ in rows],
        "evidence": [_evidence(trade) for _, _, trade in rows],
        "found_at": [now] * len(rows),
        "source": [sources[key[0]] for key, _, _ in rows],
    }
    return bulk.insert(RuleBreach, columns)


def _evidence(trade: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the trade, as JSON holds them."""
    names = (
        "side", "status", "entry_price", "exit_price", "mark_price", "invested",
        "candidate__close", "thesis_id", "thesis__stop_price",
    )  # fmt: skip
    days = ("opened_session", "closed_session", "candidate__batch__session")
    shown = {name: str(trade[name]) for name in (*names, *days) if trade[name] is not None}
    return {name.replace("__", "_"): value for name, value in shown.items()}


def _positive(value: Any) -> Any:
    return value if value and value > 0 else None


def _column(values: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([NAN if value is None else float(value) for value in values], np.float64)
