"""Orders: confirmed by a person, sent once, asked for when in doubt (design §10, §14).

The order's row, with its ``client_order_id``, is committed before anything is sent. Whoever wins
the step from prepared to sending sends; nobody else ever does. After a time-out the broker is
asked by that id; the order is never sent again.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from analytics.errors import BadAnswer, DomainError, Unavailable
from analytics.services import jobs
from performance.clients.alpaca import Alpaca, AlreadySent, OrderRefused, OutcomeUnknown
from performance.clients.alpaca_records import NewOrder, OrderRecord
from performance.models import BrokerOrder, OrderEvent, OrderProposal, OrderState, ProposalState
from performance.models.orders import FINAL
from performance.services import orders_switch
from performance.services.orders_switch import NotAllowed, OverLimit, TradingHalted
from performance.services.risk_kinds import CANCEL, SEND

ARRIVES_WITHIN = timedelta(minutes=10)  # after it, an order the broker does not know never came
STATES = {
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.CANCELLED,
    "replaced": OrderState.CANCELLED,
    "rejected": OrderState.REJECTED,
}


class NotOpen(DomainError):
    """The proposal was decided, refused or has expired."""


class NoSuchOrder(DomainError):
    """There is no such proposal or order."""


def confirm(*, proposal_id: int, user: User, now: datetime) -> BrokerOrder:
    """Turn a proposal into its one order and ask for it to be sent. Nothing is sent here.

    Two people who confirm at the same moment make one order: the second is told so.

    Raises:
        NotAllowed: ``user`` lacks ``performance.confirm_orderproposal``.
        NoSuchOrder: There is no such proposal.
        NotOpen: It was decided already, was refused, or has expired.
        OverLimit: The position would be larger than is allowed.
        TradingHalted: See :func:`orders_switch.check_may_send`.
    """
    _check_person(user, "confirm_orderproposal", "You may not confirm proposals.")
    with transaction.atomic():
        proposal = _proposal(proposal_id)
        if proposal.expires_at <= now:
            raise NotOpen(f"The proposal expired at {proposal.expires_at:%Y-%m-%d %H:%M} UTC.")
        orders_switch.check_may_send(proposal.account)
        refusal = orders_switch.refusal_of(proposal)
        if refusal:
            raise OverLimit(refusal)
        _decide(proposal, ProposalState.CONFIRMED, user, now)
        order = BrokerOrder.objects.create(
            proposal=proposal,
            client_order_id=client_order_id(proposal),
            account=proposal.account,
            symbol=proposal.symbol,
            side=proposal.side,
            quantity=proposal.quantity,
            order_type=proposal.order_type,
            limit_price=proposal.limit_price,
            stop_price=proposal.stop_price,
            stop_loss=proposal.stop_loss,
            time_in_force=proposal.time_in_force,
            confirmed_by=user,
            confirmed_at=now,
            source=proposal.source,
        )
        note(order.proposal_id, "confirmed", now, by=user, text=str(order.client_order_id))
        jobs.request(kind=SEND, arguments={"order": order.pk}, requested_by=user, now=now)
    return order


def decline(*, proposal_id: int, user: User, reason: str, now: datetime) -> None:
    """Put a proposal aside; who did it and why is kept. Raises as :func:`confirm` does."""
    _check_person(user, "confirm_orderproposal", "You may not decide on proposals.")
    with transaction.atomic():
        proposal = _proposal(proposal_id)
        _decide(proposal, ProposalState.DECLINED, user, now)
        note(proposal.pk, "declined", now, by=user, text=reason)


def client_order_id(proposal: OrderProposal) -> str:
    """Return the id of a proposal's order: from its intent, the same whenever it is asked for."""
    intent = f"{proposal.account_id} {proposal.key} {proposal.proposed_at.isoformat()}"
    return f"amc-{proposal.kind}-{proposal.symbol}-{sha256(intent.encode()).hexdigest()[:20]}"


def send(*, order_id: int, broker: Alpaca, now: datetime) -> BrokerOrder:
    """Send an order that was prepared; one that may have been sent is asked for instead.

    Raises:
        NoSuchOrder: There is no such order.
    """
    order = get_order(order_id)
    if order.state != OrderState.PREPARED:
        return resolve(order_id=order_id, broker=broker, now=now)
    try:
        orders_switch.check_may_send(order.account)
        _check_account(order, broker)
    except TradingHalted as halted:
        return _finish(order, OrderState.STOPPED, str(halted), now, only=OrderState.PREPARED)
    if not _step(order, OrderState.PREPARED, state=OrderState.SENDING, sent_at=now):
        return resolve(order_id=order_id, broker=broker, now=now)  # somebody else sends it
    note(order.proposal_id, "sending", now)
    return _submit(order, broker, now)


def _submit(order: BrokerOrder, broker: Alpaca, now: datetime) -> BrokerOrder:
    """Send, once; whatever the answer, the row says what is known."""
    try:
        record = broker.submit_order(_new(order))
    except AlreadySent:
        note(order.proposal_id, "id is taken", now, text="asking for the order that has it")
        return resolve(order_id=order.pk, broker=broker, now=now)
    except OrderRefused as refused:
        return _finish(order, OrderState.REJECTED, str(refused), now)
    except OutcomeUnknown as unknown:
        _step(order, OrderState.SENDING, state=OrderState.UNKNOWN, message=str(unknown)[:300])
        note(order.proposal_id, "no answer", now, text=str(unknown))
        return get_order(order.pk)
    except (Unavailable, BadAnswer) as error:
        return _finish(order, OrderState.NEVER_ARRIVED, str(error), now)
    return adopt(order, record, now)


def resolve(*, order_id: int, broker: Alpaca, now: datetime) -> BrokerOrder:
    """Ask the broker what became of an order that was sent; store what it says.

    Raises:
        UpstreamError: The broker cannot be asked now; the order stays as it is.
    """
    order = get_order(order_id)
    if order.state in (*FINAL, OrderState.PREPARED):
        return order
    record = broker.find_order(order.client_order_id)
    if record is not None:
        return adopt(order, record, now)
    sent = order.sent_at or now
    if order.state in (OrderState.SENDING, OrderState.UNKNOWN) and now - sent >= ARRIVES_WITHIN:
        said = f"the broker does not know it {ARRIVES_WITHIN.seconds // 60} minutes after sending"
        return _finish(order, OrderState.NEVER_ARRIVED, said, now)
    said = "the broker does not know it (yet)"
    if order.asked_at is None:
        note(order.proposal_id, "not known yet", now, text=said)
    BrokerOrder.objects.filter(pk=order.pk).update(asked_at=now, message=said)
    return get_order(order_id)


def adopt(order: BrokerOrder, record: OrderRecord, now: datetime) -> BrokerOrder:
    """Store what the broker says of an order. A final state is never left again."""
    if record.symbol != order.symbol or record.side != order.side:
        said = f"the id belongs to another order: {record.side} {record.symbol}"
        BrokerOrder.objects.filter(pk=order.pk).update(asked_at=now, message=said)
        note(order.proposal_id, "another order", now, text=said)
        return get_order(order.pk)
    state = STATES.get(record.status, OrderState.WORKING)
    told: dict[str, Any] = {
        "state": state,
        "broker_id": record.id,
        "broker_status": record.status,
        "filled_quantity": min(record.filled_quantity, order.quantity),
        "filled_price": record.filled_price,
        "asked_at": now,
        "message": "",
        "finished_at": now if state in FINAL else None,
    }
    before = (order.state, order.broker_status, order.filled_quantity)
    changed = BrokerOrder.objects.filter(pk=order.pk).exclude(state__in=FINAL).update(**told)
    if changed and before != (state, record.status, told["filled_quantity"]):
        filled = f"{record.filled_quantity:f} of {order.quantity:f} filled"
        note(order.proposal_id, record.status, now, text=filled, detail={"broker_id": record.id})
    return get_order(order.pk)


def request_cancel(*, order_id: int, user: User, now: datetime) -> BrokerOrder:
    """Ask for an order to be cancelled. One that was not sent yet is stopped at once.

    Raises:
        NotAllowed: ``user`` lacks ``performance.cancel_brokerorder``.
        NotOpen: It is final already.
    """
    _check_person(user, "cancel_brokerorder", "You may not cancel orders.")
    with transaction.atomic():
        order = get_order(order_id)
        if order.state in FINAL:
            raise NotOpen(f"The order is {order.get_state_display()} already.")
        note(order.proposal_id, "cancel asked for", now, by=user)
        if _step(order, OrderState.PREPARED, state=OrderState.STOPPED, finished_at=now,
                 message="cancelled before it was sent"):  # fmt: skip
            return get_order(order_id)
        BrokerOrder.objects.filter(pk=order.pk).update(cancel_asked_at=now)
        jobs.request(kind=CANCEL, arguments={"order": order.pk}, requested_by=user, now=now)
    return get_order(order_id)


def cancel(*, order_id: int, broker: Alpaca, now: datetime) -> BrokerOrder:
    """Have the broker cancel an order; what it then says is what counts (it may be filled)."""
    order = resolve(order_id=order_id, broker=broker, now=now)
    if order.state in FINAL or not order.broker_id:
        return order
    try:
        broker.cancel_order(order.broker_id)
    except OrderRefused as refused:
        note(order.proposal_id, "cancel refused", now, text=str(refused))
    except OutcomeUnknown as unknown:
        note(order.proposal_id, "cancel: no answer", now, text=str(unknown))
    return resolve(order_id=order_id, broker=broker, now=now)


def refresh(*, broker: Alpaca, now: datetime) -> list[BrokerOrder]:
    """Ask for every order that is not finished, and for cancels that were lost; return them."""
    found = []
    for order in BrokerOrder.objects.unfinished().order_by("pk"):
        if order.state == OrderState.PREPARED:
            jobs.request(kind=SEND, arguments={"order": order.pk}, now=now)
        elif order.cancel_asked_at is not None:
            found.append(cancel(order_id=order.pk, broker=broker, now=now))
        else:
            found.append(resolve(order_id=order.pk, broker=broker, now=now))
    return found


def get_order(order_id: int) -> BrokerOrder:
    """Return an order with its account and proposal.

    Raises:
        NoSuchOrder: There is none.
    """
    try:
        return BrokerOrder.objects.select_related("account", "proposal").get(pk=order_id)
    except BrokerOrder.DoesNotExist:
        raise NoSuchOrder(f"There is no order {order_id}.") from None


def note(
    proposal_id: int,
    what: str,
    at: datetime,
    *,
    by: User | None = None,
    text: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Append to the audit trail."""
    OrderEvent.objects.create(
        proposal_id=proposal_id, what=what, text=text[:300], by=by, at=at, detail=detail or {}
    )


def _proposal(proposal_id: int) -> OrderProposal:
    """Return a proposal, locked until the transaction ends where the database can."""
    rows = OrderProposal.objects.select_for_update(of=("self",)).select_related("account")
    try:
        return rows.get(pk=proposal_id)
    except OrderProposal.DoesNotExist:
        raise NoSuchOrder(f"There is no proposal {proposal_id}.") from None


def _decide(proposal: OrderProposal, state: str, user: User, now: datetime) -> None:
    """Take a proposal out of the open ones: the first who does it wins."""
    waiting = OrderProposal.objects.filter(pk=proposal.pk, state=ProposalState.OPEN)
    if not waiting.update(state=state, decided_by=user, decided_at=now):
        now_is = OrderProposal.objects.get(pk=proposal.pk).get_state_display()
        raise NotOpen(f"The proposal is not open any more: {now_is}.")


def _step(order: BrokerOrder, before: str, **columns: Any) -> bool:
    """Change an order if it still is in the state ``before``; return whether it was."""
    return bool(BrokerOrder.objects.filter(pk=order.pk, state=before).update(**columns))


def _finish(
    order: BrokerOrder, state: OrderState, said: str, now: datetime, *, only: str = ""
) -> BrokerOrder:
    rows = BrokerOrder.objects.filter(pk=order.pk).exclude(state__in=FINAL)
    if only:
        rows = rows.filter(state=only)
    if rows.update(state=state, message=said[:300], finished_at=now):
        note(order.proposal_id, str(state), now, text=said)
    return get_order(order.pk)


def _check_account(order: BrokerOrder, broker: Alpaca) -> None:
    """The keys must be those of the order's account, and it must be able to trade."""
    found = broker.account()
    ours = {order.account.number, order.account.broker_account_id} - {""}
    if ours and not ours & {found.number, found.id}:
        raise TradingHalted("The keys belong to another account than the order.")
    if not found.can_trade:
        raise TradingHalted(f"The broker does not let the account trade: {found.status}.")


def _check_person(user: User, permission: str, said: str) -> None:
    if not user.is_active or not user.has_perm(f"performance.{permission}"):
        raise NotAllowed(said)


def _new(order: BrokerOrder) -> NewOrder:
    return NewOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side="buy" if order.side == "buy" else "sell",
        quantity=order.quantity.normalize(),
        kind=order.order_type,  # type: ignore[arg-type]  # choices of the same words
        time_in_force=order.time_in_force,  # type: ignore[arg-type]
        limit_price=_plain(order.limit_price),
        stop_price=_plain(order.stop_price),
        stop_loss=_plain(order.stop_loss),
    )


def _plain(price: Any) -> Any:
    """Return a price without zeros at its end: the broker counts decimals."""
    return None if price is None else price.normalize()
