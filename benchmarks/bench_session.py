"""One session of the full universe, from the lake to stored candidates.

Fills a lake and a database of its own with two years of bars first.
"""

import os
import sys
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import market

WARM_UP = 1


def main() -> int:
    with TemporaryDirectory(prefix="amc-bench-") as folder:
        return measure(Path(folder))


def measure(folder: Path) -> int:
    os.environ.update(
        VAR_DIR=str(folder),
        LAKE_URL=str(folder / "lake"),
        DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}",
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    import django

    django.setup()
    from analytics.calc import sessions
    from analytics.models import Candidate
    from analytics.services import discovery, lakes, panels

    fill()
    last = lakes.lake_of("imported").sessions()[-1]
    days = [sessions.offset(last, -5 * n) for n in range(market.REPEATS + WARM_UP)]
    walls, processors, reads = [], [], []
    for day in days:
        wall = time.perf_counter()
        panels.get_panel(source="imported", first=day, last=day)
        reads.append(time.perf_counter() - wall)
        wall, processor = time.perf_counter(), time.process_time()
        discovery.record_batch(session=day, source="imported", now=market.now())
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    stored = Candidate.objects.filter(batch__session__in=days[WARM_UP:]).count()
    market.say("the first one, with loading compiled code", f"{walls[0]:8.3f} s")
    middle = sorted(range(WARM_UP, len(days)), key=walls.__getitem__)[market.REPEATS // 2]
    market.say("  of it reading and putting into arrays", f"{reads[middle]:8.3f} s")
    market.say("  processor time", f"{processors[middle]:8.3f} s")
    market.judge("one session, from the lake to stored candidates", walls[middle], 2, unit="s")
    market.say("candidates stored per session, both variants", f"{stored / market.REPEATS:8.1f}")
    market.say("peak memory", f"{market.peak_gb():8.2f} GB")
    return 0


def fill() -> None:
    """Put two years of bars and what was published into a fresh lake and database."""
    import polars as pl
    from django.core.management import call_command

    from analytics.models import Security
    from analytics.services import lakes

    found = market.files()
    print(f"One session of {found.origin}")
    bars = market.in_order(market.decode(found.two_years))
    known = market.published(found, bars)
    call_command("migrate", verbosity=0, run_syncdb=True)
    call_command("init_performance_analytics_db", verbosity=0, stdout=StringIO())
    lake = lakes.lake_of("imported")
    lake.create_all()
    lake.upsert("bars", bars.with_columns(source=pl.lit("imported")))
    for name in ("splits", "short_interest", "shares"):
        if name in known:
            lake.upsert(name, known[name].with_columns(source=pl.lit("imported")))
    kinds = known["securities"].with_columns(pl.col("kind").fill_null("unknown"))
    Security.objects.bulk_create(
        [Security(**row, source="imported") for row in kinds.to_dicts()], batch_size=2000
    )


if __name__ == "__main__":
    sys.exit(main())
