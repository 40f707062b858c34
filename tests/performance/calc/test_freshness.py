"""How long data may be taken for current."""

from datetime import UTC, date, datetime

from performance.calc import freshness


class TestOfSession:
    def test_is_of_the_close_and_due_when_the_next_session_is_over(self):
        friday = freshness.of_session(date(2024, 6, 28))

        assert friday.as_of == datetime(2024, 6, 28, 20, 0, tzinfo=UTC)
        assert friday.due == datetime(2024, 7, 2, 4, 0, tzinfo=UTC)  # Monday's end in New York
        assert friday.words == "close of 2024-06-28"

    def test_is_not_late_because_of_a_holiday(self):
        before_the_fourth = freshness.of_session(date(2024, 7, 3))

        assert before_the_fourth.due == datetime(2024, 7, 6, 4, 0, tzinfo=UTC)

    def test_is_stale_one_session_after_it_was_due(self):
        found = freshness.of_session(date(2024, 6, 28))

        assert found.stale_after == datetime(2024, 7, 3, 4, 0, tzinfo=UTC)


class TestOfMoment:
    def test_is_late_after_two_and_a_half_refreshes(self):
        now = datetime(2024, 6, 28, 20, 0, tzinfo=UTC)

        assert (freshness.of_moment(now).due - now).total_seconds() == 150

    def test_is_told_in_exchange_time_with_the_zone(self):
        now = datetime(2024, 6, 28, 20, 0, 5, tzinfo=UTC)

        assert freshness.of_moment(now).words == "2024-06-28 16:00:05 ET"
