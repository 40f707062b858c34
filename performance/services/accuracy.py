"""Read how theses turned out, with evidence (design §1, §9)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Max

from analytics.calc import evidence, sessions
from analytics.calc.evidence import Estimate
from analytics.calc.thesis_calls import CALLS
from analytics.services import lakes
from performance.calc import accuracy
from performance.calc.accuracy import BANDS, TARGET_ACCURACY, Cases, Scores
from performance.calc.accuracy_figures import Basis
from performance.models import ThesisAccuracy
from performance.models.accuracy import SETTLED, ThesisAccuracyQuerySet
from performance.services import accuracy_kept
from performance.services.accuracy_kept import Stamp

NO_SECTOR, NO_MODEL, NO_PROMPT = "sector not known", "no model", "no prompt"
CUTS = ("author", "model", "prompt", "pattern", "sector", "confidence", "call", "issued")
COLUMNS = (
    "thesis__session", "thesis__p_target", "p_calibrated", "target_reached",
    "thesis__recommendation", "right_if_up", "right_if_down", "right_if_flat", "counts_as_skill",
    "thesis__author", "thesis__model_id", "thesis__prompt_version", "thesis__pattern", "sector",
    "thesis__is_late",
)  # fmt: skip

Answer = TypeVar("Answer")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Theses of a window by what is known of them.

    Those settled have their horizon's end in the window; so have those void or without entry.
    ``pending`` counts all that are open now, ``no_skill`` those settled that never count as skill.
    """

    settled: int
    target: int
    stop: int
    neither: int
    void: int
    no_entry: int
    pending: int
    no_skill: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """The theses that have one thing in common, over the window and over all history."""

    cut: str
    name: str
    window: Scores
    history: Scores


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How theses turned out whose horizon ended from ``first`` to ``end``.

    Attributes:
        as_of: End of the newest horizon that counts; None without one.
        counts: Of the window.
        window, history: Theses that count as skill, up to ``end``.
        no_skill: Theses that never count as skill (signal not after the model's training cut-off,
            or written by a person with hindsight), all history.
        groups: By every cut of design §9, theses that count as skill only.
        target: The mission's: a claim.
    """

    source: str
    first: date
    end: date
    as_of: date | None
    counts: Counts
    window: Scores
    history: Scores
    no_skill: Scores
    groups: Sequence[Group]
    target: Estimate

    def of(self, cut: str) -> list[Group]:
        """Return the groups of one cut."""
        return [group for group in self.groups if group.cut == cut]


def get_accuracy(*, source: str, now: datetime, period_days: int = 30) -> Accuracy:
    """Return how the theses of the last ``period_days`` days turned out.

    A thesis counts on the last session of its horizon, however early a barrier was touched, so
    that no window holds the quick ones only.

    Args:
        source: Rows of its realm: live and imported stand together, simulated alone.
        now: The window ends on its New York date.
        period_days: Length of the window in calendar days.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    end = now.astimezone(sessions.NEW_YORK).date()
    return get_accuracy_between(source=source, first=end - timedelta(days=period_days), end=end)


def get_accuracy_between(*, source: str, first: date, end: date) -> Accuracy:
    """Return how the theses turned out whose horizon ended from ``first`` to ``end``.

    All history is computed once per night and kept; of the rest only the window is read.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    stamp = accuracy_kept.get_stamp(source=source)
    return stamp.kept(f"accuracy {first} {end}", lambda: _computed(stamp, first, end))


def get_answer(
    *,
    source: str,
    now: datetime,
    period_days: int,
    write: Callable[[Accuracy], Answer],
) -> Answer:
    """Return :func:`get_accuracy` as ``write`` words it; what it wrote before is kept.

    Raises:
        lakes.NoLake: ``source`` has no market data.
    """
    end = now.astimezone(sessions.NEW_YORK).date()
    stamp = accuracy_kept.get_stamp(source=source)
    return stamp.kept(
        f"{write.__module__}.{write.__qualname__} {period_days} {end}",
        lambda: write(get_accuracy(source=source, now=now, period_days=period_days)),
    )


def _computed(stamp: Stamp, first: date, end: date) -> Accuracy:
    source, as_of = stamp.source, stamp.newest
    if as_of is not None and as_of > end:  # a look back
        as_of = _settled(source, None, end).aggregate(last=Max("settled_session"))["last"]
    history = stamp.kept(f"history {as_of}", lambda: _parts(source, None, as_of))
    window = history
    if stamp.oldest is not None and first > stamp.oldest:
        window = _parts(source, first, as_of)
    return Accuracy(
        source=source,
        first=first,
        end=end,
        as_of=as_of,
        counts=_counts(source, first, end, window.no_skill.theses),
        window=window.skill,
        history=history.skill,
        no_skill=history.no_skill,
        groups=[
            Group(
                cut=cut, name=name, window=window.groups.get((cut, name), window.none), history=own
            )
            for (cut, name), own in history.groups.items()
        ],
        target=evidence.claimed(value=TARGET_ACCURACY, n=0, reason="the mission's target"),
    )


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Scores of a stretch of time: those that count as skill, the others, by cut and name, none."""

    skill: Scores
    no_skill: Scores
    groups: dict[tuple[str, str], Scores]
    none: Scores


def _parts(source: str, first: date | None, as_of: date | None) -> _Parts:
    table = _read(source, first, as_of)
    return _Parts(
        skill=accuracy.score(table.cases.chosen(table.skill)),
        no_skill=accuracy.score(table.cases.chosen(~table.skill)),
        groups={
            (cut, str(name)): accuracy.score(table.cases.chosen(table.skill & (labels == name)))
            for cut, labels in table.labels.items()
            for name in sorted(set(labels[table.skill].tolist()))
        },
        none=accuracy.score(table.cases.chosen(np.zeros_like(table.skill))),
    )


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Settled theses as columns."""

    cases: Cases
    skill: Flags
    labels: dict[str, npt.NDArray[Any]]


def _settled(source: str, first: date | None, end: date | None) -> ThesisAccuracyQuerySet:
    rows = ThesisAccuracy.objects.settled().filter(source__in=lakes.sources_beside(source))
    if first is not None:
        rows = rows.filter(settled_session__gte=first)
    return rows if end is None else rows.filter(settled_session__lte=end)


def _read(source: str, first: date | None, as_of: date | None) -> _Table:
    """Read the settled theses: one query."""
    rows = _settled(source, first, as_of)
    found = list(rows.order_by("settled_session", "pk").values_list(*COLUMNS))
    columns = dict(zip(COLUMNS, zip(*found, strict=True), strict=True)) if found else {}

    def column(name: str, kind: Any) -> npt.NDArray[Any]:
        return np.array(columns.get(name, ()), dtype=kind)

    signal = column("thesis__session", "datetime64[D]")
    p = column("thesis__p_target", np.float64)
    calls = np.array([CALLS[name] for name in columns.get("thesis__recommendation", ())], np.int8)
    basis = Basis(
        session=np.searchsorted(sessions.calendar(), signal).astype(np.int32),
        source=source,
        as_of=as_of,
    )
    cases = Cases(
        basis=basis,
        p=p,
        calibrated=column("p_calibrated", np.float64),
        hit=column("target_reached", np.bool_),
        call=calls,
        up=column("right_if_up", np.bool_),
        down=column("right_if_down", np.bool_),
        flat=column("right_if_flat", np.bool_),
    )
    return _Table(
        cases=cases,
        skill=column("counts_as_skill", np.bool_),
        labels={
            "author": column("thesis__author", object),
            "model": _named(column("thesis__model_id", object), NO_MODEL),
            "prompt": _named(column("thesis__prompt_version", object), NO_PROMPT),
            "pattern": column("thesis__pattern", object),
            "sector": _named(column("sector", object), NO_SECTOR),
            "confidence": np.array(BANDS, dtype=object)[accuracy.bands(p)],
            "call": column("thesis__recommendation", object),
            "issued": np.where(column("thesis__is_late", np.bool_), "late", "in time"),
        },
    )


def _named(labels: npt.NDArray[Any], blank: str) -> npt.NDArray[Any]:
    return np.where(labels == "", blank, labels)


def _counts(source: str, first: date, end: date, no_skill: int) -> Counts:
    rows = ThesisAccuracy.objects.filter(source__in=lakes.sources_beside(source))
    in_window = rows.filter(settled_session__range=(first, end))
    by_state = Counter(dict(in_window.values_list("settlement").annotate(n=Count("pk"))))
    return Counts(
        settled=sum(by_state[state] for state in SETTLED),
        target=by_state["target"],
        stop=by_state["stop"],
        neither=by_state["neither"],
        void=by_state["void"],
        no_entry=by_state["no_entry"],
        pending=rows.filter(settlement="pending").count(),
        no_skill=no_skill,
    )
