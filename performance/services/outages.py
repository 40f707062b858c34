"""The database is down: nothing can be stored, so a file remembers and a mail goes out at once.

When the database answers again, the file becomes an incident with its real beginning and end.
"""

import fcntl
import json
import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage

from performance.models import HealthStatus, Incident
from performance.services import probes

logger = logging.getLogger(__name__)

NAME: Final = "database_outage.json"
COMPONENT: Final = "database"


def note(*, reason: str, now: datetime) -> bool:
    """Remember an outage and tell the recipients of the report; return whether it is new.

    Several processes may call it at once. A mail that did not go out is tried at the next call.
    """
    try:
        with _path().open("x") as file:
            json.dump({"began": now.isoformat(), "reason": reason}, file)
        is_new = True
        logger.error("the database does not answer: %s", reason)
    except FileExistsError:
        is_new = False
    with suppress(OSError, ValueError, KeyError):
        _tell_once()
    return is_new


def is_noted() -> bool:
    """Return whether an outage is remembered."""
    return _path().exists()


def close(*, recommendation: str, now: datetime) -> Incident | None:
    """Turn a remembered outage, now over, into an incident; None if there is none."""
    path = _path()
    try:
        seen = json.loads(path.read_text())
        began, reason = datetime.fromisoformat(seen["began"]), str(seen["reason"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError):
        began, reason = now, "The note of the outage was damaged."
    incident, _created = Incident.objects.get_or_create(
        component=COMPONENT,
        opened_at=began,
        defaults={
            "status": HealthStatus.CRITICAL,
            "reason": reason[:300] or "It did not answer.",
            "recommendation": recommendation,
            "closed_at": max(now, began),
            "source": probes.get_source(),
        },
    )
    path.unlink(missing_ok=True)
    with suppress(OSError):
        _tell(f"The database answers again; it was away from {began:%H:%M} to {now:%H:%M} UTC.")
    return incident


def _tell_once() -> None:
    """Tell of the outage unless that was done; one process at a time.

    Raises:
        OSError: Another process is at it, or the mail server does not answer.
    """
    with _path().open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen = json.load(file)
        if seen.get("told"):
            return
        began = datetime.fromisoformat(seen["began"])
        _tell(f"The database has not answered since {began:%Y-%m-%d %H:%M} UTC: {seen['reason']}")
        file.seek(0)
        json.dump({**seen, "told": True}, file)
        file.truncate()


def _tell(text: str) -> None:
    if not settings.REPORT_RECIPIENTS:
        return
    subject = f"{settings.EMAIL_SUBJECT_PREFIX}CRITICAL: database"
    EmailMessage(subject=subject, body=text, to=list(settings.REPORT_RECIPIENTS)).send()


def _path() -> Path:
    return Path(settings.VAR_DIR) / NAME
