"""Where messages to the workers go: Redis if there is one, else files in ``VAR_DIR/spool``."""

from pathlib import Path
from typing import Any

from amc_trader import spool

LONGEST_TASK_S = 3600  # as analytics.services.job_registry.LONGEST_S, which a test compares


def options(*, redis_url: str, folder: Path) -> dict[str, Any]:
    """Return Celery's broker settings, by their names in Django's settings.

    Redis hands a message out again when its worker has been silent for the visibility timeout.
    That must be longer than the longest task, or two workers would run it. kombu by default
    looks for such messages every 100 s; here every 5. Jobs do not wait for it: the reaper sends
    a new message within a minute, and the old one finds its job taken.
    """
    if not redis_url:
        spool.register()
        return {
            "CELERY_BROKER_URL": f"{spool.SCHEME}://localhost",
            "CELERY_BROKER_TRANSPORT_OPTIONS": {"folder": str(folder)},
        }
    return {
        "CELERY_BROKER_URL": redis_url.replace("unix://", "redis+socket://", 1),
        "CELERY_BROKER_TRANSPORT_OPTIONS": {
            "visibility_timeout": LONGEST_TASK_S + 300,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
        },
    }
