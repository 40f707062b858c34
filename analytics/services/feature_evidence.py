"""Evidence sheets of the features and the trial of designs: what choices were made on (§4, §17)."""

from dataclasses import asdict, replace
from datetime import date, datetime
from hashlib import blake2b
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.calc import learned_designs, learned_facts, learned_features, sessions
from analytics.calc.kernels import learned_layout
from analytics.calc.learned_designs import Design
from analytics.models import ResearchSheet, Trial
from analytics.services import lakes, learned, revisions
from analytics.services.job_registry import Report

if TYPE_CHECKING:
    from analytics.calc import walk_forward

COST = 0.005  # of each side, as in a weight sweep
EVERY = 6  # months between the fits of a design that is tried
LEFT_OUT = frozenset({"float_age", "float_outstanding", "short_interest_age"})  # of no meaning


def record_evidence(*, source: str, now: datetime, report: Report) -> ResearchSheet:
    """Store the evidence sheet of every feature, over the sessions that choices may look at.

    Raises:
        learned.NothingToFit: There are no bars.
    """
    from analytics.calc import feature_evidence

    begun = perf_counter()
    versions = lakes.lake_of(source).versions()
    rows = _seen(source, report)
    names = [name for name in learned_features.NAMES if name not in LEFT_OUT]
    result = {}
    for done, name in enumerate(names):
        report.progress(done, len(names), name)
        result[name] = [
            asdict(sheet) | {"spread": sheet.spread}
            for sheet in feature_evidence.sheets(rows, name)
        ]
    return _store(ResearchSheet.Subject.FEATURES, result, source, now, versions, begun)


def record_trials(*, source: str, now: datetime, report: Report) -> ResearchSheet:
    """Try every design on the same sessions, enter each into the ledger, and store the result.

    Raises:
        learned.NothingToFit: There are no bars.
    """
    begun = perf_counter()
    versions = lakes.lake_of(source).versions()
    rows = _seen(source, report)
    designs = list(learned_designs.TRIED.values())
    found, profits = {}, []
    walks: dict[Design, walk_forward.Walk] = {}  # a limit on volume needs no fit of its own
    for done, design in enumerate(designs):
        report.progress(done, len(designs), design.name)
        same = replace(design, name="", least_volume=0.0)
        if same not in walks:
            walks = {same: _walk(rows, same)}
        figures, profit = _judge(rows, design, walks[same])
        found[design.name] = figures
        profits.append(profit)
    result = {
        "chosen": learned_designs.CHOSEN.name,
        "last": learned_facts.LAST_CHOSEN_ON.isoformat(),
        "designs": found,
        "overfitting": _overfitting(np.stack(profits, axis=1)),
    }
    _enter(designs, rows, source, now)
    return _store(ResearchSheet.Subject.DESIGNS, result, source, now, versions, begun)


def get_newest(*, subject: str, source: str) -> ResearchSheet | None:
    """Return the newest sheet of a subject in the source's realm."""
    found = ResearchSheet.objects.filter(subject=subject, source__in=lakes.sources_beside(source))
    return found.order_by("-created_at", "-pk").first()


def _seen(source: str, report: Report) -> "walk_forward.Samples":
    """Return what a choice may look at: nothing that settles after ``LAST_CHOSEN_ON``."""
    report.progress(0, None, "reading history")
    last = learned_facts.LAST_CHOSEN_ON
    rows = learned.get_samples(source=source, last=last)
    return rows.until(sessions.number(last))


def _walk(rows: "walk_forward.Samples", design: Design) -> "walk_forward.Walk":
    from analytics.calc import walk_forward

    when = walk_forward.refits(np.unique(rows.number))[::EVERY]
    return walk_forward.run(rows, design, when=when)


def _judge(
    rows: "walk_forward.Samples", design: Design, walk: "walk_forward.Walk"
) -> tuple[dict[str, Any], Any]:
    """Return a design's out-of-sample figures by year, and its picks' profit by session."""
    from analytics.calc import walk_forward

    picks = walk_forward.best(
        rows, walk.probability, top=walk_forward.TOP, least_volume=design.least_volume
    )
    year = sessions.calendar()[rows.number].astype("datetime64[Y]").astype(int) + 1970
    scored = ~np.isnan(walk.probability)
    periods = {str(one): scored & (year == one) for one in np.unique(year[scored])}
    told = {
        name: asdict(walk_forward.figures(rows, picks, among=inside))
        for name, inside in {**periods, "all": scored}.items()
    }
    settled = scored & rows.known
    error = walk_forward.curve(walk.probability[settled], rows.explosive[settled]).error
    figures = {
        "design": design.described(),
        "fits": len(walk.steps),
        "periods": told,
        "calibration_error": error,
    }
    return figures, _profit(rows, picks)


def _profit(rows: "walk_forward.Samples", picks: Any) -> Any:
    """Return the mean net return of each session's settled picks; NaN without one."""
    days = np.unique(rows.number)
    known = picks[rows.known[picks]]
    place = np.searchsorted(days, rows.number[known])
    net = (1 + rows.return_14[known]) * (1 - COST) / (1 + COST) - 1
    count = np.bincount(place, minlength=days.size)
    total = np.bincount(place, weights=net, minlength=days.size)
    return np.divide(total, count, out=np.full(days.size, np.nan), where=count > 0)


def _overfitting(profit: Any) -> dict[str, Any]:
    from analytics.calc.overfitting import TooShort, overfitting

    some = ~np.isnan(profit).all(axis=1)
    try:
        found = overfitting(profit[some])
    except TooShort as error:
        return {"status": "insufficient_data", "reason": str(error), "value": None}
    return {
        "status": "ok",
        "value": found.share,
        "trials": profit.shape[1],
        "sessions": int(some.sum()),
    }


def _enter(designs: list[Design], rows: "walk_forward.Samples", source: str, now: datetime) -> None:
    """Enter a line per design into the ledger.

    Without a Sharpe ratio: means over 14-session windows are no daily portfolio.
    """
    span = [sessions.day(int(at)) for at in (rows.number.min(), rows.number.max())]
    tried = [repr(design.described()) for design in designs]
    tried += [f"{name} (percentiles within the session)" for name in ("logistic", "trees")]
    Trial.objects.bulk_create(
        Trial(
            key=blake2b(repr((source, span, text)).encode(), digest_size=16).hexdigest(),
            sharpe=None,
            sessions=int(np.unique(rows.number).size),
            returns={},
            created_at=now,
            source=source,
        )
        for text in tried
    )


def _store(
    subject: str,
    result: dict[str, Any],
    source: str,
    now: datetime,
    versions: dict[str, int],
    begun: float,
) -> ResearchSheet:
    last: date = learned_facts.LAST_CHOSEN_ON
    return ResearchSheet.objects.create(
        subject=subject,
        last=last,
        result=result,
        arithmetic=learned_layout.REVISION,
        lake_versions=versions,
        code_revision=revisions.get_code_revision(),
        seconds=perf_counter() - begun,
        created_at=now,
        source=source,
    )
