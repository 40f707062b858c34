"""The budget of a day: what a call may cost is taken before it is made (design §9).

One statement compares with the limit and takes the part, so workers together cannot overrun it.
"""

from datetime import UTC, datetime
from decimal import Decimal
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import F

from analytics.clients.claude import Usage
from analytics.clients.claude_prices import Price, price_of
from analytics.errors import DomainError
from analytics.models import CallPurpose, CallState, ClaudeCall, ThesisBudget, ThesisRequest
from analytics.models.claude_usage import MICRO


class OverBudget(DomainError):
    """The call might cost more than is left of the day's budget."""


class NoPrice(DomainError):
    """Nobody knows what the model costs, so no budget in dollars can be kept."""


def get_price(*, model: str) -> Price:
    """Return the price of a model.

    Raises:
        NoPrice: It is neither listed nor stated in ``CLAUDE_USD_PER_MILLION``.
    """
    try:
        found = price_of(model, stated=settings.CLAUDE_USD_PER_MILLION)
    except ValueError as error:
        raise NoPrice(str(error)) from error
    if found is None:
        raise NoPrice(f"The price of {model} is not known: set CLAUDE_USD_PER_MILLION.")
    return found


def reserve(
    *,
    model: str,
    tokens_in: int,
    tokens_out: int,
    now: datetime,
    purpose: str = CallPurpose.THESIS,
    request: ThesisRequest | None = None,
) -> ClaudeCall:
    """Take what a call costs at most from the budget of the day.

    Args:
        model: Its id.
        tokens_in: Upper bound of its input.
        tokens_out: Upper bound of its output.
        now: Tells the day, in UTC.
        purpose: One of :class:`CallPurpose`.
        request: That it is made for.

    Raises:
        OverBudget: So much is not left.
        NoPrice: See :func:`get_price`.
    """
    usd = get_price(model=model).highest(tokens_in=tokens_in, tokens_out=tokens_out)
    tokens = tokens_in + tokens_out
    day = now.astimezone(UTC).date()
    with transaction.atomic():
        ThesisBudget.objects.bulk_create([ThesisBudget(day=day)], ignore_conflicts=True)
        taken = ThesisBudget.objects.filter(
            day=day,
            tokens_held__lte=settings.CLAUDE_DAILY_TOKENS - tokens,
            microdollars_held__lte=_micro(settings.CLAUDE_DAILY_USD) - _micro(usd),
        ).update(
            tokens_held=F("tokens_held") + tokens,
            microdollars_held=F("microdollars_held") + _micro(usd),
        )
        if not taken:
            raise OverBudget(
                f"The budget of {day} has no room for {tokens} tokens (${usd:.4f}): "
                f"{settings.CLAUDE_DAILY_TOKENS} tokens and ${settings.CLAUDE_DAILY_USD:.2f} a day."
            )
        return ClaudeCall.objects.create(
            budget=ThesisBudget.objects.get(day=day),
            request=request,
            purpose=purpose,
            model_id=model,
            tokens_reserved=tokens,
            usd_reserved=usd,
            started_at=now,
        )


@transaction.atomic
def settle(
    *, call: ClaudeCall, usage: Usage, ended_as: str, provider_id: str, now: datetime
) -> Decimal:
    """Replace what was reserved by what was billed; return the cost [USD]."""
    cost = get_price(model=call.model_id).billed(
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cache_write=usage.cache_write,
        cache_read=usage.cache_read,
    )
    all_in = usage.tokens_in + usage.cache_write + usage.cache_read
    ended = _end(
        call,
        now,
        state=CallState.SETTLED,
        tokens_in=all_in,
        tokens_out=usage.tokens_out,
        tokens_cache_write=usage.cache_write,
        tokens_cache_read=usage.cache_read,
        cost_usd=cost,
        ended_as=ended_as,
        provider_id=provider_id,
    )
    if ended:
        _give_back(call, kept_tokens=all_in + usage.tokens_out, kept_usd=cost)
    return cost


@transaction.atomic
def release(*, call: ClaudeCall, ended_as: str, now: datetime, provider_id: str = "") -> None:
    """Give back what was reserved: the call was not billed."""
    if _end(call, now, state=CallState.UNBILLED, ended_as=ended_as, provider_id=provider_id):
        _give_back(call, kept_tokens=0, kept_usd=Decimal(0))


def keep(*, call: ClaudeCall, ended_as: str, now: datetime, provider_id: str = "") -> None:
    """Count the call in full: what was billed for it is not known."""
    _end(call, now, state=CallState.UNKNOWN, ended_as=ended_as, provider_id=provider_id)


def _end(call: ClaudeCall, now: datetime, **fields: object) -> bool:
    """End a call once; a second end changes nothing."""
    under_way = ClaudeCall.objects.filter(pk=call.pk, state=CallState.RESERVED)
    return bool(under_way.update(finished_at=now, **fields))


def _give_back(call: ClaudeCall, *, kept_tokens: int, kept_usd: Decimal) -> None:
    ThesisBudget.objects.filter(pk=call.budget_id).update(
        tokens_held=F("tokens_held") + (kept_tokens - call.tokens_reserved),
        microdollars_held=F("microdollars_held") + (_micro(kept_usd) - _micro(call.usd_reserved)),
    )


def _micro(usd: Decimal | float) -> int:
    """Return millionths of a dollar, rounded up."""
    return ceil(Decimal(str(usd)) * MICRO)
