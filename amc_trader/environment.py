"""Reading the environment: each value is checked, and a wrong one is named in one sentence."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """A variable of the environment has a value that cannot be used."""


class Environment:
    """Typed access to variables; an empty value counts as not given.

    Args:
        values: Variable by name, such as ``os.environ``.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """Return the value without surrounding blanks."""
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes-or-no value.

        Raises:
            SettingsError: The value is neither.
        """
        value = self.text(name).lower()
        if value and value not in TRUE | FALSE:
            raise SettingsError(f"{name} must be true or false, not {value!r}.")
        return value in TRUE if value else default

    def whole(self, name: str, *, default: int, least: int = 0) -> int:
        """Return a whole number of at least ``least``.

        Raises:
            SettingsError: The value is no such number.
        """
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise SettingsError(f"{name} must be a whole number from {least} up, not {value!r}.")
        return int(value)

    def amount(self, name: str, *, default: float) -> float:
        """Return a number that is not negative.

        Raises:
            SettingsError: The value is no such number.
        """
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            raise SettingsError(f"{name} must be a number from 0 up, not {value!r}.")
        return number

    def rate(self, name: str, *, default: str) -> str:
        """Return how often something may be asked, such as 600/minute.

        Raises:
            SettingsError: The value is no such rate.
        """
        value = self.text(name, default)
        if not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", value):
            raise SettingsError(f"{name} must look like 600/minute, not {value!r}.")
        return value

    def day(self, name: str) -> date | None:
        """Return a date, or None if none is given.

        Raises:
            SettingsError: The value is not a date such as 2024-06-03.
        """
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError as error:
            raise SettingsError(
                f"{name} must be a date such as 2024-06-03, not {value!r}."
            ) from error

    def choice(self, name: str, options: Iterable[str], *, default: str) -> str:
        """Return one of ``options``, whatever its case.

        Raises:
            SettingsError: The value is none of them.
        """
        known = {option.lower(): option for option in options}
        value = self.text(name, default)
        if value.lower() not in known:
            raise SettingsError(
                f"{name} must be one of {', '.join(known.values())}, not {value!r}."
            )
        return known[value.lower()]

    def names(self, name: str, *, default: Iterable[str] = ()) -> list[str]:
        """Return a comma-separated list."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()] or [*default]

    def url(self, name: str, schemes: Iterable[str], *, default: str = "") -> str:
        """Return a URL without a slash at its end; "" if none is given.

        Raises:
            SettingsError: The scheme is none of ``schemes`` or the host is missing.
        """
        value = self.text(name, default)
        wanted = " or ".join(f"{scheme}://..." for scheme in schemes)
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if value and not usable:
            raise SettingsError(f"{name} must be a URL such as {wanted}.")  # may hold a password
        return value.rstrip("/")

    def directory(self, name: str, *, default: Path) -> Path:
        """Return an absolute directory that can be written to, made if it is missing.

        Raises:
            SettingsError: It cannot be made or written to.
        """
        path = Path(self.text(name, str(default))).expanduser().absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"{name} names {path}, which cannot be made: {error.strerror}."
            ) from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise SettingsError(f"{name} names {path}, which cannot be written to.")
        return path

    def existing_directory(self, name: str) -> str:
        """Return a directory that exists, or "" if none is given.

        Raises:
            SettingsError: It does not exist.
        """
        value = self.text(name)
        if value and not Path(value).expanduser().is_dir():
            raise SettingsError(f"{name} names {value}, which is not a directory.")
        return str(Path(value).expanduser().absolute()) if value else ""

    def location(self, name: str, *, default: Path) -> str:
        """Return a directory (absolute) or the URL of an object store.

        Raises:
            SettingsError: The value is a URL of a kind that is not known.
        """
        value = self.text(name, str(default))
        if "://" not in value:
            return str(Path(value).expanduser().absolute())
        if urlsplit(value).scheme not in {"s3", "gs", "az", "file"}:
            raise SettingsError(f"{name} must be a directory or start with s3://, gs:// or az://.")
        return value.rstrip("/")

    def database(self, name: str, *, default: Path) -> dict[str, Any]:
        """Return Django's settings of one database; SQLite in the file ``default`` if not given.

        Raises:
            SettingsError: The URL is neither SQLite nor PostgreSQL, or is incomplete.
        """
        value = self.text(name, f"sqlite:///{default}")
        known = ("sqlite", "postgres", "postgresql")
        complaint = (
            f"{name} must look like sqlite:///path or postgresql://user:password@host:port/name."
        )
        if "://" not in value or value.partition("://")[0] not in known:
            raise SettingsError(complaint)
        if value.startswith("sqlite:///"):
            return _sqlite(value.removeprefix("sqlite:///"))
        try:
            config: dict[str, Any] = dict(environ.Env.db_url_config(value))
            port = config["PORT"] and int(config["PORT"])
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(complaint) from error
        if not config.get("NAME") or "postgresql" not in str(config["ENGINE"]):
            raise SettingsError(complaint)
        config["PORT"] = port or ""
        config["CONN_MAX_AGE"] = 0  # the pool keeps connections, one pool a process
        config["CONN_HEALTH_CHECKS"] = True
        config["OPTIONS"] = {
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,  # ms: a server that vanished does not hold us for minutes
            **config.get("OPTIONS", {}),
            # Seconds. While the server is away callers wait no longer than this, and each asks
            # anew: the pool's own pauses would double up to minutes beyond its return.
            "pool": {"timeout": 5, "reconnect_timeout": 2},
        }
        return config

    def mail(self, name: str, *, folder: Path) -> dict[str, Any]:
        """Return Django's mail settings; mails go to files in ``folder`` if none are given.

        Raises:
            SettingsError: The URL is of a kind that cannot be used.
        """
        value = self.text(name)
        if not value:
            return {
                "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": str(folder),
            }
        if value.startswith("anymail+"):
            return _anymail(name, value)
        complaint = (
            f"{name} must look like smtp+tls://user:password@host:587, anymail+postmark://KEY@ "
            "or consolemail://."
        )
        if "://" not in value or value.partition("://")[0] not in environ.Env.EMAIL_SCHEMES:
            raise SettingsError(complaint)
        try:
            config = environ.Env.email_url_config(value)
        except (ValueError, KeyError) as error:
            raise SettingsError(complaint) from error
        return {key: config[key] for key in config if key.startswith("EMAIL_")}


# The providers of django-anymail that need one key, by what they call it.
ANYMAIL = {
    "brevo": "BREVO_API_KEY",
    "mailersend": "MAILERSEND_API_TOKEN",
    "mailgun": "MAILGUN_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "resend": "RESEND_API_KEY",
    "sendgrid": "SENDGRID_API_KEY",
    "sparkpost": "SPARKPOST_API_KEY",
}


def _anymail(name: str, value: str) -> dict[str, Any]:
    """Return the settings of a provider: anymail+mailgun://KEY@mg.example.com."""
    scheme, _, rest = value.removeprefix("anymail+").partition("://")
    key, _, domain = (unquote(part) for part in rest.rstrip("/").partition("@"))
    if scheme not in ANYMAIL or not key:
        raise SettingsError(
            f"{name} must look like anymail+postmark://KEY@; the providers are "
            f"{', '.join(ANYMAIL)}."
        )
    options = {ANYMAIL[scheme]: key, "REQUESTS_TIMEOUT": 20}
    if domain:
        options[f"{scheme.upper()}_SENDER_DOMAIN"] = domain
    return {"EMAIL_BACKEND": f"anymail.backends.{scheme}.EmailBackend", "ANYMAIL": options}


def _sqlite(path: str) -> dict[str, Any]:
    """Return Django's settings of one SQLite file, safe for several processes."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path or ":memory:",
        "OPTIONS": {
            "timeout": 20,  # seconds to wait for another writer
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def secret_key(given: str, file: Path) -> str:
    """Return ``given``, or else the key in ``file``, made once and readable by its owner only.

    Raises:
        SettingsError: ``given`` is shorter than 50 characters.
    """
    if given:
        if len(given) < 50:
            raise SettingsError("SECRET_KEY must have at least 50 characters.")
        return given
    if not file.exists():
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, file)  # whole or not at all, and the first process wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
