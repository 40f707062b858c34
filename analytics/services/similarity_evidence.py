"""What a similarity is worth: how many past stock-days reached it, and what they did (§6)."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.calc import evidence, sessions, similarity_index, strata
from analytics.calc.evidence import Estimate
from analytics.calc.intervals import Pooled
from analytics.calc.similarity import FIELDS, PARTIAL_BELOW, Reference
from analytics.models import Candidate, HistoryIndex
from analytics.services import history_index

BY_CONSTRUCTION = "by construction"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The denominator of one similarity.

    Attributes:
        reference: Compared with.
        similarity: 0 to 100.
        coverage: Share of the weights that was compared; ``fields`` names them.
        partial: Whether the coverage is below 0.7.
        by_construction: Whether the candidate is the reference itself.
        reached: Past stock-days at least as alike (n), and the share that was explosive.
        matched_base: The same of the stock-days of its close band, relative-volume band and
            volatility decile.
    """

    reference: str
    similarity: float
    coverage: float
    fields: list[str]
    partial: bool
    by_construction: bool
    reached: Estimate
    matched_base: Estimate


@dataclass(frozen=True, kw_only=True)
class Evidences:
    """The denominators of a candidate's similarities, the most alike first.

    Attributes:
        before: Only stock-days settled before this session count.
        as_of: Last session with bars of the index; None without an index.
        built_at: When it was built, as text.
        reason: Why there is nothing.
    """

    before: date
    as_of: date | None
    built_at: str
    of: list[Evidence]
    reason: str = ""


def get_evidence(*, candidate: Candidate) -> Evidences:
    """Return how many past stock-days reached each similarity of a candidate, and what they did.

    Point in time: only stock-days whose 14 sessions were over before its session count.
    """
    session = candidate.batch.session
    try:
        index = history_index.get_newest(source=candidate.batch.source)
    except history_index.NoIndex as error:
        return Evidences(before=session, as_of=None, built_at="", of=[], reason=str(error))
    loaded = history_index.load(name=index.name)
    number = sessions.number(session)
    before = similarity_index.settled_slots(loaded.numbers, number)
    base = similarity_index.matched(loaded.arrays, _cell(candidate, loaded), before=before)
    matched = _estimate(base, loaded, before, candidate)
    found = [
        _one(candidate, reference, value, loaded, before, matched)
        for reference in _references(index)
        if (value := candidate.similarities.get(reference.symbol)) is not None
    ]
    return Evidences(
        before=session,
        as_of=index.as_of,
        built_at=index.built_at.isoformat(),
        of=sorted(found, key=lambda one: one.similarity, reverse=True),
        reason="" if found else "no reference has a field in common with this candidate",
    )


def _one(
    candidate: Candidate,
    reference: Reference,
    value: float,
    loaded: history_index.Loaded,
    before: int,
    matched: Estimate,
) -> Evidence:
    mask = int(similarity_index.known_fields(_fields(candidate), reference)[0])
    among = similarity_index.entry(loaded.arrays, reference.symbol, mask)
    rate = similarity_index.reached(among, value, before=before) if among else None
    coverage = similarity_index.coverage_of(mask)
    return Evidence(
        reference=reference.symbol,
        similarity=value,
        coverage=coverage,
        fields=similarity_index.names_of(mask),
        partial=coverage < PARTIAL_BELOW,
        by_construction=candidate.symbol == reference.symbol,
        reached=_estimate(rate, loaded, before, candidate),
        matched_base=matched,
    )


def _estimate(
    rate: Pooled | None,
    loaded: history_index.Loaded,
    before: int,
    candidate: Candidate,
) -> Estimate:
    as_of = sessions.day(int(loaded.numbers[before - 1])) if before else None
    return evidence.rate_estimate(rate, source=candidate.batch.source, as_of=as_of)


def _cell(candidate: Candidate, loaded: history_index.Loaded) -> int:
    """Return the cell of the matched base; deciles are those of the candidate's own session."""
    number = sessions.number(candidate.batch.session)
    slot = min(int(np.searchsorted(loaded.numbers, number)), loaded.numbers.size - 1)
    lower = np.asarray(loaded.arrays["lower"][slot : slot + 1], np.float64)
    volatility = np.array([_known(candidate.volatility_20)])
    decile = strata.decile(volatility, np.zeros(1, np.int64), lower)
    close, volume = np.array([float(candidate.close)]), np.array([candidate.rel_volume])
    return int(similarity_index.cells(close, volume, decile)[0])


def _fields(candidate: Candidate) -> similarity_index.Floats:
    values = {"close": float(candidate.close), "rel_volume": candidate.rel_volume}
    values["short_interest_pct"] = _known(candidate.short_interest_pct)
    values["float_shares"] = _known(candidate.float_shares)
    return np.array([[values[name]] for name in FIELDS])


def _known(value: float | None) -> float:
    return float("nan") if value is None else value


def _references(index: HistoryIndex) -> list[Reference]:
    return [Reference(**fields) for fields in index.references]
