"""The course of a day's volume, learnt from 5-minute bars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from analytics.calc import sessions, volume_curve

NEW_YORK = ZoneInfo("America/New_York")
LAST = date(2024, 6, 28)
DAYS = sessions.between(sessions.offset(LAST, -11), LAST)


def at(day, hour, minute):
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)
    return local.astimezone(UTC)


def bars(days=DAYS, stocks=20, morning=lambda number: 60.0):
    """A stock-day trades 10 before the open, ``morning`` at 10:00, 20 at 15:55, the rest after."""
    rows = []
    for number, day in enumerate(days):
        early = morning(number)
        for stock in range(stocks):
            size = 10.0 ** (stock % 4)  # loud and quiet stocks count alike
            for (hour, minute), share in {
                (8, 0): 10.0, (10, 0): early, (15, 55): 20.0, (17, 0): 70.0 - early,
            }.items():  # fmt: skip
                rows.append((f"S{stock:02}", at(day, hour, minute), size * share))
    schema = {"symbol": pl.String, "at": pl.Datetime("us", "UTC"), "volume": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


class TestLearn:
    def test_is_the_mean_share_passed_by_each_minute(self):
        curve = volume_curve.learn(bars(), days=DAYS)

        assert (curve.sessions, curve.stocks, curve.as_of) == (12, 20, LAST)
        assert curve.share_at(8 * 60 + 5) == pytest.approx(0.10)
        assert curve.share_at(12 * 60) == pytest.approx(0.70)
        assert curve.share_at(16 * 60) == pytest.approx(0.90)  # a tenth comes after the close
        assert curve.points["minute"].to_list() == list(range(245, 961, 5))

    def test_counts_a_stock_day_like_any_other_however_loud(self):
        loud = bars().with_columns(
            volume=pl.when(symbol="S00").then(pl.col("volume") * 1e6).otherwise("volume")
        )

        assert volume_curve.learn(loud, days=DAYS).points.equals(
            volume_curve.learn(bars(), days=DAYS).points
        )

    def test_carries_an_interval_over_sessions(self):
        curve = volume_curve.learn(bars(morning=lambda n: 50.0 + n % 2 * 10), days=DAYS)

        noon = curve.points.row(by_predicate=pl.col("minute") == 720, named=True)
        half = 2.200985 * 0.05222330 / 12**0.5  # t of 11 degrees, deviation of 0.6 and 0.7
        assert noon["share"] == pytest.approx(0.65)
        assert noon["high"] - noon["share"] == pytest.approx(half, rel=1e-5)
        assert noon["share"] - noon["low"] == pytest.approx(half, rel=1e-5)

    def test_never_falls_and_stays_within_a_day(self):
        share = volume_curve.learn(bars(morning=lambda n: 40.0 + n), days=DAYS).points["share"]

        assert share.is_sorted()
        assert 0 <= share.min() <= share.max() <= 1

    def test_leaves_out_other_days_and_bars_before_four(self):
        more = pl.concat([
            bars(),
            bars(days=[sessions.offset(LAST, -30)], morning=lambda _n: 0.0),
            bars().with_columns(at=pl.col("at").dt.truncate("1d") + timedelta(hours=5)),
        ])  # fmt: skip

        assert volume_curve.learn(more, days=DAYS).points.equals(
            volume_curve.learn(bars(), days=DAYS).points
        )

    @pytest.mark.parametrize(("days", "stocks"), [(DAYS[:9], 20), (DAYS, 19)])
    def test_is_not_made_of_too_little(self, days, stocks):
        assert volume_curve.learn(bars(days=days, stocks=stocks), days=days) is None


class TestShareAt:
    def test_lies_between_points_and_above_nothing(self):
        curve = volume_curve.learn(bars(), days=DAYS)

        assert curve.share_at(240) == volume_curve.LEAST_SHARE
        assert curve.share_at(10 * 60 + 2.5) == pytest.approx(0.40)
