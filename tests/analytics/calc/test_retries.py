from datetime import timedelta

from analytics.calc.retries import LONGEST_WAIT, TRIES, wait_after


class TestWaitAfter:
    def test_doubles_up_to_an_hour_and_then_gives_up(self):
        waits = [wait_after(attempt) for attempt in range(1, TRIES + 1)]

        assert waits[0] * 2 == waits[1]
        assert max(waits[:-1]) == LONGEST_WAIT
        assert waits[-1] is None

    def test_outlasts_an_hour_and_more(self):
        assert sum((wait_after(n) for n in range(1, TRIES)), timedelta()) > timedelta(hours=5)

    def test_obeys_what_is_asked_within_reason(self):
        assert wait_after(1, 600.0) == timedelta(seconds=600)
        assert wait_after(5, 1.0) == wait_after(5)
        assert wait_after(1, 1e9) == LONGEST_WAIT
