import sqlite3
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections

from analytics.clients.claude import Usage
from analytics.models import ClaudeCall, ThesisBudget
from analytics.services import claude_budget
from analytics.services.claude_budget import NoPrice, OverBudget

pytestmark = pytest.mark.django_db
MODEL = "claude-sonnet-5-5"
NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
LATER = NOW + timedelta(seconds=9)


@pytest.fixture(autouse=True)
def limits(settings):
    settings.CLAUDE_DAILY_TOKENS = 10_000
    settings.CLAUDE_DAILY_USD = 5.0
    return settings


def reserve(tokens_in=900, tokens_out=100, now=NOW, model=MODEL):
    return claude_budget.reserve(model=model, tokens_in=tokens_in, tokens_out=tokens_out, now=now)


def held():
    budget = ThesisBudget.objects.get()
    return budget.tokens_held, budget.usd_held


class TestReserve:
    def test_takes_the_most_that_a_call_may_cost(self):
        call = reserve()

        assert held() == (1000, Decimal("0.003250"))  # 900 x $2.50 + 100 x $10 a million
        assert (call.state, call.tokens_reserved) == ("reserved", 1000)

    def test_stops_at_the_last_token(self):
        for _ in range(10):
            reserve()

        with pytest.raises(OverBudget, match="10000 tokens"):
            reserve(1, 0)
        assert held()[0] == 10_000

    def test_stops_at_the_last_cent(self, settings):
        settings.CLAUDE_DAILY_USD = 0.0065

        reserve()
        reserve()

        with pytest.raises(OverBudget):
            reserve(1, 0)

    def test_has_nothing_to_give_of_a_budget_of_nought(self, settings):
        settings.CLAUDE_DAILY_USD = 0.0

        with pytest.raises(OverBudget):
            reserve()
        assert ClaudeCall.objects.count() == 0

    def test_begins_anew_each_day_of_utc(self):
        for _ in range(10):
            reserve()

        reserve(now=datetime(2026, 11, 21, 0, 0, tzinfo=UTC))

        assert list(ThesisBudget.objects.order_by("day").values_list("day", flat=True)) == [
            date(2026, 11, 20),
            date(2026, 11, 21),
        ]

    def test_needs_a_price(self, settings):
        with pytest.raises(NoPrice, match="claude-next"):
            reserve(model="claude-next")
        settings.CLAUDE_USD_PER_MILLION = "3/15"
        assert reserve(model="claude-next").usd_reserved == Decimal("0.004875")


class TestSettle:
    def test_puts_the_bill_in_the_place_of_the_reservation(self):
        call = reserve()

        cost = claude_budget.settle(
            call=call,
            usage=Usage(tokens_in=100, tokens_out=50, cache_write=200, cache_read=300),
            ended_as="end_turn",
            provider_id="req",
            now=LATER,
        )

        assert cost == Decimal("0.00126")  # 100 x 2 + 50 x 10 + 200 x 2.50 + 300 x 0.20
        assert held() == (650, Decimal("0.001260"))
        call.refresh_from_db()
        assert (call.state, call.tokens_in, call.cost_usd) == ("settled", 600, cost)

    def test_does_so_once(self):
        call = reserve()
        for _ in range(2):
            claude_budget.settle(
                call=call, usage=Usage(tokens_in=1, tokens_out=1), ended_as="", provider_id="",
                now=LATER,
            )  # fmt: skip
        claude_budget.release(call=call, ended_as="overloaded", now=LATER)

        assert held()[0] == 2


class TestRelease:
    def test_gives_everything_back(self):
        claude_budget.release(call=reserve(), ended_as="overloaded", now=LATER)

        assert held() == (0, 0)
        assert ClaudeCall.objects.get().state == "unbilled"


class TestKeep:
    def test_counts_in_full_what_nobody_knows(self):
        claude_budget.keep(call=reserve(), ended_as="timed_out", now=LATER)

        assert held()[0] == 1000
        assert ClaudeCall.objects.get().state == "unknown"

    def test_is_what_becomes_of_a_call_whose_worker_died(self):
        reserve()

        assert held()[0] == 1000


def take_in_threads(workers=8, tries=8):
    """Reserve from many threads, each with a connection of its own; return what was let through."""
    let_through: list[int] = []
    faults: list[Exception] = []

    def work():
        try:
            for _ in range(tries):
                try:
                    let_through.append(reserve().pk)
                except OverBudget:
                    continue
        except Exception as error:  # noqa: BLE001  # shown by the test
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []
    return let_through


class TestWorkersTogether:
    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_cannot_overrun_it(self):
        assert len(take_in_threads()) == 10
        assert held()[0] == 10_000
        assert ClaudeCall.objects.count() == 10

    @pytest.mark.django_db(transaction=True)
    def test_cannot_overrun_it_on_sqlite(self, tmp_path, monkeypatch):
        if connection.vendor != "sqlite":
            pytest.skip("is about SQLite")
        path = tmp_path / "db.sqlite3"
        with sqlite3.connect(path) as file:
            connection.connection.backup(file)
            file.execute("PRAGMA journal_mode=WAL")
        monkeypatch.setitem(connections.settings["default"], "NAME", str(path))

        let_through = take_in_threads(workers=4)

        with sqlite3.connect(path) as file:
            tokens = file.execute("SELECT tokens_held FROM analytics_thesisbudget").fetchall()
        assert len(let_through) == 10
        assert tokens == [(10_000,)]
