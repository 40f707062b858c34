"""What to do with each open position, by rules, after a session (design §9, §14).

The entry thesis, what triggered its falsifiers since, later theses on the symbol, loss and size
give the recommendation; a thesis on the position itself is asked for elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from analytics.calc import sessions
from analytics.models import Thesis, ThesisEvent, ThesisEventKind
from analytics.services import bulk, lakes
from performance.calc import advice
from performance.calc.advice import Situation
from performance.models import Account, Position, PositionAdvice, TradeSide
from performance.services import risk_reading
from performance.services.risk_reading import Market


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was written: positions advised on, rows that are new or changed."""

    session: date
    positions: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class Since:
    """What happened to theses since they were issued.

    Attributes:
        falsified: Triggered falsifiers by thesis.
        withdrawn: Theses taken back by their author.
        later: Newest recommendation by symbol, with its session.
    """

    falsified: dict[int, tuple[str, ...]]
    withdrawn: set[int]
    later: dict[str, tuple[date, str]]


def record_advice(*, source: str, now: datetime) -> Recorded:
    """Advise on every open position of the realm, as of the newest session. Safe to run twice."""
    accounts = risk_reading.get_accounts(source)
    positions = risk_reading.get_positions(accounts)
    held = [position for own in positions.values() for position in own]
    market = risk_reading.get_market(source=source, symbols={p.symbol for p in held}, now=now)
    curves = risk_reading.get_curves(accounts, until=market.session)
    since = get_since(held, source=source)
    rows = []
    for account in accounts:
        weights = risk_reading.hold(
            account, positions[account.pk], curves[account.pk], market
        ).holdings.weight.tolist()
        for position, weight in zip(positions[account.pk], weights, strict=True):
            rows.append(_row(account, position, weight, since, market))
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    with transaction.atomic():
        _forget_sold(rows, accounts, market.session)
        changed = bulk.upsert(
            PositionAdvice,
            {**columns, "advised_at": [now] * len(rows)},
            key=["account", "symbol", "session"],
            stamps=["advised_at"],
        )
    return Recorded(session=market.session, positions=len(rows), changed=changed)


def get_advice(*, source: str) -> list[PositionAdvice]:
    """Return the newest advice of the realm: one query. The strongest first."""
    rows = PositionAdvice.objects.filter(source__in=lakes.sources_beside(source))
    newest = rows.order_by("-session").values("session")[:1]
    order = {"LIQUIDATE": 0, "TRIM": 1, "HOLD": 2}
    found = rows.filter(session=newest).select_related("account", "thesis")
    return sorted(found, key=lambda row: (order[row.advice], row.account.name, row.symbol))


def get_since(positions: Sequence[Position], *, source: str) -> Since:
    """Return what happened to the theses of positions, and what was said later: two queries."""
    theses = [p.trade.thesis_id for p in positions if p.trade and p.trade.thesis_id]
    falsified: dict[int, list[str]] = {}
    withdrawn: set[int] = set()
    events = ThesisEvent.objects.filter(
        thesis__in=theses, kind__in=[ThesisEventKind.FALSIFIED, ThesisEventKind.WITHDRAWN]
    )
    for thesis, kind, subject in events.order_by("recorded_at", "pk").values_list(
        "thesis_id", "kind", "subject"
    ):
        if kind == ThesisEventKind.WITHDRAWN:
            withdrawn.add(thesis)
        else:
            falsified.setdefault(thesis, []).append(subject)
    rows = Thesis.objects.filter(
        source__in=lakes.sources_beside(source), symbol__in={p.symbol for p in positions}
    )
    later = {
        symbol: (session, said)
        for symbol, session, said in rows.order_by("session", "number").values_list(
            "symbol", "session", "recommendation"
        )
    }
    return Since(
        falsified={thesis: tuple(said) for thesis, said in falsified.items()},
        withdrawn=withdrawn,
        later=later,
    )


def _row(
    account: Account, position: Position, weight: float, since: Since, market: Market
) -> dict[str, Any]:
    trade = position.trade
    thesis = trade.thesis if trade else None
    factor = market.factor(position.symbol, thesis.session) if thesis else 1.0
    stop = float(thesis.stop_price) / factor if thesis else None
    target = float(thesis.target_price) / factor if thesis else None
    opened = trade.opened_session if trade else None
    held = sessions.number(market.session) - sessions.number(opened) if opened else 0
    said = since.later.get(position.symbol)
    newer = said[1] if said and opened and said[0] > opened else ""
    found = advice.advise(
        Situation(
            side=-1 if position.side == TradeSide.SHORT else 1,
            open_return=_gain(position),
            weight=None if weight != weight else weight,  # noqa: PLR0124  # NaN
            limit=settings.POSITION_SIZE_LIMIT,
            price=float(position.mark_price) if position.mark_price is not None else None,
            has_thesis=thesis is not None,
            stop=stop,
            target=target,
            horizon=thesis.horizon if thesis else None,
            held=max(held, 0),
            falsified=since.falsified.get(thesis.pk, ()) if thesis else (),
            withdrawn=bool(thesis and thesis.pk in since.withdrawn),
            later=newer,
        )
    )
    state, text = advice.stop_state(
        wanted=stop,
        working=float(position.stop_price) if position.stop_price is not None else None,
        confirmed=position.stop_confirmed_at is not None,
        broker_tells=risk_reading.broker_tells(account),
    )
    return {
        "account": account.pk,
        "symbol": position.symbol,
        "session": market.session,
        "opened_session": opened,
        "advice": str(found.do),
        "reason": found.reasons[0][:200],
        "reasons": list(found.reasons),
        "stop_price": risk_reading.price(stop),
        "stop_state": str(state),
        "stop_text": text,
        "target_price": risk_reading.price(target),
        "held": max(held, 0) if opened else None,
        "thesis": thesis.pk if thesis else None,
        "source": account.source,
    }


def _gain(position: Position) -> float | None:
    """Return the open return on cost; None where it is not known."""
    if position.unrealised is None or not position.cost > 0:
        return None
    return float(position.unrealised / position.cost)


def _forget_sold(
    rows: Sequence[dict[str, Any]], accounts: Sequence[Account], session: date
) -> None:
    """Delete this session's advice on what is not held any more."""
    kept = {(row["account"], row["symbol"]) for row in rows}
    stored = PositionAdvice.objects.filter(session=session, account__in=accounts)
    gone = [
        pk
        for pk, account, symbol in stored.values_list("pk", "account_id", "symbol")
        if (account, symbol) not in kept
    ]
    if gone:
        PositionAdvice.objects.filter(pk__in=gone).delete()
