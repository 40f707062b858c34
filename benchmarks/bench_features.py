"""Features of the universe, beside decoding the same columns and beside pandas and DuckDB.

The rivals count by rows, so all are compared on the rows whose windows are complete: 24 steps
in a row with a bar each session, complete prices and no split. There they must agree to 1e-9.
"""

import sys

from analytics.calc import features, panel
from analytics.calc.kernels import layout
from benchmarks import market, rivals

RIVAL_REPEATS = 3  # of many seconds each


def main() -> int:
    found = market.files()
    path = found.two_years[:1]
    print(f"Features of {found.origin}")
    frames = market.decode(path)
    sorting, bars = market.timed(lambda: market.in_order(frames))
    known = market.published(found, bars)
    building, made = market.timed(
        lambda: panel.build(bars, securities=known["securities"], splits=known.get("splits"))
    )
    (decoding, _), (own, table) = market.in_turns(
        lambda: market.decode(path), lambda: features.of_bars(made)
    )
    market.say("bars", f"{made.height:>8,}")
    market.say("decoding the same columns", decoding)
    market.say("features", own)
    market.judge("features over decoding", own.wall / decoding.wall, 2)
    market.say("  the same by processor time", f"{own.processor / decoding.processor:8.2f} x")
    market.say(
        "  decoding, sorting, putting into arrays, features",
        f"{decoding.wall + sorting.wall + building.wall + own.wall:8.3f} s",
    )
    market.say("peak memory", f"{market.peak_gb():8.2f} GB")
    complete = features.steps(made).regular >= layout.LONGEST_WINDOW
    market.say("rows with complete windows, compared", f"{complete.sum():>8,}")
    equal = True
    for name, rival, goal in (
        ("pandas, groupby and rolling symbol by symbol", rivals.in_pandas_by_symbol, 25),
        ("pandas, groupby.rolling with shared steps", rivals.in_pandas, 25),
        ("DuckDB windows", rivals.in_duckdb, 10),
    ):
        took, columns = market.timed(rival(bars, made.split), repeats=RIVAL_REPEATS)
        market.say(name, took)
        market.judge("  times as long as ours", took.wall / own.wall, goal, at_least=True)
        off = rivals.largest_difference(
            table[:, complete], [column[complete] for column in columns]
        )
        market.say("  largest difference (limit 1e-9)", f"{off:8.1e}")
        equal &= off <= 1e-9
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
