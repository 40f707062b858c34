"""Run every test this machine can run, and say what was skipped and why.

The whole suite runs on SQLite: side by side on all cores, but for the tests that drive a browser,
which come by themselves. Where a PostgreSQL answers, at TEST_POSTGRES_URL or on this machine, the
tests that touch the database run on it as well, in a database of their own that the migrations
make. Where a Redis answers, the tests that need one use databases of it that are empty.
"""

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.browsers import NO_BROWSER, find_browser

LOCAL = "127.0.0.1:5432/postgres"
LOCAL_REDIS = "127.0.0.1:6379"
WORKERS = min(os.cpu_count() or 1, 4)
SIDE_BY_SIDE = ["-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    redis_url = redis()
    print("== Every test, on SQLite", flush=True)
    failed = _pytest([*SIDE_BY_SIDE, "-m", "not browser", *arguments], redis_url=redis_url)
    if find_browser():
        print("== The tests in a browser", flush=True)
        failed = _pytest(["-m", "browser", *arguments]) or failed
    url = postgresql()
    if url:
        print("== The tests that touch the database, on PostgreSQL", flush=True)
        again = ["--migrations", *SIDE_BY_SIDE, "-m", "not browser", *arguments]
        failed = _pytest(again, database=url, redis_url=redis_url) or failed
    print("\n".join(["== Not run here", *(missing(url, redis_url) or ["nothing"])]))
    return failed


def redis() -> str:
    """Return the URL of a Redis whose databases from its number on are empty, or ""."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        return given
    try:
        with Redis.from_url(f"redis://{LOCAL_REDIS}/0", socket_timeout=3) as server:
            used = {int(name.removeprefix("db")) for name in server.info("keyspace")}
    except RedisError:
        return ""
    free = [
        start for start in range(1, 16 - WORKERS) if not used & set(range(start, start + WORKERS))
    ]
    return f"redis://{LOCAL_REDIS}/{free[-1]}" if free else ""


def postgresql() -> str:
    """Return the URL of a PostgreSQL that lets us make a database, or ""."""
    return next((url for url in _candidates() if _lets_us_in(url)), "")


def missing(url: str, redis_url: str) -> list[str]:
    """Return what this machine does without, and how to change that."""
    wanted = {
        "PostgreSQL: none answered; start one or give TEST_POSTGRES_URL": url,
        "Redis: none with empty databases answered; start one or give TEST_REDIS_URL": redis_url,
        f"Browser: {NO_BROWSER}": find_browser(),
        "Real market data: AMC_DATA_DIR is not given": os.environ.get("AMC_DATA_DIR"),
    }
    return [reason for reason, found in wanted.items() if not found]


def _candidates() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    for user in ("postgres", "postgres:postgres", getpass.getuser()):
        yield f"postgresql://{user}@{LOCAL}"


def _lets_us_in(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(
                "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _pytest(arguments: list[str], *, database: str = "", redis_url: str = "") -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    given = {"TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis_url}
    return subprocess.run(command, env={**os.environ, **given}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
