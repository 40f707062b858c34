"""Similarity with a denominator: what a lookup costs.

    LAKE_URL=... DATABASE_URL=... VAR_DIR=... python -m benchmarks.bench_similarity

Candidates of all of history, in random order, looked up in the newest index; the first
lookups, which map the index into memory, are shown apart.
"""

import os
import sys
from time import perf_counter

import django
import numpy as np

MOST_MS = 5.0
LOOKUPS = 400


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    django.setup()
    from analytics.models import Candidate
    from analytics.services import similarity_evidence

    ids = np.array(Candidate.objects.values_list("pk", flat=True))
    chosen = np.random.default_rng(3).choice(ids, min(LOOKUPS, ids.size), replace=False)
    took = []
    for pk in chosen:
        candidate = Candidate.objects.select_related("batch").get(pk=pk)
        begun = perf_counter()
        similarity_evidence.get_evidence(candidate=candidate)
        took.append(1000 * (perf_counter() - begun))
    settled = np.array(took[20:])
    print(f"first lookup {took[0]:.0f} ms, slowest of the first 20 {max(took[:20]):.0f} ms")
    print(
        f"then median {np.median(settled):.2f} ms, "
        f"95 % within {np.quantile(settled, 0.95):.2f} ms, "
        f"slowest {settled.max():.1f} ms (median at most {MOST_MS:g})"
    )
    good = np.median(settled) <= MOST_MS
    print("ok" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
