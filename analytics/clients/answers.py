"""What a provider's answer means: a body, or one of our errors.

The status decides; words are read only where a provider gives one status several meanings.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from analytics.errors import BadAnswer, Unavailable, UpstreamError

LONGEST_TEXT: Final = 200  # characters of a provider's own words in a message
HIDDEN: Final = "***"
TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


class RateLimited(Unavailable):
    """We asked too often (429)."""


class NotPublishedYet(Unavailable):
    """The data will be there later: hours, not seconds. No client waits for it."""


class Unauthorized(BadAnswer):
    """The key, or the sender we declare to be, is not accepted."""


class NotInPlan(BadAnswer):
    """The subscription does not cover this data."""


class TooOldForPlan(BadAnswer):
    """The subscription does not reach back to this date."""


class NotFound(BadAnswer):
    """The provider knows nothing under this address."""


Refusal = Callable[[int, str], UpstreamError | None]
"""Given a status and the message with the provider's words, the error; None for the usual one."""


def no_opinion(_status: int, _told: str) -> UpstreamError | None:
    """Leave every status its usual meaning."""
    return None


def judge(response: httpx.Response, where: str, *, refusal: Refusal, hidden: Iterable[str]) -> None:
    """Return if ``response`` is a success.

    Args:
        response: Read to its end.
        where: Provider and path, for the message.
        refusal: What the provider means by a status, where that is special.
        hidden: Secrets that must not appear in a message.

    Raises:
        Unavailable: 408, 425, 429 (:class:`RateLimited`) and 5xx: may work later.
        BadAnswer: 401, 403 (:class:`Unauthorized`), 404 (:class:`NotFound`), redirects and
            everything else: will not.
    """
    if response.is_success:
        return
    status = response.status_code
    text = without(hidden, text_of(response))
    told = f"{where}: {status} {text}".rstrip()
    special = refusal(status, told)
    if special is not None:
        raise special
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(told, retry_after=retry_after(response))
    if response.is_server_error or status in TRY_AGAIN:
        raise Unavailable(told, retry_after=retry_after(response))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Unauthorized(told)
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(told)
    raise BadAnswer(told)


def decode(response: httpx.Response, where: str) -> Any:
    """Return the JSON in the body; NaN and infinities, which JSON does not have, as None.

    Raises:
        Unavailable: The body is empty or was cut short.
        BadAnswer: It is something else, such as a web page.
    """
    body = response.content.strip()
    if not body:
        raise Unavailable(f"{where}: {response.status_code} with an empty body")
    try:
        return json.loads(body, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        if body[:1] in b"{[":
            raise Unavailable(f"{where}: the JSON was cut short or is damaged") from None
        raise BadAnswer(f"{where}: expected JSON, found {_plain(body[:200])!r}") from None


def text_of(response: httpx.Response) -> str:
    """Return the provider's own words: ``error`` or ``message`` of a JSON body, or plain text."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return _plain(response.content)
    if not isinstance(body, dict):
        return ""
    words = body.get("error") or body.get("message") or ""
    if isinstance(words, dict):
        words = words.get("message", "")
    return _plain(str(words).encode())


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number, or an HTTP date.

    A date is compared with the answer's own ``Date``, so that our clock does not matter.
    """
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
        sent = response.headers.get("date")
        now = parsedate_to_datetime(sent).timestamp() if sent else time.time()
    except (TypeError, ValueError):
        return None
    return max(0.0, until - now)


def without(hidden: Iterable[str], text: str) -> str:
    """Return ``text`` with every secret in it blanked out."""
    for secret in hidden:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text


def _plain(body: bytes) -> str:
    """Return the beginning of ``body`` as one line, without the tags of a web page."""
    text = body[:4000].decode("utf-8", errors="replace")
    text = re.sub(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>", " ", text)
    return " ".join(text.split())[:LONGEST_TEXT]
