from datetime import date

import empyrical
import numpy as np
import pytest

from analytics.calc.evidence import Status
from performance.calc import figure_json, risk
from performance.calc.risk_holdings import Holdings

DAY = date(2024, 6, 28)
NAN = float("nan")


def holdings(values=(600.0, 300.0), equity=1000.0, sectors=("tech", "bank"), stop=None):
    size = len(values)
    full = np.full(size, 2.0)
    return Holdings(
        symbols=tuple(f"S{at}" for at in range(size)),
        value=np.array(values),
        cost=np.array(values),
        price=full,
        stop=np.full(size, 1.5) if stop is None else np.array(stop),
        dollar_volume=np.full(size, 1e6),
        sectors=tuple(sectors[:size]),
        equity=equity,
    )


def past(sessions=250, names=2, seed=3):
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, sessions)
    returns = 1.5 * market[:, None] + rng.standard_t(4, (sessions, names)) * 0.03
    return risk.Past(returns=returns, benchmark=market, last=DAY)


def figures(held=None, seen=None, equity_returns=None):
    return risk.portfolio(
        held or holdings(),
        seen or past(),
        source="imported",
        as_of=DAY,
        equity_returns=np.array([0.01, -0.02, 0.005]) if equity_returns is None else equity_returns,
    )


class TestPortfolio:
    def test_agrees_with_empyrical(self):
        seen = past()
        own = seen.returns @ np.array([0.6, 0.3])
        equity = np.random.default_rng(9).normal(0, 0.02, 300)

        found = figures(seen=seen, equity_returns=equity)

        for name, expected in {
            "var_95": empyrical.value_at_risk(own),
            "cvar_95": empyrical.conditional_value_at_risk(own),
            "volatility": empyrical.annual_volatility(own),
            "beta": empyrical.beta(own, seen.benchmark),
            "max_drawdown": empyrical.max_drawdown(equity),
        }.items():
            assert found[name].value == pytest.approx(expected, abs=1e-9), name

    def test_every_figure_says_its_n_and_lies_in_its_interval(self):
        for name, figure in figures().items():
            assert figure.status is Status.OK, name
            assert figure.n > 0, name
            assert figure.as_of == DAY, name
            assert figure.low is None or figure.low <= figure.value <= figure.high, name
            assert figure.low is not None or figure.reason, name

    def test_of_the_sample_market_says_simulated(self):
        found = risk.portfolio(
            holdings(), past(), source="simulated", as_of=DAY, equity_returns=np.zeros(3)
        )

        assert {figure.status for figure in found.values()} == {Status.SIMULATED}

    def test_under_250_sessions_is_a_labelled_proxy(self):
        figure = figures(seen=past(sessions=249))["var_95"]

        assert figure.value is not None
        assert "proxy over 249 sessions, 250 are needed" in figure.reason

    def test_under_60_sessions_is_nothing(self):
        found = figures(seen=past(sessions=59))

        for name in ("var_95", "cvar_95", "volatility", "beta", "mean_correlation"):
            assert found[name].value is None, name
            assert "60" in found[name].reason, name

    def test_leaves_a_small_new_holding_out_and_says_so(self):
        seen = past()
        seen.returns[:200, 1] = NAN

        found = figures(held=holdings(values=(950.0, 50.0)), seen=seen)

        own = seen.returns[:, 0] * 0.95
        assert found["var_95"].value == pytest.approx(empyrical.value_at_risk(own), abs=1e-9)
        assert "without S1" in found["var_95"].reason

    def test_says_nothing_where_a_big_holding_has_no_past(self):
        seen = past()
        seen.returns[:200, 1] = NAN

        assert "S1" in figures(seen=seen)["var_95"].reason
        assert figures(seen=seen)["var_95"].value is None

    def test_beta_needs_the_benchmark(self):
        seen = past()
        seen.benchmark[:] = NAN

        assert figures(seen=seen)["beta"].value is None
        assert figures(seen=seen)["var_95"].value is not None

    def test_knows_nothing_without_equity(self):
        found = figures(held=holdings(equity=NAN))

        assert {found[name].value for name in ("var_95", "heat", "gross_exposure")} == {None}

    def test_of_an_empty_account_has_no_figures(self):
        empty = risk.Past(returns=np.empty((250, 0)), benchmark=np.zeros(250), last=DAY)

        found = figures(held=holdings(values=()), seen=empty)

        assert found["var_95"].reason == "no holdings"
        assert found["name_hhi"].value is None
        assert found["heat"].value == 0.0

    def test_heat_is_money_at_risk_over_equity(self):
        found = figures(held=holdings(stop=(1.5, NAN)))

        assert found["heat"].value == pytest.approx((600 * 0.25 + 300) / 1000)

    def test_heat_of_a_short_without_a_stop_is_not_given(self):
        heat = figures(held=holdings(values=(600.0, -300.0), stop=(1.5, NAN)))["heat"]

        assert heat.value is None
        assert "S1" in heat.reason

    def test_is_the_same_every_time(self):
        assert figures() == figures()

    @pytest.mark.parametrize("kind", ["ok", "insufficient"])
    def test_survives_being_stored(self, kind):
        figure = figures(seen=past(sessions=250 if kind == "ok" else 10))["var_95"]

        assert figure_json.from_json(figure_json.to_json(figure)) == figure

    def test_intervals_of_the_quantile_cover(self):
        """Of 200 samples of one distribution, the true quantile lies inside about 95 %."""
        rng = np.random.default_rng(8)
        true = float(np.quantile(rng.standard_t(4, 2_000_000), 0.05)) * 0.03
        inside = 0
        one = holdings(values=(1000.0,), sectors=("tech",))
        for _ in range(200):
            own = risk.Past(
                returns=rng.standard_t(4, (250, 1)) * 0.03, benchmark=np.full(250, NAN), last=DAY
            )
            figure = risk.portfolio(
                one, own, source="imported", as_of=DAY, equity_returns=np.empty(0)
            )["var_95"]
            inside += figure.low <= true <= figure.high
        assert 0.90 <= inside / 200 <= 0.99
