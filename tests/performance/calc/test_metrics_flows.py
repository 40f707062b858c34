from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from performance.calc import metrics_flows
from performance.calc.metrics_flows import Flow, xirr

FIRST = date(2024, 1, 2)


def flows(*amounts, every=30):
    return [Flow(day=FIRST + timedelta(days=every * at), amount=a) for at, a in enumerate(amounts)]


def worth(rate, own):
    return sum(f.amount * (1 + rate) ** (-(f.day - FIRST).days / 365) for f in own)


class TestXirr:
    def test_of_a_year_is_the_return(self):
        own = [Flow(day=FIRST, amount=-1000), Flow(day=FIRST + timedelta(days=365), amount=1100)]

        assert xirr(own) == pytest.approx(0.1, abs=1e-9)

    @pytest.mark.parametrize("seed", range(8))
    def test_agrees_with_scipy(self, seed):
        chance = np.random.default_rng(seed)
        paid = -chance.uniform(100, 1000, 12)
        own = flows(*paid, -paid.sum() * chance.uniform(0.5, 1.8))

        expected = optimize.brentq(worth, -0.9999, 1e4, args=(own,), xtol=1e-14, rtol=1e-14)

        assert xirr(own) == pytest.approx(expected, abs=1e-9)

    def test_reads_the_example_of_excel(self):
        days = [date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15),
                date(2009, 4, 1)]  # fmt: skip
        amounts = [-10000, 2750, 4250, 3250, 2750]

        found = xirr([Flow(day=d, amount=a) for d, a in zip(days, amounts, strict=True)])

        assert found == pytest.approx(0.373362535, abs=1e-8)  # Excel stops at 1e-8

    @pytest.mark.parametrize(
        "own", [[], flows(-100), flows(-100, -50), flows(100, 50), flows(-100, 150, every=0)]
    )
    def test_is_none_where_no_rate_solves_it(self, own):
        assert xirr(own) is None

    @given(st.floats(-0.9, 20), st.integers(2, 900))
    def test_returns_the_rate_that_money_grew_at(self, rate, days):
        own = [
            Flow(day=FIRST, amount=-1000.0),
            Flow(day=FIRST + timedelta(days=days), amount=1000 * (1 + rate) ** (days / 365)),
        ]

        assert xirr(own) == pytest.approx(rate, rel=1e-6, abs=1e-6)

    def test_over_days_is_what_was_gained_in_them(self):
        own = flows(-1000, 1050)

        assert metrics_flows.over(xirr(own), 30) == pytest.approx(0.05, abs=1e-9)
