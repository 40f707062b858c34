"""The roadmap after a session: look at everything, tick the boxes, keep every flip (design §12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min, OuterRef, Subquery

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.models import ImportRun
from analytics.services import lakes
from performance.calc import roadmap
from performance.calc.roadmap import CHECK_BOXES, Found, Live
from performance.models import Account, CheckState, Fill, RoadmapChange, RoadmapCheck

LONGEST = 400  # characters of evidence that are kept


class NoSuchCheck(DomainError):
    """There is no such check box."""


class BadOverride(DomainError):
    """The override cannot be taken: its state is not known or its note is missing."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One check box as people see it.

    Attributes:
        check_id: Of its row; None while it has never been evaluated.
        title, rule: The mission's words, and the predicate in words.
        state: What counts; ``by_figures`` what the figures say.
        since: Session from which the figures have said so.
        overridden_by, note: Of a person's word, if there is one.
    """

    check_id: int | None
    key: str
    title: str
    rule: str
    state: str
    by_figures: str
    evidence: str
    since: date | None
    as_of: date | None
    overridden_by: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Two weeks of the roadmap with their check boxes."""

    number: int
    title: str
    first: date | None
    last: date | None
    is_current: bool
    lines: list[Line]

    @property
    def met(self) -> int:
        return sum(line.state == CheckState.MET for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Roadmap:
    """The roadmap: start and end (None while it has not begun), and its four phases."""

    source: str
    start: date | None
    ends: date | None
    phases: list[Phase]

    @property
    def met(self) -> int:
        return sum(phase.met for phase in self.phases)

    @property
    def boxes(self) -> int:
        return sum(len(phase.lines) for phase in self.phases)


def get_start(*, source: str) -> date | None:
    """Return the first day: ``ROADMAP_START``, else the day of the first import or entry."""
    given: date | None = settings.ROADMAP_START
    if given:
        return given
    beside = lakes.sources_beside(source)
    imported = ImportRun.objects.filter(source__in=beside).aggregate(at=Min("started_at"))["at"]
    own = Fill.objects.filter(account=OuterRef("pk")).order_by("recorded_at")
    entered = Account.objects.filter(source__in=beside).values_list(
        Subquery(own.values("recorded_at")[:1]), flat=True
    )  # an account's first entry stands first in an index: fills are not read
    known = [at for at in (imported, *entered) if at]
    return min(known).astimezone(sessions.NEW_YORK).date() if known else None


def get_roadmap(*, source: str, now: datetime) -> Roadmap:
    """Return the roadmap as it was last evaluated: at most three queries."""
    stored = {
        row.key: row
        for row in RoadmapCheck.objects.of(source).select_related("override_by").in_order()
    }
    start, today = get_start(source=source), now.astimezone(sessions.NEW_YORK).date()
    current = roadmap.current_phase(start, today)
    phases = []
    for number, title in enumerate(roadmap.PHASES, 1):
        first, last = roadmap.phase_days(start, number) if start else (None, None)
        phases.append(
            Phase(
                number=number,
                title=title,
                first=first,
                last=last,
                is_current=number == current,
                lines=[_line(box, stored) for box in CHECK_BOXES if box.phase == number],
            )
        )
    return Roadmap(
        source=source, start=start, ends=roadmap.ends(start) if start else None, phases=phases
    )


def _line(box: roadmap.CheckBox, stored: Mapping[str, RoadmapCheck]) -> Line:
    row = stored.get(box.key)
    return Line(
        check_id=row.pk if row else None,
        key=box.key,
        title=box.title,
        rule=box.rule,
        state=row.standing if row else roadmap.UNKNOWN,
        by_figures=row.state if row else roadmap.UNKNOWN,
        evidence=row.evidence if row else "not evaluated yet",
        since=row.flipped_on if row else None,
        as_of=row.as_of if row else None,
        overridden_by=row.override_by.get_username() if row and row.override_by else "",
        note=row.override_note if row else "",
    )


@transaction.atomic
def record_roadmap(*, live: Live, source: str, now: datetime) -> int:
    """Evaluate every check box on ``live``; return how many flipped. Safe to run twice."""
    stored = {row.key: row for row in RoadmapCheck.objects.select_for_update().of(source)}
    flips = 0
    for position, box in enumerate(CHECK_BOXES, 1):
        found = box.predicate(live)
        row = stored.get(box.key)
        if row is None:
            row = RoadmapCheck(key=box.key, position=position, phase=box.phase, source=source)
        flips += _evaluate(row, found, live.as_of, now)
    return flips


def _evaluate(row: RoadmapCheck, found: Found, session: date, now: datetime) -> bool:
    """Bring one row up to date; write a line of history if it flipped."""
    before, evidence = row.state, found.evidence[:LONGEST]
    flipped = before != found.state
    told = (row.evidence, row.figures, row.as_of)
    if not flipped and told == (evidence, found.figures, session):
        return False
    row.state, row.evidence, row.figures = found.state, evidence, found.figures
    row.as_of, row.updated_at = session, now
    if flipped:
        row.flipped_on = session
    row.save()
    if flipped:
        RoadmapChange.objects.create(
            check_box=row, before=before, after=found.state, session=session, evidence=evidence,
            changed_at=now, source=row.source,
        )  # fmt: skip
    return flipped


@transaction.atomic
def override(*, check_id: int, state: str, note: str, user: User, now: datetime) -> RoadmapCheck:
    """Let a person's word stand over the figures; an empty ``state`` takes it back.

    Raises:
        NoSuchCheck: There is none of that number.
        BadOverride: ``state`` is unknown, or it comes without a note.
    """
    row = RoadmapCheck.objects.select_for_update().filter(pk=check_id).first()
    if row is None:
        raise NoSuchCheck(f"There is no check box {check_id}.")
    if state and state not in CheckState.values:
        raise BadOverride(f"state: {', '.join(CheckState.values)}, not {state!r}.")
    said = note.strip()[:300]
    if state and not said:
        raise BadOverride("note: say why.")
    before = row.standing
    row.override, row.override_note = state, said if state else ""
    row.override_by, row.override_at = (user, now) if state else (None, None)
    row.updated_at = now
    row.save()
    if row.standing != before:
        RoadmapChange.objects.create(
            check_box=row, before=before, after=row.standing, session=row.as_of,
            evidence=f"override: {said}" if state else "override taken back", by=user,
            changed_at=now, source=row.source,
        )  # fmt: skip
    return row


def get_accounts(source: str) -> list[int]:
    """Return the active accounts of a source and what stands beside it."""
    own = Account.objects.filter(source__in=lakes.sources_beside(source), is_active=True)
    return list(own.values_list("pk", flat=True))
