"""Keys for programs: made, listed, revoked. Only a digest is stored, so a key is shown once.

The name stands at the front of the key itself (``laptop_3f5a...``): whoever finds one in a log
or a script knows which one to revoke, and the key's table needs no column for it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from knox.models import AuthToken, get_digest_token
from knox.settings import CONSTANTS

from analytics.errors import DomainError

LONGEST_NAME = CONSTANTS.MAXIMUM_TOKEN_PREFIX_LENGTH - 1
LONGEST_DAYS = 365
DAYS = 90
NAME = re.compile(rf"[a-z0-9-]{{1,{LONGEST_NAME}}}")
NAME_RULE = f"1 to {LONGEST_NAME} of a-z, 0-9 and -"


class WrongName(DomainError):
    """A key cannot be called so."""


class NameTaken(DomainError):
    """The person has a key of that name that has not expired."""


class NotStaff(DomainError):
    """The person may not ask the API, so a key would open nothing."""


class WrongTerm(DomainError):
    """A key cannot be valid for so long."""


class NoSuchUser(DomainError):
    """There is no account of that name."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key just made. ``key`` exists nowhere else in clear."""

    name: str
    key: str
    user: User
    expires: datetime


def create(*, user: User, name: str, now: datetime, days: int = DAYS) -> NewKey:
    """Make a key that opens what ``user`` may open, for ``days`` days.

    An expired key of the same name is replaced.

    Args:
        user: An active member of staff.
        name: At most 9 of a-z, 0-9 and -; the key begins with it.
        now: When its time begins.
        days: 1 to 365.

    Raises:
        WrongName, NameTaken, NotStaff, WrongTerm: See there.
    """
    if not NAME.fullmatch(name):
        raise WrongName(f"A key's name is {NAME_RULE}; not {name!r}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise WrongTerm(f"A key is valid for 1 to {LONGEST_DAYS} days, not {days}.")
    if not (user.is_active and user.is_staff):
        raise NotStaff(f"{user} is no active member of staff: the key would open nothing.")
    digest, key = get_digest_token(prefix=f"{name}_")
    expires = now + timedelta(days=days)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two in the same moment: one name
        same = [token for token in _of(user) if name_of(token) == name]
        if any(not is_expired(token, now=now) for token in same):
            raise NameTaken(f"{user} has a key called {name}; revoke it first.")
        AuthToken.objects.filter(pk__in=[token.pk for token in same]).delete()
        AuthToken(
            digest=digest,
            token_key=key[: CONSTANTS.TOKEN_KEY_LENGTH],
            user=user,
            expiry=expires,
        ).save(force_insert=True)
    return NewKey(name=name, key=key, user=user, expires=expires)


def create_for(*, username: str, name: str, now: datetime, days: int = DAYS) -> NewKey:
    """Make a key for the person called ``username``; see :func:`create`.

    Raises:
        NoSuchUser: There is none.
    """
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NoSuchUser(f"There is no account called {username}.")
    return create(user=user, name=name, now=now, days=days)


def revoke(*, digests: Iterable[str]) -> int:
    """Delete keys, so that they open nothing from now on; return how many there were."""
    deleted, _by_model = AuthToken.objects.filter(pk__in=list(digests)).delete()
    return int(deleted)


def get_owners() -> QuerySet[User]:
    """Return the people for whom a key can be made."""
    return User.objects.filter(is_active=True, is_staff=True).order_by("username")


def name_of(token: Any) -> str:
    """Return a key's name; "" of a key that was not made here."""
    return str(token.token_key).rpartition("_")[0]


def begins_with(token: Any) -> str:
    """Return the first characters of a key, to tell it from others."""
    return f"{token.token_key}…"


def is_expired(token: Any, *, now: datetime) -> bool:
    return token.expiry is not None and token.expiry <= now


def _of(user: User) -> QuerySet[Any]:
    found: QuerySet[Any] = AuthToken.objects.filter(user=user)
    return found
