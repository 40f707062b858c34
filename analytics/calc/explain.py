"""What every gate and component made of one symbol on one session (design §5-§7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp, isnan

import numpy as np

from analytics.calc import (
    detector,
    features,
    fingerprint,
    learned,
    learned_features,
    learned_model,
    sessions,
    similarity,
)
from analytics.calc.detector import Rules
from analytics.calc.features import FeatureTable
from analytics.calc.kernels import layout
from analytics.calc.panel import Panel
from analytics.calc.replay import Replay, VariantReplay
from analytics.calc.similarity import Reference


class NoBar(ValueError):
    """The symbol has no bar on that session."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One gate. ``passed`` is None where the value is not known."""

    name: str
    limit: str
    value: float | str | None
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One component: in [0, 1], or None without data. The ``points`` add up to the score.

    Of a learned variant, one feature: as it is, and what it adds to the calibrated log-odds;
    with the part called "base" they add up to those of the probability (design §17).
    """

    name: str
    weight: float
    value: float | None
    points: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one variant made of the symbol.

    Attributes:
        stopped_by: The first gate that the symbol failed; None if it passed all.
        score: 0-100 over the components with data; None without any.
        rank: Among the candidates of the session; None if it is none.
        rank_score: What it was ranked by; None if it was not.
    """

    variant: str
    gates: list[Gate]
    stopped_by: str | None
    parts: list[Part]
    score: float | None
    coverage: float
    rank: int | None
    rank_score: float | None
    candidates: int


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Similarity to one reference: 0-100, or None with nothing to compare."""

    reference: str
    value: float | None
    coverage: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything that a scan saw of one symbol.

    Attributes:
        listing_first: First session of the listing period.
        scannable: Whether the type is common stock or ADR.
        bar: Open, high, low, close [USD] and volume as traded.
        features: By name of design §4; None where not known.
    """

    symbol: str
    session: date
    listing_first: date
    scannable: bool
    bar: dict[str, float | None]
    features: dict[str, float | None]
    verdicts: list[Verdict]
    likeness: list[Likeness]


def explain(
    panel: Panel, found: Replay, references: Sequence[Reference], *, symbol: str, session: date
) -> Explanation:
    """Explain ``symbol`` on ``session``, candidate or not.

    Args:
        panel: What ``found`` was computed from.
        found: A replay whose shown sessions include ``session``.

    Raises:
        NoBar: The symbol has no bar that session; the message says when it last had.
    """
    row = _row(panel, symbol, session)
    table = features.of_rows(panel, np.array([row]))
    parts = detector.components(table)
    segment = int(table.segment[0])
    fields = np.array(
        [
            table["rel_volume"],
            table["short_interest_pct"],
            table["float_shares"],
            panel.close[[row]],
        ]
    )
    alike = similarity.compare(fields, references)
    return Explanation(
        symbol=symbol,
        session=session,
        listing_first=sessions.day(int(panel.segment_first[segment])),
        scannable=bool(panel.segment_scannable[segment]),
        bar={
            name: _known(getattr(panel, name)[row])
            for name in ("open", "high", "low", "close", "volume")
        },
        features={name: _known(table[name][0]) for name in features.NAMES},
        verdicts=[
            (_learned_verdict if variant.rules.learned else _verdict)(
                panel, row, table, parts, variant, symbol=symbol, session=session
            )
            for variant in found.variants
        ],
        likeness=[
            Likeness(
                reference=known.symbol,
                value=_known(alike.value[k][0]),
                coverage=float(alike.coverage[k][0]),
            )
            for k, known in enumerate(references)
        ],
    )


def _row(panel: Panel, symbol: str, session: date) -> int:
    if not sessions.is_session(session):
        raise NoBar(f"{session} is no trading session")
    number = sessions.number(session)
    if symbol not in panel.symbols:
        raise NoBar(f"{symbol} has no bar within {fingerprint.LOOKBACK} sessions up to {session}")
    at = panel.symbols.index(symbol)
    low, high = panel.symbol_start[at], panel.symbol_start[at + 1]
    row = int(low + np.searchsorted(panel.session[low:high], number))
    if row == high or panel.session[row] != number:
        past = panel.session[low:row]
        last = f"; its last one is of {sessions.day(int(past[-1]))}" if past.size else ""
        raise NoBar(f"{symbol} has no bar on {session}{last}")
    return row


def _verdict(
    panel: Panel,
    row: int,
    table: FeatureTable,
    parts: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    variant: VariantReplay,
    *,
    symbol: str,
    session: date,
) -> Verdict:
    rules = variant.rules
    scores = detector.score(table, parts, rules)
    pick = variant.candidates.filter(session=session, symbol=symbol)
    values = {name: _known(parts[k][0]) for k, name in enumerate(detector.COMPONENTS)}
    points = detector.contributions(values, rules.weights)
    code = int(variant.code[row])
    return Verdict(
        variant=rules.name,
        gates=_gates(panel, row, table, rules, float(scores.coverage[0])),
        stopped_by=layout.GATES[code - 1] if code else None,
        parts=[
            Part(name=name, weight=weight, value=values[name], points=points.get(name))
            for name, weight in rules.weights.items()
            if weight > 0
        ],
        score=_known(scores.score[0]),
        coverage=float(scores.coverage[0]),
        rank=pick["rank"][0] if pick.height else None,
        rank_score=pick["rank_score"][0] if pick.height else None,
        candidates=variant.candidates.filter(session=session).height,
    )


def _learned_verdict(
    panel: Panel,
    row: int,
    table: FeatureTable,
    parts: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    variant: VariantReplay,
    *,
    symbol: str,
    session: date,
) -> Verdict:
    """Return what the newest fitted model made of the symbol, passed through gates or not."""
    plain = _verdict(panel, row, table, parts, variant, symbol=symbol, session=session)
    model = learned_model.newest(variant.rules.models, sessions.number(session))
    if model is None:
        return replace(plain, parts=[], score=None, coverage=0.0)
    values = learned_features.of_rows(panel, np.array([row]))
    seen = dict(zip(learned_features.NAMES, values[:, 0].tolist(), strict=True))
    known = [not isnan(seen[name]) for name in model.features]
    added = learned.contributions(model, values)
    coverage = sum(known) / len(known)
    return replace(
        plain,
        gates=_gates(panel, row, table, variant.rules, coverage),
        parts=[
            Part(name=name, weight=1.0, value=_known(seen.get(name, float("nan"))), points=points)
            for name, points in added.items()
        ],
        score=100 / (1 + exp(-sum(added.values()))),
        coverage=coverage,
    )


def _gates(
    panel: Panel, row: int, table: FeatureTable, rules: Rules, coverage: float
) -> list[Gate]:
    segment = int(table.segment[0])
    listed = int(panel.session[row] - panel.segment_first[segment]) + 1
    close, volume = float(panel.close[row]), float(panel.volume[row])
    split = float(panel.split[row])
    dollars, times = _known(table["dollar_volume_20"][0]), _known(table["rel_volume"][0])
    shares = _known(table["float_shares"][0])
    scannable = bool(panel.segment_scannable[segment])
    facts: list[tuple[str, float | str | None, bool | None]] = [
        ("common stock or ADR", "yes" if scannable else "no or unknown", scannable),
        (f"at least {rules.min_sessions}", listed, listed >= rules.min_sessions),
        ("volume above 0", volume, volume > 0),
        ("none", "none" if split == 1 else f"{split:g} new per old", split == 1),
        (
            f"{rules.min_close:g} to {rules.max_close:g} USD",
            close,
            rules.min_close <= close <= rules.max_close,
        ),
        (
            f"at least {rules.min_dollar_volume:,.0f} USD",
            dollars,
            None if dollars is None else dollars >= rules.min_dollar_volume,
        ),
        (
            f"at least {rules.min_rel_volume:g}x",
            times,
            None if times is None else times >= rules.min_rel_volume,
        ),
        (
            f"below {rules.max_float:,.0f} shares, when known",
            shares,
            None if shares is None else shares < rules.max_float,
        ),
        (
            f"at least {rules.min_coverage:.0%}",
            coverage,
            coverage >= rules.min_coverage - detector.COVERAGE_TOLERANCE,
        ),
    ]
    return [
        Gate(name=name, limit=limit, value=value, passed=passed)
        for name, (limit, value, passed) in zip(layout.GATES, facts, strict=True)
    ]


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)
