"""The whole replay of two years beside decoding the same columns; memory of six million bars.

Replay means features, gates, both variants, similarity, ranks, flags, history, outcomes of the
candidates, base rates and volume events. Reading, sorting and putting into arrays stand beside.
"""

import subprocess
import sys
from datetime import date

import numpy as np

from analytics.calc import features, outcomes, panel, replay, sessions
from analytics.calc.detector import ORIGINAL, SQUEEZE
from analytics.calc.kernels import layout
from analytics.calc.panel import Panel
from analytics.calc.similarity import Reference
from benchmarks import market

VIGL = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)
SIX_MILLION = "six-million"


def scan(made: Panel, first: date, last: date) -> replay.Replay:
    return replay.run(made, variants=[ORIGINAL, SQUEEZE], references=[VIGL], first=first, last=last)


def settle(made: Panel, found: replay.Replay) -> tuple[int, int, float]:
    """Return candidates, explosive ones, and the explosive rate of the base universe."""
    covered = np.flatnonzero(np.bincount(made.session)).astype(np.int32)
    reach = outcomes.coverage(covered, size=sessions.calendar().size)
    picks = explosive = 0
    for variant in found.variants:
        rows = variant.candidates["row"].to_numpy().astype(np.int64)
        settled = outcomes.settle(made, rows, reach=reach)
        picks += rows.size
        explosive += int((settled.figures[:, outcomes.PEAK] >= outcomes.EXPLOSIVE).sum())
    base = np.zeros(made.height, np.bool_)
    base[found.pool.table.rows] = True  # what passes the gates before relative volume
    lean = outcomes.settle_lean(made, base, reach=reach)
    return picks, explosive, float(lean.explosive[lean.known].mean())


def main() -> int:
    found = market.files()
    print(f"Replay of {found.origin}")
    frames = market.decode(found.two_years)
    sorting, bars = market.timed(lambda: market.in_order(frames))
    known = market.published(found, bars)
    building, made = market.timed(lambda: panel.build(bars, **known))
    replayed = scan(made, market.FIRST, market.LAST)
    (decoding, _), (scanning, _), (settling, (picks, explosive, base)) = market.in_turns(
        lambda: market.decode(found.two_years),
        lambda: scan(made, market.FIRST, market.LAST),
        lambda: settle(made, replayed),
    )
    market.say("bars", f"{made.height:>8,}")
    market.say("decoding the same columns", decoding)
    market.say("features, gates, variants, similarity, ranks, events", scanning)
    market.say("outcomes of candidates and base rates", settling)
    whole = scanning.wall + settling.wall
    market.judge("replay over decoding", whole / decoding.wall, 4)
    processor = scanning.processor + settling.processor
    market.say("  the same by processor time", f"{processor / decoding.processor:8.2f} x")
    beside = decoding.wall + sorting.wall + building.wall
    market.say("  reading, sorting, putting into arrays, beside it", f"{beside:8.3f} s")
    market.say("  all of it over decoding", f"{(beside + whole) / decoding.wall:8.2f} x")
    market.say("candidates, explosive share, share of the base universe",
               f"{picks:>8,}  {explosive / max(picks, 1):.1%}  {base:.1%}")  # fmt: skip
    equal = is_same_alone(made, replayed)
    market.say("a session scanned alone gives the same bits", "     yes" if equal else "      NO")
    print(flush=True)
    child = subprocess.run(  # its peak is its own
        [sys.executable, "-m", "benchmarks.bench_replay", SIX_MILLION], check=False
    )
    return 0 if equal and not child.returncode else 1


def is_same_alone(made: Panel, found: replay.Replay) -> bool:
    """Return whether the features of every 997th row are the same bits when computed alone."""
    pool = found.pool.table
    picked = np.arange(0, pool.rows.size, 997)
    alone = features.of_rows(made, pool.rows[picked])
    one = scan(made, market.LAST, market.LAST)
    same = all(
        late.batches["fingerprint"].item() == whole.batches["fingerprint"][-1]
        for late, whole in zip(one.variants, found.variants, strict=True)
    )
    bar_features = slice(0, layout.BAR_FEATURES)
    return (
        same
        and alone.values[bar_features].tobytes()
        == np.ascontiguousarray(pool.values[bar_features, picked]).tobytes()
    )


def six_million() -> int:
    """Replay everything in one reading and say how much memory it took."""
    found = market.files()
    bars = market.in_order(market.decode(found.everything))
    known = market.published(found, bars)
    first, last = market.span(bars)
    height = bars.height
    made = panel.build(bars, **known)
    del bars, known
    replayed = scan(made, first, last)
    picks, _, _ = settle(made, replayed)
    market.say("bars replayed in one reading, candidates", f"{height:>8,}  {picks:,}")
    market.judge("peak memory", market.peak_gb(), 2, unit="GB")
    return 0


if __name__ == "__main__":
    sys.exit(six_million() if SIX_MILLION in sys.argv else main())
