from datetime import timedelta

import pytest
from django.db import OperationalError

from amc_trader import watch as thread
from performance.services import watch
from tests.factories import NOW


class TestAwakeSince:
    def test_begins_anew_after_the_machine_slept(self):
        since, last = NOW - timedelta(hours=9), NOW - timedelta(hours=8)

        assert thread.awake_since(since=since, last=last, now=NOW) == NOW

    def test_stays_while_looks_follow_each_other(self):
        since, last = NOW - timedelta(hours=9), NOW - timedelta(minutes=1)

        assert thread.awake_since(since=since, last=last, now=NOW) == since


@pytest.mark.django_db
class TestLook:
    @pytest.mark.parametrize("error", [OperationalError("gone"), ValueError("a bug")])
    def test_outlives_what_goes_wrong(self, monkeypatch, error):
        def broken(**_options):
            raise error

        monkeypatch.setattr(watch, "look", broken)
        monkeypatch.setattr(thread, "connection", type("Own", (), {"close": lambda: None}))

        thread._look(now=NOW, since=NOW)
