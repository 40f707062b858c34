"""The comprehensive report: everything the product knows, from stored rows only (design §1, §12).

Nothing is computed here but the layout: summaries, assessments, advice, audits and check boxes are
read as they were last written, each with its age. A part without data says why.
"""

from datetime import date, datetime, timedelta

from django.db.models import Sum

from analytics.models import Baseline, ClaimAudit
from analytics.services import lakes
from performance.calc.report import Chart, Report, Section
from performance.models import DashboardSummary, EquityDay, Incident
from performance.services import (
    advice,
    compliance,
    proposals,
    report_actions,
    report_sections,
    risk,
    roadmap,
    summary_reading,
)
from performance.services.metrics import HEADLINE, WINDOWS
from performance.services.summary_reading import Summary

TREND = 180  # newest summaries of the trend
LONGEST = 365  # days that can be asked for


def window_of(period_days: int) -> int:
    """Return the smallest stored window that holds ``period_days``.

    Raises:
        ValueError: It is below 1 or above ``LONGEST``.
    """
    if not 1 <= period_days <= LONGEST:
        raise ValueError(f"period_days must be 1 to {LONGEST}, got {period_days}")
    return min(days for days in WINDOWS if days >= period_days)


def get_report(*, source: str, now: datetime, period_days: int = 30) -> Report:
    """Return the report: at most fifteen queries, whatever the rows.

    Args:
        source: ``live``, ``imported`` or ``simulated``.
        now: The figures' age is counted from it.
        period_days: Answered by the smallest stored window that holds it.

    Raises:
        ValueError: See :func:`window_of`.
    """
    window = window_of(period_days)
    summary = summary_reading.get_summary(source=source, now=now, period_days=window)
    return Report(
        source=source,
        period_days=period_days,
        window_days=window,
        generated_at=now,
        session=summary.session,
        age=summary.age,
        sections=tuple(_sections(source, now, period_days, summary)),
    )


def _sections(source: str, now: datetime, period_days: int, summary: Summary) -> list[Section]:
    baseline = Baseline.objects.order_by("pk").first()
    audit = ClaimAudit.objects.order_by("-created_at").prefetch_related("items").first()
    found = risk.get_risk(source=source, now=now)
    advised = advice.get_advice(source=source)
    waiting = list(proposals.get_proposals(source=source, waiting=True))
    mapped = roadmap.get_roadmap(source=source, now=now)
    held = sum(len(account.positions) for account in found.accounts)
    last = summary.session or now.date()
    return [
        report_sections.headline(summary, baseline),
        report_sections.claims(audit, baseline),
        report_sections.discovery(summary),
        report_sections.theses(summary),
        report_sections.timing(summary),
        report_actions.risk(found, compliance.count_breaches(source=source)),
        report_sections.health(summary, _incidents()),
        report_sections.portfolio(summary, _equity(source, last, period_days), held),
        report_sections.recovery(summary, _trend(source)),
        report_actions.roadmap(mapped),
        report_actions.actions(advised, waiting, mapped, summary),
        _provenance(summary, source, now, found.session),
    ]


def _trend(source: str) -> list[DashboardSummary]:
    """Return the newest summaries of the headline window, oldest first: one query."""
    rows = DashboardSummary.objects.filter(source=source, period_days=HEADLINE)
    newest = rows.only("session", "recovery_progress").order_by("-session")[:TREND]
    return list(newest)[::-1]


def _equity(source: str, last: date, period_days: int) -> Chart | None:
    """Return the equity of the active accounts over the period: one query."""
    rows = EquityDay.objects.filter(
        source__in=lakes.sources_beside(source),
        account__is_active=True,
        session__gte=last - timedelta(days=period_days),
    )
    by_day = rows.values_list("session").annotate(total=Sum("equity")).order_by("session")
    return report_sections.money_chart(list(by_day))


def _incidents() -> list[tuple[str, str, str]]:
    rows = Incident.objects.open().newest_first()
    return list(rows.values_list("component", "status", "recommendation"))


def _provenance(summary: Summary, source: str, now: datetime, assessed: date | None) -> Section:
    """Where every figure is from, and how old it is."""
    written = summary.created_at
    mark = " (the sample market; it says nothing about real stocks)"
    age = "unknown" if summary.age is None else str(summary.age)
    stamp = written.isoformat(timespec="minutes") if written else "never"
    summed = f"session {summary.session or 'none'}, {age} sessions old, written {stamp}"
    notes = [
        f"Source of the rows: {source}{mark if source == 'simulated' else ''}",
        f"Summary: {summed}",
        f"Risk: session {assessed or 'none'}",
        f"Report made {now.isoformat(timespec='minutes')} from stored rows; nothing was computed",
        "Targets are the mission's claims; a figure without an interval says why",
    ]
    return Section(key="provenance", title="Provenance", notes=tuple(notes))
