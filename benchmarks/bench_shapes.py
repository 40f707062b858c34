"""One shape against 5 million stock-days: two searches, and a loop of stumpy.match beside them.

    LAKE_URL=... DATABASE_URL=... VAR_DIR=... python -m benchmarks.bench_shapes

Reads the newest index of past stock-days of the market (build it with the job "Index of past
stock-days"). stumpy searches listing by listing, both dimensions at once, a sample of them; its
time is scaled to all of them.
"""

import os
import sys
from itertools import pairwise
from time import perf_counter

import django
import numpy as np

MOST_S, LEAST_TIMES = 2.0, 5.0
LEAST_ROWS = 5_000_000
SAMPLE = 300  # listings that stumpy searches
QUERIES = 5


def load():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amc_trader.settings")
    django.setup()
    from analytics.services import history_index

    index = history_index.get_newest(source="imported")
    return history_index.shapes_of(history_index.load(name=index.name))


def queries(past):
    """Return stock-days of the last sessions, so that nearly all of history is searched."""
    random = np.random.default_rng(1)
    open_ = np.flatnonzero((past.run >= 20) & (past.session >= past.session.max() - 5))
    return random.choice(open_, QUERIES, replace=False)


def ours(past, rows) -> tuple[float, float, int]:
    """Return the first search (loads the compiled loop), the median of the rest, and how many."""
    from analytics.calc import shapes

    took, searched = [], 0
    for row in (rows[0], *rows):
        begun = perf_counter()
        found = shapes.nearest(
            past,
            shapes.shape_of(past, int(row)),
            symbol=int(past.symbol[row]),
            session=int(past.session[row]),
        )
        took.append(perf_counter() - begun)
        searched = found.searched
    return took[0], float(np.median(took[1:])), searched


def theirs(past, row) -> float:
    """Return the seconds of stumpy.match over every listing, from a sample."""
    import stumpy

    query = np.stack([values[row - 19 : row + 1] for values in (past.price, past.volume)])
    edges = np.flatnonzero(np.diff(past.symbol, prepend=-1, append=-1))
    spans = [(a, b) for a, b in pairwise(edges) if b - a > 40]
    chosen = np.random.default_rng(2).choice(len(spans), min(SAMPLE, len(spans)), replace=False)

    def search(first, last):
        series = np.stack([values[first:last] for values in (past.price, past.volume)])
        stumpy.match(query.astype(float), series.astype(float), max_matches=5)

    search(*spans[0])  # compiles
    begun = perf_counter()
    rows = 0
    for number in chosen:
        search(*spans[number])
        rows += spans[number][1] - spans[number][0]
    return (perf_counter() - begun) * past.price.size / rows


def main() -> int:
    past = load()
    rows = queries(past)
    first, median, searched = ours(past, rows)
    loop = theirs(past, int(rows[0]))
    print(f"{past.price.size:,} stock-days, {searched:,} of them searched")
    print(f"first search {first:.2f} s, then {median:.2f} s (at most {MOST_S:g})")
    print(f"loop of stumpy.match: {loop:.1f} s, {loop / median:.0f}x (at least {LEAST_TIMES:g}x)")
    good = first <= MOST_S and loop / median >= LEAST_TIMES and past.price.size >= LEAST_ROWS
    print("ok" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
