"""What has to be true before anything is sent: settings, kill switch, account, size."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from analytics.errors import DomainError
from analytics.models import Source
from performance.models import Account, EquityDay, OrderProposal, Position, TradingSwitch
from performance.models.ledger import Side
from performance.services import brokers, risk_reading

ROW = 1


class TradingHalted(DomainError):
    """Nothing may be sent now."""


class OverLimit(DomainError):
    """The order would make the position larger than is allowed."""


class NotAllowed(DomainError):
    """The person lacks the permission."""


def check_may_send(account: Account) -> None:
    """Return if an order of ``account`` may be sent now.

    Raises:
        TradingHalted: A setting or the kill switch is against it, the account is not the
            broker's, or it has live money and the two settings do not both say so.
    """
    if not settings.TRADING_ENABLED:
        raise TradingHalted("Trading is off: the setting TRADING_ENABLED is not true.")
    switch = TradingSwitch.objects.filter(pk=ROW).first()
    if switch and switch.is_halted:
        raise TradingHalted(f"Trading is halted: {switch.reason}")
    if account.source not in (Source.LIVE, Source.IMPORTED):
        raise TradingHalted(f"{account} is {account.source}: its orders go nowhere.")
    if account.broker.strip().lower() != risk_reading.BROKER:
        raise TradingHalted(f"{account} is not an account at Alpaca.")
    if account.kind == Account.Kind.LIVE and not (
        settings.ALPACA_LIVE and settings.TRADING_LIVE_ALLOWED
    ):
        raise TradingHalted(
            "Live money needs both ALPACA_LIVE and TRADING_LIVE_ALLOWED to be true."
        )
    if account.kind != brokers.account_kind():
        raise TradingHalted(f"The settings speak of a {brokers.account_kind()} account.")


def is_halted() -> tuple[bool, str]:
    """Return whether nothing can be sent for any account, and why."""
    if not settings.TRADING_ENABLED:
        return True, "the setting TRADING_ENABLED is not true"
    switch = TradingSwitch.objects.filter(pk=ROW).first()
    return (True, switch.reason) if switch and switch.is_halted else (False, "")


def set_switch(*, halted: bool, reason: str, user: User, now: datetime) -> TradingSwitch:
    """Halt or resume trading; who did it and why is kept.

    Raises:
        NotAllowed: ``user`` lacks ``performance.halt_trading``.
        DomainError: Halting needs a reason.
    """
    if not user.has_perm("performance.halt_trading"):
        raise NotAllowed("You may not halt or resume trading.")
    if halted and not reason.strip():
        raise DomainError("Say why trading is halted.")
    with transaction.atomic():
        row, _created = TradingSwitch.objects.update_or_create(
            pk=ROW,
            defaults={
                "is_halted": halted,
                "reason": reason.strip(),
                "changed_at": now,
                "changed_by": user,
            },
        )
    return row


def refusal_of(proposal: OrderProposal) -> str:
    """Return why the size limit refuses a proposal; "" if it does not. Sales never are.

    The position it would make is valued at the limit price, else at the mark.
    """
    if proposal.side != Side.BUY:
        return ""
    equity = latest_equity(proposal.account)
    if equity is None or equity <= 0:
        return "equity is not known: the size cannot be judged"
    held = Position.objects.filter(account=proposal.account, symbol=proposal.symbol).first()
    price = proposal.limit_price or proposal.stop_price or (held.mark_price if held else None)
    if price is None:
        return "no price is known: the size cannot be judged"
    value = proposal.quantity * price + ((held.market_value or Decimal(0)) if held else Decimal(0))
    weight = float(value / equity)
    if weight > settings.POSITION_SIZE_LIMIT * (1 + 1e-9):
        return f"{weight:.1%} of equity, {settings.POSITION_SIZE_LIMIT:.1%} are allowed"
    return ""


def latest_equity(account: Account) -> Decimal | None:
    """Return the newest equity of an account [USD]."""
    row = EquityDay.objects.filter(account=account).order_by("-session").first()
    return row.equity if row else None
