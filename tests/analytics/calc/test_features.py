from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import features, panel, sessions
from analytics.calc.kernels import layout
from tests.analytics.calc import oracle
from tests.markets import SCHEMAS, Market, from_rows, make_market, markets

START = sessions.number(date(2022, 3, 1))


def table_of(market: Market) -> pl.DataFrame:
    """Every feature of every bar."""
    made = market.panel()
    return features.frame(made, features.of_rows(made, np.arange(made.height)))


def one_listing(volumes=None, *, closes=None, size=25, **tables) -> Market:
    """Bars of one common stock: 5 dollars and a million shares unless said otherwise."""
    closes = closes or [5.0] * (len(volumes) if volumes else size)
    volumes = volumes or [1e6] * len(closes)
    bars = [
        ("A", sessions.day(START + at), close, close, close, close, float(volume))
        for at, (close, volume) in enumerate(zip(closes, volumes, strict=True))
        if close is not None
    ]
    whole = [("A", sessions.day(START), sessions.day(START + len(closes)), "common")]
    wanted: dict[str, Any] = {"bars": bars, "securities": whole} | tables
    return from_rows(**wanted)


def newest(market: Market) -> dict:
    return table_of(market).row(-1, named=True)


def day(at: int) -> date:
    return sessions.day(START + at)


class TestFeatures:
    @settings(max_examples=40, deadline=None)
    @given(markets(lengths=(5, 80)))
    def test_equal_the_oracle_and_are_null_where_it_is(self, market):
        got = {(row["symbol"], row["session"]): row for row in table_of(market).to_dicts()}

        for listing in oracle.listings(market):
            for now in listing.bars:
                wanted = oracle.features(listing, now)
                found = got.pop((listing.symbol, sessions.day(now)))
                for name in features.NAMES:
                    assert found[name] == (
                        wanted[name] and pytest.approx(wanted[name], rel=1e-9, abs=1e-9)
                    ), (name, listing.symbol, sessions.day(now))
        assert not got

    @settings(max_examples=40, deadline=None)
    @given(markets(), st.data())
    def test_never_read_the_future(self, market, data):
        cut = data.draw(st.sampled_from(market.sessions))

        known_then = table_of(market.until(cut))

        later = table_of(market).filter(pl.col("session") <= cut)
        for name in ("symbol", "session", *features.NAMES):
            assert later[name].equals(known_then[name], null_equal=True), name

    @settings(max_examples=40, deadline=None)
    @given(markets(), st.data())
    def test_are_the_same_bits_however_far_back_the_reading_goes(self, market, data):
        now = data.draw(st.sampled_from(market.sessions))
        oldest = sessions.offset(now, -layout.LONGEST_WINDOW)

        short = market.with_("bars", market.bars.filter(pl.col("session") >= oldest))

        on_the_day = pl.col("session") == now
        assert table_of(short).filter(on_the_day).equals(table_of(market).filter(on_the_day))

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**31), st.sampled_from([0.0, 0.005]))
    def test_are_the_same_bits_in_blocks_and_row_by_row(self, seed, nuisance):
        made = make_market(
            seed=seed, symbols=2, length=120, hole=nuisance, blank=nuisance, split=nuisance
        ).panel()

        in_blocks = features.of_bars(made)

        for row in range(made.height):
            alone = features.of_rows(made, np.array([row])).values[: layout.BAR_FEATURES, 0]
            assert alone.tobytes() == in_blocks[:, row].tobytes()

    @settings(max_examples=25, deadline=None)
    @given(markets())
    def test_means_of_volume_are_the_same_bits_as_the_features(self, market):
        made = market.panel()

        mean, dollars = features.volume_means(made, features.steps(made))

        table = features.of_bars(made)
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.where(mean > 0, made.volume / mean, np.nan)
        assert times.tobytes() == table[layout.REL_VOLUME].tobytes()
        assert dollars.tobytes() == table[layout.DOLLAR_VOLUME].tobytes()

    def test_are_the_same_bits_in_threads(self, monkeypatch):
        made = make_market(seed=5, symbols=9, length=90).panel()
        alone = features.of_bars(made)

        monkeypatch.setattr(panel, "FEWEST_FOR_THREADS", 0)
        monkeypatch.setattr(panel, "cpu_count", lambda: 3)

        assert features.of_bars(made).tobytes() == alone.tobytes()

    def test_do_not_cross_a_listing_boundary(self):
        bars = one_listing(size=50).bars
        listed = [("A", day(0), day(24), "common"), ("A", day(25), day(49), "common")]

        market = one_listing(securities=listed).with_("bars", bars)

        second = table_of(market).filter(pl.col("session") >= day(25))
        assert second["rel_volume"].is_null().to_list() == [True] * 15 + [False] * 10
        assert second["ret_1"].null_count() == 1
        assert second["ret_20"].null_count() == 20

    def test_go_on_across_a_split(self):
        closes = [6 + 0.1 * at for at in range(40)]
        plain = one_listing([1e6 + 1e4 * at for at in range(40)], closes=closes)
        after = pl.col("session") >= day(30)
        split = plain.with_(
            "bars",
            plain.bars.with_columns(
                *[
                    pl.when(after).then(pl.col(name) / 4).otherwise(name).alias(name)
                    for name in ("open", "high", "low", "close")
                ],
                pl.when(after).then(pl.col("volume") * 4).otherwise("volume").alias("volume"),
            ),
        ).with_("splits", from_rows(splits=[("A", day(30), 4.0, sessions.opening(day(30)))]).splits)

        one, other = table_of(plain), table_of(split)

        for name in features.NAMES[: layout.BAR_FEATURES]:
            gap = (one[name] - other[name]).abs().max()
            assert gap is None or gap < 1e-6, name


class TestRelVolume:
    def test_leaves_the_session_itself_out_of_the_mean(self):
        assert newest(one_listing([1e6] * 20 + [20.9e6]))["rel_volume"] == pytest.approx(20.9)

    @pytest.mark.parametrize(("bars", "known"), [(14, False), (15, True)])
    def test_needs_fifteen_of_the_twenty_sessions_before(self, bars, known):
        market = one_listing([1e6] * (bars + 1))

        assert (newest(market)["rel_volume"] is not None) == known

    def test_counts_sessions_and_not_rows(self):
        closes = [5.0] * 8 + [None] * 6 + [5.0] * 15

        assert newest(one_listing(closes=closes))["rel_volume"] is None


class TestDollarVolume:
    def test_is_the_mean_of_close_times_volume(self):
        market = one_listing([1e5, 3e5] * 10 + [9e9], closes=[4.0, 2.0] * 10 + [7.0])

        assert newest(market)["dollar_volume_20"] == pytest.approx(500_000)


class TestReturns:
    def test_are_fractions_over_one_five_and_twenty_sessions(self):
        closes = [2.0] * 20 + [2.0]
        closes[0], closes[15], closes[19] = 1.6, 2.5, 4.0

        row = newest(one_listing(closes=closes))

        assert row["ret_1"] == pytest.approx(-0.5)
        assert row["ret_5"] == pytest.approx(-0.2)
        assert row["ret_20"] == pytest.approx(0.25)

    def test_need_a_bar_exactly_so_many_sessions_before(self):
        row = newest(one_listing(closes=[2.0] * 19 + [None, 2.0]))

        assert row["ret_1"] is None
        assert row["ret_5"] == 0


class TestOneBar:
    """Open 11, high 14, low 10, close 13 after a close of 10."""

    @pytest.fixture
    def row(self):
        market = one_listing(closes=[10.0] * 24)
        last = ("A", day(24), 11.0, 14.0, 10.0, 13.0, 1e6)
        schema = SCHEMAS["bars"]
        bars = pl.concat([market.bars, pl.DataFrame([last], schema=schema, orient="row")])
        return newest(market.with_("bars", bars))

    def test_gap(self, row):
        assert row["gap"] == pytest.approx(0.1)

    def test_close_location(self, row):
        assert row["close_location"] == pytest.approx(0.75)

    def test_breakout(self, row):
        assert row["breakout_20"] == pytest.approx(0.3)

    def test_mean_true_range_of_fourteen_sessions(self, row):
        assert row["atr_pct_14"] == pytest.approx(4 / 14 / 13)

    def test_volatility_is_the_sample_deviation_of_log_returns(self, row):
        returns = np.array([0.0] * 19 + [np.log(1.3)])

        assert row["volatility_20"] == pytest.approx(returns.std(ddof=1))
        assert row["volatility_20_before"] == 0

    def test_close_location_is_null_where_high_is_low(self):
        assert newest(one_listing())["close_location"] is None


class TestAccumulation:
    def test_compares_five_sessions_with_the_twenty_before(self):
        market = one_listing([1e6] * 20 + [3e6] * 5)

        assert newest(market)["accumulation_5"] == pytest.approx(3)


def shares(at: int, known: int, public: float | None, outstanding: float | None) -> tuple:
    return ("A", day(at), sessions.cut_off(day(known)), public, outstanding)


def short(at: int, known: int, count: float) -> tuple:
    return ("A", day(at), sessions.cut_off(day(known)), count, 2.5)


class TestFloat:
    def test_is_the_public_float_where_it_is_known(self):
        row = newest(one_listing(shares=[shares(3, 10, 8e6, 20e6), shares(12, 12, None, 25e6)]))

        assert (row["float_shares"], row["float_outstanding"]) == (8e6, 0)
        assert row["float_age"] == 21

    def test_falls_back_on_shares_outstanding_as_an_upper_bound(self):
        old = ("A", date(2020, 12, 1), sessions.opening(date(2020, 12, 2)), 8e6, 20e6)

        row = newest(one_listing(shares=[old]))

        assert (row["float_shares"], row["float_outstanding"]) == (20e6, 1)

    @pytest.mark.parametrize(("known", "usable"), [(24, True), (25, False)])
    def test_is_used_up_to_the_cut_off_of_the_session_and_not_before(self, known, usable):
        row = newest(one_listing(shares=[shares(3, known, 8e6, None)]))

        assert (row["float_shares"] is not None) == usable

    def test_is_not_used_before_the_day_that_it_is_about(self):
        assert newest(one_listing(shares=[shares(25, 20, 8e6, None)]))["float_shares"] is None

    def test_is_adjusted_for_splits_since(self):
        split = ("A", day(20), 0.1, sessions.opening(day(20)))

        row = newest(one_listing(shares=[shares(3, 10, 8e6, None)], splits=[split]))

        assert row["float_shares"] == pytest.approx(8e5)

    def test_of_another_company_of_that_ticker_is_not_used(self):
        listed = [("A", day(0), day(4), "common"), ("A", day(6), day(40), "common")]

        row = newest(one_listing(shares=[shares(3, 10, 8e6, None)], securities=listed))

        assert row["float_shares"] is None

    def test_of_another_company_that_comes_late_hides_nothing(self):
        listed = [("A", day(0), day(4), "common"), ("A", day(6), day(40), "common")]
        known = [shares(8, 9, 5e6, None), shares(3, 20, 8e6, None)]

        row = newest(one_listing(shares=known, securities=listed))

        assert row["float_shares"] == 5e6


class TestShortInterest:
    def test_is_a_share_of_the_float(self):
        row = newest(
            one_listing(shares=[shares(3, 10, 8e6, None)], short_interest=[short(5, 14, 2e6)])
        )

        assert row["short_interest_pct"] == pytest.approx(0.25)
        assert (row["short_interest_age"], row["days_to_cover"]) == (19, 2.5)

    def test_is_known_without_a_float_but_no_share(self):
        row = newest(one_listing(short_interest=[short(5, 14, 2e6)]))

        assert row["short_interest_pct"] is None
        assert row["days_to_cover"] == 2.5

    @pytest.mark.parametrize(("size", "known"), [(31, True), (32, False)])
    def test_lives_thirty_sessions(self, size, known):
        row = newest(one_listing(size=size, short_interest=[short(0, 9, 2e6)]))

        assert (row["short_interest_age"] is not None) == known

    def test_published_late_does_not_hide_a_newer_one(self):
        row = newest(one_listing(short_interest=[short(8, 16, 2e6), short(2, 20, 9e6)]))

        assert row["short_interest_age"] == 16

    def test_and_float_are_on_one_split_basis(self):
        split = ("A", day(8), 4.0, sessions.opening(day(8)))

        row = newest(
            one_listing(
                shares=[shares(10, 12, 8e6, None)],
                short_interest=[short(5, 14, 5e5)],
                splits=[split],
            )
        )

        assert row["short_interest_pct"] == pytest.approx(0.25)


class TestDailyFigures:
    def test_short_volume_ratio_is_the_newest_of_five_sessions(self):
        known = [("A", day(at), sessions.cut_off(day(at)), 4e4, 1e5) for at in (10, 19)]

        assert newest(one_listing(short_volume=known))["short_volume_ratio"] == pytest.approx(0.4)
        assert newest(one_listing(short_volume=known[:1]))["short_volume_ratio"] is None

    def test_sentiment_is_the_newest_that_was_published(self):
        known = [("A", sessions.opening(day(at)), mood) for at, mood in ((22, 0.5), (24, -0.5))]

        assert newest(one_listing(sentiment=known))["sentiment"] == -0.5
