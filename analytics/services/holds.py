"""Sessions whose data failed a hard gate: held back from discovery until they are good."""

from datetime import date, datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from analytics.calc.session_gates import Failure
from analytics.errors import DomainError
from analytics.models import DataFinding, HeldSession, ImportRun, Source
from analytics.services import lakes

GOOD_FILE: Final = "a later file passed every gate"


class SessionHeld(DomainError):
    """The session's data failed a hard gate; no batch is published on them."""


@transaction.atomic
def hold(
    *, session: date, failure: Failure, provider: str, now: datetime, run: ImportRun | None
) -> HeldSession:
    """Hold a session back and record the finding. A session is held once, for its last reason."""
    held, _created = HeldSession.objects.update_or_create(
        session=session,
        source=Source.LIVE,
        resolved_at=None,
        defaults={
            "gate": failure.gate,
            "reason": failure.detail[:300],
            "provider": provider,
            "held_at": now,
        },
    )
    if run is not None:
        record_finding(session=session, failure=failure, run=run)
    return held


def record_finding(*, session: date, failure: Failure, run: ImportRun) -> None:
    """Store the failed gate among the findings. Safe to run again."""
    DataFinding.objects.update_or_create(
        run=run,
        gate=failure.gate,
        session=session,
        symbol="",
        defaults={
            "severity": DataFinding.Severity.ERROR,
            "kept_out": True,
            "detail": failure.detail[:300],
            "source": run.source,
        },
    )


def release(*, session: date, now: datetime, why: str = GOOD_FILE) -> bool:
    """End the hold of a session; return whether there was one."""
    standing = HeldSession.objects.standing().filter(session=session, source=Source.LIVE)
    return bool(standing.update(resolved_at=now, resolution=why))


def accept(*, held_id: int, user: User, now: datetime) -> HeldSession:
    """Let a session's data through as they are, on a person's word.

    The next reading of the session skips the hard gates.
    """
    HeldSession.objects.filter(pk=held_id, resolved_at__isnull=True).update(
        resolved_at=now, accepted_by=user, resolution="let through by a person"
    )
    return HeldSession.objects.get(pk=held_id)


def is_accepted(*, session: date) -> bool:
    """Return whether a person let the data of ``session`` through."""
    return HeldSession.objects.filter(session=session, accepted_by__isnull=False).exists()


def get_waiting(*, before: date) -> set[date]:
    """Return the sessions before ``before`` that are held, or let through and not asked again."""
    waiting = HeldSession.objects.filter(source=Source.LIVE, session__lt=before).filter(
        Q(resolved_at__isnull=True) | Q(accepted_by__isnull=False)
    )
    return set(waiting.values_list("session", flat=True))


def get_standing(*, limit: int = 5) -> list[HeldSession]:
    """Return the sessions held back now, the newest first."""
    return list(HeldSession.objects.standing().order_by("-session")[:limit])


def get_held(*, source: str, first: date, last: date) -> dict[date, str]:
    """Return the reason by session held back, of the lake that ``source`` lives in."""
    standing = HeldSession.objects.standing().filter(
        source__in=lakes.sources_beside(source), session__range=(first, last)
    )
    return {
        day: f"{gate}: {reason}"
        for day, gate, reason in standing.values_list("session", "gate", "reason")
    }
