"""A sweep of 1,000 weight sets against one replay of all of history.

    LAKE_URL=... DATABASE_URL=... VAR_DIR=... python -m benchmarks.bench_sweep

The replay: one variant over every session, read from the lake in the stretches that the sweep
reads. The sweep: what its job does, without storing. Both are run once to load what is compiled.
"""

import os
import sys
from datetime import UTC, datetime
from time import perf_counter

import django

MOST_TIMES = 20.0


class Silence:
    """Nobody listens."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        """Hear nothing."""


def replay_all(wish) -> float:
    """Return the seconds of one replay with one variant."""
    from analytics.calc import replay
    from analytics.services import discovery, lakes, panels, sweeps

    days = lakes.lake_of(wish.source).sessions()
    rules = [discovery.rules_of(wish.variant, source=wish.source)]
    begun = perf_counter()
    for at in range(0, len(days), sweeps.CHUNK):
        part = days[at : at + sweeps.CHUNK]
        reading = panels.get_panel(source=wish.source, first=part[0], last=part[-1])
        replay.run(
            reading.panel,
            variants=rules,
            references=discovery.get_references(),
            first=part[0],
            last=part[-1],
        )
    return perf_counter() - begun


def sweep_all(wish) -> tuple[float, int]:
    """Return the seconds of the sweep and its weight sets."""
    from analytics.calc import sweep
    from analytics.services import sweeps

    begun = perf_counter()
    rows, _versions, _span = sweeps.read_field(wish, Silence())
    weights = sweep.draw(
        sets=wish.sets, components=sweep.components_with_data(rows), seed=wish.seed
    )
    swept = sweep.run(rows, weights, top=wish.top, min_coverage=wish.variant.min_coverage)
    sweeps.get_validation(swept)
    return perf_counter() - begun, len(weights)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    django.setup()
    from analytics.services import sweeps

    wish = sweeps.wish_of({"source": "imported"})
    replay_all(wish)
    once = replay_all(wish)
    took, sets = sweep_all(wish)
    print(f"one replay {once:.1f} s; {sets} weight sets {took:.1f} s: {took / once:.1f}x")
    good = took / once <= MOST_TIMES
    print("ok" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
