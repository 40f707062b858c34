import csv
import io
from datetime import date

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics import models
from analytics.admin import export
from tests import (
    detector_reports,
    evidence_rows,
    factories,
    feed_rows,
    learned_rows,
    studies,
    thesis_records,
)

MAKERS = {
    models.BacktestRun: lambda n: evidence_rows.make_run(),
    models.Alert: lambda n: feed_rows.make_alert(symbol=f"A{n}"),
    models.AlertDelivery: lambda n: feed_rows.make_delivery(
        alert=feed_rows.make_alert(symbol=f"A{n}")
    ),
    models.AlertRoute: lambda n: feed_rows.make_route(name=f"desk {n}"),
    models.Baseline: lambda n: factories.make_baseline(period=f"period {n}"),
    models.Candidate: lambda n: factories.make_candidate(symbol=f"C{n}", batch=_batch()),
    models.ClaimAudit: lambda n: evidence_rows.make_audit(title=f"letter {n}"),
    models.ClaimItem: lambda n: evidence_rows.make_claim(),
    models.Correction: lambda n: factories.make_correction(symbol=f"C{n}"),
    models.DataFinding: lambda n: factories.make_finding(run=factories.make_import_run()),
    models.DataSetState: lambda n: feed_rows.make_state(data_set=list(models.DataSet)[n]),
    models.DetectorReport: lambda n: detector_reports.make_report(),
    models.ExitRule: lambda n: detector_reports.make_rule(name=f"rule {n}"),
    models.DiscoveryBatch: lambda n: factories.make_batch(
        variant=factories.make_variant(name=f"V{n}")
    ),
    models.Filing: lambda n: feed_rows.make_filing(symbol=f"F{n}"),
    models.Halt: lambda n: feed_rows.make_halt(symbol=f"H{n}"),
    models.HeldSession: lambda n: feed_rows.make_hold(session=date(2024, 7, n + 1)),
    models.Experiment: lambda n: studies.make_experiment(
        variant_a=factories.make_variant(name=f"X{n}")
    ),
    models.ExperimentReading: lambda n: studies.make_reading(
        experiment=studies.make_experiment(variant_a=factories.make_variant(name=f"X{n}"))
    ),
    models.HistoryIndex: lambda n: studies.make_index(name=f"index {n}"),
    models.SweepSet: lambda n: studies.make_set(),
    models.WeightSweep: lambda n: studies.make_sweep(),
    models.ImportRun: lambda n: factories.make_import_run(file=f"{n}.csv"),
    models.JobRun: lambda n: factories.make_job(idempotency_key=f"job {n} of the list"),
    models.LearnedModel: lambda n: learned_rows.make_model(),
    models.ResearchSheet: lambda n: learned_rows.make_sheet(last=date(2022, 12, n + 1)),
    models.LiveQuote: lambda n: feed_rows.make_quote(symbol=f"Q{n}"),
    models.LookaheadCertificate: lambda n: evidence_rows.make_certificate(),
    models.ReferencePattern: lambda n: factories.make_reference(symbol=f"R{n}"),
    models.Security: lambda n: factories.make_security(symbol=f"S{n}"),
    models.ShadowPick: lambda n: factories.make_shadow_pick(symbol=f"P{n}", batch=_batch()),
    models.Thesis: lambda n: factories.make_thesis(symbol=f"T{n}"),
    models.ThesisEvent: lambda n: thesis_records.make_event(),
    models.ThesisRequest: lambda n: thesis_records.make_request(
        candidate=factories.make_candidate(symbol=f"C{n}", batch=_batch())
    ),
    models.PatternCalibration: lambda n: thesis_records.make_calibration(author=f"rules:{n}"),
    models.ThesisBudget: thesis_records.make_budget,
    models.ClaudeCall: thesis_records.make_call,
    models.Trial: lambda n: evidence_rows.make_trial(),
    models.Variant: lambda n: factories.make_variant(name=f"V{n}"),
}
READ_ONLY = [
    models.LearnedModel,
    models.ResearchSheet,
    models.Experiment,
    models.ExperimentReading,
    models.HistoryIndex,
    models.SweepSet,
    models.WeightSweep,
    models.Alert,
    models.AlertDelivery,
    models.DataSetState,
    models.Filing,
    models.Halt,
    models.HeldSession,
    models.LiveQuote,
    models.BacktestRun,
    models.DetectorReport,
    models.Candidate,
    models.ClaimAudit,
    models.ClaimItem,
    models.DataFinding,
    models.DiscoveryBatch,
    models.ImportRun,
    models.JobRun,
    models.LookaheadCertificate,
    models.Security,
    models.ShadowPick,
    models.Thesis,
    models.ThesisEvent,
    models.ThesisRequest,
    models.PatternCalibration,
    models.ThesisBudget,
    models.ClaudeCall,
    models.Trial,
]
pytestmark = pytest.mark.django_db


def _batch():
    return models.DiscoveryBatch.objects.first() or factories.make_batch()


def url(model, page, *args):
    return reverse(f"admin:analytics_{model._meta.model_name}_{page}", args=args)


def names(model):
    return model.__name__


class TestEveryList:
    def test_covers_every_model_of_the_app(self):
        registered = {m for m in admin.site._registry if m._meta.app_label == "analytics"}

        assert registered == set(MAKERS)

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_opens_with_rows(self, admin_client, model):
        row = MAKERS[model](1)

        page = admin_client.get(url(model, "changelist"))

        assert page.status_code == 200
        assert url(model, "change", row.pk) in page.content.decode()

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_takes_no_more_queries_for_more_rows(self, admin_client, model):
        MAKERS[model](1)
        few = _queries(admin_client, url(model, "changelist"))
        for n in range(2, 9):
            MAKERS[model](n)

        assert _queries(admin_client, url(model, "changelist")) == few

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_can_be_searched(self, admin_client, model):
        MAKERS[model](1)

        assert admin_client.get(url(model, "changelist"), {"q": "C1"}).status_code == 200

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_can_be_exported(self, admin_client, model):
        row = MAKERS[model](1)

        answer = admin_client.get(url(model, "export"))
        lines = list(csv.reader(io.StringIO(answer.getvalue().decode())))

        assert len(lines) == 2
        assert str(row.pk) in lines[1] or row.symbol in lines[1]


class TestEveryPage:
    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_opens(self, admin_client, model):
        row = MAKERS[model](1)

        assert admin_client.get(url(model, "change", row.pk)).status_code == 200

    @pytest.mark.parametrize("model", sorted(MAKERS.keys() - READ_ONLY, key=names), ids=names)
    def test_of_people_opens_empty_or_refuses(self, admin_client, model):
        assert admin_client.get(url(model, "add")).status_code in (200, 302, 403)

    @pytest.mark.parametrize("model", READ_ONLY, ids=names)
    def test_of_the_machine_refuses_a_change(self, admin_client, model):
        row = MAKERS[model](1)

        assert admin_client.post(url(model, "change", row.pk), {}).status_code == 403
        assert admin_client.get(url(model, "add")).status_code == 403
        assert admin_client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()

    @pytest.mark.parametrize("model", MAKERS, ids=names)
    def test_is_closed_to_staff_without_permission(self, client, person, model):
        row = MAKERS[model](1)
        client.force_login(person)

        assert client.get(url(model, "changelist")).status_code == 403
        assert client.get(url(model, "change", row.pk)).status_code == 403
        assert client.get(url(model, "export")).status_code == 403

    def test_opens_for_who_may_only_look(self, client, person):
        row = factories.make_variant()
        person.user_permissions.add(Permission.objects.get(codename="view_variant"))
        client.force_login(person)

        assert client.get(url(models.Variant, "change", row.pk)).status_code == 200
        assert client.post(url(models.Variant, "change", row.pk), {}).status_code == 403


class TestSource:
    def test_shows_the_one_in_use_unless_asked(self, admin_client):
        real = factories.make_candidate(symbol="REAL")
        factories.make_candidate(symbol="SIMU", source="simulated")

        page = admin_client.get(url(models.Candidate, "changelist"))

        assert list(page.context["cl"].result_list) == [real]
        assert not page.context["shows_simulated"]

    def test_of_the_sample_market_stands_on_list_and_page(self, admin_client):
        row = factories.make_candidate(source="simulated")

        shown = admin_client.get(url(models.Candidate, "changelist"), {"origin": "simulated"})
        page = admin_client.get(url(models.Candidate, "change", row.pk))

        assert "simulated-banner" in shown.content.decode()
        assert "simulated-banner" in page.content.decode()

    @pytest.mark.parametrize(
        "make",
        [factories.make_security, factories.make_import_run, factories.make_finding],
    )
    def test_is_on_every_row_of_a_mixed_list(self, admin_client, make):
        make(source="simulated")
        row = make(source="imported")

        page = admin_client.get(url(type(row), "changelist"), {"origin": "all"})

        assert len(page.context["cl"].result_list) == 2
        assert "SIMULATED</strong>" in page.content.decode()

    def test_of_real_rows_has_no_banner(self, admin_client):
        row = factories.make_candidate()

        page = admin_client.get(url(models.Candidate, "change", row.pk))

        assert "simulated-banner" not in page.content.decode()


class TestExport:
    def test_holds_what_the_filters_leave(self, admin_client):
        factories.make_candidate(symbol="AAAA", pattern="VIGL_SQUEEZE", ret_1=-0.25)
        factories.make_candidate(
            symbol="BBBB", batch=models.DiscoveryBatch.objects.get(), pattern="STANDARD"
        )

        answer = admin_client.get(
            url(models.Candidate, "export"), {"pattern__exact": "VIGL_SQUEEZE"}
        )
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

        assert [row["symbol"] for row in rows] == ["AAAA"]
        assert rows[0]["ret_1"] == "-0.25"
        assert rows[0]["batch__session"] == "2024-06-28"

    def test_takes_the_sting_out_of_formulae(self, admin_client):
        factories.make_finding(detail="=HYPERLINK('http://evil')", symbol="@SUM")

        answer = admin_client.get(url(models.DataFinding, "export"))
        row = next(csv.DictReader(io.StringIO(answer.getvalue().decode())))

        assert row["detail"] == "'=HYPERLINK('http://evil')"
        assert row["symbol"] == "'@SUM"

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_quotes_each_start_of_a_formula(self, start):
        assert export.safe(f"{start}1") == f"'{start}1"

    def test_leaves_numbers_numbers(self):
        assert export.safe(-0.5) == -0.5

    def test_streams_and_reads_in_one_query(self, admin_client, django_assert_max_num_queries):
        batch = factories.make_batch()
        for n in range(20):
            factories.make_candidate(symbol=f"S{n}", batch=batch)

        answer = admin_client.get(url(models.Candidate, "export"))
        assert answer.streaming
        with django_assert_max_num_queries(1):
            body = answer.getvalue().decode()

        assert body.count("\r\n") == 21


def _queries(client, address):
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
