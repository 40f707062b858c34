"""The web process's watch over those that should measure: workers, scheduler, broker.

A thread that looks once a minute. It costs two small queries while all is well.
"""

import logging
import threading
import time
from datetime import datetime, timedelta
from typing import Final

from django.db import Error, connection
from django.utils import timezone

EVERY_S: Final = 60.0
ASLEEP: Final = timedelta(minutes=3)  # between two looks: the whole machine slept

logger = logging.getLogger(__name__)


def start() -> None:
    """Look from now on, until the process ends."""
    threading.Thread(target=_watch, name="watch", daemon=True).start()


def awake_since(*, since: datetime, last: datetime, now: datetime) -> datetime:
    """Return since when the watch has been awake: what was missed in sleep was not missed."""
    return now if now - last > ASLEEP else since


def _watch() -> None:
    since = last = timezone.now()
    while True:
        time.sleep(EVERY_S)
        now = timezone.now()
        since, last = awake_since(since=since, last=last, now=now), now
        _look(now=now, since=since)


def _look(*, now: datetime, since: datetime) -> None:
    """Look once; the watch outlives whatever goes wrong."""
    from performance.services import watch

    try:
        said = watch.look(now=now, since=since)
    except Error as error:
        logger.warning("the watch saw nothing: %s", type(error).__name__)
    except Exception:
        logger.exception("the watch failed")
    else:
        if said:
            logger.warning("watch: %s", said)
    finally:
        connection.close()  # this thread's own
