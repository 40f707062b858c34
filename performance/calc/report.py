"""A report as data: sections of lines, tables and charts, the same for JSON, HTML and PDF (§1)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from analytics.calc import figures
from analytics.calc.evidence import Estimate

PERCENT, CHANGE, NUMBER, RATIO, MONEY = "percent", "change", "number", "ratio", "money"
FORMS: dict[str, Callable[[float | None], str]] = {
    PERCENT: figures.percent,
    CHANGE: figures.change,
    NUMBER: figures.number,
    RATIO: partial(figures.number, digits=2),
    MONEY: figures.money,
}
FIGURE = re.compile(r"[+-]?\$?[\d,]+(\.\d+)?( ?[%x])?")  # a figure as the forms write it
OK, INSUFFICIENT = "ok", "insufficient_data"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure of a report.

    Attributes:
        form: How it is shown: percent, change, number, ratio or money.
        target: What the mission wants, in the same unit; a claim.
    """

    label: str
    figure: Estimate
    form: str = PERCENT
    target: float | None = None

    @property
    def value(self) -> str:
        """The value as a person reads it; "insufficient data" where there is none."""
        if self.figure.value is None:
            return "insufficient data"
        return FORMS[self.form](self.figure.value)

    @property
    def evidence(self) -> str:
        """The interval or the reason for having none, with n and age."""
        show, parts = FORMS[self.form], [f"n = {self.figure.n:,}"]
        if self.figure.low is not None and self.figure.high is not None:
            low, high = show(self.figure.low), show(self.figure.high)
            parts.append(f"{self.figure.level:.0%}: {low} to {high}")
        if self.figure.reason:
            parts.append(self.figure.reason)
        if self.figure.as_of:
            parts.append(f"as of {self.figure.as_of}")
        return "; ".join(parts)

    @property
    def wanted(self) -> str:
        """The target as a person reads it; a dash without one."""
        return figures.MISSING if self.target is None else FORMS[self.form](self.target)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under headings; ``more`` rows were left out."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column holds figures only, which stand at the right."""
        columns = [[row[at] for row in self.rows] for at in range(len(self.headings))]
        return tuple(
            any(text != figures.MISSING for text in texts)
            and all(text == figures.MISSING or FIGURE.fullmatch(text) for text in texts)
            for texts in columns
        )

    @property
    def heads(self) -> tuple[tuple[str, bool], ...]:
        """The headings, each with whether its column is numeric."""
        return tuple(zip(self.headings, self.numeric, strict=True))

    @property
    def cells(self) -> tuple[tuple[tuple[str, bool], ...], ...]:
        """The rows, each text with whether its column is numeric."""
        numeric = self.numeric
        return tuple(tuple(zip(row, numeric, strict=True)) for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A line over sessions; fractions or USD."""

    title: str
    days: tuple[date, ...]
    values: tuple[float, ...]
    form: str = PERCENT

    @property
    def words(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        show = FORMS[self.form]
        return (
            f"{self.title}: {show(self.values[0])} on {self.days[0]}, "
            f"{show(self.values[-1])} on {self.days[-1]}, between {show(min(self.values))} and "
            f"{show(max(self.values))}."
        )

    @property
    def ends(self) -> tuple[str, str]:
        """The lowest and the highest value as a person reads them."""
        show = FORMS[self.form]
        return show(min(self.values)), show(max(self.values))

    def points(self, width: float, height: float) -> list[tuple[float, float]]:
        """Return the line inside a box, the origin at its lower left; time to scale."""
        first, span = self.days[0], max((self.days[-1] - self.days[0]).days, 1)
        low, high = min(self.values), max(self.values)
        depth = high - low or 1.0
        return [
            (round((day - first).days / span * width, 2), round((value - low) / depth * height, 2))
            for day, value in zip(self.days, self.values, strict=True)
        ]

    @property
    def polyline(self) -> str:
        """The line as SVG wants it, in a box of 600 by 120."""
        return " ".join(f"{x},{round(120 - y, 2)}" for x, y in self.points(600, 120))


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a report. Without data it says why, and shows nothing else.

    Attributes:
        words: One or two sentences at its head.
        notes: Lines of text under the figures.
    """

    key: str
    title: str
    words: str = ""
    status: str = OK
    reason: str = ""
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    table: Table | None = None
    chart: Chart | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything the product knows, laid out for a reader with little time.

    Attributes:
        period_days: Asked for; ``window_days`` is the stored window that answers.
        session: That the figures tell; None without any.
        age: Sessions that have ended since.
    """

    source: str
    period_days: int
    window_days: int
    generated_at: datetime
    session: date | None
    age: int | None
    sections: tuple[Section, ...] = field(default=())

    @property
    def simulated(self) -> bool:
        return self.source == "simulated"

    @property
    def title(self) -> str:
        mark = "SIMULATED " if self.simulated else ""
        return f"{mark}Comprehensive performance report, {self.period_days} days"


def missing(key: str, title: str, reason: str) -> Section:
    """Return a section that cannot be given, with the reason."""
    return Section(key=key, title=title, status=INSUFFICIENT, reason=reason)


def chart(
    title: str, points: Sequence[tuple[date, float | None]], form: str = PERCENT
) -> Chart | None:
    """Return a chart of the points that are known; None under two."""
    known = [(day, float(value)) for day, value in points if value is not None]
    if len(known) < 2:
        return None
    return Chart(
        title=title,
        days=tuple(day for day, _ in known),
        values=tuple(value for _, value in known),
        form=form,
    )
