"""Put the simulated market into its own lake, once.

What was loaded first is kept: candidates, theses and outcomes refer to it. To simulate another
one, start with an empty ``VAR_DIR`` or ``LAKE_URL``.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

import polars as pl

from analytics.lake.changes import Written
from analytics.models import ImportRun, Security, Source
from analytics.services import lakes, listings

if TYPE_CHECKING:
    from analytics.clients.sample import SampleMarket

DATA_SET: Final = "sample market"
SYMBOLS, YEARS, SEED = 600, 3, 7
CHUNK: Final = 500


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that a simulated market depends on."""

    end: date
    symbols: int
    years: int
    seed: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the recipe that :meth:`__str__` wrote down."""
        fields = json.loads(text)
        return cls(**{**fields, "end": date.fromisoformat(fields["end"])})

    def __str__(self) -> str:
        return json.dumps({**asdict(self), "end": self.end.isoformat()})


@dataclass(frozen=True, kw_only=True)
class LoadedSample:
    """What the lake of the simulated market holds, and whether it was just written."""

    created: bool
    bars: int
    symbols: int
    sessions: int
    first: date
    last: date


def load_sample_market(
    *, end: date, now: datetime, symbols: int = SYMBOLS, years: int = YEARS, seed: int = SEED
) -> LoadedSample:
    """Simulate a market and store it; if there is one, keep it and change nothing.

    A load that was cut short goes on with what it began, whatever is asked for now: the
    first market asked for is the one that is stored. Two at once, asked for the same, write
    the same bytes.

    Args:
        end: Last session of the market.
        now: Recorded as the time of loading.
        symbols: Listings in all.
        years: Length of the history.
        seed: Another seed, another market.

    Raises:
        ValueError: See :func:`analytics.clients.sample.draw`; nothing is stored then.
    """
    lake = lakes.lake_of(Source.SIMULATED)
    run = ImportRun.objects.filter(source=Source.SIMULATED, data_set=DATA_SET).first()
    there = not lake.is_empty("bars")
    if there and (run is None or run.state == ImportRun.State.DONE):
        _list_unlisted(now)
        return _what_is_there(created=False)
    asked = Recipe(end=end, symbols=symbols, years=years, seed=seed)
    recipe = Recipe.read(run.message) if run else asked
    market = _simulate(recipe)
    run = run or _begin(recipe, now)
    written = _write(market)
    listings.refresh_symbols(
        symbols=market.securities["symbol"].unique().sort().to_list(),
        source=Source.SIMULATED,
        now=now,
        run=run,
    )
    _state_dates(market.securities)
    _finish(run, market, written, now)
    return _what_is_there(created=True)


def _simulate(recipe: Recipe) -> "SampleMarket":
    from analytics.clients import sample

    return sample.draw(end=recipe.end, symbols=recipe.symbols, years=recipe.years, seed=recipe.seed)


def _begin(recipe: Recipe, now: datetime) -> ImportRun:
    return ImportRun.objects.create(
        file=f"simulated, seed {recipe.seed}",
        digest=sha256(str(recipe).encode()).hexdigest(),
        data_set=DATA_SET,
        message=str(recipe),
        started_at=now,
        source=Source.SIMULATED,
    )


def _write(market: "SampleMarket") -> dict[str, Written]:
    """Upsert every data set; the bars come last, because they say that a market is there."""
    lists = market.securities.rename({"first_session": "first_date", "last_session": "last_date"})
    frames = {
        "symbols": lists.with_columns(origin=pl.lit("simulated"), assumed=pl.lit(value=False)),
        "splits": market.splits,
        "short_interest": market.short_interest,
        "shares": market.shares,
        "bars": market.bars,
    }
    lake = lakes.lake_of(Source.SIMULATED)
    lake.create_all()
    return {table: lake.upsert(table, frame) for table, frame in frames.items()}


def _state_dates(securities: pl.DataFrame) -> None:
    """Store the listing and delisting dates, which bars alone do not tell."""
    stated = {
        (row["symbol"], row["first_session"]): row
        for row in securities.iter_rows(named=True)
        if row["listed_on"] or row["delisted_on"]
    }
    moved = []
    for security in Security.objects.of(Source.SIMULATED):
        row = stated.get((security.symbol, security.first_session))
        if row:
            security.listed_on, security.delisted_on = row["listed_on"], row["delisted_on"]
            moved.append(security)
    Security.objects.bulk_update(moved, ["listed_on", "delisted_on"], batch_size=CHUNK)


def _finish(
    run: ImportRun, market: "SampleMarket", written: dict[str, Written], now: datetime
) -> None:
    run.state = ImportRun.State.DONE
    run.rows = market.bars.height
    run.symbols = market.bars["symbol"].n_unique()
    run.sessions = market.bars["session"].n_unique()
    run.new = sum(one.new for one in written.values())
    run.changed = sum(one.changed for one in written.values())
    run.unchanged = sum(one.unchanged for one in written.values())
    run.lake_version = written["bars"].version
    run.finished_at = now
    run.save()


def _list_unlisted(now: datetime) -> None:
    """List the securities of a lake that came without its database."""
    if Security.objects.of(Source.SIMULATED).exists():
        return
    symbols = lakes.lake_of(Source.SIMULATED).read("symbols", columns=["symbol"])
    listings.refresh_symbols(
        symbols=symbols["symbol"].unique().sort().to_list(), source=Source.SIMULATED, now=now
    )


def _what_is_there(*, created: bool) -> LoadedSample:
    keys = lakes.lake_of(Source.SIMULATED).read("bars", columns=["symbol", "session"])
    sessions = keys["session"].unique().sort()
    return LoadedSample(
        created=created,
        bars=keys.height,
        symbols=keys["symbol"].n_unique(),
        sessions=sessions.len(),
        first=sessions[0],
        last=sessions[-1],
    )
