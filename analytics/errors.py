"""Errors we raise on purpose.

* DomainError        the request makes sense, the data does not allow it     409
  x UpstreamError    a provider let us down                                  503
    - Unavailable    and may not the next time: retry
    - BadAnswer      and will again: do not retry

Anything else is a bug and is left to rise.
"""


class DomainError(Exception):
    """The request makes sense, but the data does not allow it."""


class UpstreamError(DomainError):
    """A provider let us down."""


class Unavailable(UpstreamError):
    """No usable answer now; a later try may succeed.

    Args:
        message: What was asked and what came back.
        retry_after: Seconds the provider asked us to wait, if it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadAnswer(UpstreamError):
    """The provider refused or sent nonsense, and will again."""
