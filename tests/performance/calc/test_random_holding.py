import numpy as np
import polars as pl
import pytest

from analytics.calc import sessions
from performance.calc import random_holding
from tests.analytics.calc.test_outcomes import FIRST

NO_SPLITS = pl.DataFrame(schema={"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64})


def bars(symbol="A", days=60, price=4.0, volume=1e6, **changed):
    closes = np.full(days, price)
    for at, value in changed.get("closes", {}).items():
        closes[at] = value
    return pl.DataFrame(
        {
            "symbol": symbol,
            "session": [sessions.day(FIRST + at) for at in range(days)],
            "open": closes,
            "close": closes,
            "volume": np.full(days, volume),
        }
    )


def ask(frame, splits=NO_SPLITS, kept=1):
    return random_holding.summarise(frame, splits, sessions_kept=kept)


class TestSummarise:
    def test_buys_the_next_open_and_sells_fourteen_sessions_after_the_signal(self):
        found = ask(bars(closes={46: 4.0, 59: 6.4}))  # the newest signal is session 45

        assert found["average_return"] == pytest.approx(0.6)
        assert (found["win_rate"], found["explosive_growth_rate"], found["n"]) == (1.0, 1.0, 1)
        assert found["last"] == sessions.day(FIRST + 45).isoformat()

    def test_sells_what_stops_trading_at_its_last_trade(self):
        whole = bars("Z", price=20.0)
        ended = bars("A", days=50, closes={49: 1.0})

        found = ask(pl.concat([ended, whole]))

        assert found["average_return"] == pytest.approx(-0.75)

    def test_moves_prices_to_one_split_basis(self):
        split = pl.DataFrame(
            {"symbol": ["A"], "ex_date": [sessions.day(FIRST + 50)], "ratio": [0.1]}
        )

        found = ask(bars(closes=dict.fromkeys(range(50, 60), 40.0)), split)

        assert found["average_return"] == pytest.approx(0.0)

    @pytest.mark.parametrize(
        "changed", [{"price": 9.0}, {"price": 0.9}, {"volume": 1e5}, {"days": 14}], ids=str
    )
    def test_draws_from_the_base_universe_only(self, changed):
        assert ask(bars(**changed)) is None

    def test_of_nothing_is_nothing(self):
        assert ask(bars(days=0)) is None
