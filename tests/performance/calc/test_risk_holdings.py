import numpy as np
import pytest

from performance.calc.risk_holdings import Holdings

NAN = float("nan")


def held(**fields):
    wanted = {
        "value": 1000.0, "cost": 1250.0, "price": 4.0, "stop": 3.0, "dollar_volume": 5000.0,
        **fields,
    }  # fmt: skip
    equity = wanted.pop("equity", 10_000.0)
    columns = {name: np.array([value]) for name, value in wanted.items()}
    return Holdings(symbols=("VIGL",), sectors=("tech",), equity=equity, **columns)


class TestHoldings:
    def test_weight_is_value_over_equity(self):
        assert held().weight.tolist() == [0.1]

    @pytest.mark.parametrize("equity", [NAN, 0.0, -5.0])
    def test_has_no_weight_without_equity(self, equity):
        assert np.isnan(held(equity=equity).weight).all()

    @pytest.mark.parametrize(
        ("value", "cost", "gain"), [(1000.0, 1250.0, -0.2), (-1000.0, -1250.0, 0.2)]
    )
    def test_a_short_gains_when_its_value_falls(self, value, cost, gain):
        assert held(value=value, cost=cost).open_return[0] == pytest.approx(gain)

    def test_open_return_of_shares_that_cost_nothing_is_unknown(self):
        assert np.isnan(held(cost=0.0).open_return[0])

    @pytest.mark.parametrize(
        ("value", "stop", "distance", "money"),
        [
            (1000.0, 3.0, 0.25, 250.0),
            (-1000.0, 5.0, 0.25, 250.0),
            (1000.0, 4.4, -0.1, 0.0),
        ],
    )
    def test_risks_what_lies_between_mark_and_stop(self, value, stop, distance, money):
        found = held(value=value, stop=stop)

        assert found.stop_distance[0] == pytest.approx(distance)
        assert found.money_at_risk[0] == pytest.approx(money)

    def test_risks_everything_without_a_stop(self):
        assert held(stop=NAN).money_at_risk[0] == 1000.0

    def test_a_short_without_a_stop_has_no_bound(self):
        assert np.isnan(held(value=-1000.0, stop=NAN).money_at_risk[0])

    def test_needs_two_sessions_to_sell_a_fifth_of_the_daily_volume(self):
        assert held(value=1000.0).days_to_exit[0] == pytest.approx(2.0)

    @pytest.mark.parametrize("volume", [0.0, NAN])
    def test_cannot_say_how_long_an_exit_takes_without_volume(self, volume):
        assert np.isnan(held(dollar_volume=volume).days_to_exit[0])
