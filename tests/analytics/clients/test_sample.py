from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analytics.calc import listings, sessions
from analytics.clients import sample
from analytics.clients.sample import SampleMarket
from analytics.lake.schemas import SHAPES
from analytics.models import Security
from tests.analytics.clients.base_rates import Grid

END = date(2024, 6, 28)
TABLES = ("bars", "splits", "short_interest", "shares")
EXPIRIES = [
    date(year, month, day)
    for year, month, day in [
        (2022, 3, 18), (2022, 6, 17), (2022, 6, 24), (2022, 9, 16), (2022, 12, 16),
        (2023, 3, 17), (2023, 6, 16), (2023, 6, 23), (2023, 9, 15), (2023, 12, 15),
    ]
]  # fmt: skip


@pytest.fixture(scope="module")
def market() -> SampleMarket:
    return sample.draw(end=END)


@pytest.fixture(scope="module")
def grid(market: SampleMarket) -> Grid:
    return Grid(market)


@pytest.fixture(scope="module")
def small() -> SampleMarket:
    return sample.draw(end=END, symbols=30, years=1)


class TestDraw:
    def test_gives_the_same_bytes_again(self, small):
        again = sample.draw(end=END, symbols=30, years=1)

        for table in (*TABLES, "securities"):
            assert_frame_equal(getattr(again, table), getattr(small, table), check_exact=True)

    def test_gives_another_market_for_another_seed(self, small):
        other = sample.draw(end=END, symbols=30, years=1, seed=8)

        assert not other.bars.equals(small.bars)

    def test_ends_at_the_session_on_or_before_the_end(self):
        sunday = sample.draw(end=date(2024, 6, 30), symbols=30, years=1)

        assert sunday.bars["session"].max() == END

    def test_covers_every_session_of_the_years(self, market):
        assert market.bars["session"].unique().sort().to_list() == sessions.between(
            date(2021, 6, 29), END
        )

    @pytest.mark.parametrize("wrong", [{"symbols": 5}, {"symbols": 20_000}, {"years": 0}])
    def test_refuses_what_it_cannot_draw(self, wrong):
        with pytest.raises(ValueError):
            sample.draw(end=END, **wrong)


class TestFrames:
    @pytest.mark.parametrize("table", TABLES)
    def test_fit_the_lake_as_they_are(self, market, table):
        frame = getattr(market, table)

        assert_frame_equal(
            SHAPES[table].conform(frame), frame, check_column_order=False, check_exact=True
        )

    @pytest.mark.parametrize("table", [*TABLES, "securities"])
    def test_say_simulated_on_every_row(self, market, table):
        assert getattr(market, table)["source"].unique().to_list() == ["simulated"]

    @pytest.mark.parametrize("table", ["splits", "short_interest", "shares"])
    def test_hold_nothing_that_was_not_known_at_the_end(self, market, table):
        assert getattr(market, table)["known_on"].max() <= sessions.cut_off(END)

    def test_securities_are_fields_of_the_model(self, market):
        fields = {field.name for field in Security._meta.get_fields()}

        assert set(market.securities.columns) <= fields

    def test_securities_are_the_listing_periods_of_the_bars(self, market):
        found = listings.periods(market.bars)

        assert_frame_equal(found, market.securities.select(found.columns))


class TestDisguise:
    def test_no_ticker_but_the_index_could_be_a_real_one(self, market):
        symbols = market.securities["symbol"]

        assert symbols.str.contains(r"^(SPY|ZQ[A-Z]{3}[WU]?)$").all()

    def test_every_name_says_simulated(self, market):
        assert market.securities["name"].str.starts_with("Simulated ").all()

    def test_the_index_is_an_etf_there_throughout(self, market):
        spy = market.securities.row(by_predicate=pl.col("symbol") == "SPY", named=True)

        assert (spy["kind"], spy["first_session"], spy["last_session"]) == (
            "etf",
            date(2021, 6, 29),
            END,
        )


class TestBars:
    def test_close_and_open_lie_between_low_and_high(self, market):
        price = market.bars

        assert (price["high"] >= price.select(pl.max_horizontal("open", "close")).to_series()).all()
        assert (price["low"] <= price.select(pl.min_horizontal("open", "close")).to_series()).all()
        assert (price["low"] > 0).all()

    def test_volumes_are_whole_and_not_negative(self, market):
        volume = market.bars["volume"]

        assert (volume >= 0).all()
        assert (volume == volume.round()).all()

    def test_some_quotes_are_frozen(self, market):
        idle = market.bars.filter(pl.col("volume") == 0).filter(pl.len().over("symbol") >= 5)

        frozen = idle.group_by("symbol").agg(pl.col("close").n_unique())

        assert frozen.filter(pl.col("close") == 1).height >= 1

    def test_some_sessions_are_missing_but_no_halt_ends_a_listing(self, market):
        gaps = listings.with_gaps(market.bars)["gap"].drop_nulls()
        halts = gaps.filter(gaps.is_between(1, listings.LONGEST_GAP))

        assert halts.len() > 50
        assert halts.filter(halts >= 8).len() >= 1
        assert gaps.max() > listings.LONGEST_GAP  # the reused tickers

    def test_a_large_share_costs_one_to_eight_dollars(self, grid):
        band = (grid.raw >= 1) & (grid.raw <= 8)

        assert band.sum() / np.isfinite(grid.raw).sum() > 0.4


class TestListings:
    def test_some_come_and_some_go(self, market):
        dates = market.securities

        assert dates["listed_on"].drop_nulls().len() >= 40
        assert dates["delisted_on"].drop_nulls().len() >= 40

    def test_some_end_worthless_and_some_are_taken_over(self, market):
        gone = market.securities.filter(pl.col("delisted_on").is_not_null(), kind="common")
        ends = gone.join(
            market.bars, left_on=["symbol", "delisted_on"], right_on=["symbol", "session"]
        )
        before = gone.join(market.bars, on="symbol").filter(
            pl.col("session") == pl.col("session").max().over("symbol", "delisted_on")
        )

        assert ends.height == gone.height
        assert before.height > 0
        assert ends.filter(pl.col("close") < 0.5).height >= 5
        assert ends.filter(pl.col("close") > 5).height >= 5

    def test_a_ticker_passes_to_another_company(self, market):
        twice = market.securities.filter(pl.len().over("symbol") > 1)

        assert twice["symbol"].n_unique() >= 1
        assert twice["name"].n_unique() == twice.height

    def test_common_stock_is_the_rule_and_every_kind_occurs(self, market):
        kinds = dict(market.securities["kind"].value_counts().iter_rows())

        assert set(kinds) == {"common", "adr", "etf", "spac", "warrant", "unit"}
        assert kinds["common"] > 0.7 * 600


class TestSplits:
    def test_are_mostly_reverse_and_of_cheap_stocks(self, market):
        before = market.bars.with_columns(before=pl.col("close").shift(1).over("symbol")).join(
            market.splits, left_on=["symbol", "session"], right_on=["symbol", "ex_date"]
        )
        reverse = before.filter(pl.col("ratio") < 1)

        assert reverse.height == market.splits.filter(pl.col("ratio") < 1).height > 50
        assert (reverse["before"] < 2).all()
        assert market.splits.filter(pl.col("ratio") > 1).height >= 1

    def test_move_the_raw_price_and_not_the_value(self, market):
        change = market.bars.with_columns(change=pl.col("close").log().diff().over("symbol")).join(
            market.splits, left_on=["symbol", "session"], right_on=["symbol", "ex_date"]
        )
        undone = (change["change"] + change["ratio"].log()).abs()

        assert change["change"].abs().median() > 1
        assert undone.median() < 0.05

    def test_are_known_before_they_take_effect(self, market):
        ahead = market.splits["ex_date"].map_elements(
            lambda day: sessions.cut_off(sessions.offset(day, -1)),
            return_dtype=pl.Datetime("us", "UTC"),
        )

        assert (market.splits["known_on"] == ahead).all()


class TestPublications:
    def test_short_interest_comes_twice_a_month(self, market):
        dates = market.short_interest["settlement_date"].unique()
        whole = dates.is_between(date(2021, 7, 1), date(2024, 5, 31))
        by_month = dates.filter(whole).dt.truncate("1mo").value_counts()

        assert by_month["count"].to_list() == [2] * by_month.height

    def test_short_interest_is_known_eight_sessions_after_settlement(self, market):
        first = market.short_interest.row(0, named=True)

        assert first["known_on"] == sessions.cut_off(sessions.offset(first["settlement_date"], 8))

    def test_float_is_unknown_for_some(self, market):
        common = market.securities.filter(kind="common")["symbol"].unique()
        reported = market.shares.filter(pl.col("public_float").is_not_null())["symbol"].unique()
        counted = market.shares["symbol"].unique()

        assert 0.5 < reported.is_in(common).sum() / common.len() < 0.8
        assert reported.len() < counted.len() < common.len()

    def test_float_is_part_of_the_shares_and_is_renewed_within_400_days(self, market):
        shares = market.shares.drop_nulls("public_float")
        apart = shares.with_columns(pl.col("effective_date").diff().over("symbol"))

        assert (shares["public_float"] <= shares["shares_outstanding"]).all()
        reused = market.securities.filter(pl.len().over("symbol") > 1)["symbol"]
        known = apart.filter(~pl.col("symbol").is_in(reused.implode()))
        assert known["effective_date"].dt.total_days().max() < 200

    def test_share_counts_follow_a_split_on_its_day(self, market):
        counts = market.shares.with_columns(
            change=(pl.col("shares_outstanding") / pl.col("shares_outstanding").shift(1)).over(
                "symbol"
            )
        ).join(market.splits, left_on=["symbol", "effective_date"], right_on=["symbol", "ex_date"])

        assert counts.height > 30
        assert ((counts["change"] / counts["ratio"]).median()) == pytest.approx(1, abs=0.001)


class TestBaseRates:
    """The market is as hard as the real one: design §1, "Sanity against reality"."""

    def test_spikes_lead_to_half_more_as_seldom_as_in_reality(self, grid):
        spikes = grid.rates(grid.spike)

        assert spikes.n > 200
        assert 0.07 <= spikes.by_high <= 0.19
        assert 0.06 <= spikes.by_close <= 0.14

    def test_most_spikes_have_lost_money_14_sessions_later(self, grid):
        assert -0.10 <= grid.rates(grid.spike).median <= -0.02

    def test_any_stock_day_gains_half_as_seldom_as_in_reality(self, grid):
        base = grid.rates(grid.base)

        assert 0.03 <= base.by_high <= 0.06
        assert 0.022 <= base.by_close <= 0.045
        assert -0.04 <= base.median <= 0

    def test_no_seed_is_a_bull_market_for_spikes(self):
        grids = [Grid(sample.draw(end=END, seed=seed)) for seed in (1, 2, 3, 4)]
        spikes = [one.rates(one.spike) for one in grids]
        base = [one.rates(one.base) for one in grids]

        assert 0.12 <= np.mean([one.by_high for one in spikes]) <= 0.18
        assert 0.08 <= np.mean([one.by_close for one in spikes]) <= 0.12
        assert -0.08 <= np.mean([one.median for one in spikes]) <= -0.04
        assert 0.04 <= np.mean([one.by_high for one in base]) <= 0.055
        assert 0.028 <= np.mean([one.by_close for one in base]) <= 0.038

    def test_volume_at_one_and_a_half_times_the_usual_says_little(self, grid):
        lift = grid.rates(grid.gated).by_close / grid.rates(grid.base).by_close

        assert 0.9 <= lift <= 1.6  # 1.3 in 2022-23

    def test_something_passes_the_volume_gate_on_nearly_every_session(self, grid):
        passed = grid.gated.sum(axis=0)[21:-15]

        assert np.mean(passed >= 5) > 0.99

    def test_everybody_trades_more_on_expiry_fridays_and_only_then(self, market, grid):
        days = np.array(sessions.between(date(2021, 6, 29), END))
        busy = grid.busy_share()
        loud = busy > 3 * np.median(busy[21:])

        assert all(loud[days == day].all() for day in EXPIRIES)
        others = loud & ~sample._event_fridays(sample._period(END, 3))
        assert others.mean() < 0.01
