from datetime import date

import empyrical
import numpy as np
import polars as pl
import pytest

from analytics.calc import sessions
from performance.calc import metrics_equity
from performance.calc.metrics_equity import Curve, figures, portfolio_returns

FIRST = date(2024, 1, 2)


def curve(size=250, seed=3, drift=0.0005):
    chance = np.random.default_rng(seed)
    market = chance.normal(0.0004, 0.01, size)
    own = drift + 1.3 * market + chance.standard_t(4, size) * 0.015
    return Curve(
        sessions=[sessions.offset(FIRST, at) for at in range(size)], returns=own, market=market
    )


def values(shown):
    return {name: each.value for name, each in shown.items()}


class TestFigures:
    @pytest.mark.parametrize("seed", [3, 4, 5])
    def test_agree_with_empyrical(self, seed):
        asked = curve(seed=seed)
        own, market = asked.returns, asked.market

        found = values(figures(asked, source="imported"))

        alpha, beta = empyrical.alpha_beta(own, market)
        wanted = {
            "time_weighted_return": empyrical.cum_returns_final(own),
            "max_drawdown": empyrical.max_drawdown(own),
            "volatility": empyrical.annual_volatility(own),
            "sharpe": empyrical.sharpe_ratio(own),
            "sortino": empyrical.sortino_ratio(own),
            "calmar": empyrical.calmar_ratio(own),
            "value_at_risk_95": empyrical.value_at_risk(own),
            "expected_shortfall_95": empyrical.conditional_value_at_risk(own),
            "alpha": alpha,
            "beta": beta,
            "spy_return": empyrical.cum_returns_final(market),
        }
        assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)

    def test_of_names_are_complete_and_lie_in_their_intervals(self):
        found = figures(curve(), source="imported")

        assert set(found) == set(metrics_equity.NAMES)
        drawn = [each for each in found.values() if each.low is not None]
        assert len(drawn) == 9
        assert all(each.low <= each.value <= each.high for each in drawn)
        assert {each.as_of for each in found.values()} == {curve().sessions[-1]}

    def test_are_the_same_twice(self):
        assert figures(curve(), source="imported") == figures(curve(), source="imported")

    def test_are_not_scaled_to_a_year_from_a_week(self):
        found = figures(curve(size=5), source="imported")

        assert found["sharpe"].value is None
        assert found["sharpe"].reason == "5 sessions of equity, 20 are needed"
        assert found["max_drawdown"].value is not None
        assert found["time_weighted_return"].value is not None

    def test_of_idle_cash_are_not_defined(self):
        idle = Curve(
            sessions=[sessions.offset(FIRST, at) for at in range(30)],
            returns=np.zeros(30),
            market=np.full(30, 0.001),
        )

        found = figures(idle, source="imported")

        assert found["time_weighted_return"].value == 0
        assert found["sharpe"].reason.startswith("not defined")
        assert found["beta"].value is None  # SPY did not move either

    def test_without_spy_have_no_alpha(self):
        asked = curve()
        blind = Curve(sessions=asked.sessions, returns=asked.returns, market=np.full(250, np.nan))

        found = figures(blind, source="imported")

        assert (found["alpha"].value, found["beta"].value) == (None, None)
        assert found["spy_return"].reason == "0 sessions of equity, 1 are needed"
        assert found["sharpe"].value is not None

    def test_of_nothing_say_so(self):
        nothing = Curve(sessions=[], returns=np.empty(0), market=np.empty(0))

        assert {e.status for e in figures(nothing, source="imported").values()} == {
            "insufficient_data"
        }

    def test_of_the_sample_market_are_labelled(self):
        assert figures(curve(), source="simulated")["sharpe"].status == "simulated"


def days(account, equity, flow, *, first=0):
    return pl.DataFrame(
        {
            "account": account,
            "session": [sessions.offset(FIRST, first + at) for at in range(len(equity))],
            "equity": [float(value) for value in equity],
            "flow": [float(value) for value in flow],
        }
    )


def combined(*frames):
    return portfolio_returns(pl.concat(frames).sort("account", "session"))


class TestPortfolioReturns:
    def test_take_flows_out(self):
        own = days(1, [1000, 2100, 1000, 0, 500], [1000, 1000, -1000, -1000, 500])

        found = combined(own)

        assert found["value"].to_list() == pytest.approx([0, 0.05, 2000 / 2100 - 1, 0, 0])

    def test_are_unknown_while_nothing_is_invested(self):
        assert combined(days(1, [0, 0], [0, 0])).height == 0

    def test_weigh_accounts_by_what_is_in_them(self):
        found = combined(days(1, [100, 110], [100, 0]), days(2, [300, 300], [300, 0]))

        assert found["value"].to_list() == pytest.approx([0, 0.025])

    def test_do_not_call_an_account_that_begins_or_ends_a_result(self):
        whole = days(1, [100, 101, 102, 103], [100, 0, 0, 0])
        late = days(2, [5000, 5000], [0, 0], first=1)  # shares that were there before

        found = combined(whole, late)

        assert found["value"].to_list() == pytest.approx([0, 0.01, 5102 / 5101 - 1, 103 / 102 - 1])


class TestIntervals:
    def test_of_beta_cover(self):
        hits = 0
        for seed in range(200):
            fit = metrics_equity.regress(curve(120, seed).returns, curve(120, seed).market)
            half = fit[1].critical * fit[1].standard_error
            hits += abs(fit[1].value - 1.3) <= half

        assert 0.88 <= hits / 200 <= 0.99
