from datetime import timedelta

import numpy as np
import pytest

from analytics.calc import exits
from performance.calc import timing_figures
from performance.services import timing_lab
from tests import factories, risk_market, score_rows
from tests.score_rows import EVENING

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path, settings)
    return factories.make_account()


def lab(now=EVENING):
    return timing_lab.get_lab(source="imported", now=now)


class TestLab:
    def test_replays_every_closed_trade_under_every_rule(self, account):
        made = score_rows.make_record(account)

        found = lab()

        names = list(found.replayed.names)
        assert names[: len(exits.NAMED)] == [rule.name for rule in exits.NAMED]
        assert names[-1] == exits.THESIS.name
        assert found.replayed.results.shape == (len(names), 30)
        assert found.replayed.actual.tolist() == [trade.return_on_cost for trade in made]

    def test_holds_to_the_horizon_from_the_own_fill_and_pays_for_the_exit_only(self, account):
        made = score_rows.make_record(account)[0]
        path = risk_market.closes()[made.symbol]
        ago = len(path) - 1 - int(np.argmin(np.abs(path - float(made.entry_price))))
        out = path[len(path) - 1 - ago + exits.HOLD.horizon - 1]

        held = lab().replayed.results[0, 0]

        gross = out / float(made.entry_price)
        assert held == pytest.approx(gross * (1 - max(0.005, 0.01 / out)) - 1, abs=1e-6)

    def test_leaves_out_what_is_not_known_yet(self, account):
        score_rows.make_record(account)

        results = lab().replayed.results[0]

        assert np.isnan(results[-1])  # bought 8 sessions before the last: 14 are not over
        assert not np.isnan(results[:-1]).any()

    def test_leaves_shorts_and_open_trades_out(self, account):
        path = risk_market.closes()["AAA"]
        score_rows.make_trade(account, "AAA", path, ago=40, side="short")
        score_rows.make_trade(account, "AAA", path, ago=40, hold=None)

        assert lab().replayed.actual.size == 0

    def test_uses_the_barriers_of_the_thesis(self, account):
        path = risk_market.closes()["AAA"]
        thesis = factories.make_thesis(entry_price="3", target_price="90", stop_price="0.01")
        score_rows.make_trade(account, "AAA", path, ago=40, thesis=thesis)
        score_rows.make_trade(account, "AAA", path, ago=40)

        own = lab().replayed.results[-1]

        assert np.isnan(own).tolist() == [False, True]

    def test_of_a_window_takes_the_trades_closed_in_it(self, account):
        made = score_rows.make_record(account)
        middle = made[15].closed_session

        assert lab().since(middle).actual.size == 15
        assert lab().since(middle + timedelta(days=1)).actual.size == 14
        assert lab().since(None).actual.size == 30

    def test_is_refused_below_twenty_trades(self, account):
        score_rows.make_record(account, n=19)

        compared = timing_figures.exit_lab(lab().replayed, source="imported", as_of=None)

        assert {each["verdict"] for each in compared} == {"refused"}

    def test_compares_thirty_trades(self, account):
        score_rows.make_record(account)

        compared = timing_figures.exit_lab(lab().replayed, source="imported", as_of=None)

        hold = compared[0]
        assert hold["n"] == 29
        assert hold["difference"].low < hold["difference"].high
        assert compared[-1]["verdict"] == "refused"  # no thesis
