from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import sessions
from performance.calc import risk_past

LAST = date(2024, 6, 28)
SPLITS = pl.DataFrame(schema={"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64})


def days(count):
    return [sessions.offset(LAST, at - count + 1) for at in range(count)]


def bars(**closes):
    """Closes per symbol, ending on the last session; None is no bar."""
    rows = []
    for symbol, values in closes.items():
        dates = days(len(values))
        rows += [
            (symbol, day, close, 1000.0)
            for day, close in zip(dates, values, strict=True)
            if close is not None
        ]
    return pl.DataFrame(rows, schema=["symbol", "session", "close", "volume"], orient="row")


def seen(frame, symbols=("A",), count=4, splits=SPLITS, since=None):
    return risk_past.seen(
        frame, splits, symbols=symbols, benchmark="SPY", days=days(count), since=since or {}
    )


class TestReturns:
    def test_are_of_consecutive_sessions_beside_the_benchmark(self):
        found = seen(bars(A=[2.0, 2.2, 1.1, 1.1], SPY=[100.0, 101.0, 101.0, 100.0])).past

        assert np.isnan(found.returns[0, 0])
        assert found.returns[1:, 0].tolist() == pytest.approx([0.1, -0.5, 0.0])
        assert found.benchmark[1:].tolist() == pytest.approx([0.01, 0.0, -1 / 101])

    def test_take_splits_out(self):
        splits = pl.DataFrame({"symbol": ["A"], "ex_date": [days(4)[2]], "ratio": [0.1]})

        found = seen(bars(A=[0.3, 0.3, 3.0, 3.3]), splits=splits).past

        assert found.returns[1:, 0].tolist() == pytest.approx([0.0, 0.0, 0.1])

    def test_stand_still_over_a_halt_and_catch_up(self):
        found = seen(bars(A=[2.0, None, None, 1.0])).past

        assert found.returns[1:, 0].tolist() == pytest.approx([0.0, 0.0, -0.5])

    def test_end_where_a_halt_lasts_longer(self):
        found = seen(bars(A=[2.0, *[None] * 7, 1.0]), count=9).past

        assert np.count_nonzero(~np.isnan(found.returns[:, 0])) == risk_past.CARRIED

    def test_never_cross_a_listing_boundary(self):
        found = seen(bars(A=[2.0, 9.0, 9.0, 9.9]), since={"A": days(4)[1]}).past

        assert np.isnan(found.returns[:2, 0]).all()
        assert found.returns[3, 0] == pytest.approx(0.1)

    def test_never_read_the_future(self):
        early = risk_past.seen(
            bars(A=[2.0, 2.2, 1.1, 5.0]),
            SPLITS,
            symbols=("A",),
            benchmark="SPY",
            days=days(4)[:3],
            since={},
        )

        assert early.past.returns[1:, 0].tolist() == pytest.approx([0.1, -0.5])

    def test_of_what_has_no_bars_are_unknown(self):
        found = seen(bars(SPY=[1.0, 1.0, 1.0, 1.0]), symbols=("GONE",))

        assert np.isnan(found.past.returns).all()
        assert np.isnan(found.dollar_volume).all()
        assert found.counts.tolist() == [0]


class TestDollarVolume:
    def test_is_the_mean_of_the_last_20_sessions(self):
        found = seen(bars(A=[9.0] * 5 + [2.0] * 20), count=25)

        assert found.dollar_volume.tolist() == [2000.0]

    def test_needs_15_of_20(self):
        few = [2.0] * 14 + [None] * 6

        assert np.isnan(seen(bars(A=few), count=20).dollar_volume[0])
        assert seen(bars(A=[2.0, *few[1:14], 2.0, *few[15:]]), count=20).dollar_volume[0] == 2000.0


class TestVolatility:
    def test_needs_20_returns(self):
        closes = [2.0 + 0.1 * (at % 3) for at in range(21)]

        assert seen(bars(A=closes), count=21).volatility[0] > 0
        assert np.isnan(seen(bars(A=closes[1:]), count=20).volatility[0])
