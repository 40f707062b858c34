import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import DetectorReport, ExitRule, JobRun
from tests import detector_reports, factories

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:analytics_exitrule_changelist", "admin:analytics_exitrule_add"
FORM = {"name": "mine", "active": "on", "horizon": "14", "stop": "0.1"}


def change(rule):
    return reverse("admin:analytics_exitrule_change", args=[rule.pk])


class TestExitRule:
    def test_is_made_by_hand(self, admin_client):
        admin_client.post(reverse(ADD), FORM)

        assert ExitRule.objects.get().stop == 0.1

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"stop": "1.5"}, "between 0 and 1"),
            ({"name": "hold to horizon"}, "named rule"),
            ({"time_stop": "20"}, "below the horizon"),
        ],
        ids=["stop", "name", "time stop"],
    )
    def test_says_what_is_wrong(self, admin_client, wrong, said):
        page = admin_client.post(reverse(ADD), FORM | wrong)

        assert said in page.content.decode()
        assert not ExitRule.objects.exists()

    def test_is_frozen_once_a_report_used_it(self, admin_client):
        rule = detector_reports.make_rule(name="used", stop=0.2)
        detector_reports.make_report().rules.add(rule)

        admin_client.post(change(rule), FORM | {"name": "used", "active": ""})
        refused = admin_client.post(
            reverse("admin:analytics_exitrule_delete", args=[rule.pk]), {"post": "yes"}
        )

        rule.refresh_from_db()
        assert rule.stop == 0.2
        assert not rule.active, "only that may change"
        assert refused.status_code == 403

    def test_may_change_before(self, admin_client):
        rule = detector_reports.make_rule()

        admin_client.post(change(rule), FORM)

        rule.refresh_from_db()
        assert (rule.name, rule.stop) == ("mine", 0.1)


class TestDetectorReport:
    def test_shows_its_statement_and_tables(self, admin_client):
        report = detector_reports.make_report()

        said = admin_client.get(
            reverse("admin:analytics_detectorreport_change", args=[report.pk])
        ).content.decode()

        assert "Variant C: no out-of-sample model." in said
        assert "Precision: explosive within 14 sessions" in said

    def test_asks_before_it_replays(self, admin_client):
        url = reverse("admin:analytics_detectorreport_replay_exits")

        assert b"ledger of trials" in admin_client.get(url).content
        assert not JobRun.objects.exists()
        admin_client.post(url)

        assert JobRun.objects.get().kind == "replay_exits"

    def test_replays_for_those_who_may(self, client):
        person = factories.make_user(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_detectorreport"))
        client.force_login(person)

        refused = client.post(reverse("admin:analytics_detectorreport_replay_exits"))

        assert refused.status_code == 403
        assert not JobRun.objects.exists()
        assert not DetectorReport.objects.exists()
