from datetime import timedelta

import pytest

from analytics.calc import sessions
from performance.models import TimingAnalysis, Trade
from performance.services import timing
from tests import factories, risk_market, score_rows
from tests.score_rows import EVENING, LAST, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path, settings)
    return factories.make_account()


def refresh(now=EVENING):
    return timing.refresh_timing(source="imported", now=now)


def trade(account, *, ago=40, signals=((42, True),), **fields):
    """A trade in AAA whose candidate is the newest of ``signals`` (sessions ago, is first)."""
    variant = factories.make_variant()
    for at, first in signals:
        candidate = factories.make_candidate(
            symbol="AAA", session=day(at), variant=variant, first_signal=first
        )
    path = risk_market.closes()["AAA"]
    return score_rows.make_trade(account, "AAA", path, ago=ago, candidate=candidate, **fields)


class TestRefresh:
    def test_times_every_trade_with_a_candidate(self, account):
        score_rows.make_record(account)

        done = refresh()

        assert (done.trades, done.changed) == (30, 30)
        rows = TimingAnalysis.objects.all()
        assert {row.delay for row in rows} == {1}
        assert all(row.entry_score is not None and row.mfe is not None for row in rows)

    def test_holds_the_fill_against_the_open_after_the_signal(self, account):
        made = trade(account)
        path = risk_market.closes()["AAA"]

        refresh()

        row = TimingAnalysis.objects.get(trade=made)
        executable = path[len(path) - 1 - 41]  # the open is the close in these bars
        assert row.executable_session == day(41)
        assert row.executable_open == pytest.approx(executable)
        assert row.entry_cost == pytest.approx(float(made.entry_price) / executable - 1)
        assert float(row.delay_cost) == pytest.approx(
            (float(made.entry_price) - executable) * 100, abs=0.006
        )
        assert row.profit_taken == made.realised.quantize(row.profit_taken)

    def test_starts_from_the_first_of_the_run_of_signals(self, account):
        made = trade(account, signals=((60, True), (45, True), (43, False), (42, False)))

        refresh()

        row = TimingAnalysis.objects.get(trade=made)
        assert row.signal_session == day(45)
        assert row.delay == 4
        assert row.candidate.first_signal

    def test_keeps_to_the_variant_of_the_candidate(self, account):
        factories.make_candidate(
            symbol="AAA", session=day(44), variant=factories.make_variant(name="A")
        )
        made = trade(account, signals=((50, True), (42, False)))

        refresh()

        assert TimingAnalysis.objects.get(trade=made).signal_session == day(50)

    def test_leaves_trades_without_a_candidate_out(self, account):
        score_rows.make_record(account, n=3, linked=False)

        assert refresh().trades == 0
        assert TimingAnalysis.objects.count() == 0

    def test_twice_changes_nothing(self, account):
        score_rows.make_record(account, n=4)
        refresh()

        assert refresh(EVENING + timedelta(minutes=1)).changed == 0
        assert {row.updated_at for row in TimingAnalysis.objects.all()} == {EVENING}

    def test_judges_an_exit_once_fourteen_sessions_are_over(self, account):
        old = trade(account, ago=40)
        new = trade(account, ago=15, signals=((16, True),))

        refresh()

        finals = dict(TimingAnalysis.objects.values_list("trade", "is_final"))
        assert finals == {old.pk: True, new.pk: False}
        assert TimingAnalysis.objects.get(trade=new).exit_efficiency is None

    def test_takes_open_trades_at_their_mark(self, account):
        made = trade(account, hold=None)

        refresh()

        row = TimingAnalysis.objects.get(trade=made)
        assert (row.is_final, row.left_after, row.exit_efficiency) == (False, None, None)
        assert row.profit_taken == made.unrealised.quantize(row.profit_taken)

    def test_says_why_a_price_is_missing(self, account):
        made = trade(account)
        Trade.objects.filter(pk=made.pk).update(symbol="NONE")

        refresh()

        row = TimingAnalysis.objects.get()
        assert row.note == timing.NO_BARS
        assert (row.mfe, row.entry_cost, row.delay) == (None, None, 1)

    def test_forgets_a_trade_that_lost_its_candidate_and_keeps_the_reference(self, account):
        factories.make_timing(source="claimed")
        made = trade(account)
        refresh()
        Trade.objects.filter(pk=made.pk).update(candidate=None, link="none")

        refresh()

        assert TimingAnalysis.objects.get().source == "claimed"

    def test_goes_with_a_trade_that_is_rebuilt(self, account):
        made = trade(account)
        refresh()

        made.delete()

        assert TimingAnalysis.objects.count() == 0

    def test_knows_nothing_of_the_sessions_to_come(self, account):
        trade(account, ago=40)
        early = score_rows.at_noon(day(30)) + timedelta(hours=8)

        refresh(early)

        row = TimingAnalysis.objects.get()
        assert not row.is_final
        assert sessions.last_finished(early) == day(30)
        assert day(30) < LAST
