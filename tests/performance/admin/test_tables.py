import csv
import io
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from performance import models
from tests import (
    evidence_rows,
    factories,
    health_rows,
    mail_rows,
    order_rows,
    portfolio_rows,
    score_rows,
)

MAKERS = {
    models.Account: lambda n: factories.make_account(),
    models.BatchAnalysis: lambda n: factories.make_analysis(batch=_batch(n)),
    models.BrokerOrder: lambda n: order_rows.make_order(),
    models.CandidateTracking: lambda n: factories.make_tracking(
        candidate=factories.make_candidate(symbol=f"C{n}", batch=_batch(n))
    ),
    models.CashMovement: lambda n: factories.make_cash(),
    models.CorporateAction: lambda n: factories.make_action(),
    models.DashboardSummary: lambda n: factories.make_summary(session=_day(n)),
    models.Difference: lambda n: portfolio_rows.make_difference(),
    models.EquityDay: lambda n: portfolio_rows.make_equity(),
    models.Fill: lambda n: factories.make_fill(),
    models.GateStudy: lambda n: evidence_rows.make_study(),
    models.HealthMetric: lambda n: factories.make_health(name=f"latency {n}"),
    models.MailReport: lambda n: mail_rows.make_report(day=_day(n)),
    models.ReportDelivery: lambda n: mail_rows.make_report_delivery(
        report=mail_rows.make_report(day=_day(n))
    ),
    models.ReportPreference: lambda n: mail_rows.make_preference(),
    models.Heartbeat: lambda n: health_rows.make_heartbeat(name=f"here/{n}/1"),
    models.Incident: lambda n: health_rows.make_incident(component=f"part {n}"),
    models.LedgerFinding: lambda n: portfolio_rows.make_finding(),
    models.Lot: lambda n: portfolio_rows.make_lot(),
    models.LotClose: lambda n: portfolio_rows.make_close(),
    models.PerformanceMetric: lambda n: factories.make_metric(as_of=_day(n)),
    models.OrderEvent: lambda n: order_rows.make_event(),
    models.OrderProposal: lambda n: order_rows.make_proposal(),
    models.Position: lambda n: factories.make_position(),
    models.PositionAdvice: lambda n: order_rows.make_advice(),
    models.RiskAssessment: lambda n: factories.make_risk(),
    models.RuleBreach: lambda n: order_rows.make_breach(),
    models.RoadmapChange: lambda n: score_rows.make_change(),
    models.RoadmapCheck: lambda n: score_rows.make_check(key=f"box {n}"),
    models.ThesisAccuracy: lambda n: factories.make_accuracy(),
    models.TimingAnalysis: lambda n: factories.make_timing(),
    models.Trade: lambda n: factories.make_trade(),
    models.TradingSwitch: lambda n: order_rows.make_switch(),
    models.WinnerEpisode: lambda n: factories.make_episode(symbol=f"W{n}"),
}
ADDED = {models.Account, models.CashMovement, models.CorporateAction, models.Fill}  # by hand
CHANGED = {models.ReportPreference}  # by hand
READ_ONLY = [model for model in MAKERS if model not in ADDED | CHANGED]
pytestmark = pytest.mark.django_db


def _day(n):
    return factories.SESSION - timedelta(days=n)


def _batch(n):
    return factories.make_batch(session=_day(n))


def url(model, page, *args):
    return reverse(f"admin:performance_{model._meta.model_name}_{page}", args=args)


def names(model):
    return model.__name__


class TestEveryList:
    def test_covers_every_model_of_the_app(self):
        registered = {m for m in admin.site._registry if m._meta.app_label == "performance"}

        assert registered == set(MAKERS)

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_opens_with_rows(self, admin_client, model):
        row = MAKERS[model](1)

        page = admin_client.get(url(model, "changelist"))

        assert page.status_code == 200
        assert url(model, "change", row.pk) in page.content.decode()

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_takes_no_more_queries_for_more_rows(self, admin_client, model):
        for n in (1, 2):
            MAKERS[model](n)
        few = _queries(admin_client, url(model, "changelist"))
        for n in range(3, 9):
            MAKERS[model](n)

        assert _queries(admin_client, url(model, "changelist")) == few

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_can_be_exported(self, admin_client, model):
        MAKERS[model](1)

        answer = admin_client.get(url(model, "export"))
        lines = list(csv.reader(io.StringIO(answer.getvalue().decode())))

        assert len(lines) == 2

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_is_closed_to_staff_without_permission(self, client, person, model):
        client.force_login(person)

        assert client.get(url(model, "changelist")).status_code == 403
        assert client.get(url(model, "export")).status_code == 403


class TestEveryPage:
    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_opens(self, admin_client, model):
        row = MAKERS[model](1)

        assert admin_client.get(url(model, "change", row.pk)).status_code == 200

    @pytest.mark.parametrize("model", READ_ONLY, ids=names)
    def test_of_the_machine_refuses_a_change(self, admin_client, model):
        row = MAKERS[model](1)

        assert admin_client.post(url(model, "change", row.pk), {}).status_code == 403
        assert admin_client.get(url(model, "add")).status_code == 403
        assert admin_client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


class TestTracking:
    @pytest.mark.parametrize(
        "query", [{"candidate__id__exact": "1"}, {"candidate__batch__id__exact": "1"}]
    )
    def test_list_takes_the_filters_of_the_links_to_it(self, admin_client, query):
        answer = admin_client.get(
            url(models.CandidateTracking, "changelist"), {"origin": "all", **query}
        )

        assert answer.status_code == 200

    def test_shows_returns_as_percentages(self, admin_client):
        factories.make_tracking(return_14=-0.061)

        page = admin_client.get(url(models.CandidateTracking, "changelist"))

        assert "-6.1 %" in page.content.decode()

    def test_of_the_sample_market_says_simulated(self, admin_client):
        candidate = factories.make_candidate(source="simulated")
        row = factories.make_tracking(candidate=candidate)

        page = admin_client.get(url(models.CandidateTracking, "change", row.pk))

        assert "simulated-banner" in page.content.decode()


class TestAnalysis:
    def test_shows_rates_with_their_counts(self, admin_client):
        factories.make_analysis(settled=10, explosive=1)

        html = admin_client.get(url(models.BatchAnalysis, "changelist")).content.decode()

        assert "10.0 % (1 of 10)" in html

    def test_gives_no_rate_over_nothing(self, admin_client):
        factories.make_analysis(settled=0, explosive=0, pending=10, is_complete=False)

        html = admin_client.get(url(models.BatchAnalysis, "changelist")).content.decode()

        assert "none to count" in html


class TestTiming:
    def test_shows_the_claimed_reference_labelled(self, admin_client):
        factories.make_timing(source="claimed")

        page = admin_client.get(url(models.TimingAnalysis, "changelist"))

        assert len(page.context["cl"].result_list) == 1
        assert "claimed" in page.content.decode()


def _queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
