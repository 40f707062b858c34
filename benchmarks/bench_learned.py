"""The learned variant: one session of the full universe, and a walk-forward over all the data.

    LAKE_URL=... DATABASE_URL=... VAR_DIR=... python -m benchmarks.bench_learned

Reads an installation; stores nothing. The session: reading 300 sessions, features, evidence,
scores, ranks and explanations of variant C. The walk-forward: reading everything, the evidence
and outcome of every stock-day of the base universe, and a model for each month.
"""

import os
import sys
from time import perf_counter

import django

from benchmarks import market

MOST_SESSION_S, MOST_WALK_S, MOST_GB = 3.0, 900.0, 6.0
REPEATS = 3


def session_seconds(source: str) -> float:
    """Return the median seconds of one session, from the lake to explained candidates."""
    from analytics.calc import replay
    from analytics.models import Variant, VariantKind
    from analytics.services import discovery, lakes, panels

    day = lakes.lake_of(source).sessions()[-1]
    variant = Variant.objects.active().filter(kind=VariantKind.LEARNED).latest("version")
    rules = discovery.rules_of(variant, source=source)
    took = []
    for _ in range(REPEATS + 1):
        begun = perf_counter()
        reading = panels.get_panel(source=source, first=day, last=day)
        found = replay.run(
            reading.panel,
            variants=[rules],
            references=discovery.get_references(),
            first=day,
            last=day,
        )
        took.append(perf_counter() - begun)
    market.say("candidates of the session", f"{found.variants[0].candidates.height:8}")
    return sorted(took[1:])[REPEATS // 2]


def walk_seconds(source: str) -> tuple[float, int]:
    """Return the seconds of a whole walk-forward and its models."""
    import numpy as np

    from analytics.calc import learned_designs, walk_forward
    from analytics.services import learned

    begun = perf_counter()
    rows = learned.get_samples(source=source)
    market.say("stock-days of the base universe", f"{rows.number.size:12,}")
    market.say("  reading, evidence and outcomes", f"{perf_counter() - begun:8.1f} s")
    when = walk_forward.refits(np.unique(rows.number))
    walk = walk_forward.run(rows, learned_designs.CHOSEN, when=when)
    return perf_counter() - begun, len(walk.steps)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    django.setup()
    from analytics.models import LearnedModel
    from analytics.services import lakes

    source = str(lakes.get_active_source())
    if not LearnedModel.objects.beside(lakes.sources_beside(source)).exists():
        print("No fitted model here: run manage.py fit_learned first.")
        return 0
    market.judge(
        "one session, scored and explained", session_seconds(source), MOST_SESSION_S, unit="s"
    )
    took, models = walk_seconds(source)
    market.judge(f"walk-forward, {models} models", took, MOST_WALK_S, unit="s")
    market.judge("peak memory", market.peak_gb(), MOST_GB, unit="GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
