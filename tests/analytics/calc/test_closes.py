from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import exchange_calendars
import pytest

from analytics.calc import closes, sessions

NEW_YORK = ZoneInfo("America/New_York")


class TestHalfDays:
    def test_are_those_of_the_exchanges_calendar(self):
        calendar = exchange_calendars.get_calendar("XNYS", start="2013-01-01", end="2030-12-31")
        early = {day.date() for day in calendar.early_closes}
        days = sessions.between(date(2013, 1, 2), date(2030, 12, 31))

        assert {day for day in days if closes.is_half_day(day)} == early


class TestClosing:
    @pytest.mark.parametrize(
        ("day", "hour"),
        [
            (date(2024, 7, 2), 20),  # 16:00 in summer
            (date(2024, 7, 3), 17),  # 13:00 in summer
            (date(2024, 11, 29), 18),  # 13:00 in winter
            (date(2024, 12, 2), 21),  # 16:00 in winter
        ],
    )
    def test_follows_daylight_saving(self, day, hour):
        assert closes.closing(day).hour == hour


class TestLastClosed:
    @pytest.mark.parametrize(
        ("now", "last"),
        [
            (datetime(2024, 7, 3, 12, 59, tzinfo=NEW_YORK), date(2024, 7, 2)),
            (datetime(2024, 7, 3, 13, 0, tzinfo=NEW_YORK), date(2024, 7, 3)),
            (datetime(2024, 7, 4, 18, 0, tzinfo=NEW_YORK), date(2024, 7, 3)),
            (datetime(2024, 7, 6, 9, 0, tzinfo=NEW_YORK), date(2024, 7, 5)),
        ],
    )
    def test_is_the_newest_session_that_is_over(self, now, last):
        assert closes.last_closed(now) == last

    def test_waits_as_long_as_it_is_told(self):
        now = datetime(2024, 7, 2, 16, 19, tzinfo=NEW_YORK)

        assert closes.last_closed(now, after=timedelta(minutes=20)) == date(2024, 7, 1)
