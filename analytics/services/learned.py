"""Fit and store the models of learned variants, one a month, walk-forward (design §17).

Looks at outcomes; discovery reads what it stored through ``learned_models``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.calc import learned_designs, learned_model, sessions
from analytics.calc.panel import Floats
from analytics.errors import DomainError
from analytics.models import LearnedModel, Variant, VariantKind
from analytics.services import lakes, learned_models, panels, revisions
from analytics.services.job_registry import Report

if TYPE_CHECKING:
    from analytics.calc import walk_forward

LATE = 10  # sessions without bars after which fitting is looking back
FOREVER = 2**30


class NothingToFit(DomainError):
    """There is no learned variant, or no bars."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a run of fits came to.

    Attributes:
        new, kept: Models written now, and those that were there.
        reason: Why there is no model at all; blank if there is one.
    """

    variant: str
    new: int
    kept: int
    reason: str
    seconds: float


def get_samples(*, source: str, last: date | None = None) -> "walk_forward.Samples":
    """Return the base universe of all sessions, with evidence and outcomes.

    Args:
        last: No bar after this session is read.

    Raises:
        NothingToFit: There are no bars.
    """
    from analytics.calc import outcomes, walk_forward

    days = [day for day in lakes.lake_of(source).sessions() if last is None or day <= last]
    if not days:
        until = f" up to {last}" if last else ""
        raise NothingToFit(f"There are no {source} bars{until}.")
    numbers = np.array([sessions.number(day) for day in days], np.int32)
    reading = panels.get_panel(source=source, first=days[0], last=days[-1])
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    return walk_forward.samples(reading.panel, numbers=numbers, reach=reach)


def record_models(
    *, source: str, now: datetime, report: Report, names: Sequence[str] | None = None
) -> list[Fitted]:
    """Fit the models that each active learned variant lacks: one a month, walk-forward.

    A stored model is never fitted anew. Safe to run twice.

    Args:
        source: Tells the lake; the models carry it.
        now: The model of the month under way may score from the next session on.
        names: Of the variants; all active learned ones otherwise.

    Raises:
        NothingToFit: There is no learned variant, or there are no bars.
    """
    variants = Variant.objects.active().filter(kind=VariantKind.LEARNED).order_by("name", "version")
    if names is not None:
        variants = variants.filter(name__in=list(names))
    if not variants:
        raise NothingToFit("There is no active learned variant.")
    report.progress(0, None, "reading history")
    versions = lakes.lake_of(source).versions()
    rows = get_samples(source=source)
    return [_fit_missing(variant, source, now, rows, versions, report) for variant in variants]


def _fit_missing(
    variant: Variant,
    source: str,
    now: datetime,
    rows: "walk_forward.Samples",
    versions: dict[str, int],
    report: Report,
) -> Fitted:
    from analytics.calc import walk_forward
    from analytics.calc.learned_fit import TooLittle

    begun, reason, new = perf_counter(), "", 0
    kept = {
        sessions.number(row.usable_from): learned_models.load(row)
        for row in learned_models.get_rows(variant=variant, source=source)
    }
    when = _schedule(list(kept), rows, now)
    raw, said = np.full(rows.number.size, np.nan), np.full(rows.number.size, np.nan)
    newest: learned_model.Model | None = None
    for done, (first, until) in enumerate(zip(when, [*when[1:], FOREVER], strict=True), 1):
        report.progress(done, len(when), f"model of {sessions.day(first)}")
        if first in kept:
            newest = kept[first]
        else:
            started = perf_counter()
            try:
                made = walk_forward.step(rows, raw, learned_designs.CHOSEN, first)
            except TooLittle as error:
                reason = str(error)
            else:
                newest, new = made.model(), new + 1
                row = _row(made, _metrics(rows, said, first), perf_counter() - started)
                row |= {"variant": variant, "source": source, "created_at": now}
                LearnedModel.objects.create(**row, lake_versions=versions)
        if newest is not None:
            walk_forward.answer(rows, newest, until, raw, said)
    return Fitted(
        variant=str(variant),
        new=new,
        kept=len(kept),
        reason=reason if newest is None else "",
        seconds=perf_counter() - begun,
    )


def _schedule(kept: Sequence[int], rows: "walk_forward.Samples", now: datetime) -> list[int]:
    """Return the sessions from which models are usable: those stored, and the months without.

    The month under way begins with the next session: nothing is ever said to have been usable
    before it was there, except when looking back.
    """
    from analytics.calc import walk_forward

    covered = np.unique(rows.number)
    upcoming = sessions.number(sessions.last_finished(now)) + 1
    months = {f"{sessions.day(number):%Y-%m}" for number in kept}
    wanted = list(kept)
    live = covered.size and upcoming - int(covered[-1]) <= LATE
    for number in walk_forward.refits(np.append(covered, upcoming) if live else covered):
        month = f"{sessions.day(number):%Y-%m}"
        if month in months:
            continue
        under_way = live and month == f"{sessions.day(upcoming):%Y-%m}"
        wanted.append(upcoming if under_way else number)
    return sorted(wanted)


def _metrics(rows: "walk_forward.Samples", said: Floats, first: int) -> dict[str, Any]:
    """Return what the models before did, as far as it had settled by then; empty without."""
    from analytics.calc import walk_forward

    settled = walk_forward.settled_before(rows, first)
    recent = settled & (rows.number >= first - walk_forward.RECENT)
    if not (recent & ~np.isnan(said)).any():
        return {}
    return walk_forward.described(rows, said, among=recent)


def _row(made: "walk_forward.Step", metrics: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "kind": made.fit.kind,
        "usable_from": sessions.day(made.usable_from),
        "design": learned_designs.CHOSEN.described(),
        "features": list(made.fit.features),
        "parameters": made.fit.parameters,
        "calibration": made.calibration,
        "importances": made.fit.importances,
        "metrics": metrics,
        "digest": made.model().digest,
        "train_first": sessions.day(made.first),
        "train_last": sessions.day(made.last),
        "rows": made.rows,
        "explosive": made.explosive,
        "calibrated_on": made.calibrated_on,
        "code_revision": revisions.get_code_revision(),
        "seconds": seconds,
    }
