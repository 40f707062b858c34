"""Daily bars of a simulated stock market, drawn at the base rates of the real one.

Returns are a market factor plus fat-tailed own moves whose volatility clusters. Now and then
news multiplies a stock's volume (a power law) and moves its price; days of high volatility
follow, most of the jump fades, and a few stocks run on. Which they will be cannot be seen
beforehand: nothing that a detector reads steers it.

Source:
    design §1, "Sanity against reality"; the constants were fitted to statistics of US stocks at
    $1 to $8 in 2022-23 (volume multiples, moves by multiple, their decay, volatility deciles).
"""

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.signal import lfilter

from analytics.calc.simulation_listings import Bools, Fate, Floats, Ints, Listings

TAIL_DF = 4.0  # of Student's t: daily moves have fat tails

# The market factor
MARKET_VOLATILITY = 0.0095
MARKET_DRIFT = 0.0003
SHOCK_CHANCE, SHOCK_SIZE = 0.006, 0.035  # sessions on which everything moves
SMALL_CAP_VOLATILITY = 0.008  # second factor: what small stocks do beside the index

# Own volatility
CLUSTER_DECAY, CLUSTER_SPREAD = 0.95, 0.25
OVERNIGHT_SHARE = 0.22  # of the variance
INTRADAY_WIDTH = 1.15  # of the wandering within a session, over its volatility
LOG_DRIFT = -0.0006  # a session; low-priced stocks sink

# News: volume multiple, jump, aftermath
NEWS_RATE = 0.015  # a session, at the usual volatility
NEWS_CALM_RATE = 0.002  # for blank-check companies, units, funds
NEWS_HEAT_DECAY, NEWS_HEAT = 0.94, 0.9  # news comes in clusters
MULTIPLE_LEAST, MULTIPLE_TAIL, MULTIPLE_MOST = 3.5, 1.15, 400.0
UP_CHANCE, UP_SLOPE = 0.50, 0.09  # per unit of ln(multiple / least)
JUMP_SCALE, JUMP_POWER, JUMP_SPREAD, JUMP_MOST = 0.040, 0.47, 0.55, 1.1
RUN_CHANCE, RUN_DRIFT, RUN_DECAY = 0.06, 0.055, 0.85
FADE_SHARE, FADE_DECAY = 0.10, 0.65
QUICK_UNREST, QUICK_DECAY = 0.26, 0.62  # log volatility per unit of ln(multiple)
SLOW_UNREST, SLOW_DECAY = 0.12, 0.93
MOST_UNREST = 1.6
HEAT_UNREST = 0.20  # attention makes days wilder ...

# Volume
SLOW_VOLUME_DECAY, SLOW_VOLUME_SPREAD = 0.975, 0.4
MID_VOLUME_DECAY, MID_VOLUME_SPREAD = 0.80, 0.32
HEAT_VOLUME = 0.35  # ... and busier
DAY_VOLUME_SPREAD = 0.27
MOVE_VOLUME = 0.30  # log volume per standard deviation of move
STAYING_VOLUME, VOLUME_DECAY = 0.62, 0.66  # how a multiple dies away
EVENT_FRIDAY_VOLUME, EVENT_FRIDAY_SPREAD = 0.55, 0.50
PRICE_TO_DOLLARS = 0.6  # elasticity of dollar volume to price

TAKEOVER_SESSIONS = 45  # between offer and last day
RUIN_SESSIONS = 60


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Prices and volumes before splits, one row per listing, one column per session."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    seen: Bools  # a bar exists


def draw(listings: Listings, *, event_fridays: Bools, rng: np.random.Generator) -> Paths:
    """Draw the bars of ``listings`` as if nothing ever split.

    Args:
        listings: Who trades when.
        event_fridays: Per session, whether index and option expiry trading swells
            everybody's volume.
        rng: The only source of chance.
    """
    shape = (len(listings), event_fridays.size)
    news = _news(listings, shape, rng)
    unrest = _unrest(news, shape, rng)
    spread = listings.volatility[:, None] * np.exp(unrest)
    own = rng.standard_t(TAIL_DF, shape) / np.sqrt(TAIL_DF / (TAIL_DF - 2))
    overnight = rng.standard_t(TAIL_DF, shape) / np.sqrt(TAIL_DF / (TAIL_DF - 2))
    factor = _factor(listings, shape[1], rng)
    drift = _drift(listings, news, shape)
    jump, fated = _fates(listings, news.jump, spread, rng)
    at_night = rng.beta(4, 2, shape)  # share of a jump that comes with the open
    night = 0.5 * factor + np.sqrt(OVERNIGHT_SHARE) * fated * overnight + at_night * jump
    day = 0.5 * factor + np.sqrt(1 - OVERNIGHT_SHARE) * fated * own + (1 - at_night) * jump + drift
    day -= 0.5 * fated**2
    close = np.cumsum(night + day, axis=1)
    close += (np.log(listings.price) - _at(close, listings.first))[:, None]
    opened = close - day
    width = np.maximum(INTRADAY_WIDTH * fated + 0.35 * (1 - at_night) * np.abs(jump), 1e-4)
    high, low = _extremes(day, width, rng)
    volume = _volume(listings, news, own=own, close=close, fridays=event_fridays, rng=rng)
    return Paths(
        open=np.exp(opened),
        high=np.exp(opened + high),
        low=np.exp(opened + low),
        close=np.exp(close),
        volume=volume,
        seen=_listed(listings, shape[1]),
    )


@dataclass(frozen=True, kw_only=True)
class _News:
    """Where news falls; all zero elsewhere."""

    multiple: Floats  # ln of the volume multiple
    jump: Floats  # log return
    run: Floats  # 1 where the stock runs on
    heat: Floats  # attention: standard normal, slow


def _news(listings: Listings, shape: tuple[int, int], rng: np.random.Generator) -> _News:
    heat = _smooth(rng.standard_normal(shape), NEWS_HEAT_DECAY)
    usual = NEWS_RATE * np.sqrt(listings.volatility / 0.04)
    calm = listings.is_kind("spac", "unit", "etf")
    rate = np.where(calm, NEWS_CALM_RATE, usual)
    falls = rng.random(shape) < rate[:, None] * np.exp(NEWS_HEAT * heat - NEWS_HEAT**2 / 2)
    beyond = np.minimum(
        rng.exponential(1 / MULTIPLE_TAIL, shape), log(MULTIPLE_MOST / MULTIPLE_LEAST)
    )
    multiple = np.where(falls, log(MULTIPLE_LEAST) + beyond, 0.0)
    up = rng.random(shape) < np.minimum(UP_CHANCE + UP_SLOPE * beyond, 0.9)
    size = JUMP_SCALE * np.exp(JUMP_POWER * multiple + JUMP_SPREAD * rng.standard_normal(shape))
    size *= np.sqrt(listings.volatility / 0.04)[:, None]
    jump = np.where(falls, np.where(up, 1.0, -1.0) * np.minimum(size, JUMP_MOST), 0.0)
    run = falls & (rng.random(shape) < RUN_CHANCE)
    return _News(multiple=multiple, jump=jump, run=run.astype(np.float64), heat=heat)


def _unrest(news: _News, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return log volatility over the usual: slow clusters, and unrest after news."""
    clusters = CLUSTER_SPREAD * _smooth(rng.standard_normal(shape), CLUSTER_DECAY)
    quick = QUICK_UNREST * _fading(news.multiple, QUICK_DECAY)
    slow = SLOW_UNREST * _fading(news.multiple, SLOW_DECAY)
    return clusters + HEAT_UNREST * news.heat + np.minimum(quick + slow, MOST_UNREST)


def _factor(listings: Listings, sessions: int, rng: np.random.Generator) -> Floats:
    """Return what the market does to each listing: calm and wild spells, and rare shocks."""
    wild = np.exp(0.3 * _smooth(rng.standard_normal((1, sessions)), 0.97)[0])
    market = MARKET_VOLATILITY * wild * rng.standard_t(TAIL_DF, sessions) / np.sqrt(2.0)
    shocks = rng.random(sessions) < SHOCK_CHANCE
    market += shocks * SHOCK_SIZE * rng.choice([-1.0, 1.0], sessions, p=[0.65, 0.35])
    small = SMALL_CAP_VOLATILITY * wild * rng.standard_normal(sessions)
    stocks = listings.is_kind("common", "adr", "warrant").astype(np.float64)
    factor: Floats = listings.beta[:, None] * (market + MARKET_DRIFT + stocks[:, None] * small)
    return factor


def _drift(listings: Listings, news: _News, shape: tuple[int, int]) -> Floats:
    """Return what follows news (most fades, little runs on) and the slow sinking."""
    fading = (1 - news.run) * np.maximum(news.jump, -0.25 * news.jump)
    after = RUN_DRIFT * _fading(news.run, RUN_DECAY) - FADE_SHARE * _fading(fading, FADE_DECAY)
    later = np.zeros(shape)
    later[:, 1:] = after[:, :-1]
    stocks = listings.is_kind("common", "adr", "warrant")
    return later + np.where(stocks, LOG_DRIFT, 0.0)[:, None]


def _fates(
    listings: Listings, jump: Floats, spread: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return jumps and volatility with the ends of listings in them: offers and ruins."""
    jump, spread = jump.copy(), spread.copy()
    for row in np.flatnonzero(listings.fate == Fate.ACQUIRED):
        offer = listings.last[row] - TAKEOVER_SESSIONS + int(rng.integers(0, 15))
        jump[row, offer:] = 0.0
        jump[row, offer] = rng.uniform(0.1, 0.5)
        spread[row, offer:] = 0.003
    for row in np.flatnonzero(listings.fate == Fate.WORTHLESS):
        blow = listings.last[row] - RUIN_SESSIONS + int(rng.integers(0, 40))
        jump[row, blow:] = np.minimum(jump[row, blow:], 0.0) - 0.035
        jump[row, blow] = -rng.uniform(0.8, 1.6)
    return jump, spread


def _extremes(move: Floats, width: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return highest and lowest log price over the open, given the move from open to close.

    Source:
        The extreme of a Brownian bridge: P(max > m) = exp(-2 m (m - x) / width^2).
    """
    top, bottom = (-2.0 * np.log1p(-rng.random(move.shape)) * width**2 for _ in range(2))
    high: Floats = (move + np.sqrt(move**2 + top)) / 2
    low: Floats = (move - np.sqrt(move**2 + bottom)) / 2
    return high, low


def _volume(
    listings: Listings,
    news: _News,
    *,
    own: Floats,
    close: Floats,
    fridays: Bools,
    rng: np.random.Generator,
) -> Floats:
    """Return shares traded: slow and quick waves, the day's move, news, and event Fridays."""
    shape = own.shape
    waves = SLOW_VOLUME_SPREAD * _smooth(rng.standard_normal(shape), SLOW_VOLUME_DECAY)
    waves += HEAT_VOLUME * news.heat
    waves += MID_VOLUME_SPREAD * _smooth(rng.standard_normal(shape), MID_VOLUME_DECAY)
    waves += DAY_VOLUME_SPREAD * rng.standard_normal(shape)
    moved = MOVE_VOLUME * (np.minimum(np.abs(own), 4.0) - 0.75)
    dying = STAYING_VOLUME * _fading(news.multiple, VOLUME_DECAY)
    burst = dying + (1 - STAYING_VOLUME) * news.multiple
    friday = EVENT_FRIDAY_VOLUME + EVENT_FRIDAY_SPREAD * rng.standard_normal(shape)
    price = close - np.log(listings.price)[:, None]
    logs = np.log(listings.dollar_volume)[:, None] + PRICE_TO_DOLLARS * price
    logs += waves + moved + burst + fridays * friday - close
    volume: Floats = np.rint(np.exp(logs))
    return volume


def _listed(listings: Listings, sessions: int) -> Bools:
    column = np.arange(sessions)
    inside: Bools = (column >= listings.first[:, None]) & (column <= listings.last[:, None])
    return inside


def _at(rows: Floats, columns: Ints) -> Floats:
    """Return one value per row, at the column given for it."""
    result: Floats = np.take_along_axis(rows, columns[:, None], axis=1)[:, 0]
    return result


def _smooth(noise: Floats, decay: float) -> Floats:
    """Return an autoregression of order one along sessions, with variance 1."""
    result: Floats = lfilter([np.sqrt(1 - decay**2)], [1.0, -decay], noise, axis=1)
    return result


def _fading(pulses: Floats, decay: float) -> Floats:
    """Return pulses that die away by ``decay`` a session."""
    result: Floats = lfilter([1.0], [1.0, -decay], pulses, axis=1)
    return result
