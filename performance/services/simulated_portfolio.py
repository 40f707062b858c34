"""A portfolio on the simulated market, so that a first installation shows how things look.

SIMULATED: invented trades of invented shares. It never meets real rows in one figure (design §1).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl
from django.db import transaction

from analytics.calc import sessions
from analytics.models import Candidate, Security, Source
from analytics.services import bulk, lakes
from analytics.services.setup import Stored
from performance.calc import simulated_trading
from performance.calc.simulated_trading import DEPOSITS_USD, Draft, Pick
from performance.models import Account, CashMovement, CorporateAction, Fill
from performance.services import portfolio

NAME: Final = "SIMULATED portfolio"
LENGTH: Final = 126  # sessions: half a year
SEED: Final = 2024
BEST: Final = 3  # ranks that are looked at
EVERY: Final = 2  # sessions from one pick to the next
RAW: Final = {"simulated": True}


def store_simulated_portfolio(*, now: datetime) -> Stored:
    """Invent half a year of trading on the simulated market, once; nothing without candidates."""
    known = Account.objects.filter(source=Source.SIMULATED, name=NAME).first()
    days = lakes.lake_of(Source.SIMULATED).sessions()[-LENGTH:]
    if known is not None or not days:
        return Stored(what="Simulated portfolio", rows={NAME: False} if known else {})
    picks = _picks(days)
    if not picks:
        return Stored(what="Simulated portfolio", rows={})
    with transaction.atomic():
        account = Account.objects.create(
            name=NAME, broker="simulation", opened_on=days[0], source=Source.SIMULATED
        )
        _store(account, picks, days, now)
        portfolio.rebuild(account=account, now=now)
    return Stored(what="Simulated portfolio", rows={NAME: True})


def _picks(days: Sequence[date]) -> list[Pick]:
    """Return one pick every other session, and one each to be split and delisted."""
    rows = (
        Candidate.objects.current()
        .filter(
            batch__source=Source.SIMULATED,
            batch__session__range=(days[0], days[-1]),
            rank__lte=BEST,
        )
        .order_by("batch__session", "batch__variant__name", "rank", "pk")
        .values_list("batch__session", "symbol", "pk")
    )
    best: dict[date, list[tuple[str, int]]] = {}
    for session, symbol, pk in rows:
        best.setdefault(session, []).append((symbol, pk))
    found = [
        Pick(symbol=choices[at % len(choices)][0], session=day, candidate=_named(choices, at))
        for at, (day, choices) in enumerate(sorted(best.items()))
        if at % EVERY == 0 and day < days[-1]
    ]
    if not found:
        return []
    special = [*_to_be_split(days), *_to_be_delisted(days)]
    return sorted([*found, *special], key=lambda pick: (pick.session, pick.symbol))


def _named(choices: list[tuple[str, int]], at: int) -> int | None:
    """State the candidate of every other fill; the others are joined by symbol and date."""
    return choices[at % len(choices)][1] if at % (2 * EVERY) == 0 else None


def _to_be_split(days: Sequence[date]) -> list[Pick]:
    """Return a purchase some sessions before the last split of the period."""
    splits = lakes.lake_of(Source.SIMULATED).read("splits", first=days[20], last=days[-10])
    return [
        Pick(symbol=symbol, session=sessions.offset(day, -8), candidate=None, must=True)
        for symbol, day in splits.sort("ex_date", "symbol")
        .select("symbol", "ex_date")
        .tail(1)
        .iter_rows()
    ]


def _to_be_delisted(days: Sequence[date]) -> list[Pick]:
    """Return a purchase some sessions before the last listing of the period that ended."""
    ended = (
        Security.objects.filter(
            source=Source.SIMULATED, last_session__range=(days[25], days[-5]), kind="common"
        )
        .order_by("-last_session", "symbol")
        .values_list("symbol", "last_session")
    )[:1]
    return [
        Pick(symbol=symbol, session=sessions.offset(day, -15), candidate=None, must=True)
        for symbol, day in ended
    ]


def _store(account: Account, picks: Sequence[Pick], days: Sequence[date], now: datetime) -> None:
    lake = lakes.lake_of(Source.SIMULATED)
    symbols = sorted({pick.symbol for pick in picks})
    bars = lake.read(
        "bars",
        first=days[0],
        columns=["symbol", "session", "open", "high", "low", "close"],
        symbols=symbols,
    ).drop_nulls()
    splits = lake.read("splits", first=days[0], symbols=symbols)
    ratios = {(symbol, day): ratio for symbol, day, ratio in _rows(splits, "ex_date", "ratio")}
    by_day = {(row[0], row[1]): row[2:] for row in bars.iter_rows()}
    drafts = simulated_trading.trade(
        picks,
        days=days,
        bars=by_day,
        splits=ratios,
        seed=SEED,
    )
    _store_fills(account, drafts, now)
    _store_cash(account, days, now)
    opens = {key: bar[0] for key, bar in by_day.items()}
    _store_actions(account, drafts, ratios, opens, days, now)


def _rows(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return frame.select("symbol", *columns).rows()


def _store_fills(account: Account, drafts: Sequence[Draft], now: datetime) -> None:
    columns: dict[str, list[Any]] = {
        "broker_id": [f"simulated:{number:05}" for number, _ in enumerate(drafts)],
        "kind": ["fill"] * len(drafts),
        "symbol": [draft.symbol for draft in drafts],
        "side": [draft.side for draft in drafts],
        "quantity": [Decimal(draft.quantity) for draft in drafts],
        "price": [Decimal(repr(draft.price)) for draft in drafts],
        "fee": [Decimal(repr(draft.fee)) for draft in drafts],
        "executed_at": [
            sessions.opening(draft.session) + timedelta(minutes=draft.minute) for draft in drafts
        ],
        "session": [draft.session for draft in drafts],
        "order_id": [""] * len(drafts),
        "candidate_id": [draft.candidate for draft in drafts],
        **_stamps(account, len(drafts), now),
    }
    bulk.insert(Fill, columns)


def _store_cash(account: Account, days: Sequence[date], now: datetime) -> None:
    moved: list[tuple[date, str, int | str, str]] = [
        (days[0], "deposit", DEPOSITS_USD[0], "first deposit"),
        (days[len(days) // 2], "deposit", DEPOSITS_USD[1], "second deposit"),
        *((day, "interest", "4.20", "interest on cash") for day in days[20::42]),
        *((day, "fee", "-10.00", "data fee") for day in days[30::42]),
    ]
    columns: dict[str, list[Any]] = {
        "broker_id": [f"simulated:cash:{number:03}" for number, _ in enumerate(moved)],
        "kind": [kind for _, kind, _, _ in moved],
        "amount": [Decimal(amount) for _, _, amount, _ in moved],
        "symbol": [""] * len(moved),
        "occurred_at": [sessions.opening(day) for day, _, _, _ in moved],
        "session": [day for day, _, _, _ in moved],
        "note": [f"SIMULATED {note}" for _, _, _, note in moved],
        **_stamps(account, len(moved), now),
    }
    bulk.insert(CashMovement, columns)


def _store_actions(
    account: Account,
    drafts: Sequence[Draft],
    ratios: dict[tuple[str, date], float],
    opens: dict[tuple[str, date], float],
    days: Sequence[date],
    now: datetime,
) -> None:
    """Record the splits and the ends of listings that met shares while they were held."""
    ends = dict(
        Security.objects.filter(
            source=Source.SIMULATED, symbol__in={draft.symbol for draft in drafts}
        ).values_list("symbol", "last_session")
    )
    for number, ((symbol, day), ratio) in enumerate(sorted(ratios.items())):
        held = _held(drafts, symbol, day, ratios)
        if held:
            exact = held * Decimal(repr(ratio))
            whole = exact // 1
            in_lieu = (exact - whole) * Decimal(repr(opens.get((symbol, day), 0.0)))
            CorporateAction.objects.create(
                broker_id=f"simulated:split:{number:03}",
                kind="split",
                symbol=symbol,
                session=day,
                ratio=Decimal(repr(ratio)),
                quantity=whole if whole != exact else None,
                amount=in_lieu.quantize(Decimal("0.01")),
                **_stamp(account, now),
            )
    for number, (symbol, end) in enumerate(sorted(ends.items())):
        if end < days[-1] and _held(drafts, symbol, days[-1], ratios):
            CorporateAction.objects.create(
                broker_id=f"simulated:delisting:{number:03}",
                kind="delisting",
                symbol=symbol,
                session=end,
                note="SIMULATED: settled at the last trade",
                **_stamp(account, now),
            )


def _held(
    drafts: Sequence[Draft], symbol: str, before: date, ratios: dict[tuple[str, date], float]
) -> Decimal:
    """Return the whole shares held at the open of ``before``, after the splits before it."""
    moves: list[tuple[date, int, Decimal]] = [
        (draft.session, 1, Decimal(draft.quantity if draft.side == "buy" else -draft.quantity))
        for draft in drafts
        if draft.symbol == symbol and draft.session < before
    ]
    moves += [
        (day, 0, Decimal(repr(ratio)))
        for (name, day), ratio in ratios.items()
        if name == symbol and day < before
    ]
    held = Decimal(0)
    for _day, is_fill, value in sorted(moves):
        held = held + value if is_fill else held * value // 1
    return held


def _stamp(account: Account, now: datetime) -> dict[str, Any]:
    return {name: values[0] for name, values in _stamps(account, 1, now).items()}


def _stamps(account: Account, size: int, now: datetime) -> dict[str, list[Any]]:
    return {
        "account_id": [account.pk] * size,
        "origin": ["simulated"] * size,
        "raw": [RAW] * size,
        "recorded_at": [now] * size,
        "source": [Source.SIMULATED] * size,
    }
