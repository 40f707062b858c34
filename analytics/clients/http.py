"""Asking a provider over HTTP, written once; a provider adds only its paths and its types."""

import asyncio
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from analytics.clients import answers
from analytics.clients.answers import NotPublishedYet, RateLimited, Refusal
from analytics.clients.pace import Pace
from analytics.errors import BadAnswer, Unavailable, UpstreamError

TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)
RETRIES: Final = 4
FIRST_WAIT_S: Final = 0.5  # doubled each time, with jitter
LONGEST_WAIT_S: Final = 60.0  # whoever asks us to wait longer gets asked again by the task
AT_ONCE: Final = 8  # requests under way in a fan-out

T = TypeVar("T")
Params = Mapping[str, str]
Decode = Callable[[httpx.Response, str], T]


class JsonClient:
    """One provider: one connection pool, its keys in headers, its rate limit.

    Args:
        base_url: Every request goes there, whatever an answer says.
        provider: Its name in messages.
        auth: Headers that hold keys. They appear in no URL, message or log.
        headers: Other headers.
        pace: The rate limit shared by all workers; None for none.
        refusal: What the provider means by a status, where that is special.
        timeout: Of each phase of a request.
        sleep: Waits so many seconds.
        jitter: Returns a factor for each wait; fixed in tests.
        retries: Tries after the first.
    """

    def __init__(
        self,
        base_url: str,
        *,
        provider: str,
        auth: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        refusal: Refusal = answers.no_opinion,
        timeout: httpx.Timeout = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311
        retries: int = RETRIES,
    ) -> None:
        self.provider = provider
        self.pace = pace
        self._hidden = [value.removeprefix("Bearer ") for value in (auth or {}).values()]
        self._refusal = refusal
        self._sleep = sleep
        self._jitter = jitter
        self._retries = retries
        self._options: dict[str, Any] = {
            "base_url": base_url,
            "headers": {"Accept": "application/json", **(headers or {}), **(auth or {})},
            "timeout": timeout,
            "follow_redirects": False,
        }
        self._http = httpx.Client(**self._options)

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """Return the JSON object at ``path``.

        Raises:
            Unavailable: No usable answer, 429 or 5xx, an empty body or one cut short, each
                time we tried; or we are to wait longer than a client may (``retry_after``).
            NotPublishedYet: It is too early. Tried once.
            BadAnswer: Any other refusal, or no JSON object. Tried once.
        """
        return self._fetch(path, params, _object)

    def get_array(self, path: str, **params: str) -> list[Any]:
        """Return the JSON array at ``path``. Raises as :meth:`get` does."""
        return self._fetch(path, params, _array)

    def get_text(self, path: str, **params: str) -> str:
        """Return the text file at ``path``. Raises as :meth:`get` does."""
        return self._fetch(path, params, _text)

    def get_each(
        self, wanted: Sequence[tuple[str, Params]], *, at_once: int = AT_ONCE
    ) -> Generator[dict[str, Any] | UpstreamError, None, None]:
        """Yield the JSON object, or the error, of each path with its parameters, in order.

        Up to ``at_once`` requests are under way together; what follows is asked for when
        the caller comes back for it. Retries and rate limit are those of :meth:`get`. Not for
        use inside a running event loop.
        """
        with asyncio.Runner() as runner:
            http = runner.run(self._async_client())
            try:
                for start in range(0, len(wanted), at_once):
                    yield from runner.run(self._gather(http, wanted[start : start + at_once]))
            finally:
                runner.run(http.aclose())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _fetch(self, path: str, params: Params, decode: Decode[T]) -> T:
        address = _address(path)
        attempt = 0
        while True:
            if self.pace:
                self.pace.take_turn()
            try:
                try:
                    response = self._http.get(address, params=params or None)
                except httpx.RequestError as error:
                    raise self._unreached(path, error) from None
                return self._answer(response, path, decode)
            except Unavailable as failure:
                wait = self._wait_after(failure, attempt)
            if wait:
                self._sleep(wait)
            attempt += 1

    async def _async_fetch(self, http: httpx.AsyncClient, path: str, params: Params) -> Any:
        """Do what :meth:`_fetch` does, without blocking the others."""
        address = _address(path)
        attempt = 0
        while True:
            if self.pace:
                await asyncio.to_thread(self.pace.take_turn)
            try:
                try:
                    response = await http.get(address, params=params or None)
                except httpx.RequestError as error:
                    raise self._unreached(path, error) from None
                return self._answer(response, path, _object)
            except Unavailable as failure:
                wait = self._wait_after(failure, attempt)
            if wait:
                await asyncio.to_thread(self._sleep, wait)
            attempt += 1

    async def _gather(
        self, http: httpx.AsyncClient, wanted: Sequence[tuple[str, Params]]
    ) -> list[dict[str, Any] | UpstreamError]:
        asked = (self._async_fetch(http, path, params) for path, params in wanted)
        found: list[dict[str, Any] | UpstreamError] = []
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, UpstreamError):
                raise outcome
            found.append(outcome)
        return found

    async def _async_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self._options)

    def _answer(self, response: httpx.Response, path: str, decode: Decode[T]) -> T:
        where = self._where(path)
        answers.judge(response, where, refusal=self._refusal, hidden=self._hidden)
        return decode(response, where)

    def _wait_after(self, failure: Unavailable, attempt: int) -> float:
        """Return the seconds to wait before the next try.

        Raises:
            Unavailable: ``failure`` itself, if there is no next try.
        """
        asked = failure.retry_after
        held = self.pace is not None and isinstance(failure, RateLimited)
        if self.pace and held:
            self.pace.hold(None if asked is None else min(asked, LONGEST_WAIT_S))
        too_long = asked is not None and asked > LONGEST_WAIT_S
        if isinstance(failure, NotPublishedYet) or too_long or attempt >= self._retries:
            raise failure
        if held:
            return 0.0  # the next turn comes when everyone may ask again
        return asked if asked is not None else FIRST_WAIT_S * 2**attempt * self._jitter()

    def _unreached(self, path: str, error: httpx.RequestError) -> Unavailable:
        told = answers.without(self._hidden, f"{type(error).__name__} {error}".strip())
        return Unavailable(f"{self._where(path)}: {told}")

    def _where(self, path: str) -> str:
        return f"{self.provider} {path.partition('?')[0]}"


def _address(path: str) -> str:
    """Return ``path`` so that it cannot be taken for another host."""
    return "/" + path.lstrip("/")


def _object(response: httpx.Response, where: str) -> dict[str, Any]:
    found = answers.decode(response, where)
    if not isinstance(found, dict):
        raise BadAnswer(f"{where}: expected a JSON object, found {type(found).__name__}")
    return found


def _array(response: httpx.Response, where: str) -> list[Any]:
    found = answers.decode(response, where)
    if not isinstance(found, list):
        raise BadAnswer(f"{where}: expected a JSON array, found {type(found).__name__}")
    return found


def _text(response: httpx.Response, where: str) -> str:
    if not response.content.strip():
        raise Unavailable(f"{where}: {response.status_code} with an empty body")
    return response.content.decode("utf-8-sig", errors="replace")
