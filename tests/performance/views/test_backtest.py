import json

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.calc import detector_report_tables
from tests import detector_reports, factories

pytestmark = pytest.mark.django_db
QUERIES = 8


def payload(said, name):
    start = said.index(f'id="{name}"')
    return json.loads(said[said.index(">", start) + 1 : said.index("</script>", start)])


class TestBacktest:
    def test_says_that_there_is_no_report_yet(self, staff):
        assert "No report yet." in staff.get("/backtest").content.decode()

    def test_shows_statement_tables_and_chart(self, staff):
        report = detector_reports.make_report()

        said = staff.get("/backtest").content.decode()

        assert "Variant C: no out-of-sample model." in said
        for table in detector_report_tables.tables(report.result):
            assert table.title in said
        drawn = payload(said, "returns-chart-data")
        assert drawn["rules"] == report.result["rules"]
        assert 'id="calibration-chart"' not in said, "no variant gives a probability"

    def test_labels_the_sample_market(self, staff, source):
        source("simulated")
        detector_reports.make_report(source="simulated")

        assert "SIMULATED" in staff.get("/backtest").content.decode()

    def test_offers_the_replay_to_those_who_may(self, staff, client):
        detector_reports.make_report()
        assert ">Replay exits</a>" not in staff.get("/backtest").content.decode()
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="replay_exits"))
        client.force_login(person)

        assert ">Replay exits</a>" in client.get("/backtest").content.decode()

    def test_takes_no_more_queries_for_more_reports(self, staff):
        detector_reports.make_report()
        with CaptureQueriesContext(connection) as few:
            staff.get("/backtest")
        for _ in range(5):
            detector_reports.make_report()
        with CaptureQueriesContext(connection) as many:
            staff.get("/backtest")

        assert len(many) == len(few) <= QUERIES

    def test_is_for_staff(self, client):
        assert client.get("/backtest").status_code == 302
