from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.calc import sessions
from analytics.clients import polygon_records
from analytics.clients.answers import NotInPlan
from analytics.clients.polygon import Polygon
from analytics.lake import bars, shares, shorts
from analytics.lake.tables import Lake
from tests.stubs import polygon as wire

FIRST, LAST = date(2024, 6, 1), date(2024, 6, 30)
INTEREST, VOLUME = "/stocks/v1/short-interest", "/stocks/v1/short-volume"
FLOAT, NEWS = "/stocks/vX/float", "/v2/reference/news"


@pytest.fixture
def polygon(stub, options):
    with Polygon("key", base_url=stub.url, **options) as polygon:
        yield polygon


def split(symbol="A", day="2024-06-10", *, old=20.0, new=1.0, number="E1"):
    return {
        "ticker": symbol,
        "execution_date": day,
        "split_from": old,
        "split_to": new,
        "adjustment_type": "reverse_split" if new < old else "forward_split",
        "historical_adjustment_factor": 0.5,
        "id": number,
    }


class TestSplits:
    def test_are_new_shares_per_old_known_from_the_open_of_the_day(self, stub, polygon):
        stub.on(wire.SPLITS, wire.page(split(), split("B", old=1, new=1.05)))

        frame = polygon_records.splits(polygon, first=FIRST, last=LAST).frame

        assert dict(frame.schema) == bars.SPLIT_COLUMNS
        assert frame.select("symbol", "ex_date", "ratio", "evidence").rows() == [
            ("A", date(2024, 6, 10), 0.05, "reverse_split"),
            ("B", date(2024, 6, 10), 1.05, "forward_split"),
        ]
        assert frame["known_on"][0] == sessions.opening(date(2024, 6, 10))

    def test_are_asked_for_by_their_day(self, stub, polygon):
        stub.on(wire.SPLITS, wire.page())

        polygon_records.splits(polygon, first=FIRST, last=LAST)

        assert stub.asked[0].query["execution_date.gte"] == "2024-06-01"
        assert stub.asked[0].query["execution_date.lte"] == "2024-06-30"

    @pytest.mark.parametrize("again", ["2024-06-10", "2024-06-12"])
    def test_do_not_adjust_twice_if_the_vendor_lists_them_twice(self, stub, polygon, again):
        stub.on(wire.SPLITS, wire.page(split(), split(day=again, number="E2")))

        reading = polygon_records.splits(polygon, first=FIRST, last=LAST)

        assert reading.frame.select("ex_date", "ratio").rows() == [(date(2024, 6, 10), 0.05)]
        assert reading.faults["gate"].to_list() == ["duplicate_key"]

    def test_of_the_same_ratio_long_after_are_another_split(self, stub, polygon):
        stub.on(wire.SPLITS, wire.page(split(day="2024-06-03"), split(day="2024-06-20")))

        assert polygon_records.splits(polygon, first=FIRST, last=LAST).frame.height == 2

    def test_that_contradict_each_other_are_an_error_and_do_not_depend_on_the_order(
        self, stub, polygon
    ):
        two = [split(number="E2"), split(old=10, number="E1")]
        stub.on(wire.SPLITS, wire.page(*two), wire.page(*reversed(two)))

        one, other = (polygon_records.splits(polygon, first=FIRST, last=LAST) for _ in range(2))

        assert one.frame.equals(other.frame)
        assert one.frame["ratio"].to_list() == [0.1]
        assert one.faults.select("gate", "severity").row(0) == ("conflicting_split", "error")

    @pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0), (1, 1), (-2, 1), (None, 1)])
    def test_that_cannot_be_are_kept_out(self, stub, polygon, old, new):
        row = {**split(), "split_from": old, "split_to": new}
        stub.on(wire.SPLITS, wire.page(row))

        reading = polygon_records.splits(polygon, first=FIRST, last=LAST)

        assert reading.frame.is_empty()
        assert reading.faults.height == 1

    def test_can_be_committed_to_the_lake_twice(self, stub, polygon, tmp_path):
        stub.on(wire.SPLITS, wire.page(split(), split()))
        lake = Lake(str(tmp_path), "market")
        frame = polygon_records.splits(polygon, first=FIRST, last=LAST).frame

        assert lake.upsert("splits", frame).new == 1
        assert lake.upsert("splits", frame).unchanged == 1


class TestShortInterest:
    def test_is_known_8_sessions_after_settlement(self, stub, polygon):
        row = {
            "ticker": "A", "settlement_date": "2024-06-14", "short_interest": 3906231,
            "avg_daily_volume": 2340158, "days_to_cover": 1.67,
        }  # fmt: skip
        stub.on(INTEREST, wire.page(row))

        frame = polygon_records.short_interest(polygon, first=FIRST, last=LAST).frame

        assert dict(frame.schema) == shorts.INTEREST_COLUMNS
        assert frame["known_on"].item() == sessions.opening(date(2024, 6, 27))  # 19 June is closed
        assert frame.select("shares_short", "days_to_cover").row(0) == (3906231.0, 1.67)

    def test_has_no_days_to_cover_where_the_provider_writes_999(self, stub, polygon):
        row = {"ticker": "A", "settlement_date": "2024-06-14", "short_interest": 1}
        stub.on(INTEREST, wire.page({**row, "days_to_cover": 999.99}))

        frame = polygon_records.short_interest(polygon, first=FIRST, last=LAST).frame

        assert frame["days_to_cover"].item() is None

    def test_without_a_figure_or_symbol_is_a_fault_and_not_zero(self, stub, polygon):
        stub.on(
            INTEREST,
            wire.page(
                {"ticker": "A", "settlement_date": "2024-06-14"},
                {"settlement_date": "2024-06-14", "short_interest": 5},
                {"ticker": "B", "settlement_date": "1066-10-14", "short_interest": 5},
            ),
        )

        reading = polygon_records.short_interest(polygon, first=FIRST, last=LAST)

        assert reading.frame.is_empty()
        assert reading.faults["gate"].to_list() == ["bad_figure", "unreadable", "bad_date"]

    def test_may_not_be_in_the_plan(self, stub, polygon):
        stub.on(INTEREST, wire.NOT_IN_PLAN)

        with pytest.raises(NotInPlan):
            polygon_records.short_interest(polygon, first=FIRST, last=LAST)


class TestShortVolume:
    def test_is_known_in_the_evening(self, stub, polygon):
        row = {
            "ticker": "A", "date": "2024-06-10", "total_volume": 574084.5, "short_volume": 181219,
            "short_volume_ratio": 31.57,
        }  # fmt: skip
        stub.on(VOLUME, wire.page(row, {**row, "ticker": "B", "short_volume": 9e9}))

        reading = polygon_records.short_volume(polygon, first=FIRST, last=LAST)

        assert dict(reading.frame.schema) == shorts.VOLUME_COLUMNS
        assert reading.frame["symbol"].to_list() == ["A"]
        assert reading.frame["total_volume"].item() == 574084.5
        assert reading.frame["known_on"].item() == datetime(2024, 6, 11, 1, tzinfo=UTC)
        assert reading.frame["known_on"].item() < sessions.cut_off(date(2024, 6, 10))
        assert reading.faults["gate"].to_list() == ["bad_figure"]


class TestFloats:
    def test_are_known_from_the_day_they_were_fetched(self, stub, polygon):
        now = datetime(2025, 11, 3, 12, tzinfo=UTC)
        row = {"ticker": "A", "effective_date": "2025-11-01", "free_float": 15000000000}
        stub.on(FLOAT, wire.page(row, {**row, "ticker": "B", "free_float": 0}))

        reading = polygon_records.floats(polygon, now=now)

        assert dict(reading.frame.schema) == shares.COLUMNS
        assert reading.frame.select("public_float", "shares_outstanding", "known_on").row(0) == (
            15e9, None, now
        )  # fmt: skip
        assert reading.faults["symbol"].to_list() == ["B"]


class TestNews:
    def article(self, **changes):
        return {
            "id": "n1",
            "title": "VIGL soars",
            "article_url": "https://news.example/1",
            "published_utc": "2024-06-10T13:30:00Z",
            "publisher": {"name": "Investing.com"},
            "tickers": ["VIGL", "SPY"],
            "insights": [
                {"ticker": "VIGL", "sentiment": "positive", "sentiment_reasoning": "Phase 3."}
            ],
            **changes,
        }

    def read(self, polygon, **more):
        since, until = datetime(2024, 6, 10, tzinfo=UTC), datetime(2024, 6, 11, tzinfo=UTC)
        return polygon_records.news(polygon, since=since, until=until, **more)

    def test_is_a_row_per_symbol_known_when_published(self, stub, polygon):
        stub.on(NEWS, wire.page(self.article()))

        frame = self.read(polygon)

        assert dict(frame.schema) == polygon_records.NEWS
        assert frame.select("symbol", "sentiment", "publisher").rows() == [
            ("SPY", None, "Investing.com"),
            ("VIGL", 1.0, "Investing.com"),
        ]
        assert (frame["known_on"] == datetime(2024, 6, 10, 13, 30, tzinfo=UTC)).all()

    @pytest.mark.parametrize(
        ("tone", "value"), [("negative", -1.0), ("neutral", 0.0), ("mixed", None), (None, None)]
    )
    def test_has_a_tone_only_where_the_provider_states_one(self, stub, polygon, tone, value):
        insights = [{"ticker": "VIGL", "sentiment": tone}]
        stub.on(NEWS, wire.page(self.article(tickers=["VIGL"], insights=insights)))

        assert self.read(polygon)["sentiment"].to_list() == [value]

    def test_needs_no_insights_publisher_or_tickers(self, stub, polygon):
        bare = {"id": "n2", "published_utc": "2024-06-10T13:30:00Z", "tickers": ["A"]}
        stub.on(NEWS, wire.page(bare, {"id": "n3"}, self.article(published_utc="soon")))

        assert self.read(polygon)["symbol"].to_list() == ["A"]

    def test_of_one_symbol_leaves_the_others_out(self, stub, polygon):
        stub.on(NEWS, wire.page(self.article(), self.article()))

        found = self.read(polygon, symbol="VIGL")

        assert found["symbol"].to_list() == ["VIGL"]
        assert stub.asked[0].query["ticker"] == "VIGL"
        assert stub.asked[0].query["published_utc.gte"] == "2024-06-10T00:00:00Z"

    def test_may_be_none(self, stub, polygon):
        stub.on(NEWS, wire.page())

        assert self.read(polygon).is_empty()
        assert isinstance(self.read(polygon), pl.DataFrame)
