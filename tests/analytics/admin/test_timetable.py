import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from performance.services import timetable

pytestmark = pytest.mark.django_db


class TestTimetable:
    def test_is_shown_in_the_look_of_the_admin_and_can_be_edited(self, admin_client):
        timetable.store_timetable()
        task = PeriodicTask.objects.get(name="Discovery and settlement")
        url = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])

        page = admin_client.get(url)

        assert page.status_code == 200
        assert "18:30" in page.content.decode() or "30 18" in page.content.decode()

    @pytest.mark.parametrize("name", ["periodictask", "crontabschedule", "intervalschedule"])
    def test_lists_its_parts(self, admin_client, name):
        timetable.store_timetable()

        assert (
            admin_client.get(reverse(f"admin:django_celery_beat_{name}_changelist")).status_code
            == 200
        )
