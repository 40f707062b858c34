"""The timetable: New York time, daylight saving, a person's edits kept."""

import importlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from performance.services import timetable

pytestmark = pytest.mark.django_db
NIGHT = "Discovery and settlement"


class TestStoreTimetable:
    def test_stores_what_is_missing(self):
        assert timetable.store_timetable().rows == dict.fromkeys(timetable.ENTRIES, True)

    def test_keeps_what_a_person_changed(self):
        timetable.store_timetable()
        PeriodicTask.objects.filter(name=NIGHT).update(
            enabled=False, crontab=CrontabSchedule.objects.create(minute="0", hour="20")
        )

        again = timetable.store_timetable()

        night = PeriodicTask.objects.get(name=NIGHT)
        assert not any(again.rows.values())
        assert (night.enabled, night.crontab.hour) == (False, "20")

    def test_names_tasks_that_exist(self):
        for entry in timetable.ENTRIES.values():
            module, _, name = entry.task.rpartition(".")
            assert getattr(importlib.import_module(module), name).name == entry.task

    @pytest.mark.parametrize(
        ("at", "due"),
        [
            (datetime(2024, 7, 1, 22, 29, tzinfo=UTC), False),  # 18:29 daylight saving time
            (datetime(2024, 7, 1, 22, 31, tzinfo=UTC), True),
            (datetime(2024, 12, 2, 22, 31, tzinfo=UTC), False),  # 17:31 standard time
            (datetime(2024, 12, 2, 23, 31, tzinfo=UTC), True),
        ],
    )
    def test_follows_the_clock_of_new_york(self, at, due):
        timetable.store_timetable()
        schedule = PeriodicTask.objects.get(name=NIGHT).crontab.schedule
        schedule.nowfun = lambda: at
        morning = at.astimezone(ZoneInfo("America/New_York")).replace(hour=9, minute=0)

        assert schedule.is_due(morning).is_due is due
