"""The digest that chains theses: whatever is changed, missing or added breaks it (design §9)."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

START = "0" * 64  # what stands before the first thesis


class Break(NamedTuple):
    """Where a chain no longer holds, and why."""

    number: int
    reason: str


class Link(NamedTuple):
    """One thesis of a chain, as it is stored.

    Attributes:
        number: Place in the chain, from 1.
        digest: As it was stored when the thesis was issued.
        previous: Digest that its predecessor is stored with; ``START`` for the first.
        content: Every column that was frozen.
    """

    number: int
    digest: str
    previous: str
    content: Mapping[str, Any]


def digest(content: Mapping[str, Any], previous: str) -> str:
    """Return the SHA-256 over ``content`` and the digest before it, 64 hexadecimal digits.

    Numbers are compared by value (1, 1.0 and a Decimal of 1.00 are one), moments in UTC, keys in
    order, so that what any database gives back has the digest of what was written.

    Raises:
        TypeError: A value is none that can be stored in a thesis.
        ValueError: A number is not finite.
    """
    plain = json.dumps(
        _plain(content), sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")
    )
    return sha256(f"{previous}\n{plain}".encode()).hexdigest()


def first_break(links: Iterable[Link]) -> Break | None:
    """Return the first place where a chain, in order of its numbers, does not hold; else None."""
    before = START
    for expected, link in enumerate(links, start=1):
        if link.number != expected:
            return Break(expected, f"thesis {expected} is missing: {link.number} follows")
        if link.previous != before:
            return Break(link.number, "it does not follow the thesis before it")
        if digest(link.content, before) != link.digest:
            return Break(link.number, "its content is not what was issued")
        before = link.digest
    return None


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON that is the same for equal values."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{value.timestamp():.6f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    raise TypeError(f"a thesis cannot hold {type(value).__name__}")
