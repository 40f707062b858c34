"""How long to wait before a message is tried again, and when to give up."""

from datetime import timedelta
from typing import Final

LONGEST_WAIT: Final = timedelta(hours=1)
TRIES: Final = 12  # about six hours: an outage of an hour loses nothing
CLAIM: Final = timedelta(minutes=10)  # after which a claim without an answer is unknown


def wait_after(attempt: int, asked_s: float | None = None) -> timedelta | None:
    """Return the wait after try number ``attempt`` (from 1): doubling; None: give up.

    Args:
        attempt: Tries so far.
        asked_s: Seconds that the receiver asked for; obeyed up to an hour.
    """
    if attempt >= TRIES:
        return None
    wait = min(timedelta(minutes=2 ** (attempt - 1)), LONGEST_WAIT)
    return wait if asked_s is None else min(max(wait, timedelta(seconds=asked_s)), LONGEST_WAIT)
