"""The detector again, in plain Python: one bar, one window, one formula at a time.

Slow and readable on purpose, and written from design §4-§7, not from the compiled loops.
Sessions are numbers, so that "20 sessions before" is a subtraction. None is null.
"""

from dataclasses import dataclass, field
from datetime import date
from math import exp, log
from statistics import fmean, median, stdev
from typing import Any

from analytics.calc import sessions
from analytics.calc.detector import Rules
from analytics.calc.similarity import Reference
from tests.markets import ABOUT, Market

Row = dict[str, Any]
Key = tuple[str, date]


@dataclass
class Listing:
    """Bars of one listing by session number, and what its ticker published."""

    symbol: str
    kind: str | None
    first: int
    after: int  # last session of the ticker's listing before
    bars: dict[int, Row] = field(default_factory=dict)
    splits: list[tuple[int, float]] = field(default_factory=list)
    records: dict[str, list[Row]] = field(default_factory=dict)

    def ratio(self, since: int, until: int) -> float:
        """New shares per old of the splits after session ``since``, up to ``until``."""
        product = 1.0
        for at, ratio in self.splits:
            if since < at <= until:
                product *= ratio
        return product

    def window(self, now: int, youngest: int, oldest: int) -> list[int]:
        """Sessions with a bar from ``oldest`` to ``youngest`` sessions before ``now``."""
        return [at for at in range(now - oldest, now - youngest + 1) if at in self.bars]

    def known(self, table: str, now: int) -> list[Row]:
        """Records of this company that a scan of ``now`` may use, oldest publication first."""
        day, end = sessions.day(now), sessions.cut_off(sessions.day(now))
        usable = [
            row
            for row in self.records.get(table, [])
            if row["known_on"] <= end and row["day"] <= day and row["about"] > self.after
        ]
        return sorted(usable, key=lambda row: (row["usable"], row["day"], row["known_on"]))


def listings(market: Market) -> list[Listing]:
    """Cut each ticker's bars into its listings, by symbol and session."""
    found: list[Listing] = []
    for (symbol,), bars in market.bars.group_by("symbol", maintain_order=True):
        own = {
            name: getattr(market, name).filter(symbol=symbol).to_dicts()
            for name in ("securities", "splits", "short_interest", "shares", "short_volume")
        }
        periods = sorted(own["securities"], key=lambda row: row["first_session"])
        splits = [(_at_or_after(row["ex_date"]), row["ratio"]) for row in own["splits"]]
        records = {
            name: [_dated(row, row[ABOUT[name]]) for row in own[name]]
            for name in ("short_interest", "shares", "short_volume")
        }
        moods = market.sentiment.filter(symbol=symbol).to_dicts()
        records["sentiment"] = [
            _dated(row | {"known_on": row["published_at"]}, None) for row in moods
        ]
        current = None
        for bar in bars.to_dicts():
            begun = [row for row in periods if row["first_session"] <= bar["session"]]
            if current is None or len(begun) != current[0]:
                now = sessions.number(bar["session"])
                listing = Listing(symbol=symbol, kind=None, first=now, after=-1)
                if begun:
                    listing.kind = begun[-1]["kind"]
                    listing.first = sessions.number(begun[-1]["first_session"])
                if len(begun) > 1:
                    listing.after = sessions.number(begun[-2]["last_session"])
                listing.splits, listing.records = splits, records
                found.append(listing)
                current = (len(begun), listing)
            current[1].bars[sessions.number(bar["session"])] = bar
    return found


def _at_or_after(day: date) -> int:
    number = sessions.number(day)
    return number if sessions.day(number) == day else number + 1


def _dated(row: Row, day: date | None) -> Row:
    """Add the day that a record is about, its session, and the first day that may use it."""
    local = row["known_on"].astimezone(sessions.NEW_YORK)
    published = local.date()
    if local.replace(tzinfo=None) == local.replace(tzinfo=None, hour=0, minute=0, second=0):
        published = date.fromordinal(published.toordinal() - 1)  # midnight ends the day before
    about = day or published
    return row | {"day": about, "about": sessions.number(about), "usable": max(about, published)}


def features(listing: Listing, now: int) -> Row:
    """Every feature of design §4 for one bar."""
    bar, bars = listing.bars[now], listing.bars
    close, high, low = bar["close"], bar["high"], bar["low"]
    past = listing.window(now, 1, 20)
    volumes = [bars[at]["volume"] * listing.ratio(at, now) for at in past]
    usual = fmean(volumes) if len(past) >= 15 else None
    highs = [
        bars[at]["high"] / listing.ratio(at, now) for at in past if bars[at]["high"] is not None
    ]
    before = _adjusted_close(listing, now, 1)
    ranges = _true_ranges(listing, now)
    recent, older = listing.window(now, 0, 4), listing.window(now, 5, 24)
    grown = None
    if len(recent) >= 4 and len(older) >= 15:
        new = fmean(bars[at]["volume"] * listing.ratio(at, now) for at in recent)
        old = fmean(bars[at]["volume"] * listing.ratio(at, now) for at in older)
        grown = new / old if old > 0 else None
    spread = None if high is None or low is None else high - low
    found = {
        "rel_volume": bar["volume"] / usual if usual else None,
        "dollar_volume_20": fmean(bars[at]["close"] * bars[at]["volume"] for at in past)
        if len(past) >= 15
        else None,
        "gap": bar["open"] / before - 1 if before and bar["open"] is not None else None,
        "close_location": (close - low) / spread if spread else None,
        "atr_pct_14": fmean(ranges) / close if len(ranges) >= 11 else None,
        "breakout_20": close / max(highs) - 1 if len(highs) >= 15 else None,
        "volatility_20": _deviation(listing, now, 0, 19),
        "volatility_20_before": _deviation(listing, now, 1, 20),
        "accumulation_5": grown,
    }
    for back in (1, 5, 20):
        price = _adjusted_close(listing, now, back)
        found[f"ret_{back}"] = close / price - 1 if price else None
    return found | _published(listing, now)


def _adjusted_close(listing: Listing, now: int, back: int) -> float | None:
    if now - back not in listing.bars:
        return None
    price: float = listing.bars[now - back]["close"] / listing.ratio(now - back, now)
    return price


def _true_ranges(listing: Listing, now: int) -> list[float]:
    ranges = []
    for at in listing.window(now, 0, 13):
        bar, before = listing.bars[at], _adjusted_close(listing, at, 1)
        if before and bar["high"] is not None and bar["low"] is not None:
            width = max(bar["high"], before) - min(bar["low"], before)
            ranges.append(width / listing.ratio(at, now))
    return ranges


def _deviation(listing: Listing, now: int, youngest: int, oldest: int) -> float | None:
    returns = []
    for at in listing.window(now, youngest, oldest):
        before = _adjusted_close(listing, at, 1)
        if before:
            returns.append(log(listing.bars[at]["close"] / before))
    return stdev(returns) if len(returns) >= 15 else None


def _published(listing: Listing, now: int) -> Row:
    found = dict.fromkeys(
        ("float_shares", "float_outstanding", "float_age", "short_interest_pct",
         "short_interest_age", "days_to_cover", "short_volume_ratio", "sentiment")
    )  # fmt: skip
    shares = listing.known("shares", now)
    today = sessions.day(now)
    public = [row for row in shares if row["public_float"] and (today - row["day"]).days <= 400]
    outstanding = [row for row in shares if row["shares_outstanding"]]
    if public or outstanding:
        row = (public or outstanding)[-1]
        count = row["public_float"] if public else row["shares_outstanding"]
        found["float_shares"] = count * listing.ratio(row["about"], now)
        found["float_outstanding"] = 0.0 if public else 1.0
        found["float_age"] = now - row["about"]
    short = _latest(listing, "short_interest", now, 30)
    if short:
        if found["float_shares"]:
            held = short["shares_short"] * listing.ratio(short["about"], now)
            found["short_interest_pct"] = held / found["float_shares"]
        found["short_interest_age"] = now - short["about"]
        found["days_to_cover"] = short["days_to_cover"]
    ratio = _latest(listing, "short_volume", now, 5)
    if ratio and ratio["total_volume"] > 0:
        found["short_volume_ratio"] = ratio["short_volume"] / ratio["total_volume"]
    mood = _latest(listing, "sentiment", now, 5)
    if mood:
        found["sentiment"] = mood["sentiment"]
    return found


def _latest(listing: Listing, table: str, now: int, life: int) -> Row | None:
    """The known record about the latest day, unless it is more than ``life`` sessions old."""
    known = sorted(listing.known(table, now), key=lambda row: (row["day"], row["known_on"]))
    return known[-1] if known and now - known[-1]["about"] <= life else None


def clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def components(row: Row) -> dict[str, float | None]:
    """The components of design §5 in [0, 1]; None where an input is."""
    times, shares, short = row["rel_volume"], row["float_shares"], row["short_interest_pct"]
    place, breakout, mood = row["close_location"], row["breakout_20"], row["sentiment"]
    returns = (row["ret_1"], row["ret_5"], row["ret_20"])
    momentum = None
    if None not in returns:
        parts = zip(returns, (0.15, 0.30, 0.60), strict=True)
        momentum = fmean(clip(change / full) for change, full in parts)
    volume = None if times is None else clip(log(times) / log(20.9)) if times > 1 else 0.0
    small = clip(1 - log(shares / 5e6) / log(1e8 / 5e6)) if shares else None
    technical = None
    if place is not None and breakout is not None:
        technical = fmean((clip(place), clip((breakout + 0.05) / 0.15)))
    return {
        "volume": volume,
        "momentum": momentum,
        "float": small,
        "short_interest": None if short is None else clip((short - 0.05) / 0.25),
        "technical": technical,
        "sentiment": None if mood is None else clip((mood + 1) / 2),
    }


def score(parts: dict[str, float | None], weights: dict[str, float]) -> tuple[float | None, float]:
    """Score over the components with data, and the share of the weights that has data."""
    known = {name: w for name, w in weights.items() if w > 0 and parts[name] is not None}
    covered = sum(known.values())
    if not known:
        return None, 0.0
    points = 100 * sum(w * (parts[name] or 0.0) for name, w in known.items()) / covered
    return points, covered / sum(weights.values())


def similarity(row: Row, reference: Reference) -> tuple[float | None, float]:
    """Similarity of design §6 and the share of the weights that was compared."""
    widths = {
        "rel_volume": (0.40, log(2)),
        "short_interest_pct": (0.30, log(1.8)),
        "float_shares": (0.20, log(2.5)),
        "close": (0.10, log(1.5)),
    }
    distance = covered = 0.0
    for name, (weight, width) in widths.items():
        known = getattr(reference, name)
        if row[name] and known:
            distance += weight * (log(row[name] / known) / width) ** 2
            covered += weight
    return (100 * exp(-distance / covered / 2) if covered else None), covered


@dataclass
class Scan:
    """One session under one variant: rows by symbol, and the funnel."""

    picks: list[Row]
    shadow: list[Row]
    funnel: list[int]
    universe: int


def gate(listing: Listing, now: int, row: Row, rules: Rules, coverage: float) -> int:
    """The first gate of design §7 that fails, from 1; 0 if none does."""
    bar = listing.bars[now]
    before = max((at for at in listing.bars if at < now), default=now)
    dollars, times, shares = row["dollar_volume_20"], row["rel_volume"], row["float_shares"]
    passed = (
        listing.kind in {"common", "adr"},
        now - listing.first + 1 >= rules.min_sessions,
        bar["volume"] > 0,
        listing.ratio(before, now) == 1.0,
        rules.min_close <= bar["close"] <= rules.max_close,
        dollars is not None and dollars >= rules.min_dollar_volume,
        times is not None and times >= rules.min_rel_volume,
        shares is None or shares < rules.max_float,
        coverage >= rules.min_coverage - 1e-9,
    )
    return 0 if all(passed) else passed.index(False) + 1


def scan(found: list[Listing], now: int, rules: Rules, references: list[Reference]) -> Scan:
    """Gates, scores and ranks of one session."""
    present, codes = [], []
    for listing in found:
        if now in listing.bars:
            row = features(listing, now) | {
                "symbol": listing.symbol,
                "listing": id(listing),
                "close": listing.bars[now]["close"],
            }
            row["parts"] = components(row)
            row["score"], row["coverage"] = score(row["parts"], rules.weights)
            alike = [similarity(row, known)[0] for known in references]
            row["similarity"] = max((a for a in alike if a is not None), default=None)
            row["code"] = gate(listing, now, row, rules, row["coverage"])
            present.append(row)
            codes.append(row["code"])
        elif _absent(found, listing, now):
            short = now - listing.first + 1 < rules.min_sessions
            codes.append(1 if listing.kind not in {"common", "adr"} else 2 if short else 3)
    pool = [row for row in present if row["code"] == 0]
    covered = [
        row
        for row in present
        if row["code"] in {0, 7}
        and row["coverage"] >= rules.min_coverage - 1e-9
        and not (row["float_shares"] or 0) >= rules.max_float
    ]
    return Scan(
        picks=_ranked(pool, rules),
        shadow=_ranked(covered, rules),
        funnel=[sum(code == 0 or code > gate for code in codes) for gate in range(1, 10)],
        universe=len(codes),
    )


def _absent(found: list[Listing], listing: Listing, now: int) -> bool:
    """Whether the listing counts as listed though it has no bar: its last is 5 sessions old."""
    past = [at for at in listing.bars if at < now]
    later = [
        other
        for other in found
        if other.symbol == listing.symbol and min(listing.bars) < min(other.bars) <= now
    ]
    return bool(past) and now - max(past) <= 5 and not later


def _ranked(pool: list[Row], rules: Rules) -> list[Row]:
    """Best first by the lower bound, then similarity, then symbol. Changes no row of the pool."""
    weights = {
        name: w
        for name, w in rules.weights.items()
        if w > 0 and any(row["parts"][name] is not None for row in pool)
    }
    rows = [
        row
        | {
            "rank_score": 100
            * sum(w * (row["parts"][name] or 0.0) for name, w in weights.items())
            / sum(weights.values())
        }
        for row in pool
    ]

    def order(row: Row) -> tuple[float, float, str]:
        alike = -1.0 if row["similarity"] is None else row["similarity"]
        return -round(row["rank_score"], 9), -round(alike, 9), row["symbol"]

    return sorted(rows, key=order)[: rules.top]


def spike_share(found: list[Listing], now: int) -> float | None:
    """Share of the common stocks with a relative volume for which it is 3 or more."""
    times = [
        features(listing, now)["rel_volume"]
        for listing in found
        if listing.kind == "common" and now in listing.bars
    ]
    known = [value for value in times if value is not None]
    return fmean(value >= 3 for value in known) if known else None


def volume_event(shares: list[float | None]) -> bool | None:
    """Whether the last share is more than 3 times the median of the 60 before, 40 of them known."""
    before = [share for share in shares[-61:-1] if share is not None]
    if len(before) < 40 or shares[-1] is None:
        return None
    return shares[-1] > 3 * median(before)
