import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import ClaimAudit, ClaimItem
from performance.calc import figure_json, roadmap
from performance.models import DashboardSummary, RoadmapCheck
from performance.services import report_pdf, report_text, reporting
from tests import factories, order_rows, risk_market

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 28, 23, 0, tzinfo=UTC)
SECTIONS = [
    "headline", "claims", "discovery", "theses", "timing", "risk", "health", "portfolio",
    "recovery", "roadmap", "actions", "provenance",
]  # fmt: skip


def figure(value, **fields):
    from analytics.calc.evidence import measured

    about = {"n": 40, "source": "imported", "as_of": factories.SESSION, "method": "test"}
    return figure_json.to_json(measured(value=value, bounds=(value - 0.1, value + 0.1), **about))


def fill(rows=1):
    """Write what a report reads, ``rows`` of each kind that grows."""
    account = factories.make_account()
    for at in range(rows):
        factories.make_risk(
            account=account, symbol=f"P{at}", weight=0.2, is_oversize=True, advice="TRIM",
            reason="20.0% of equity, 10.0% are allowed",
        )  # fmt: skip
        order_rows.make_advice(
            account=account, symbol=f"P{at}", advice="LIQUIDATE", reason=f"loss {at}",
            stop_state="missing",
        )  # fmt: skip
        order_rows.make_breach(account=account, symbol=f"P{at}")
        order_rows.make_proposal(account=account)
        factories.make_summary(
            session=factories.SESSION - timedelta(days=at + 1), period_days=90,
            recovery_status="BEHIND_SCHEDULE", recovery_progress=0.3 + at / 1000,
        )  # fmt: skip
    factories.make_risk(account=account, symbol="", figures={"var_95": figure(-0.04)}, var_95=-0.04)
    risk_market.make_equity(account)
    factories.make_baseline()
    audit = ClaimAudit.objects.create(
        title="Baseline", digest="x", created_at=NOW, source="imported"
    )
    for at in range(rows):
        ClaimItem.objects.create(
            audit=audit, position=at, kind="arithmetic", subject="profit", claim="+152 %",
            verdict="impossible", evidence="957.50 on 1,500 is +63.8 %",
        )  # fmt: skip
    RoadmapCheck.objects.create(
        key=roadmap.CHECK_BOXES[0].key, position=1, phase=1, state="not_met", evidence="1 position",
        updated_at=NOW, source="imported",
    )  # fmt: skip
    DashboardSummary.objects.create(
        session=factories.SESSION, period_days=30, alert_level="CRITICAL",
        recovery_status="BEHIND_SCHEDULE", recovery_progress=0.35, created_at=NOW,
        source="imported",
        figures={
            "recovery": {
                "alert_level": "CRITICAL", "alert_reasons": ["win rate < 40 %"],
                "status": "BEHIND_SCHEDULE", "progress": 0.35,
                "projection": {"reason": "too few cohorts"}, "zero_skill": {"progress": 0.32},
            },
            "metrics": {
                "equal": {"win_rate": figure(0.38) | {"frozen": 0, "at_zero": None}},
                "capital": {"average_return": figure(-0.1)},
            },
            "timing": {
                "trades": 7, "figures": {"market_timing_score": figure(61.0)},
                "bridge": [{"key": "delay", "usd": -12.5, "n": 7, "about": "delay cost"}],
            },
            "discovery": {"B": {"quality": figure(44.0), "explosive": figure(0.09)}},
            "thesis_accuracy": figure(0.55),
            "health": {"value": None, "reason": "not scored within a day"},
        },
    )  # fmt: skip


def report(**options):
    return reporting.get_report(**{"source": "imported", "now": NOW, **options})


def section(found, key):
    return next(each for each in found.sections if each.key == key)


class TestGetReport:
    def test_has_every_section_in_order(self):
        fill()

        found = report()

        assert [each.key for each in found.sections] == SECTIONS
        assert (found.session, found.age, found.window_days) == (factories.SESSION, 0, 30)
        assert {each.key: each.status for each in found.sections if each.status != "ok"} == {}

    def test_without_anything_every_section_says_why(self):
        found = report()

        assert [each.key for each in found.sections] == SECTIONS
        for each in found.sections:
            if each.key not in {"health", "actions", "provenance"}:
                assert (each.status, bool(each.reason)) == ("insufficient_data", True), each.key
        (score,) = section(found, "health").lines
        assert score.figure.value is None

    def test_shows_figures_with_target_and_evidence(self):
        fill()

        win = next(line for line in section(report(), "headline").lines if line.label == "Win rate")

        assert (win.value, win.wanted) == ("38.0 %", "73.3 %")
        assert "n = 40" in win.evidence
        assert "28.0 % to 48.0 %" in win.evidence

    def test_says_what_to_do_in_five_lines(self):
        fill(rows=9)

        found = section(report(), "actions")

        assert len(found.notes) == 5
        assert found.notes[0] == "LIQUIDATE P0: loss 0"
        assert "more are left out" in found.words

    def test_draws_trend_and_equity(self):
        fill(rows=5)

        found = report()

        assert len(section(found, "recovery").chart.days) == 5
        assert section(found, "portfolio").chart.values == (10_000.0, 9_900.0, 10_000.0)

    def test_asks_at_most_15_times_and_no_more_for_more_rows(self):
        fill(rows=12)
        with CaptureQueriesContext(connection) as queries:
            report()

        assert len(queries) <= 15

    @pytest.mark.parametrize(
        ("days", "window"), [(1, 1), (7, 7), (8, 30), (31, 90), (91, 365), (365, 365)]
    )
    def test_takes_the_smallest_window_that_holds_the_period(self, days, window):
        assert reporting.window_of(days) == window

    @pytest.mark.parametrize("days", [0, 366])
    def test_refuses_a_period_without_a_window(self, days):
        with pytest.raises(ValueError, match="period_days"):
            report(period_days=days)

    def test_of_the_sample_market_says_simulated(self):
        assert report(source="simulated").title.startswith("SIMULATED")


class TestPdf:
    def test_is_a_pdf_of_vectors_and_text(self):
        fill(rows=5)

        made = report_pdf.render(report())

        assert made.startswith(b"%PDF-")
        assert b"/Subtype /Image" not in made
        assert len(re.findall(rb"/Type /Page\b", made)) >= 2

    def test_is_the_same_every_time(self):
        fill()
        found = report()

        assert report_pdf.render(found) == report_pdf.render(found)

    def test_of_nothing_still_is_a_report(self):
        assert report_pdf.render(report(source="simulated")).startswith(b"%PDF-")

    def test_takes_texts_that_are_longer_than_a_page(self):
        fill()
        ClaimItem.objects.update(evidence="long " * 3000)

        assert report_pdf.render(report()).startswith(b"%PDF-")

    def test_takes_text_that_looks_like_markup(self):
        fill()
        RoadmapCheck.objects.update(evidence="<b>close < 3 & more ✖")

        assert report_pdf.render(report()).startswith(b"%PDF-")


class TestText:
    def test_says_everything_in_markdown(self):
        fill()
        RoadmapCheck.objects.update(evidence="a | b")

        text = report_text.render(report())

        for said in ("# Comprehensive", "## Risk", "## What to do", "38.0 %", "a \\| b"):
            assert said in text
