"""Orders that rules propose: close a big loss, set a stop, enter a candidate (design §14).

A proposal does nothing. A person confirms it in the admin, or it expires.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from analytics.calc import sessions
from analytics.models import Recommendation, Thesis
from analytics.services import lakes
from performance.calc import advice, sizing
from performance.models import (
    Account,
    BrokerOrder,
    OrderProposal,
    OrderState,
    OrderType,
    Position,
    PositionAdvice,
    ProposalKind,
    ProposalState,
    RiskAssessment,
    StopState,
    TimeInForce,
    TradeSide,
)
from performance.models.ledger import Side
from performance.services import orders, orders_switch
from performance.services import sizing as sizes

WHOLE = Decimal(1)
RETRIED = (OrderState.NEVER_ARRIVED, OrderState.STOPPED)  # nothing reached the broker


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the rules proposed: new rows by state, and open ones that expired."""

    proposed: int
    refused: int
    expired: int


def record_proposals(*, source: str, now: datetime) -> Recorded:
    """Apply the rules to the newest assessment, advice and theses. The same intent once only.

    Proposals hold until the close of the next session. Those that a limit refuses are kept with
    the reason and can never be confirmed.
    """
    expired = expire(now=now)
    wishes = [*_closes_and_stops(source, now), *_entries(source, now)]
    proposed = refused = 0
    for wish in wishes:
        made = _store(wish, now)
        if made is not None:
            proposed += made.state == ProposalState.OPEN
            refused += made.state == ProposalState.REFUSED
    return Recorded(proposed=proposed, refused=refused, expired=expired)


def expire(*, now: datetime) -> int:
    """Close proposals whose time is over; return how many."""
    with transaction.atomic():
        due = list(
            OrderProposal.objects.waiting().filter(expires_at__lte=now).values_list("pk", flat=True)
        )
        for pk in due:
            waiting = OrderProposal.objects.filter(pk=pk, state=ProposalState.OPEN)
            if waiting.update(state=ProposalState.EXPIRED):
                orders.note(pk, "expired", now)
    return len(due)


def get_proposals(*, source: str, waiting: bool = False) -> QuerySet[OrderProposal]:
    """Return proposals of the realm, newest first; with ``waiting`` only the open ones."""
    rows = OrderProposal.objects.filter(source__in=lakes.sources_beside(source))
    if waiting:
        rows = rows.filter(state=ProposalState.OPEN)
    return rows.select_related("account", "order").order_by("-proposed_at", "-pk")


def _closes_and_stops(source: str, now: datetime) -> list[OrderProposal]:
    """Return a close for every loss beyond -25 %, else the thesis's stop where none works."""
    rows = RiskAssessment.objects.of_positions().filter(source__in=lakes.sources_beside(source))
    session = rows.aggregate(newest=Max("session"))["newest"]
    if session is None:
        return []
    risks = {(row.account_id, row.symbol): row for row in rows.filter(session=session)}
    advised = {
        (row.account_id, row.symbol): row
        for row in PositionAdvice.objects.filter(session=session).select_related("thesis")
    }
    wishes = []
    held = Position.objects.filter(account__in={key[0] for key in risks})
    for position in held.select_related("account").order_by("account", "symbol"):
        key = (position.account_id, position.symbol)
        seen, said = risks.get(key), advised.get(key)
        if seen is None:
            continue
        if seen.unrealised is not None and seen.unrealised < advice.CRITICAL_LOSS:
            wishes.append(_close(position, seen, session, now))
        elif said is not None and said.stop_state == StopState.MISSING:
            wishes += _stop(position, said, session, now)
    return wishes


def _close(position: Position, seen: RiskAssessment, session: date, now: datetime) -> OrderProposal:
    side = Side.BUY if position.side == TradeSide.SHORT else Side.SELL
    slow = f"; {seen.days_to_exit:.1f} sessions at 10 % of the volume" if seen.days_to_exit else ""
    return OrderProposal(
        account=position.account,
        key=f"close {position.symbol} {session}",
        kind=ProposalKind.CLOSE,
        symbol=position.symbol,
        side=side,
        quantity=position.quantity,
        order_type=OrderType.MARKET,
        reason=seen.reason or f"loss of {seen.unrealised:.1%}",
        risk=f"A market order takes the price it finds at the next open{slow}."[:300],
        evidence=_figures(
            open_return=seen.unrealised, weight=seen.weight, mark=position.mark_price,
            mark_session=position.mark_session, days_to_exit=seen.days_to_exit,
        ),
        **_shared(position.account, session, now),
    )  # fmt: skip


def _stop(
    position: Position, said: PositionAdvice, session: date, now: datetime
) -> list[OrderProposal]:
    """Return a stop order for whole shares of a long position, if the stop lies below the mark."""
    quantity = position.quantity.quantize(WHOLE, ROUND_DOWN)
    stop, mark = said.stop_price, position.mark_price
    if stop is None or mark is None or quantity <= 0 or position.side == TradeSide.SHORT:
        return []
    price = to_tick(stop, up=True)
    if price >= mark:
        return []  # the stop is passed: the advice says so, a stop order would sell at once
    lost = (mark - price) * quantity
    return [
        OrderProposal(
            account=position.account,
            key=f"stop {position.symbol} {price:f} {session}",
            kind=ProposalKind.STOP,
            symbol=position.symbol,
            side=Side.SELL,
            quantity=quantity,
            order_type=OrderType.STOP,
            stop_price=price,
            reason=f"{said.stop_text}; the thesis has it at ${price:,f}"[:300],
            risk=f"Sells at the market once ${price:,f} trades: ${lost:,.2f} below the mark, "
            "more in a gap.",
            thesis=said.thesis,
            evidence=_figures(mark=mark, mark_session=position.mark_session, stop=price),
            **{
                **_shared(position.account, session, now),
                "time_in_force": TimeInForce.GTC,
            },
        )
    ]


def _entries(source: str, now: datetime) -> list[OrderProposal]:
    """Return an entry for every BUY thesis of the newest signal session, in every account."""
    theses = Thesis.objects.filter(
        source__in=lakes.sources_beside(source),
        recommendation=Recommendation.BUY,
        candidate__isnull=False,
        is_late=False,
    )
    session = theses.aggregate(newest=Max("session"))["newest"]
    if session is None or sessions.cut_off(sessions.offset(session, 1)) <= now:
        return []  # the session to enter in is over
    found = list(
        theses.filter(session=session)
        .select_related("candidate", "calibration")
        .order_by("symbol", "number")
    )
    chosen = {thesis.symbol: thesis for thesis in found}  # the newest of each symbol
    losses = sizes.get_losses(
        source=source, patterns={thesis.pattern for thesis in found}, until=session
    )
    accounts = Account.objects.filter(source__in=lakes.sources_beside(source), is_active=True)
    wishes = []
    for account in accounts.order_by("pk"):
        equity = orders_switch.latest_equity(account)
        held = set(account.positions.values_list("symbol", flat=True))
        for symbol, thesis in chosen.items():
            if symbol not in held:
                size = sizes.get_suggested_size(
                    thesis=thesis,
                    equity=float(equity) if equity is not None else None,
                    dollar_volume=_dollar_volume(thesis),
                    losses=losses[thesis.pattern],
                )
                wishes.append(_entry(account, thesis, size, now))
    return wishes


def _entry(
    account: Account, thesis: Thesis, size: sizes.SuggestedSize, now: datetime
) -> OrderProposal:
    shares = size.size.shares or 0
    price = to_tick(thesis.max_entry_price, up=False)
    stop = to_tick(thesis.stop_price, up=True)
    refusal = ""
    if size.size.fraction is None:
        refusal = f"no size: {size.size.reason}"
    elif size.size.fraction == 0:
        refusal = sizing.NO_EDGE
    elif shares == 0:
        refusal = f"{size.size.fraction:.2%} of equity buys no whole share"
    p_low = "not known" if size.p_low is None else f"{size.p_low:.1%} (n = {size.p_n})"
    return OrderProposal(
        account=account,
        key=f"enter {thesis.symbol} {thesis.session}",
        kind=ProposalKind.ENTER,
        symbol=thesis.symbol,
        side=Side.BUY,
        quantity=shares,
        order_type=OrderType.LIMIT,
        limit_price=price,
        stop_loss=stop if stop < price else None,
        reason=f"{thesis.author} says BUY, target ${thesis.target_price:,f}; lower bound of its "
        f"probability {p_low}; size by {size.size.binding or 'nothing'}",
        risk=f"${(price - stop) * shares:,.2f} to the stop of ${stop:,f}, more in a gap; the stop "
        "works only once the entry is filled completely",
        thesis=thesis,
        candidate=thesis.candidate,
        refusal=refusal,
        state=ProposalState.REFUSED if refusal else ProposalState.OPEN,
        evidence=size.evidence(),
        **_shared(account, thesis.session, now),
    )


def _store(wish: OrderProposal, now: datetime) -> OrderProposal | None:
    """Store a proposal unless its intent was proposed before; the size limit may refuse it."""
    again = BrokerOrder.objects.filter(
        account=wish.account, proposal__key__startswith=wish.key, state__in=RETRIED
    ).count()
    if again:
        wish.key = f"{wish.key} again {again}"
    if wish.state == ProposalState.OPEN:
        wish.refusal = orders_switch.refusal_of(wish)
        wish.state = ProposalState.REFUSED if wish.refusal else ProposalState.OPEN
    with transaction.atomic():
        known = OrderProposal.objects.filter(account=wish.account, key=wish.key)
        under_way = BrokerOrder.objects.unfinished().filter(
            account=wish.account, symbol=wish.symbol, side=wish.side
        )
        if known.exists() or under_way.exists():
            return None
        wish.save()
        orders.note(wish.pk, "proposed" if not wish.refusal else "refused", now, text=wish.refusal)
    return wish


def to_tick(price: Decimal, *, up: bool) -> Decimal:
    """Return a price the broker takes: cents from $1 up, hundredths of a cent below."""
    step = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    return price.quantize(step, ROUND_UP if up else ROUND_DOWN)


def _shared(account: Account, session: date, now: datetime) -> dict[str, Any]:
    """Return what every proposal has; it holds until the close of the session after."""
    nearest = max(sessions.offset(session, 1), sessions.last_finished(now))
    over = sessions.cut_off(nearest)
    return {
        "proposed_at": now,
        "expires_at": over if over > now else now + timedelta(days=1),
        "time_in_force": TimeInForce.DAY,
        "source": account.source,
    }


def _dollar_volume(thesis: Thesis) -> float | None:
    candidate = thesis.candidate
    return float(candidate.dollar_volume_20) if candidate is not None else None


def _figures(**values: Any) -> dict[str, Any]:
    """Return figures as JSON holds them."""
    plain: Iterable[tuple[str, Any]] = values.items()
    return {
        name: value if isinstance(value, (float, int, str)) else str(value)
        for name, value in plain
        if value is not None
    }
