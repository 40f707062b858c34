from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from performance.services import timetable, timetable_watch

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 28, 13, 2, tzinfo=UTC)  # Friday, 9:02 in New York


@pytest.fixture(autouse=True)
def entries():
    timetable.store_timetable()


def unsent(now=NOW):
    return {row.entry: row for row in timetable_watch.get_unsent(now=now)}


class TestUnsent:
    def test_is_nothing_before_anything_was_ever_sent(self):
        assert unsent() == {}

    def test_is_nothing_while_the_scheduler_works(self):
        PeriodicTask.objects.update(last_run_at=NOW)

        assert unsent(NOW + timedelta(minutes=15)) == {}

    def test_names_every_entry_whose_time_has_passed(self):
        PeriodicTask.objects.update(last_run_at=NOW)

        found = unsent(NOW + timedelta(minutes=34))  # 9:36

        assert {"Health", "Check before the open"} <= set(found)
        assert "Discovery and settlement" not in found
        assert found["Check before the open"].due == datetime(2024, 6, 28, 13, 20, tzinfo=UTC)

    def test_knows_weekends(self):
        PeriodicTask.objects.update(last_run_at=datetime(2024, 6, 29, 1, tzinfo=UTC))

        assert "Report before the open" not in unsent(datetime(2024, 7, 1, 11, tzinfo=UTC))
        assert "Report before the open" in unsent(datetime(2024, 7, 1, 12, 20, tzinfo=UTC))

    def test_leaves_alone_what_is_switched_off(self):
        PeriodicTask.objects.update(last_run_at=NOW, enabled=False)

        assert unsent(NOW + timedelta(days=9)) == {}
