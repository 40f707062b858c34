"""What the timetable has to catch up with."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.services import nights
from tests import factories

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
WEEK = [date(2024, 7, 1), date(2024, 7, 2), date(2024, 7, 3), date(2024, 7, 5)]  # 4th: closed


class Lake:
    def __init__(self, days):
        self._days = days

    def sessions(self):
        return self._days


@pytest.fixture
def bars(monkeypatch):
    def there(*days):
        monkeypatch.setattr(nights.lakes, "lake_of", lambda source: Lake(list(days)))
        monkeypatch.setattr(nights.lakes, "get_active_source", lambda: "imported")

    return there


def evening(day, hour=18, minute=30):
    return datetime(2024, 7, day, hour, minute, tzinfo=NEW_YORK)


def missed(now):
    found = nights.get_missed(now=now)
    return found and (found.first, found.last)


class TestMissed:
    def test_is_the_session_of_the_evening(self, bars):
        bars(*WEEK[:2])
        factories.make_batch(session=WEEK[0], source="imported")

        assert missed(evening(2)) == (WEEK[1], WEEK[1])

    def test_is_nothing_on_a_holiday(self, bars):
        bars(*WEEK[:3])
        factories.make_batch(session=WEEK[2], source="imported")

        assert missed(evening(4)) is None

    def test_is_every_night_since_the_last_batch(self, bars):
        bars(*WEEK)
        factories.make_batch(session=WEEK[0], source="imported")

        assert missed(evening(5)) == (WEEK[1], WEEK[3])

    def test_does_not_include_a_session_that_has_not_closed(self, bars):
        bars(*WEEK[:2])
        factories.make_batch(session=WEEK[0], source="imported")

        assert missed(evening(2, hour=15)) is None

    def test_is_nothing_until_the_bars_are_there(self, bars):
        bars(WEEK[0])
        factories.make_batch(session=WEEK[0], source="imported")

        assert missed(evening(2)) is None

    def test_is_only_the_newest_session_where_nothing_was_ever_scanned(self, bars):
        bars(*WEEK)

        assert missed(evening(5)) == (WEEK[3], WEEK[3])

    def test_leaves_batches_of_the_other_market_aside(self, bars):
        bars(*WEEK)
        factories.make_batch(session=WEEK[3], source="simulated")

        assert missed(evening(5)) == (WEEK[3], WEEK[3])
