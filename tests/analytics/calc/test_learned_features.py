from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import learned_features, panel, sessions
from analytics.calc.kernels import learned_layout as layout
from analytics.calc.learned_features import NAMES
from tests.markets import Market, from_rows, make_market, markets

START = sessions.number(date(2021, 3, 1))
LONG = make_market(seed=5, symbols=14, length=330, split=0.004)


def day(at: int) -> date:
    return sessions.day(START + at)


def table_of(market: Market, *, only: date | None = None, **more: pl.DataFrame) -> pl.DataFrame:
    made = panel.build(**{**vars(market), **more})
    rows = np.arange(made.height)
    if only:
        rows = np.flatnonzero(made.session == sessions.number(only))
    values = learned_features.of_rows(made, rows)
    owner = np.repeat(np.arange(len(made.symbols)), np.diff(made.symbol_start))[rows]
    return pl.DataFrame(
        {
            "symbol": np.array(made.symbols)[owner],
            "session": sessions.calendar()[made.session[rows]],
            **dict(zip(NAMES, values, strict=True)),
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.height == other.height
    for name in ("symbol", "session", *NAMES):
        assert one[name].equals(other[name], null_equal=True), name


def stock(closes, *, volumes=None, opens=None, **tables) -> Market:
    """One common stock from session 0 on; a first session without it makes its listing new."""
    volumes = volumes or [1e6] * len(closes)
    opens = opens or closes
    bars = [
        ("A", day(at), open_, max(open_, close), min(open_, close), close, volume)
        for at, (open_, close, volume) in enumerate(zip(opens, closes, volumes, strict=True))
        if close is not None
    ]
    listed = [("A", day(0), day(len(closes)), "common")]
    return from_rows(bars=bars, securities=listed, **tables)


def newest(market: Market) -> dict:
    return table_of(market).row(-1, named=True)


class TestEvidence:
    @settings(max_examples=25, deadline=None)
    @given(markets(lengths=(40, 90)), st.data())
    def test_never_reads_the_future(self, market, data):
        cut = data.draw(st.sampled_from(market.sessions))

        known_then = table_of(market.until(cut))

        same(table_of(market).filter(pl.col("session") <= cut), known_then)

    @pytest.mark.parametrize("back", [0, 14])
    def test_is_the_same_bits_in_a_scan_of_one_session(self, back):
        scanned = LONG.sessions[-1]
        wanted = sessions.offset(scanned, -back)

        in_a_replay = table_of(LONG, only=wanted)

        same(table_of(LONG.reading(scanned), only=wanted), in_a_replay)

    def test_counts_past_run_ups_and_those_that_fell_again(self):
        closes = [2.0] * 50 + [3.1] + [2.2] * 30

        found = newest(stock(closes))

        assert found["runups_252"] == 1
        assert found["failed_runups_252"] == 1
        assert found["since_runup"] == 30

    def test_a_run_up_that_holds_has_not_failed(self):
        found = newest(stock([2.0] * 50 + [3.1] * 30))

        assert found["failed_runups_252"] == 0
        assert found["runups_252"] == 14

    def test_a_split_is_no_run_up(self):
        splits = [("A", day(40), 0.1, sessions.opening(day(40)))]

        found = newest(stock([2.0] * 40 + [20.0] * 30, splits=splits))

        assert found["runups_252"] == 0
        assert found["since_reverse_split"] == 29
        assert found["from_high_252"] == 0

    def test_sees_volume_rise_while_the_price_is_flat(self):
        volumes = [1e6] * 50 + [2e6] * 21

        found = newest(stock([4.0] * 71, volumes=volumes))

        assert found["volume_trend"] == pytest.approx(np.log(2))
        assert found["quiet_accumulation"] == pytest.approx(np.log(2))

    def test_a_price_that_moved_is_no_quiet_accumulation(self):
        closes = [4.0] * 60 + [5.0] * 11
        found = newest(stock(closes, volumes=[1e6] * 50 + [2e6] * 21))

        assert found["quiet_accumulation"] == 0

    def test_contracts_when_the_last_days_are_calm(self):
        wild = [4.0 * (1.1 if at % 2 else 1.0) for at in range(60)]
        calm = [4.0 * (1.01 if at % 2 else 1.0) for at in range(11)]

        assert newest(stock(wild + calm))["contraction"] < -1

    def test_counts_gaps_up_and_what_became_of_them_in_the_day(self):
        closes = [4.0] * 30 + [4.0] * 5
        opens = [4.0] * 30 + [4.4] + [4.0] * 4

        found = newest(stock(closes, opens=opens))

        assert found["gaps_60"] == 1
        assert found["gap_hold_60"] == pytest.approx(4.0 / 4.4 - 1)

    def test_without_a_gap_there_is_nothing_to_hold(self):
        assert newest(stock([4.0] * 30))["gap_hold_60"] is None

    def test_extremes_of_a_year_need_sixty_sessions(self):
        assert newest(stock([4.0] * 59))["from_high_252"] is None
        assert newest(stock([4.0] * 60))["from_high_252"] == 0

    def test_the_age_of_a_listing_that_began_with_the_data_is_not_known(self):
        steady = ("B", day(0), 30.0, 30.0, 30.0, 30.0, 1e6)
        bars = [("B", day(at), *steady[2:]) for at in range(40)]
        bars += [("A", day(at), 4.0, 4.0, 4.0, 4.0, 1e6) for at in range(5, 40)]
        listed = [("A", day(5), day(40), "common"), ("B", day(0), day(40), "common")]

        found = table_of(from_rows(bars=bars, securities=listed), only=day(39))

        assert found["sessions_listed"].to_list() == [35, None]

    def test_compares_short_interest_with_the_publication_before(self):
        short = [
            ("A", day(2), sessions.opening(day(9)), 1e6, 1.0),
            ("A", day(12), sessions.opening(day(20)), 2e6, 1.0),
        ]

        found = table_of(stock([4.0] * 25, short_interest=short))["short_change"]

        assert found[19] is None
        assert found[20] == pytest.approx(np.log(2), rel=1e-5)

    def test_takes_fails_to_deliver_when_they_are_published(self):
        shares = [("A", day(0), sessions.opening(day(0)), 1e7, None)]
        fails = pl.DataFrame(
            {"symbol": ["A"], "settlement_date": [day(3)], "quantity": [5e5]}
        ).with_columns(known_on=pl.lit(sessions.opening(day(20))))

        found = table_of(stock([4.0] * 25, shares=shares), fails=fails)["fails_pct"]

        assert found[19] is None
        assert found[20] == pytest.approx(0.05)

    def test_knows_what_the_market_and_the_sector_do(self):
        rising = [4.0 * 1.01**at for at in range(40)]
        bars, listed = [], []
        for number in range(24):
            flat = number < 12
            symbol = f"S{number:02d}"
            for at in range(40):
                price = 4.0 if flat else rising[at]
                bars.append((symbol, day(at), price, price, price, price, 1e6))
            listed.append((symbol, day(0), day(40), "common"))
        market = from_rows(bars=bars, securities=listed)
        sector = pl.when(pl.col("symbol") < "S12").then(pl.lit("Energy"))
        named = market.securities.with_columns(sector=sector.otherwise(pl.lit("Health Care")))

        found = table_of(market, only=day(39), securities=named)

        assert found["market_ret_5"][0] == pytest.approx(2.5 * np.log(1.01))
        assert found["sector_ret_20"][0] == pytest.approx(-10 * np.log(1.01))
        assert found["sector_ret_20"][23] == pytest.approx(10 * np.log(1.01))
        assert found["health_care"].to_list() == [0.0] * 12 + [1.0] * 12
        assert found["market_heat"].to_list() == [0.0] * 24


def test_a_scan_reads_as_far_back_as_the_evidence_does():
    from analytics.calc import candidates, fingerprint

    reach = layout.LONGEST_REACH + layout.RUNUP_WINDOW + candidates.QUIET
    assert reach < fingerprint.LOOKBACK
