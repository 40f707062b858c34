"""What was computed from settled theses is kept exactly as long as it is true."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from performance.models import ThesisAccuracy
from performance.services import accuracy, accuracy_kept
from tests import factories
from tests.thesis_rows import make_settled

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 7, 25, 22, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def keeps_all(monkeypatch, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(accuracy_kept, "FEWEST", 0)
    cache.clear()


def history(count=12, **fields):
    return [
        make_settled(hit=at % 4 == 0, session=date(2024, 7, 3), **fields) for at in range(count)
    ]


def get(days=30):
    return accuracy.get_accuracy(source="imported", now=NOW, period_days=days)


def made(stamp):
    """Return what a stamp keeps under one name, and whether it had to be made."""
    calls = []
    found = stamp.kept("it", lambda: calls.append(1) or "made")
    return found, bool(calls)


def stamp():
    return accuracy_kept.get_stamp(source="imported")


class TestStamp:
    def test_keeps_until_something_changes(self):
        row = history(1)[0]

        assert made(stamp()) == ("made", True)
        assert made(stamp()) == ("made", False)

        ThesisAccuracy.objects.filter(pk=row.pk).update(p_calibrated=0.3, updated_at=LATER)
        assert made(stamp()) == ("made", True)

    @pytest.mark.parametrize("what", ["settled", "pending", "gone"])
    def test_sees_rows_come_and_go(self, what):
        history(2)
        made(stamp())

        if what == "settled":
            history(1)
        elif what == "pending":
            factories.make_accuracy(thesis=factories.make_thesis(symbol="OPEN"))
        else:
            ThesisAccuracy.objects.order_by("pk")[0].delete()

        assert made(stamp()) == ("made", True)

    def test_keeps_sources_and_names_apart(self):
        history(1)
        history(1, source="simulated", thesis__source="simulated")
        made(stamp())

        assert made(accuracy_kept.get_stamp(source="simulated")) == ("made", True)
        assert stamp().kept("other", lambda: "other") == "other"

    def test_keeps_nothing_of_another_release(self, monkeypatch):
        history(1)
        made(stamp())

        monkeypatch.setattr(accuracy_kept, "_revision", lambda: "another")

        assert made(stamp()) == ("made", True)

    def test_does_not_look_for_a_few(self, monkeypatch):
        monkeypatch.setattr(accuracy_kept, "FEWEST", 2)
        history(1)

        assert [made(stamp()), made(stamp())] == [("made", True)] * 2


class TestKeptAccuracy:
    def test_is_the_one_that_was_computed(self):
        history(40)
        history(5, thesis__author="claude:m-1", thesis__p_target=0.7)
        make_settled(session=date(2024, 5, 3), thesis__author="somebody")

        first = get()

        assert get() == first
        assert get(365).window == first.history

    def test_takes_one_query_of_aggregates(self):
        history()
        get()

        with CaptureQueriesContext(connection) as asked:
            get()

        assert len(asked) == 1

    def test_reads_only_the_window_when_a_day_has_passed(self):
        history()
        make_settled(session=date(2024, 5, 3))
        get()

        with CaptureQueriesContext(connection) as asked:
            found = accuracy.get_accuracy(source="imported", now=NOW + timedelta(days=1))

        reads = [each["sql"] for each in asked if "p_target" in each["sql"]]
        assert len(reads) == 1
        assert "2024-06-26" in reads[0]
        assert (found.window.theses, found.history.theses) == (12, 13)

    def test_looks_back_without_what_came_later(self):
        make_settled(session=date(2024, 5, 3))
        history()
        get()

        found = accuracy.get_accuracy_between(
            source="imported", first=date(2024, 5, 1), end=date(2024, 6, 1)
        )

        assert (found.history.theses, found.as_of) == (1, date(2024, 5, 23))

    def test_tells_groups_without_a_thesis_in_the_window(self):
        history()
        make_settled(session=date(2024, 5, 3), thesis__author="somebody")

        found = {group.name: group for group in get().of("author")}

        assert found["somebody"].window.theses == 0
        assert found["somebody"].window.accuracy.reason == "no thesis has settled, 10 are needed"
        assert found["somebody"].window.accuracy.as_of == date(2024, 7, 24)
