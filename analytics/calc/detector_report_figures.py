"""Figures of one variant's lists within a scope of sessions, with their evidence (design §1)."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.calc import evidence, exits, intervals, outcomes, sessions, strata
from analytics.calc.backtest import captures
from analytics.calc.backtest_report import plain
from analytics.calc.detector_report_rows import DOUBLED, Rows
from analytics.calc.documents import Document
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import Pooled
from analytics.calc.panel import Flags, Floats, Ints, Longs

BINS = 10  # of the calibration curve, of about equal size


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Sessions that figures are pooled over.

    Attributes:
        key: ``before``, ``untouched``, ``common`` or a year.
        title: For people.
        number: The sessions, ascending.
    """

    key: str
    title: str
    number: Ints


class Figures:
    """Figures of one variant within one scope. Documents are those of ``plain``."""

    def __init__(self, rows: Rows, picks: pl.DataFrame, scope: Scope, *, source: str) -> None:
        """Take the rows and the picks of one variant; those outside the scope are left out."""
        self.scope, self.source = scope, source
        self.as_of = sessions.day(int(scope.number[-1])) if scope.number.size else None
        inside = np.isin(picks["number"].to_numpy(), scope.number)
        self.inside: Flags = inside
        self.picks = picks.filter(pl.Series(inside, dtype=pl.Boolean))
        self.place = self._place(self.picks["number"].to_numpy())
        self.rank = self.picks["rank"].to_numpy()
        self.known: Flags = self.picks["known"].to_numpy()
        with np.errstate(invalid="ignore"):
            peak = self.picks["peak"].to_numpy()
            self.explosive: Flags = self.known & (peak >= outcomes.EXPLOSIVE)
        self.at = np.searchsorted(rows.number, scope.number)
        self.base = rows.base

    def _place(self, number: Ints) -> Longs:
        return np.searchsorted(self.scope.number, number).astype(np.int64)

    def top(self, most: int | None) -> Flags:
        """Return which picks are among the first ``most`` of their session."""
        found: Flags = self.rank <= (most or np.iinfo(np.int32).max)
        return found

    def _counts(self, chosen: Flags) -> Floats:
        found = np.bincount(self.place[chosen], minlength=self.scope.number.size)
        return found.astype(np.float64)

    def _sums(self, chosen: Flags, values: Floats) -> Floats:
        size = self.scope.number.size
        found = np.bincount(self.place[chosen], weights=values[chosen], minlength=size)
        return found.astype(np.float64)

    def _rate(self, rate: Pooled | None) -> Document:
        return plain(evidence.rate_estimate(rate, source=self.source, as_of=self.as_of))

    def precision(self, most: int | None) -> Document:
        """Return the explosive share of the first ``most`` of each session."""
        of = self.known & self.top(most)
        return self._rate(intervals.ratio(self._counts(of & self.explosive), self._counts(of)))

    def base_rate(self) -> Document:
        """Return the explosive share of the base universe of the same sessions."""
        hits, n = self.base.explosive[self.at], self.base.n[self.at]
        return self._rate(intervals.ratio(hits.astype(float), n.astype(float)))

    def lift(self, most: int | None, *, matched: bool) -> Document:
        """Return precision over the base rate; ``matched`` on the volatility decile."""
        of = self.known & self.top(most)
        if not matched:
            own = intervals.ratio(self._counts(of & self.explosive), self._counts(of))
            hits, n = self.base.explosive[self.at], self.base.n[self.at]
            base = intervals.ratio(hits.astype(float), n.astype(float))
            return self._lift(own, base)
        size, decile = self.scope.number.size, self.picks["decile"].to_numpy()
        hit = of & self.explosive
        mine = strata.counts(decile[of], self.place[of], size).astype(float)
        hits = strata.counts(decile[hit], self.place[hit], size).astype(float)
        base = intervals.matched_base(
            mine,
            self.base.by_decile[self.at].astype(float),
            self.base.explosive_by_decile[self.at].astype(float),
        )
        return self._lift(intervals.ratio(hits.sum(axis=1), mine.sum(axis=1)), base)

    def _lift(self, rate: Pooled | None, base: Pooled | None) -> Document:
        return plain(evidence.lift_estimate(rate, base, source=self.source, as_of=self.as_of))

    def mean(self, values: Floats, of: Flags) -> Estimate:
        """Return the mean over chosen picks; refused below ``exits.FEWEST`` of them."""
        chosen = of & ~np.isnan(values)
        n = int(np.count_nonzero(chosen))
        if n < exits.FEWEST:
            return self._too_few(n)
        return evidence.mean_estimate(self.pooled(values, of), source=self.source, as_of=self.as_of)

    def pooled(self, values: Floats, of: Flags) -> Pooled | None:
        """Return the mean over chosen picks with its influence by session."""
        chosen = of & ~np.isnan(values)
        return intervals.ratio(self._sums(chosen, values), self._counts(chosen))

    def median(self, values: Floats, of: Flags) -> Estimate:
        """Return the median in the same way."""
        chosen = of & ~np.isnan(values)
        n = int(np.count_nonzero(chosen))
        if n < exits.FEWEST:
            return self._too_few(n)
        return evidence.median_estimate(
            values[chosen],
            self.place[chosen],
            self.scope.number.size,
            source=self.source,
            as_of=self.as_of,
        )

    def _too_few(self, n: int) -> Estimate:
        reason = f"{n} entries, {exits.FEWEST} are needed"
        return evidence.insufficient(n=n, reason=reason, source=self.source, as_of=self.as_of)

    def calibration(self) -> Document | None:
        """Return forecast against observed rate in bins, and the mean gap; None without ``p``."""
        p = self.picks["p"].to_numpy()
        of = self.known & ~np.isnan(p)
        if np.count_nonzero(of) < exits.FEWEST:
            return None
        order = np.argsort(p[of], kind="stable")
        place = np.empty(order.size, np.int64)
        place[order] = np.arange(order.size) * BINS // order.size
        bin_of = np.full(p.size, -1)
        bin_of[of] = place
        bins, gap = [], 0.0
        for at in range(BINS):
            own = bin_of == at
            if not own.any():
                continue
            forecast, seen = float(p[own].mean()), float(self.explosive[own].mean())
            gap += abs(forecast - seen) * np.count_nonzero(own) / order.size
            rate = intervals.ratio(self._counts(own & self.explosive), self._counts(own))
            bins.append({"forecast": forecast, "observed": self._rate(rate)})
        brier = float(np.mean((p[of] - self.explosive[of]) ** 2))
        return {"bins": bins, "error": gap, "brier": brier, "n": int(order.size)}


class Recall:
    """Which explosive stock-days and episodes one variant named, over all sessions."""

    def __init__(self, rows: Rows, picks: pl.DataFrame, *, most: int | None, source: str) -> None:
        """Take the picks of one variant; only the first ``most`` of each session if given."""
        named = picks if most is None else picks.filter(pl.col("rank") <= most)
        self.source = source
        self.any = captures(rows.winners, named)
        self.doubled = captures(rows.winners.filter(pl.col("peak") >= DOUBLED), named)

    def of(self, scope: Scope) -> Document:
        """Return the shares within a scope; an episode belongs to the session it begins on."""
        return {
            "stock_days": self._share(scope, self.any.day_number, self.any.day_named),
            "episodes": self._share(scope, self.any.number, self.any.captured),
            "doubled_episodes": self._share(scope, self.doubled.number, self.doubled.captured),
        }

    def _share(self, scope: Scope, number: Ints, hit: Flags) -> Document:
        inside = np.isin(number, scope.number)
        at, size = np.searchsorted(scope.number, number[inside]), scope.number.size
        found = intervals.ratio(
            np.bincount(at[hit[inside]], minlength=size).astype(float),
            np.bincount(at, minlength=size).astype(float),
        )
        as_of = sessions.day(int(scope.number[-1])) if size else None
        return plain(evidence.rate_estimate(found, source=self.source, as_of=as_of))
