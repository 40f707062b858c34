import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from tests.feed_rows import make_alert
from tests.health_rows import make_metric

pytestmark = pytest.mark.django_db


def samples(answer):
    text = answer.content.decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestMetrics:
    def test_are_for_staff(self, django_user_model):
        client = APIClient()
        assert client.get("/metrics").status_code == 401

        client.force_authenticate(django_user_model.objects.create_user("someone"))
        assert client.get("/metrics").status_code == 403

    def test_tell_what_is_stored(self, api):
        now = timezone.now()
        make_metric(measured_at=now, value=91.5)
        make_metric(
            component="storage",
            name="probe",
            value=0.1,
            status="WARNING",
            reason="little room",
            figures={"var_free_bytes": 123, "lake": "folder"},
            measured_at=now,
        )
        make_alert(severity="warning")

        found = samples(api.get("/metrics"))

        assert found["amc_health_score",] == 91.5
        assert found["amc_component_status", "storage"] == 2
        assert found["amc_component_figure", "storage", "var_free_bytes"] == 123
        assert found["amc_alerts_standing", "volume", "warning"] == 1

    def test_have_no_sample_for_what_is_not_known(self, api):
        found = samples(api.get("/metrics"))

        assert not any(name == "amc_health_score" for name, *_labels in found)
        assert found["amc_incidents_open",] == 0
