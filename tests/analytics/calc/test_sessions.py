from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import sessions
from analytics.calc.sessions import OutsideCalendar

NUMBERS = st.integers(0, sessions.calendar().size - 1)


class TestNumber:
    @given(NUMBERS)
    def test_and_day_undo_each_other(self, number):
        assert sessions.number(sessions.day(number)) == number

    def test_of_a_day_without_trading_is_that_of_the_session_before(self):
        assert sessions.number(date(2022, 3, 6)) == sessions.number(date(2022, 3, 4))

    @pytest.mark.parametrize("day", [date(1994, 12, 30), date(2036, 1, 2)])
    def test_refuses_days_outside_the_calendar(self, day):
        with pytest.raises(OutsideCalendar, match=str(day)):
            sessions.number(day)


class TestDay:
    @pytest.mark.parametrize("number", [-1, sessions.calendar().size])
    def test_does_not_count_from_the_other_end(self, number):
        with pytest.raises(OutsideCalendar):
            sessions.day(number)


class TestCalendar:
    def test_has_the_known_holidays(self):
        assert not sessions.is_session(date(2025, 1, 9))
        assert not sessions.is_session(date(2026, 11, 26))
        assert sessions.is_session(date(2026, 11, 27))
        assert len(sessions.between(date(2024, 1, 1), date(2024, 12, 31))) == 252

    def test_counts_in_sessions(self):
        assert sessions.offset(date(2026, 11, 25), 5) == date(2026, 12, 3)
        assert sessions.offset(date(2026, 12, 3), -5) == date(2026, 11, 25)

    def test_cannot_be_written_to(self):
        with pytest.raises(ValueError, match="read-only"):
            sessions.calendar()[0] = sessions.calendar()[1]


class TestInstants:
    def test_cut_off_is_midnight_in_new_york(self):
        assert sessions.cut_off(date(2022, 3, 4)) == datetime(2022, 3, 5, 5, 0, tzinfo=UTC)
        assert sessions.cut_off(date(2022, 3, 14)) == datetime(2022, 3, 15, 4, 0, tzinfo=UTC)

    def test_opening_is_half_past_nine_in_new_york(self):
        assert sessions.opening(date(2022, 3, 4)) == datetime(2022, 3, 4, 14, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("now", "session"),
        [
            (datetime(2022, 3, 4, 20, 59, tzinfo=UTC), date(2022, 3, 3)),
            (datetime(2022, 3, 4, 21, 0, tzinfo=UTC), date(2022, 3, 4)),
            (datetime(2022, 3, 6, 12, 0, tzinfo=UTC), date(2022, 3, 4)),
        ],
    )
    def test_a_session_is_finished_after_its_close(self, now, session):
        assert sessions.last_finished(now) == session
