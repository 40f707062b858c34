"""Kill a backfill at random moments and compare; time a session from body to lake.

python -m benchmarks.bench_backfill kill --kills 20 [--redis redis://127.0.0.1:6379/9]
python -m benchmarks.bench_backfill session --symbols 11000 --sessions 12
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

FIRST, LAST = date(2022, 6, 1), date(2024, 6, 14)


def kill(kills: int, redis_url: str) -> dict[str, object]:
    """Kill the worker that runs the job so often, and compare with an undisturbed run."""
    from tests.faults.fill_by_worker import drive
    from tests.stubs import market
    from tests.stubs import polygon as wire
    from tests.stubs.server import running

    with running() as stub, tempfile.TemporaryDirectory() as where:
        days = market.put_market(stub, FIRST, LAST)
        volume = {"ticker": "S01", "date": "2024-04-02", "short_volume": 10, "total_volume": 20}
        stub.on("/stocks/v1/short-volume", wire.page(volume))
        began = time.monotonic()
        calm = drive(Path(where, "calm"), url=stub.url, first=FIRST, last=LAST, kills=0)
        took = time.monotonic() - began
        found = drive(
            Path(where, "killed"), url=stub.url, first=FIRST, last=LAST, kills=kills,
            redis_url=redis_url,
        )  # fmt: skip
    return {
        "broker": "redis" if redis_url else "embedded",
        "undisturbed_s": round(took, 1),
        "kills": found.kills,
        "attempts": found.attempts,
        "ended": found.state,
        "sessions_after_each_kill": found.sessions,
        "sessions": len(days),
        "rows": {table: len(rows) for table, rows in found.content.items()},
        "same_lake_listings_and_findings": found.content == calm.content,
    }


def session(symbols: int, sessions: int) -> dict[str, object]:
    folder = tempfile.mkdtemp()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "ENV_FILE": "",
        "VAR_DIR": folder,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from analytics.calc import sessions as calendar
    from analytics.clients.polygon import _grouped
    from analytics.services import market_sync
    from analytics.services.session_sync import store_session
    from tests.stubs import market

    names = [f"T{n:05}" for n in range(symbols)]
    now = datetime(2024, 6, 14, 18, tzinfo=ZoneInfo("America/New_York"))
    took = []
    for back in range(sessions, 0, -1):
        day = calendar.offset(LAST, 1 - back)
        body = market.body(day, names)
        began = time.monotonic()
        reading = _grouped(day, json.loads(body))
        summary = store_session(session=day, reading=reading, provider="polygon", now=now)
        took.append(time.monotonic() - began)
        assert summary.new == symbols, summary
    began = time.monotonic()
    market_sync.refresh_listings(now=now)
    refresh = time.monotonic() - began
    return {
        "symbols": symbols,
        "sessions": sessions,
        "first_s": round(took[0], 2),
        "median_s": round(statistics.median(took[1:]), 2),
        "longest_after_first_s": round(max(took[1:]), 2),
        "listings_afterwards_s": round(refresh, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["kill", "session"], nargs="?", default="session")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--redis", default="", help="an empty database; the embedded broker if none"
    )
    parser.add_argument("--symbols", type=int, default=11_000)
    parser.add_argument("--sessions", type=int, default=12)
    given = parser.parse_args()
    if given.what == "kill":
        found = kill(given.kills, given.redis)
    else:
        found = session(given.symbols, given.sessions)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
