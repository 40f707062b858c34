"""Exit replay of 150 stock-days a session (three variants of 50) under five rules, beside polars.

The peer computes the same gross returns with expressions: every window is laid out as rows, and
each rule is an aggregation over them. Both must agree to 1e-9.
"""

import sys

import numpy as np
import polars as pl

from analytics.calc import exits, outcomes, panel, sessions
from analytics.calc.exits import Rule
from benchmarks import market

PER_SESSION = 150
RULES = (*exits.NAMED, Rule(name="time stop 5", time_stop=5))
FASTER = 3.0  # times, at least, by processor time: polars uses every core as well
REPLAYS_A_SECOND = 1e6  # rows x rules a processor second, at least


def main() -> int:
    found = market.files()
    bars = market.in_order(market.decode(found.two_years))
    known = market.published(found, bars)
    made = panel.build(bars, securities=known["securities"], splits=known.get("splits"))
    print(f"Exit replay on {found.origin}")
    rows = draw(made)
    reach = outcomes.coverage(np.unique(made.session), size=sessions.calendar().size)
    entries = exits.next_open(made, rows)
    market.say("bars", f"{made.height:>10,}")
    market.say("entries x rules", f"{rows.size:>10,} x {len(RULES)}")

    def own() -> exits.Replays:
        return exits.replay(made, entries, RULES, exits.Costs(), reach=reach)

    own()  # compiles
    took, replayed = market.timed(own)
    market.say("kernel", took)
    speed = rows.size * len(RULES) / took.processor
    market.judge("replays a processor second", speed, REPLAYS_A_SECOND, at_least=True, unit="")
    theirs, gross = market.timed(lambda: in_polars(made, entries), repeats=1)
    market.say("polars expressions, gross returns alone", theirs)
    times = theirs.processor / took.processor
    market.judge("  times as long as ours, by processor", times, FASTER, at_least=True)
    market.say("  the same by the clock", f"{theirs.wall / took.wall:8.2f} x")
    known_rows = replayed.known.all(axis=0)
    off = float(np.abs(replayed.gross[:, known_rows] - gross[:, known_rows]).max())
    market.say("largest difference (limit 1e-9)", f"{off:8.1e}")
    market.say("replays compared", f"{int(known_rows.sum()) * len(RULES):>10,}")
    market.say("peak memory", f"{market.peak_gb():8.2f} GB")
    return int(off > 1e-9)


def draw(made: panel.Panel) -> np.ndarray:
    """Draw stock-days of every session that closed between 1 and 8 dollars."""
    random = np.random.default_rng(1)
    fit = np.flatnonzero((made.close >= 1) & (made.close <= 8) & (made.volume > 0))
    order = np.lexsort((random.random(fit.size), made.session[fit]))
    fit = fit[order]
    start = np.searchsorted(made.session[fit], np.unique(made.session[fit]))
    place = np.arange(fit.size) - np.repeat(start, np.diff(np.append(start, fit.size)))
    return np.sort(fit[place < PER_SESSION])


def in_polars(made: panel.Panel, entries: exits.Entries) -> np.ndarray:
    """Return the gross returns, shape (rules, entries); NaN without entry."""
    size = np.diff(made.segment_start)
    frame = pl.DataFrame(
        {
            "at": np.arange(made.height),
            "segment": np.repeat(np.arange(made.segments), size),
            "session": made.session,
            "open": made.open,
            "high": made.high,
            "low": made.low,
            "close": made.close,
            "split": made.split,
        }
    ).with_columns(pl.col("open", "high", "low").fill_nan(None))
    entered = (entries.rows >= 0) & ~np.isnan(entries.price)
    starts = pl.DataFrame(
        {
            "k": np.flatnonzero(entered),
            "row": entries.rows[entered],
            "price": entries.price[entered],
        }
    ).join(
        frame.select(row="at", own="segment", begun="session"),
        on="row",
        how="left",
        maintain_order="left",
    )
    days = (
        starts.join(pl.DataFrame({"day": np.arange(outcomes.WINDOW)}), how="cross")
        .with_columns(at=pl.col("row") + pl.col("day"))
        .join(frame, on="at", how="inner")
        .filter(
            (pl.col("segment") == pl.col("own"))
            & (pl.col("session") < pl.col("begun") + outcomes.WINDOW)
        )
        .sort("k", "day")
    )
    factor = pl.when(pl.col("day") == 0).then(1.0).otherwise("split").cum_prod().over("k")
    days = days.with_columns(factor=factor).with_columns(
        pl.col("open", "high", "low", "close") * pl.col("factor")
    )
    days = days.with_columns(
        pl.when(pl.col("day") == 0).then("price").otherwise("open").alias("open"),
        pl.col("high").fill_null(pl.col("close")),
        pl.col("low").fill_null(pl.col("close")),
    ).with_columns(
        high=pl.max_horizontal("high", "open"),
        low=pl.min_horizontal("low", "open"),
        best=pl.max_horizontal("price", pl.col("close").cum_max().shift(1).over("k")),
    )
    gross = np.full((len(RULES), entries.size), np.nan)
    found = days.group_by("k", maintain_order=True).agg(
        pl.col("price").first(), *(_rule(rule).alias(rule.name) for rule in RULES)
    )
    at, price = found["k"].to_numpy(), found["price"].to_numpy()
    for number, rule in enumerate(RULES):
        gross[number, at] = found[rule.name].to_numpy() / price - 1
    return gross


def _rule(rule: Rule) -> pl.Expr:
    last = pl.col("close").last()
    if rule.targets:
        parts = []
        for target in rule.targets:
            level = pl.col("price") * (1 + target.gain)
            fill = pl.max_horizontal("open", level).filter(pl.col("high") >= level).first()
            parts.append(target.fraction * fill.fill_null(last))
        return pl.sum_horizontal(parts)
    if rule.time_stop:
        late = pl.col("session") - pl.col("begun") + 1 >= rule.time_stop
        lame = late & (pl.col("close") <= pl.col("price"))
        return pl.col("close").filter(lame).first().fill_null(last)
    if rule.stop is not None or rule.trail is not None:
        held, share = ("price", rule.stop) if rule.stop is not None else ("best", rule.trail)
        base = pl.col(held) * (1 - (share or 0.0))
        fill = pl.min_horizontal(pl.col("open").fill_null(pl.col("close")), base)
        return fill.filter(pl.col("low") <= base).first().fill_null(last)
    return last


if __name__ == "__main__":
    sys.exit(main())
