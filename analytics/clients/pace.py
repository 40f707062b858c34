"""A rate limit that all workers share: at most so many calls in any window of seconds.

Each call reserves a place in time, in the order of asking, and sleeps until then; so nobody
polls, and nobody is passed over. The places are kept in Redis where there is one, else in a
file under a lock: correct across the threads and processes of one machine.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from analytics.errors import Unavailable

MINUTE: Final = 61.0  # [s]; one more, as two calls may travel at different speeds
PER_SECOND_FROM: Final = 300  # calls a minute from which they are spread over the seconds
RECORD: Final = 32_768  # bytes of the file, always written whole
SMALL_STEP_S: Final = 1.0  # a clock that steps back further has been set anew


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most ``calls`` in any ``window`` seconds."""

    calls: int
    window: float = MINUTE

    def __post_init__(self) -> None:
        if self.calls < 1 or not self.window > 0:
            raise ValueError(f"a limit of {self.calls} calls in {self.window:g} s lets none pass")

    @classmethod
    def per_minute(cls, calls: int) -> "Limit":
        """Return a limit by the minute; a high one is kept each second."""
        if calls >= PER_SECOND_FROM:
            return cls(calls=calls // 60, window=1.0)
        return cls(calls=calls)

    def seconds_for(self, calls: int) -> float:
        """Return how long so many calls take at least, one after the other."""
        return max(0, (calls - 1) // self.calls) * self.window


class Places(Protocol):
    """Where the reserved places of a limit are kept. Times are those of one common clock."""

    def reserve(self, limit: Limit) -> tuple[float, float]:
        """Reserve the next free place; return (its time, seconds until then)."""

    def hold(self, seconds: float) -> None:
        """Give no place within the next ``seconds``."""

    def held_until(self) -> float:
        """Return the time before which nobody may call."""


class Pace:
    """Waits for one's turn.

    Args:
        limit: What the provider allows.
        places: Where all workers find what is reserved.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, limit: Limit, places: Places, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.limit = limit
        self._places = places
        self._sleep = sleep

    def take_turn(self) -> None:
        """Return when one call may be made.

        Raises:
            Unavailable: The places are kept in Redis, and it does not answer.
        """
        while True:
            place, wait = self._places.reserve(self.limit)
            if wait > 0:
                self._sleep(wait)
            if self._places.held_until() <= place:
                return  # nobody was told to wait in the meantime

    def hold(self, seconds: float | None = None) -> None:
        """Let everybody wait: ``seconds``, or the rest of the minute if that is not known.

        A whole minute is waited then, because we do not know when the provider's began.
        """
        self._places.hold(MINUTE if seconds is None else seconds)


class FilePlaces:
    """Places in a file, changed under a lock that the system gives up when its holder dies.

    Args:
        path: One file per provider and account; its folder is made.
        clock: Seconds since the epoch.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)

    def reserve(self, limit: Limit) -> tuple[float, float]:
        """Reserve the next free place; return (its time, seconds until then)."""
        found: list[float] = []

        def change(places: list[float], held: float, now: float) -> tuple[list[float], float]:
            place = max(now, held)
            if len(places) >= limit.calls:
                place = max(place, places[-limit.calls] + limit.window)
            if places:
                place = max(place, places[-1])
            found.extend((place, place - now))
            return [*places, place][-limit.calls :], held

        self._changed(change)
        return found[0], found[1]

    def hold(self, seconds: float) -> None:
        """Give no place within the next ``seconds``."""
        self._changed(lambda places, held, now: (places, max(held, now + seconds)))

    def held_until(self) -> float:
        """Return the time before which nobody may call."""
        return self._changed(lambda places, held, _now: (places, held))

    def _changed(
        self, change: Callable[[list[float], float, float], tuple[list[float], float]]
    ) -> float:
        """Replace what is stored by what ``change`` makes of it; return the time of the hold."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = self._clock()
            places, held = _stored(os.pread(handle, RECORD, 0), now)
            places, held = change(places, held, now)
            text = json.dumps({"at": now, "held": held, "places": places})
            os.pwrite(handle, text.encode().ljust(RECORD), 0)  # in one piece, at one length
        finally:
            os.close(handle)
        return held


def _stored(record: bytes, now: float) -> tuple[list[float], float]:
    """Return places and hold; none after the clock was set back, a held minute if unreadable."""
    if not record.strip(b" \0"):
        return [], 0.0
    try:
        known = json.loads(record)
        at, held = float(known["at"]), float(known["held"])
        places = [float(place) for place in known["places"]]
    except (ValueError, KeyError, TypeError):
        return [], now + MINUTE
    return (places, held) if now > at - SMALL_STEP_S else ([], 0.0)


_RESERVE: Final = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local calls, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local place = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
local full = redis.call('LINDEX', KEYS[1], -calls)
if full then place = math.max(place, tonumber(full) + window) end
local last = redis.call('LINDEX', KEYS[1], -1)
if last then place = math.max(place, tonumber(last)) end
redis.call('RPUSH', KEYS[1], string.format('%.6f', place))
redis.call('LTRIM', KEYS[1], -calls, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil((place - now + window) * 1000) + 1000)
return {string.format('%.6f', place), string.format('%.6f', place - now)}
"""
_HOLD: Final = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local till = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', till), 'PX', math.ceil((till - now) * 1000) + 1000)
return redis.status_reply('OK')
"""


class RedisPlaces:
    """Places in Redis, changed by scripts that run alone, in the time of its clock.

    Args:
        url: ``redis://...``
        name: One per provider and account.
    """

    def __init__(self, url: str, name: str) -> None:
        import redis

        self._errors = redis.RedisError
        self._redis: Any = redis.Redis.from_url(url)  # type: ignore[no-untyped-call,unused-ignore]
        self._places, self._held = f"pace:{{{name}}}:places", f"pace:{{{name}}}:held"

    def reserve(self, limit: Limit) -> tuple[float, float]:
        """Reserve the next free place; return (its time, seconds until then)."""
        answer = self._asked(
            lambda: self._redis.eval(
                _RESERVE, 2, self._places, self._held, limit.calls, limit.window
            )
        )
        place, wait = cast("list[bytes]", answer)
        return float(place), float(wait)

    def hold(self, seconds: float) -> None:
        """Give no place within the next ``seconds``."""
        self._asked(lambda: self._redis.eval(_HOLD, 1, self._held, seconds))

    def held_until(self) -> float:
        """Return the time before which nobody may call."""
        return float(self._asked(lambda: self._redis.get(self._held)) or 0.0)

    def forget(self) -> None:
        """Remove what is kept."""
        self._asked(lambda: self._redis.delete(self._places, self._held))
        self._redis.close()

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except self._errors as error:
            raise Unavailable(f"rate limit in Redis: {type(error).__name__}") from error


def connect(
    *,
    name: str,
    limit: Limit,
    redis_url: str,
    folder: Path,
    sleep: Callable[[float], None] = time.sleep,
) -> Pace:
    """Return the pace called ``name``, in Redis if there is one, else in a file in ``folder``."""
    places: Places = (
        RedisPlaces(redis_url, name) if redis_url else FilePlaces(folder / f"{name}.json")
    )
    return Pace(limit, places, sleep=sleep)
