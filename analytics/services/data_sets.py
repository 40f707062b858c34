"""What a provider gives and what it does not: the last answer per data set, for people to see.

A plan that lacks a data set is no fault: it is a state. So are "too old" and "not yet".
"""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from analytics.clients.answers import (
    NotInPlan,
    NotPublishedYet,
    TooOldForPlan,
    Unauthorized,
)
from analytics.errors import BadAnswer, Unavailable, UpstreamError
from analytics.models import DataSet, DataSetState
from analytics.services.providers import NotConfigured

State = DataSetState.State
AGAIN: Final = {  # how soon it is worth asking again
    State.NOT_PUBLISHED: timedelta(minutes=20),
    State.UNAVAILABLE: timedelta(minutes=10),
    State.REFUSED: timedelta(hours=1),
    State.UNAUTHORIZED: timedelta(hours=6),
    State.NOT_IN_PLAN: timedelta(days=1),
}
LONGEST: Final = 300

T = TypeVar("T")
logger = logging.getLogger(__name__)


def attempt(
    *, data_set: DataSet, provider: str, now: datetime, work: Callable[[], T]
) -> T | UpstreamError | NotConfigured:
    """Ask for a data set and note what came of it.

    Args:
        data_set: What is asked for.
        provider: Whom.
        now: Noted as the time of asking.
        work: Asks and stores. What the provider refuses is noted; anything else rises.

    Returns:
        What ``work`` returns, or the refusal.
    """
    try:
        result = work()
    except (UpstreamError, NotConfigured) as refusal:
        record(data_set=data_set, provider=provider, state=state_of(refusal), now=now,
               detail=str(refusal))  # fmt: skip
        logger.info("%s from %s: %s", data_set, provider, refusal)
        return refusal
    return result


def state_of(refusal: UpstreamError | NotConfigured) -> State:
    """Return the state that a provider's refusal means."""
    meanings: tuple[tuple[type[Exception], State], ...] = (
        (NotConfigured, State.NO_KEY),
        (NotInPlan, State.NOT_IN_PLAN),
        (TooOldForPlan, State.TOO_OLD),
        (NotPublishedYet, State.NOT_PUBLISHED),
        (Unauthorized, State.UNAUTHORIZED),
        (Unavailable, State.UNAVAILABLE),
        (BadAnswer, State.REFUSED),
    )
    return next((state for kind, state in meanings if isinstance(refusal, kind)), State.REFUSED)


def record(
    *,
    data_set: DataSet,
    provider: str,
    state: State,
    now: datetime,
    detail: str = "",
    newest: date | None = None,
    plan_from: date | None = None,
) -> None:
    """Store how far a data set has come. ``newest`` and ``plan_from`` stay if not given."""
    again = AGAIN.get(state)
    fields: dict[str, Any] = {
        "provider": provider,
        "state": state,
        "detail": detail[:LONGEST],
        "checked_at": now,
        "next_try_at": now + again if again else None,
    }
    given = {"newest": newest, "plan_from": plan_from}
    fields |= {name: value for name, value in given.items() if value is not None}
    DataSetState.objects.update_or_create(data_set=data_set, defaults=fields)


def get_state(*, data_set: DataSet) -> DataSetState | None:
    """Return what came of asking for a data set the last time; None if never asked."""
    return DataSetState.objects.filter(data_set=data_set).first()


def may_ask(*, data_set: DataSet, now: datetime) -> bool:
    """Return whether it is time to ask again after "not yet" or "no answer"."""
    known = get_state(data_set=data_set)
    return known is None or known.next_try_at is None or known.next_try_at <= now


def note_newest(*, data_set: DataSet, newest: date | None) -> None:
    """Store the newest day that is there; the state stays as it is."""
    if newest is not None:
        DataSetState.objects.filter(data_set=data_set).update(newest=newest)
