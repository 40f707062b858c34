"""What each variant would have listed on every session, from one replay of the lake (design §7)."""

from datetime import datetime

import polars as pl

from analytics.calc import replay, sessions
from analytics.services import discovery, lakes, panels

CHUNK = 500  # sessions replayed from one reading

SCHEMA = {
    "variant": pl.String,
    "session": pl.Date,
    "symbol": pl.String,
    "rank": pl.Int32,
    "score": pl.Float64,
    "p": pl.Float64,
}


def get_lists(*, source: str, now: datetime) -> pl.DataFrame:
    """Return the candidates of the newest active version of every variant, on all sessions.

    Reads bars, records and stored models; writes nothing. The learned variant has rows only
    on sessions that a stored model was usable on: all of them are out of sample.

    Args:
        source: Tells the lake.
        now: Sessions that have not closed by then are left out.

    Returns:
        One row per candidate, by variant, session and rank: ``variant`` (its name), ``session``,
        ``symbol``, ``rank`` from 1 to at most 50, ``score`` 0-100, ``p`` the calibrated
        probability of an explosive rise within 14 sessions (null for rules).

    Raises:
        discovery.NoVariant: There is no active variant.
    """
    variants = discovery.get_variants()
    rules = [discovery.rules_of(variant, source=source) for variant in variants]
    closed = sessions.last_finished(now)
    days = [day for day in lakes.lake_of(source).sessions() if day <= closed]
    parts = [pl.DataFrame(schema=SCHEMA)]
    for at in range(0, len(days), CHUNK):
        part = days[at : at + CHUNK]
        reading = panels.get_panel(source=source, first=part[0], last=part[-1])
        found = replay.run(
            reading.panel,
            variants=rules,
            references=discovery.get_references(),
            first=part[0],
            last=part[-1],
        )
        parts += [
            _columns(variant.name, result.candidates)
            for variant, result in zip(variants, found.variants, strict=True)
        ]
    return pl.concat(parts).sort("variant", "session", "rank")


def _columns(name: str, candidates: pl.DataFrame) -> pl.DataFrame:
    return candidates.select(
        pl.lit(name).alias("variant"),
        pl.col("session").cast(pl.Date),
        "symbol",
        pl.col("rank").cast(pl.Int32),
        pl.col("score").cast(pl.Float64),
        pl.col("p_explosive").alias("p"),
    ).select(list(SCHEMA))
