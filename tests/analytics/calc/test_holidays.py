"""The stored calendar against the library that it was taken from."""

from datetime import date

import exchange_calendars
import pytest

from analytics.calc import sessions


class TestCalendar:
    def test_agrees_with_exchange_calendars_on_every_session(self):
        theirs = exchange_calendars.get_calendar(
            "XNYS", start=sessions.FIRST, end=sessions.LAST
        ).sessions

        assert sessions.calendar().tolist() == [day.date() for day in theirs]

    @pytest.mark.parametrize("closed", ["2025-01-09", "2026-04-03", "2026-06-19", "2026-07-03"])
    def test_knows_the_check_values(self, closed):
        assert not sessions.is_session(date.fromisoformat(closed))

    def test_counts_the_sessions_of_a_year(self):
        assert len(sessions.between(date(2024, 1, 1), date(2024, 12, 31))) == 252
        assert len(sessions.between(date(2026, 1, 1), date(2026, 12, 31))) == 251
