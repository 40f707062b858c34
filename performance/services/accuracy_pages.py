"""What the pages of theses show: how they turned out, the newest, the wrong ones, one of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max

from analytics.calc import number_check, sessions, thesis_digest
from analytics.calc.thesis_confidence import Calibrated
from analytics.errors import DomainError
from analytics.models import Thesis, ThesisEvent
from analytics.services import lakes, thesis_calibrations, thesis_chain
from performance.calc import freshness
from performance.calc.freshness import Freshness
from performance.calc.spans import Span
from performance.models import ThesisAccuracy
from performance.services import accuracy
from performance.services.accuracy import Accuracy

ROWS = 40  # theses in a table of the page


class NoThesis(DomainError):
    """There is no such thesis."""


@dataclass(frozen=True, kw_only=True)
class ThesisRow:
    """One thesis in a table. None is not known (yet); returns are fractions."""

    pk: int
    session: date
    symbol: str
    author: str
    recommendation: str
    p: float
    p_calibrated: float | None
    settlement: str
    reason: str
    settled_session: date | None
    return_horizon: float | None
    right: bool | None
    counts_as_skill: bool | None
    is_late: bool


@dataclass(frozen=True, kw_only=True)
class ThesesPage:
    """How theses turned out in a range, the newest ones, and those that were most wrong."""

    found: Accuracy
    newest: list[ThesisRow]
    wrong: list[ThesisRow]
    freshness: Freshness | None


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Text of a thesis and whether it is a mark: a figure that the data pack does not have."""

    text: str
    unsupported: bool


@dataclass(frozen=True, kw_only=True)
class ShownThesis:
    """One thesis with all that is known of it.

    Attributes:
        chained: Whether its digest still fits its content and the thesis before it.
        calibrated: What was frozen with it, with its interval; None without a calibration.
        text, reasons: In passages, unsupported figures marked.
        pack: The data pack as indented JSON.
        accuracy: None until it is looked at for the first time.
        events: Newest first.
    """

    thesis: Thesis
    chained: bool
    calibrated: Calibrated | None
    text: list[Passage]
    reasons: list[list[Passage]]
    pack: str
    accuracy: ThesisAccuracy | None
    events: list[ThesisEvent]


def get_page(*, source: str, span: Span, now: datetime) -> ThesesPage:
    """Return what the page of theses shows. The range ends at the newest end of a horizon.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    rows = ThesisAccuracy.objects.settled().filter(source__in=lakes.sources_beside(source))
    newest = rows.aggregate(last=Max("settled_session"))["last"]
    first, end = span.days_of(newest or now.astimezone(sessions.NEW_YORK).date())
    in_range = rows.filter(settled_session__range=(first, end))
    return ThesesPage(
        found=accuracy.get_accuracy_between(source=source, first=first, end=end),
        newest=_newest(source),
        wrong=[
            _row(row.thesis, row)
            for row in in_range.wrong().select_related("thesis").order_by("-brier", "-pk")[:ROWS]
        ],
        freshness=freshness.of_session(newest) if newest else None,
    )


def get_thesis(*, thesis_id: int) -> ShownThesis:
    """Return one thesis, of whatever source.

    Raises:
        NoThesis: There is none of that id.
    """
    thesis = (
        Thesis.objects.select_related("calibration", "previous", "candidate")
        .filter(pk=thesis_id)
        .first()
    )
    if thesis is None:
        raise NoThesis(f"There is no thesis {thesis_id}.")
    return ShownThesis(
        thesis=thesis,
        chained=_is_chained(thesis),
        calibrated=thesis_calibrations.of_thesis(thesis),
        text=_passages(thesis.text, "text", thesis.unsupported),
        reasons=[
            _passages(str(reason), f"reasons.{number}", thesis.unsupported)
            for number, reason in enumerate(thesis.reasons)
        ],
        pack=json.dumps(thesis.data_pack, indent=1, ensure_ascii=False, default=str),
        accuracy=ThesisAccuracy.objects.filter(thesis=thesis).first(),
        events=list(ThesisEvent.objects.filter(thesis=thesis).newest_first()),
    )


def _newest(source: str) -> list[ThesisRow]:
    theses = Thesis.objects.filter(source__in=lakes.sources_beside(source))
    found = theses.order_by("-session", "-number").select_related("accuracy")[:ROWS]
    return [_row(thesis, getattr(thesis, "accuracy", None)) for thesis in found]


def _row(thesis: Thesis, scored: ThesisAccuracy | None) -> ThesisRow:
    return ThesisRow(
        pk=thesis.pk,
        session=thesis.session,
        symbol=thesis.symbol,
        author=thesis.author,
        recommendation=thesis.recommendation,
        p=thesis.p_target,
        p_calibrated=scored.p_calibrated if scored else thesis.p_calibrated,
        settlement=scored.settlement if scored else "pending",
        reason=scored.reason if scored else "not looked at yet",
        settled_session=scored.settled_session if scored else None,
        return_horizon=scored.return_horizon if scored else None,
        right=scored.direction_right if scored else None,
        counts_as_skill=scored.counts_as_skill if scored else None,
        is_late=thesis.is_late,
    )


def _is_chained(thesis: Thesis) -> bool:
    before = thesis.previous.digest if thesis.previous else thesis_digest.START
    try:
        return thesis_digest.digest(thesis_chain.content(thesis), before) == thesis.digest
    except KeyError:  # a version of the digest that this release does not know
        return False


def _passages(text: str, where: str, marks: Iterable[dict[str, Any]]) -> list[Passage]:
    """Cut a text where its unsupported figures are marked."""
    spans = [(mark["from"], mark["to"]) for mark in marks if mark["where"] == where]
    marked = number_check.marked(text, spans)
    head = number_check.UNSUPPORTED.partition("{}")[0]
    found = []
    for at, part in enumerate(marked.split(head)):
        mark, bracket, rest = part.partition("]") if at else ("", "", part)
        if at:
            found.append(Passage(text=f"{head}{mark}{bracket}", unsupported=True))
        if rest:
            found.append(Passage(text=rest, unsupported=False))
    return found
