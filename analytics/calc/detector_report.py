"""The detector report: variants side by side, exit rules, and whether any of it made money."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log1p

import numpy as np
import polars as pl

from analytics.calc import evidence, exits, exits_choice, intervals, sessions
from analytics.calc.backtest_report import plain
from analytics.calc.detector_report_figures import Figures, Recall, Scope
from analytics.calc.detector_report_rows import OF_RULE, Rows
from analytics.calc.documents import Document
from analytics.calc.exits import Rule
from analytics.calc.learned_facts import LEARNED
from analytics.calc.panel import Floats, Ints

TOPS = (5, 10, 20)  # first ranks whose precision is given
TRADED: tuple[int | None, ...] = (None, 10)  # lists that the exit rules trade: all, the first 10
CHOSEN = "chosen walk-forward"
STAKE_USD = 10_000.0  # at which the mean is given again, orders cut to the capacity
HOLD_AT = 0  # position of hold-to-horizon among the rules


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is reported.

    Attributes:
        variants: Names in the order of the tables; one without rows gets the reason instead.
        rules: The first one is hold-to-horizon, which the others are compared with.
        source: Of the rows.
        ledger: Trials on record in all: in the ledger, those of this report included, and
            designs of the learned variant that were tried before it.
    """

    variants: Sequence[str]
    rules: Sequence[Rule]
    source: str
    ledger: int


def list_name(most: int | None) -> str:
    """Return what a list that is traded is called."""
    return "all listed" if most is None else f"first {most}"


def combinations(variants: int, rules: int) -> int:
    """Return how many combinations of variant, list and rule are tried."""
    return variants * len(TRADED) * (rules + 1)


def untouched_year(number: Ints) -> int:
    """Return the last calendar year: no choice here may look at it (design §16)."""
    return sessions.day(int(number[-1])).year


def scopes(rows: Rows, present: Sequence[str]) -> list[Scope]:
    """Return the sessions to pool over: before the last year, common ones, the last, by year."""
    year = np.array([sessions.day(int(at)).year for at in rows.number], np.int64)
    last = int(year[-1])
    before = rows.number[year < last]
    shared = before
    for name in present:
        own = rows.picks.filter(pl.col("variant") == name)["number"].unique().to_numpy()
        shared = shared[np.isin(shared, own)]
    found = [Scope(key="before", title=f"all years before {last}", number=before)]
    if 0 < shared.size < before.size:
        title = f"sessions before {last} that every variant listed"
        found.append(Scope(key="common", title=title, number=shared))
    found.append(
        Scope(key="untouched", title=f"{last}, untouched", number=rows.number[year == last])
    )
    found += [
        Scope(key=str(each), title=str(each), number=rows.number[year == each])
        for each in np.unique(year)
    ]
    return [scope for scope in found if scope.number.size]


def report(rows: Rows, question: Question) -> Document:
    """Return every figure of the report as plain data."""
    seen = [name for name in question.variants if name in set(rows.picks["variant"])]
    spans = scopes(rows, seen)
    each = {name: _Variant(rows, name, question) for name in seen}
    tables = [
        {
            "key": scope.key,
            "title": scope.title,
            "sessions": int(scope.number.size),
            "variants": {name: own.document(scope) for name, own in each.items()},
        }
        for scope in spans
    ]
    return {
        "source": question.source,
        "first": sessions.day(int(rows.number[0])).isoformat(),
        "last": sessions.day(int(rows.number[-1])).isoformat(),
        "untouched_year": untouched_year(rows.number),
        "variants": seen,
        "missing": {
            name: "no out-of-sample model" if name == LEARNED else "listed nothing"
            for name in question.variants
            if name not in seen
        },
        "rules": [*(rule.name for rule in question.rules), CHOSEN],
        "lists": [list_name(most) for most in TRADED],
        "lost": rows.lost,
        "scopes": tables,
        "combinations": combinations(len(question.variants), len(question.rules)),
        "ledger": question.ledger,
        "verdict": verdict(tables),
    }


class _Variant:
    """One variant's picks, its recall, and its returns under each rule."""

    def __init__(self, rows: Rows, name: str, question: Question) -> None:
        self.rows, self.question = rows, question
        self.picks = rows.picks.filter(pl.col("variant") == name)
        self.recall = {
            most: Recall(rows, self.picks, most=most, source=question.source)
            for most in (TOPS[1], None)
        }
        self.chosen = {most: self._chosen(most) for most in TRADED}

    def _columns(self, name: str) -> Floats:
        size = len(self.question.rules)
        found: Floats = self.picks.select([f"{name}_{at}" for at in range(size)]).to_numpy().T
        return found

    def _chosen(self, most: int | None) -> dict[str, Floats]:
        """Return the figures of each pick under the rule chosen before its session."""
        number, signals = self.picks["number"].to_numpy(), self.rows.number
        year = untouched_year(signals)
        frozen = next(at for at in signals.tolist() if sessions.day(at).year == year)
        own = self.picks["rank"].to_numpy() <= (most or np.iinfo(np.int32).max)
        chosen = exits_choice.choose(
            self._columns("net")[:, own],
            number[own],
            np.array([rule.horizon for rule in self.question.rules], np.int64),
            signals,
            frozen_from=int(frozen),
        )
        return {
            name: exits_choice.by_choice(self._columns(name), number, signals, chosen)
            for name in OF_RULE
        }

    def values(self, rule: int, most: int | None, name: str) -> Floats:
        """Return one column of a rule; the rule after the last is the chosen one."""
        if rule == len(self.question.rules):
            return self.chosen[most][name]
        return self.picks[f"{name}_{rule}"].to_numpy()

    def figures(self, scope: Scope) -> Figures:
        return Figures(self.rows, self.picks, scope, source=self.question.source)

    def document(self, scope: Scope) -> Document:
        seen = self.figures(scope)
        tops = [*TOPS, None]
        return {
            "candidates": int(seen.rank.size),
            "base": seen.base_rate(),
            "precision": {str(most or "all"): seen.precision(most) for most in tops},
            "lift": {str(most or "all"): seen.lift(most, matched=False) for most in tops},
            "matched_lift": {str(most or "all"): seen.lift(most, matched=True) for most in tops},
            "recall": {str(most or "all"): own.of(scope) for most, own in self.recall.items()},
            "calibration": seen.calibration(),
            "exits": [
                self._exit(seen, rule, most)
                for most in TRADED
                for rule in range(len(self.question.rules) + 1)
            ],
        }

    def _exit(self, seen: Figures, rule: int, most: int | None) -> Document:
        """Return the figures of one rule over one list."""
        of = seen.top(most)
        net, gross, capacity, held = (
            self.values(rule, most, name)[seen.inside] for name in OF_RULE
        )
        against = net - self.values(HOLD_AT, most, "net")[seen.inside]
        size = int(np.count_nonzero(of & ~np.isnan(net)))
        some = of & ~np.isnan(capacity)
        names = [*(each.name for each in self.question.rules), CHOSEN]
        return {
            "rule": names[rule],
            "list": list_name(most),
            "n": size,
            "mean_net": plain(seen.mean(net, of)),
            "median_net": plain(seen.median(net, of)),
            "mean_gross": plain(seen.mean(gross, of)),
            "over_hold": None if rule == HOLD_AT else plain(seen.mean(against, of)),
            "mean_net_at_stake": plain(seen.mean(net * np.minimum(capacity / STAKE_USD, 1), of)),
            "median_capacity_usd": float(np.median(capacity[some])) if some.any() else None,
            "mean_sessions_held": float(held[some].mean()) if some.any() else None,
            "chance": self._chance(seen.pooled(net, of) if size >= exits.FEWEST else None),
        }

    def _chance(self, mean: intervals.Pooled | None) -> Document:
        """Return how likely luck alone gives such a mean: alone, as best of those tried."""
        if mean is None or mean.settled_sessions < evidence.FEWEST_SESSIONS:
            return {"alone": None, "of_report": None, "of_ledger": None}
        error = mean.standard_error
        t = mean.value / error if error > 0 else 0.0
        tried = combinations(len(self.question.variants), len(self.question.rules))
        return {
            "alone": luck(t, mean.degrees, 1),
            "of_report": luck(t, mean.degrees, tried),
            "of_ledger": luck(t, mean.degrees, max(tried, self.question.ledger)),
        }


def luck(t: float, degrees: int, trials: int) -> float:
    """Return how likely the best of ``trials`` combinations without any edge looks this good.

    Sidak's 1 - (1 - p)^trials with the one-sided p of Student's t: as if the trials were
    independent, which errs on the careful side.
    """
    p = 1 - intervals.t_probability(t, degrees)
    return 1.0 if p >= 1 else -expm1(trials * log1p(-p))


def verdict(tables: Sequence[Document]) -> list[Document]:
    """Return every combination of variant, list and rule, the best mean before the last year first.

    Args:
        tables: The scopes of a report. Without a year before the last there is no combination.
    """
    by_key = {table["key"]: table["variants"] for table in tables}
    years = [key for key in by_key if key.isdigit()]
    rows = [
        {
            "variant": name,
            "list": found["list"],
            "rule": found["rule"],
            "mean_net": found["mean_net"],
            "chance": found["chance"],
            "years": {year: by_key[year][name]["exits"][at]["mean_net"]["value"] for year in years},
            "untouched": by_key["untouched"][name]["exits"][at]["mean_net"],
        }
        for name, own in by_key.get("before", {}).items()
        for at, found in enumerate(own["exits"])
        if found["mean_net"]["value"] is not None
    ]
    return sorted(rows, key=lambda row: -row["mean_net"]["value"])
