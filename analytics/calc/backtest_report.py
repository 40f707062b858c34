"""The figures of a backtest, each with its evidence (design §1, §16)."""

from dataclasses import asdict
from datetime import date
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.calc import evidence, intervals, outcomes, ratios, returns, sessions, strata
from analytics.calc.backtest import Captures, Record, Terms, captures
from analytics.calc.documents import Document
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import Pooled
from analytics.calc.outcomes import State
from analytics.calc.returns import Costs, Equity

FEWEST_RANKED = 5  # candidates with an outcome that a session needs for a rank correlation
INDEPENDENT = "daily returns taken as independent"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def plain(estimate: Estimate) -> Document:
    """Return an estimate as JSON takes it."""
    found = asdict(estimate)
    return found | {
        "as_of": estimate.as_of.isoformat() if estimate.as_of else None,
        "status": str(estimate.status),
    }


class Figures:
    """Figures of one record. Every one is a document of :func:`plain`."""

    def __init__(self, record: Record, *, source: str, as_of: date | None) -> None:
        self.record = record
        self.source, self.as_of = source, as_of
        self.place = record.place()
        self.known: Flags = record.known().to_numpy()
        self.first: Flags = record.picks["first"].to_numpy()
        self.held = record.picks["return_14"].to_numpy()
        self.peak = record.picks["peak"].to_numpy()
        with np.errstate(invalid="ignore"):
            self.explosive: Flags = self.known & (self.peak >= outcomes.EXPLOSIVE)
            self.positive: Flags = self.known & (self.held > 0)

    def _counts(self, chosen: Flags) -> Floats:
        found = np.bincount(self.place[chosen], minlength=self.record.number.size)
        return found.astype(np.float64)

    def _sums(self, chosen: Flags, values: Floats) -> Floats:
        size = self.record.number.size
        found = np.bincount(self.place[chosen], weights=values[chosen], minlength=size)
        return found.astype(np.float64)

    def rate(self, hits: Flags, of: Flags) -> Pooled | None:
        return intervals.ratio(self._counts(hits & of), self._counts(of))

    def counts(self) -> Document:
        """Return how many candidates there were, by the state of their outcome."""
        state = self.record.picks["state"].to_numpy()
        size = self.record.number.size
        return {
            "sessions": size,
            "candidates": int(state.size),
            "candidates_per_session": state.size / size if size else None,
            "first_signals": int(self.first.sum()),
            "settled": int((state == State.SETTLED).sum()),
            "delisted": int((state == State.DELISTED).sum()),
            "no_entry": int((state == State.NO_ENTRY).sum()),
            "pending": int((state == State.PENDING).sum()),
        }

    def classes(self, of: Flags) -> Document:
        """Return how many candidates fell into each outcome class (design §8)."""
        found = outcomes.outcome_classes(self.peak[self.known & of])
        return {name: int((found == at).sum()) for at, name in enumerate(outcomes.CLASSES)}

    def explosive_rates(self) -> Document:
        base = intervals.ratio(
            self.record.base.explosive.astype(float), self.record.base.n.astype(float)
        )
        found: Document = {"base": self._rate(base)}
        for name, of in (("first_signals", self.known & self.first), ("all_rows", self.known)):
            own = self.rate(self.explosive, of)
            found[name] = {
                "rate": self._rate(own),
                "lift": self._lift(own, base),
                "matched_lift": self._matched(of),
                "outcomes": self.classes(of),
            }
        return found

    def _rate(self, rate: Pooled | None) -> Document:
        return plain(evidence.rate_estimate(rate, source=self.source, as_of=self.as_of))

    def _mean(self, mean: Pooled | None) -> Document:
        return plain(evidence.mean_estimate(mean, source=self.source, as_of=self.as_of))

    def _lift(self, rate: Pooled | None, base: Pooled | None) -> Document:
        return plain(evidence.lift_estimate(rate, base, source=self.source, as_of=self.as_of))

    def _matched(self, of: Flags) -> Document:
        size, decile = self.record.number.size, self.record.picks["decile"].to_numpy()
        own = strata.counts(decile[of], self.place[of], size).astype(float)
        hit = of & self.explosive
        hits = strata.counts(decile[hit], self.place[hit], size).astype(float)
        base = self.record.base
        matched = intervals.matched_base(
            own, base.by_decile.astype(float), base.explosive_by_decile.astype(float)
        )
        return self._lift(intervals.ratio(hits.sum(axis=1), own.sum(axis=1)), matched)

    def returns(self, net: Floats) -> Document:
        """Return the returns of candidates: held 14 sessions, and after costs."""
        paid = ~np.isnan(net)
        median = evidence.median_estimate(
            self.held[self.known],
            self.place[self.known],
            self.record.number.size,
            source=self.source,
            as_of=self.as_of,
        )
        held = intervals.ratio(self._sums(self.known, self.held), self._counts(self.known))
        after = intervals.ratio(self._sums(paid, net), self._counts(paid))
        return {
            "positive_14": self._rate(self.rate(self.positive, self.known)),
            "mean_14": self._mean(held),
            "median_14": plain(median),
            "mean_net": self._mean(after),
        }

    def recall(self, found: Captures) -> Document:
        """Return the share of winners that were named, in episodes and in stock-days."""
        low, high = self._span()
        episode = (found.number >= low) & (found.number <= high)
        day = (found.day_number >= low) & (found.day_number <= high)
        return {
            "episodes": self._share(found.number[episode], found.captured[episode]),
            "stock_days": self._share(found.day_number[day], found.day_named[day]),
        }

    def _span(self) -> tuple[int, int]:
        number = self.record.number
        return (int(number[0]), int(number[-1])) if number.size else (0, -1)

    def _share(self, number: npt.NDArray[np.int32], hit: Flags) -> Document:
        size = self.record.number.size
        at = np.searchsorted(self.record.number, number)
        total = np.bincount(at, minlength=size).astype(float)
        return self._rate(
            intervals.ratio(np.bincount(at[hit], minlength=size).astype(float), total)
        )

    def rank_ic(self) -> Document:
        """Return the mean rank correlation of rank and ``return_14``, best rank highest."""
        found = correlations(
            self.place[self.known],
            -self.record.picks["rank"].to_numpy()[self.known].astype(float),
            self.held[self.known],
            self.record.number.size,
        )
        measured = ~np.isnan(found)
        return self._mean(intervals.ratio(np.where(measured, found, 0.0), measured.astype(float)))


def correlations(place: npt.NDArray[np.int64], score: Floats, value: Floats, size: int) -> Floats:
    """Return Spearman's rank correlation of score and value within each place.

    Ties share their mean rank. NaN with fewer than ``FEWEST_RANKED`` rows, or where either does
    not vary.
    """
    frame = pl.DataFrame({"place": place, "score": score, "value": value}).sort("place")
    ranked = frame.with_columns(
        pl.col("score", "value").rank("average").over("place"), n=pl.len().over("place")
    ).filter(pl.col("n") >= FEWEST_RANKED)
    at = ranked["place"].to_numpy()
    middle = (ranked["n"].to_numpy() + 1) / 2
    first, second = ranked["score"].to_numpy() - middle, ranked["value"].to_numpy() - middle
    cross = np.bincount(at, weights=first * second, minlength=size)
    spread = np.bincount(at, weights=first**2, minlength=size) * np.bincount(
        at, weights=second**2, minlength=size
    )
    found: Floats = np.divide(cross, np.sqrt(spread), out=np.full(size, np.nan), where=spread > 0)
    return found


def net_returns(record: Record, terms: Terms, rate: float) -> Floats:
    """Return each pick's return over ``terms.hold`` sessions after costs; NaN where not known."""
    covered = record.covered[record.place()] >= terms.hold
    after = record.growth[:, -1] * (1 - rate) / (1 + rate) - 1
    return np.where(covered, after, np.nan)


def trade(record: Record, terms: Terms, rate: float) -> Equity:
    """Return the equity of trading the best candidates of each session."""
    place = record.place()
    open_ = record.covered >= terms.hold
    start = np.searchsorted(place, np.arange(record.number.size + 1))
    chosen = [np.arange(start[at], start[at + 1]) for at in np.flatnonzero(open_)]
    found = returns.Paths(growth=record.growth, value=record.picks["value"].to_numpy())
    return returns.simulate(
        record.number[open_],
        chosen,
        found,
        hold=terms.hold,
        top=terms.top,
        capital=terms.capital,
        costs=Costs(rate=rate, max_share=terms.max_share),
    )


def portfolio(equity: Equity, *, source: str, as_of: date | None) -> Document:
    """Return return and risk of the portfolio."""
    size = int(equity.number.size)
    seen = ratios.moments(equity.returns)
    if seen is None or size < evidence.FEWEST_SESSIONS:
        reason = f"{size} sessions of returns, {evidence.FEWEST_SESSIONS} are needed"
        none = plain(evidence.insufficient(n=size, reason=reason, source=source, as_of=as_of))
        return {"sharpe": none, "psr": none, "sessions": size}
    half = intervals.normal_quantile(0.975) * seen.standard_error * ratios.SESSIONS_A_YEAR**0.5
    sharpe = evidence.measured(
        value=seen.annual_sharpe,
        n=size,
        source=source,
        as_of=as_of,
        method=f"a year, standard error of Mertens, {INDEPENDENT}",
        bounds=(seen.annual_sharpe - half, seen.annual_sharpe + half),
    )
    psr = evidence.measured(
        value=seen.probability_above(0.0),
        n=size,
        source=source,
        as_of=as_of,
        method=f"P(Sharpe > 0), Bailey and Lopez de Prado, raw kurtosis, {INDEPENDENT}",
        reason="a probability has no interval of its own",
    )
    shares = equity.shares
    return {
        "sessions": size,
        "total_return": float(equity.equity[-1] / (equity.equity[0] / (1 + equity.returns[0])) - 1),
        "annual_return": ratios.annual_return(equity.returns),
        "max_drawdown": ratios.max_drawdown(equity.returns),
        "sharpe": plain(sharpe),
        "psr": plain(psr),
        "sortino": ratios.sortino(equity.returns),
        "calmar": ratios.calmar(equity.returns),
        "moments": asdict(seen),
        "turnover": equity.turnover,
        "orders": equity.orders,
        "filled": equity.filled,
        "capped_by_volume": equity.capped,
        "median_share_of_volume": float(np.median(shares)) if shares.size else None,
        "largest_share_of_volume": float(shares.max()) if shares.size else None,
    }


def report(
    record: Record, *, terms: Terms, slippage_bp: float, source: str
) -> tuple[Document, dict[str, float]]:
    """Return the figures of one variant, and its portfolio's return by session (ISO date)."""
    rate = (terms.cost_bp + slippage_bp) / 10_000
    as_of = sessions.day(int(record.number[-1])) if record.number.size else None
    seen = Figures(record, source=source, as_of=as_of)
    found, net = captures(record.winners, record.picks), net_returns(record, terms, rate)
    equity = trade(record, terms, rate)
    days = [sessions.day(int(number)).isoformat() for number in equity.number]
    document = {
        "counts": seen.counts(),
        "explosive": seen.explosive_rates(),
        "returns": seen.returns(net),
        "recall": seen.recall(found),
        "rank_ic": seen.rank_ic(),
        "cost_a_side": rate,
        "portfolio": portfolio(equity, source=source, as_of=as_of),
        "equity": {"session": days, "usd": [round(float(usd), 2) for usd in equity.equity]},
        "walk_forward": _years(record, found, net, equity, source),
    }
    return document, dict(zip(days, equity.returns.tolist(), strict=True))


def _years(
    record: Record, found: Captures, net: Floats, equity: Equity, source: str
) -> list[Document]:
    """Return the figures year by year. No weight is fitted, so every year is out of sample."""
    days = sessions.calendar()
    rows = []
    for year, numbers in groupby(record.number.tolist(), lambda number: str(days[number])[:4]):
        span = list(numbers)
        first, last = span[0], span[-1]
        own = record.of_sessions(first, last)
        seen = Figures(own, source=source, as_of=sessions.day(last))
        inside = record.picks["number"].is_between(first, last).to_numpy()
        gained = equity.returns[(equity.number >= first) & (equity.number <= last)]
        moments = ratios.moments(gained)
        explosive = seen.explosive_rates()
        rows.append(
            {
                "year": int(year),
                "first": sessions.day(first).isoformat(),
                "last": sessions.day(last).isoformat(),
                "candidates": own.picks.height,
                "explosive": explosive["first_signals"]["rate"],
                "base": explosive["base"],
                "lift": explosive["all_rows"]["lift"],
                "matched_lift": explosive["all_rows"]["matched_lift"],
                "mean_net": seen.returns(net[inside])["mean_net"],
                "recall": seen.recall(found)["episodes"],
                "rank_ic": seen.rank_ic(),
                "portfolio_return": float(np.prod(1 + gained) - 1) if gained.size else None,
                "sharpe": moments.annual_sharpe if moments else None,
                "max_drawdown": ratios.max_drawdown(gained) if gained.size else None,
            }
        )
    return rows
