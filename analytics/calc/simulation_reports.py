"""What is published about the simulated companies: share counts and short interest."""

from dataclasses import dataclass

import numpy as np

from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Floats, Ints, Listings

FLOAT_KNOWN, OUTSTANDING_KNOWN = 0.70, 0.90  # of listings; the rest publishes neither
FILING_SESSIONS = 63  # a quarter
FILING_LAG = 2  # sessions from a change to its publication
ISSUE_CHANCE, ISSUE_SIZE = 0.003, (0.05, 0.40)  # new shares a session, share of the old ones
SHORT_SHARE, SHORT_SHARE_SPREAD = 0.03, 1.0  # of the float: median and log spread
SHORT_SHARE_MOST = 0.6
SHORT_PERSISTENCE = 0.93  # from one settlement to the next


@dataclass(frozen=True, kw_only=True)
class ShareCounts:
    """Change points; ``row`` is a listing, ``column`` the session, NaN where not published."""

    row: Ints
    column: Ints
    lag: Ints  # sessions until published
    outstanding: Floats  # [shares]
    public_float: Floats  # [shares]


@dataclass(frozen=True, kw_only=True)
class ShortInterest:
    """One entry per listing and settlement, in the shares of the settlement date."""

    row: Ints
    column: Ints
    shares_short: Floats
    avg_daily_volume: Floats


def draw_growth(listings: Listings, ratios: Floats, *, rng: np.random.Generator) -> Floats:
    """Return shares over those of the first session: splits, and new shares sold."""
    shape = ratios.shape
    issuing = (rng.random(shape) < ISSUE_CHANCE) & listings.is_kind("common", "adr")[:, None]
    sold = np.where(issuing, rng.uniform(*ISSUE_SIZE, shape), 0.0)
    growth: Floats = np.cumprod(ratios * (1 + sold), axis=1)
    return growth


def draw_share_counts(
    listings: Listings, growth: Floats, ratios: Floats, *, rng: np.random.Generator
) -> ShareCounts:
    """Return what companies report: at listing, each quarter, after splits and issues."""
    count = len(listings)
    column = np.arange(growth.shape[1])
    inside = (column >= listings.first[:, None]) & (column <= listings.last[:, None])
    first = column == listings.first[:, None]
    offset = rng.integers(0, FILING_SESSIONS, size=(count, 1))
    quarter = (column + offset) % FILING_SESSIONS == 0
    changed = np.diff(growth, axis=1, prepend=growth[:, :1]) != 0
    basis = rng.random(size=count)
    reports = listings.is_kind("common", "adr") & (basis < OUTSTANDING_KNOWN)
    row, at = np.nonzero((first | quarter | changed) & inside & reports[:, None])
    outstanding = np.rint((listings.free_float / listings.free_share)[row] * growth[row, at])
    floating = np.where(
        basis[row] < FLOAT_KNOWN, np.rint(listings.free_float[row] * growth[row, at]), np.nan
    )
    prompt = first[row, at] | (ratios[row, at] != 1.0)
    return ShareCounts(
        row=row,
        column=at,
        lag=np.where(prompt, 0, FILING_LAG),
        outstanding=outstanding,
        public_float=floating,
    )


def draw_short_interest(
    listings: Listings,
    paths: Paths,
    growth: Floats,
    ratios: Floats,
    *,
    settlements: Ints,
    rng: np.random.Generator,
) -> ShortInterest:
    """Return short interest at ``settlements`` (sessions counted from 0, ascending).

    It wanders slowly around each company's own level and says nothing about what comes next.
    """
    shape = (len(listings), settlements.size)
    level = SHORT_SHARE_SPREAD * rng.standard_normal((len(listings), 1))
    wander = np.empty(shape)
    state = rng.standard_normal(len(listings))
    for position in range(settlements.size):
        fresh = rng.standard_normal(len(listings))
        state = SHORT_PERSISTENCE * state + np.sqrt(1 - SHORT_PERSISTENCE**2) * fresh
        wander[:, position] = state
    share = np.minimum(SHORT_SHARE * np.exp(level + 0.4 * wander), SHORT_SHARE_MOST)
    short = np.rint(share * listings.free_float[:, None] * growth[:, settlements])
    average = _average_volume(paths, ratios, settlements)
    since = np.append(0, settlements[:-1] + 1)
    listed = (listings.first[:, None] <= since) & (listings.last[:, None] >= settlements)
    listed &= listings.is_kind("common", "adr", "etf")[:, None]
    row, which = np.nonzero(listed)
    return ShortInterest(
        row=row,
        column=settlements[which],
        shares_short=short[row, which],
        avg_daily_volume=average[row, which],
    )


def _average_volume(paths: Paths, ratios: Floats, settlements: Ints) -> Floats:
    """Return mean volume of the sessions with a bar since the settlement before; NaN if none."""
    shares = np.cumprod(ratios, axis=1)
    traded = np.cumsum(np.where(paths.seen, paths.volume / shares, 0.0), axis=1)[:, settlements]
    bars = np.cumsum(paths.seen, axis=1, dtype=np.float64)[:, settlements]
    traded = np.diff(traded, axis=1, prepend=0.0)
    bars = np.diff(bars, axis=1, prepend=0.0)
    mean = np.where(bars > 0, traded / np.maximum(bars, 1.0), np.nan)
    average: Floats = np.rint(mean * shares[:, settlements])
    return average
