"""Who is listed in the simulated market, from when to when, and what each is like.

Nothing here is a real company: every ticker is ``ZQ`` and three letters or more (the only real
one of 2015 to 2023 that starts so had three in all), every name starts with "Simulated". The
one familiar ticker is SPY, because comparisons are made with it.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PREFIX = "ZQ"
INDEX_SYMBOL = "SPY"
FEWEST_LISTINGS, MOST_LISTINGS = 20, 10_000  # what the shares below and three letters allow

KINDS = ("common", "adr", "etf", "spac", "warrant", "unit")
KIND_SHARES = (0.78, 0.06, 0.04, 0.05, 0.04, 0.03)
SUFFIXES = {"warrant": "W", "unit": "U"}  # fifth letter, as on the real tape
TITLES = {
    "common": "Co.",
    "adr": "ADR",
    "etf": "ETF",
    "spac": "Acquisition",
    "warrant": "Warrant",
    "unit": "Unit",
}
SECTORS = (
    "Health Care",
    "Technology",
    "Consumer Discretionary",
    "Industrials",
    "Energy",
    "Finance",
    "Basic Materials",
    "Real Estate",
)
SECTOR_SHARES = (0.30, 0.18, 0.14, 0.12, 0.09, 0.08, 0.06, 0.03)

LATE_SHARE = 0.16  # listed during the period
LEAVING_SHARE = 0.14  # delisted during the period
WORTHLESS_SHARE = 0.55  # of those that leave; the others are taken over
REUSE_PER_LISTINGS = 200  # one ticker in so many passes to another company
REUSE_GAP_SESSIONS = 60  # well beyond the 20 that end a listing period
SHORTEST_LISTING = 40  # sessions

# Cross-section of US stocks at $1-$8, 2022-23: daily volatility has median 4.5 % and a log
# spread of 0.55, dollar volume $10^6.4, daily turnover 0.7 % of the float.
LOW_PRICED_SHARE = 0.72
LOW_PRICE_USD, LOW_PRICE_SPREAD = 3.4, 0.55
HIGH_PRICE_USD, HIGH_PRICE_SPREAD = 26.0, 0.9
VOLATILITY, VOLATILITY_SPREAD = 0.0345, 0.40
PRICE_TO_VOLATILITY = -0.2  # elasticity, among the low-priced
DOLLAR_VOLUME_USD, DOLLAR_VOLUME_SPREAD = 10**6.25, 1.3
TURNOVER, TURNOVER_SPREAD = 10**-2.1, 0.9


class Fate(IntEnum):
    """How a listing ends."""

    STAYS = 0
    ACQUIRED = 1
    WORTHLESS = 2


@dataclass(frozen=True, kw_only=True)
class Listings:
    """One entry per listing, ordered by symbol, then start; all arrays of equal length.

    ``first`` and ``last`` count sessions of the period from 0, both included.
    """

    symbol: list[str]
    name: list[str]
    kind: npt.NDArray[np.str_]
    sector: npt.NDArray[np.str_]
    first: Ints
    last: Ints
    fate: Ints
    price: Floats  # first close [USD]
    volatility: Floats  # daily, of quiet days
    beta: Floats  # on the market factor
    dollar_volume: Floats  # usual [USD a session]
    free_float: Floats  # [shares]
    free_share: Floats  # float / shares outstanding

    def __len__(self) -> int:
        return len(self.symbol)

    def is_kind(self, *kinds: str) -> Bools:
        """Return which listings are of one of ``kinds``."""
        return np.isin(self.kind, kinds)


def draw(*, count: int, sessions: int, rng: np.random.Generator) -> Listings:
    """Draw ``count`` listings over a period of ``sessions`` sessions, SPY among them.

    Raises:
        ValueError: ``count`` is outside 20 to 10,000 or the period below 200 sessions.
    """
    if not FEWEST_LISTINGS <= count <= MOST_LISTINGS:
        raise ValueError(f"listings must be {FEWEST_LISTINGS} to {MOST_LISTINGS}, got {count}")
    if sessions < 5 * SHORTEST_LISTING:
        raise ValueError(f"the period must be {5 * SHORTEST_LISTING} sessions or more")
    kind = rng.choice(KINDS, size=count, p=KIND_SHARES)
    kind[0] = "etf"
    pairs = max(1, count // REUSE_PER_LISTINGS)
    kind[1 : 2 * pairs + 1] = "common"
    first, last, fate = _periods(count, sessions, pairs, rng)
    symbol = _symbols(kind, pairs, rng)
    sector = rng.choice(SECTORS, size=count, p=SECTOR_SHARES)
    sector[np.isin(kind, ("etf", "spac", "warrant", "unit"))] = "Finance"
    name = [
        f"Simulated {'Fund' if k == 'etf' else s} {i:03d} {TITLES[k]}"
        for i, (k, s) in enumerate(zip(kind.tolist(), sector.tolist(), strict=True))
    ]
    name[0] = "Simulated Market Index ETF"
    figures = _figures(kind, rng)
    order = np.lexsort((first, np.array(symbol)))
    return Listings(
        symbol=[symbol[i] for i in order],
        name=[name[i] for i in order],
        kind=kind[order],
        sector=sector[order],
        first=first[order],
        last=last[order],
        fate=fate[order],
        **{key: values[order] for key, values in figures.items()},
    )


def _periods(
    count: int, sessions: int, pairs: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return first session, last session and fate; entries 1..2*pairs share tickers in pairs."""
    end = sessions - 1
    first = np.zeros(count, dtype=np.int64)
    last = np.full(count, end)
    late = rng.random(count) < LATE_SHARE
    first[late] = rng.integers(1, sessions - SHORTEST_LISTING, size=int(late.sum()))
    leaving = (rng.random(count) < LEAVING_SHARE) & (sessions - first > 3 * SHORTEST_LISTING)
    room = sessions - first[leaving] - 2 * SHORTEST_LISTING
    last[leaving] = end - (rng.random(room.size) * room).astype(np.int64) - 1
    first[: 2 * pairs + 1] = 0
    last[: 2 * pairs + 1] = end
    gone = np.arange(1, 2 * pairs + 1, 2)
    last[gone] = rng.integers(sessions // 4, sessions // 2, size=pairs)
    first[gone + 1] = last[gone] + REUSE_GAP_SESSIONS
    worthless = rng.random(count) < WORTHLESS_SHARE
    worthless[gone[0]] = True
    fate = np.where(last == end, Fate.STAYS, np.where(worthless, Fate.WORTHLESS, Fate.ACQUIRED))
    return first, last, fate.astype(np.int64)


def _symbols(kind: npt.NDArray[np.str_], pairs: int, rng: np.random.Generator) -> list[str]:
    """Return tickers: ``ZQ``, three letters, and a suffix for warrants and units."""
    codes = rng.permutation(26**3)[: kind.size].tolist()
    symbols = [
        PREFIX
        + "".join(chr(65 + code // 26**place % 26) for place in (2, 1, 0))
        + SUFFIXES.get(k, "")
        for code, k in zip(codes, kind.tolist(), strict=True)
    ]
    symbols[0] = INDEX_SYMBOL
    for position in range(1, 2 * pairs + 1, 2):
        symbols[position + 1] = symbols[position]
    return symbols


def _figures(kind: npt.NDArray[np.str_], rng: np.random.Generator) -> dict[str, Floats]:
    """Return price, volatility, beta, volume and float of every listing, by kind."""
    count = kind.size
    low = rng.random(count) < LOW_PRICED_SHARE
    spread = rng.standard_normal((5, count))
    price = np.where(
        low,
        LOW_PRICE_USD * np.exp(LOW_PRICE_SPREAD * spread[0]),
        HIGH_PRICE_USD * np.exp(HIGH_PRICE_SPREAD * spread[0]),
    )
    small = spread[3]  # low turnover = large float = calmer
    volatility = VOLATILITY * np.exp(VOLATILITY_SPREAD * (0.95 * spread[1] + 0.3 * small))
    cheaper = (price / LOW_PRICE_USD) ** PRICE_TO_VOLATILITY
    volatility = np.clip(volatility * np.where(low, cheaper, 0.6), 0.008, 0.10)
    dollars = DOLLAR_VOLUME_USD * np.exp(DOLLAR_VOLUME_SPREAD * spread[2]) * np.where(low, 1, 8)
    beta = np.clip(1.0 + 0.4 * spread[4], 0.1, 2.5)
    calm = np.isin(kind, ("spac", "unit"))
    etf, warrant = kind == "etf", kind == "warrant"
    price = np.select(
        [calm, etf, warrant], [10.1 + 0.1 * low, 20 + 10 * low, 0.1 + price / 10], price
    )
    volatility = np.select([calm, etf, warrant], [0.003, 0.004, 0.08], volatility)
    dollars = np.select([calm, etf, warrant], [4e5, 2e7, 3e4], dollars)
    beta = np.select([calm, etf], [0.02, 1.0], beta)
    turnover = TURNOVER * np.exp(TURNOVER_SPREAD * small)
    price[0], volatility[0], beta[0], dollars[0] = 400.0, 0.0005, 1.0, 3e10
    return {
        "price": price,
        "volatility": volatility,
        "beta": beta,
        "dollar_volume": dollars,
        "free_float": np.maximum(dollars / price / turnover, 5e5),
        "free_share": rng.uniform(0.45, 0.98, count),
    }
