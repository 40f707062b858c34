from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.clients.answers import (
    NotInPlan,
    NotPublishedYet,
    RateLimited,
    TooOldForPlan,
    Unauthorized,
)
from analytics.clients.polygon import Polygon
from analytics.errors import BadAnswer, Unavailable
from analytics.lake import bars
from analytics.lake.tables import Lake
from tests.stubs import polygon as wire
from tests.stubs import server
from tests.stubs.server import Answer

KEY = "k-1234"
MONDAY = date(2024, 6, 3)
HOLIDAY = date(2024, 6, 19)
PATH = wire.grouped_path(MONDAY)


@pytest.fixture
def polygon(stub, options):
    with Polygon(KEY, base_url=stub.url, **options) as polygon:
        yield polygon


class TestGroupedDaily:
    def test_returns_the_lakes_columns(self, stub, polygon):
        stub.on(PATH, wire.grouped(wire.bar("VIGL", MONDAY, v=25933.6)))

        frame = polygon.grouped_daily(MONDAY).frame

        assert dict(frame.drop("line").schema) == bars.COLUMNS
        assert frame.row(0, named=True) == {
            "symbol": "VIGL", "session": MONDAY, "open": 3.0, "high": 3.3, "low": 2.9,
            "close": 3.1, "volume": 25933.6, "vwap": 3.05, "trades": 74, "quality": 0,
            "source": "live", "year": 2024, "line": 1,
        }  # fmt: skip

    def test_can_be_committed_to_the_lake(self, stub, polygon, tmp_path):
        stub.on(PATH, wire.grouped(wire.bar("A", MONDAY), wire.bar("B", MONDAY)))

        written = Lake(str(tmp_path), "market").upsert("bars", polygon.grouped_daily(MONDAY).frame)

        assert written.new == 2

    def test_asks_for_prices_as_traded(self, stub, polygon):
        stub.on(PATH, wire.grouped(wire.bar("A", MONDAY)))

        polygon.grouped_daily(MONDAY)

        assert stub.asked[0].query == {"adjusted": "false", "include_otc": "false"}
        assert stub.asked[0].headers["Authorization"] == f"Bearer {KEY}"

    def test_keeps_small_letters_of_preferred_tickers(self, stub, polygon):
        stub.on(PATH, wire.grouped(wire.bar("KIMpL", MONDAY), wire.bar("NA", MONDAY)))

        assert polygon.grouped_daily(MONDAY).frame["symbol"].to_list() == ["KIMpL", "NA"]

    def test_does_without_average_price_and_count(self, stub, polygon):
        row = wire.bar("A", MONDAY)
        del row["vw"], row["n"]
        stub.on(PATH, wire.grouped(row))

        assert polygon.grouped_daily(MONDAY).frame.select("vwap", "trades").row(0) == (None, None)

    @pytest.mark.parametrize("body", [wire.HOLIDAY, {**wire.HOLIDAY, "results": []}])
    def test_is_empty_on_a_holiday_whether_results_are_absent_or_empty(self, stub, polygon, body):
        stub.on(wire.grouped_path(HOLIDAY), body)

        reading = polygon.grouped_daily(HOLIDAY)

        assert reading.frame.is_empty()
        assert dict(reading.frame.drop("line").schema) == bars.COLUMNS

    def test_is_not_published_yet_if_a_session_has_no_rows(self, stub, polygon, waits):
        stub.on(PATH, wire.HOLIDAY)

        with pytest.raises(NotPublishedYet, match="2024-06-03: no rows yet"):
            polygon.grouped_daily(MONDAY)

        assert waits == []

    def test_reports_a_row_that_comes_twice_and_keeps_the_first(self, stub, polygon):
        twice = wire.bar("A", MONDAY), wire.bar("B", MONDAY), wire.bar("A", MONDAY, c=3.2)
        stub.on(PATH, wire.grouped(*twice))

        reading = polygon.grouped_daily(MONDAY)

        assert reading.frame.select("symbol", "close").rows() == [("A", 3.1), ("B", 3.1)]
        assert reading.faults.select("gate", "symbol", "session", "line").rows() == [
            ("duplicate_key", "A", MONDAY, 3)
        ]

    def test_reports_a_row_of_another_day_and_rows_without_a_figure(self, stub, polygon):
        stub.on(
            PATH,
            wire.grouped(
                wire.bar("A", MONDAY),
                wire.bar("B", MONDAY, t=wire.closing_ms(date(2024, 5, 31))),
                wire.bar("C", MONDAY, c=None),
                wire.bar("D", MONDAY, v="much"),
                wire.bar("E", MONDAY, T=None),
            ),
        )

        reading = polygon.grouped_daily(MONDAY)

        assert reading.frame["symbol"].to_list() == ["A"]
        assert reading.faults.select("line", "gate").rows() == [
            (2, "wrong_session"),
            (3, "bad_price"),
            (4, "bad_volume"),
            (5, "unreadable"),
        ]

    def test_is_refused_if_no_row_is_of_that_day(self, stub, polygon):
        stub.on(PATH, wire.grouped(wire.bar("A", MONDAY, t=1)))

        with pytest.raises(BadAnswer, match="not one usable row of 1"):
            polygon.grouped_daily(MONDAY)

    @pytest.mark.parametrize("results", [{"T": "A"}, "none", [1, 2]])
    def test_is_refused_if_the_results_are_no_rows(self, stub, polygon, results):
        stub.on(PATH, {"status": "OK", "results": results})

        with pytest.raises(BadAnswer, match="not a list of objects"):
            polygon.grouped_daily(MONDAY)

    def test_takes_delayed_for_success(self, stub, polygon):
        stub.on(PATH, {**wire.grouped(wire.bar("A", MONDAY)), "status": "DELAYED"})

        assert polygon.grouped_daily(MONDAY).frame.height == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (wire.UNKNOWN_KEY, Unauthorized),
            (wire.NO_KEY, Unauthorized),
            (wire.NOT_IN_PLAN, NotInPlan),
            (wire.TOO_OLD, TooOldForPlan),
            (wire.TOO_EARLY, NotPublishedYet),
            (Answer("<html>Forbidden</html>", status=403), NotInPlan),
            (Answer(status=403), NotInPlan),
        ],
    )
    def test_are_told_apart(self, stub, polygon, waits, answer, kind):
        stub.on(PATH, answer)

        with pytest.raises(kind) as refusal:
            polygon.grouped_daily(MONDAY)

        assert type(refusal.value) is kind
        assert waits == []
        assert KEY not in str(refusal.value)

    @pytest.mark.parametrize("answer", [wire.BUSY, Answer(status=429)])
    def test_of_the_rate_limit_are_waited_out(self, stub, polygon, waits, answer):
        stub.on(PATH, answer, wire.grouped(wire.bar("A", MONDAY)))

        assert polygon.grouped_daily(MONDAY).frame.height == 1
        assert len(waits) == 1

    def test_of_the_rate_limit_end_some_time(self, stub, polygon):
        stub.on(PATH, wire.BUSY)

        with pytest.raises(RateLimited, match="exceeded the maximum requests"):
            polygon.grouped_daily(MONDAY)


class TestGroupedDailyOf:
    def test_yields_each_day_in_order_with_its_answer_or_error(self, stub, polygon):
        days = [MONDAY, date(2024, 6, 4), date(2024, 6, 5), HOLIDAY]
        stub.on(PATH, wire.grouped(wire.bar("A", MONDAY)))
        stub.on(wire.grouped_path(days[1]), wire.TOO_OLD)
        stub.on(wire.grouped_path(days[2]), wire.HOLIDAY)
        stub.on(wire.grouped_path(HOLIDAY), wire.HOLIDAY)

        found = dict(polygon.grouped_daily_of(days))

        assert list(found) == days
        assert found[MONDAY].frame.height == 1
        assert isinstance(found[days[1]], TooOldForPlan)
        assert isinstance(found[days[2]], NotPublishedYet)
        assert found[HOLIDAY].frame.is_empty()

    def test_says_the_same_as_one_day_asked_for_alone(self, stub, polygon):
        stub.on(PATH, wire.grouped(wire.bar("A", MONDAY), wire.bar("B", MONDAY)))

        ((_, together),) = polygon.grouped_daily_of([MONDAY])

        assert together.frame.equals(polygon.grouped_daily(MONDAY).frame)


class TestPages:
    def test_are_followed_on_the_host_we_chose(self, stub, polygon):
        with server.running() as stranger:
            stub.on("/v3/x", wire.page({"n": 1}, next_url=f"{stranger.url}/v3/y?cursor=abc"))
            stub.on("/v3/y", wire.page({"n": 2}))

            assert polygon.all_rows("/v3/x", limit="1") == [{"n": 1}, {"n": 2}]

            assert stranger.asked == []
        assert stub.asked[1].query == {"cursor": "abc"}
        assert stub.asked[1].headers["Authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize(
        "next_url",
        [
            "https://elsewhere.example//evil.example/v3/y?cursor=abc",
            "//elsewhere.example/v3/y?cursor=abc",
            "/v3/y?cursor=abc",
        ],
    )
    def test_never_lead_elsewhere_however_they_are_written(self, stub, polygon, next_url):
        stub.on("/v3/x", wire.page({"n": 1}, next_url=next_url))
        stub.on("/v3/y", wire.page())
        stub.on("/evil.example/v3/y", wire.page())

        polygon.all_rows("/v3/x")

        assert len(stub.asked) == 2

    def test_do_not_put_a_key_into_a_url(self, stub, polygon):
        stub.on("/v3/x", wire.page(next_url="https://a.example/v3/y?cursor=abc&apiKey=k-1234"))
        stub.on("/v3/y", wire.page())

        polygon.all_rows("/v3/x")

        assert stub.asked[1].query == {"cursor": "abc"}

    def test_that_go_round_in_a_circle_are_refused(self, stub, polygon):
        stub.on("/v3/x", wire.page({"n": 1}, next_url="https://a.example/v3/y?cursor=1"))
        stub.on("/v3/y", wire.page({"n": 2}, next_url="https://a.example/v3/y?cursor=1"))

        with pytest.raises(BadAnswer, match="round in a circle"):
            polygon.all_rows("/v3/x")

    def test_without_end_are_refused(self, stub, polygon, monkeypatch):
        monkeypatch.setattr("analytics.clients.polygon.MOST_PAGES", 3)
        pages = [wire.page(next_url=f"https://a.example/v3/x?cursor={n}") for n in range(9)]
        stub.on("/v3/x", *pages)

        with pytest.raises(BadAnswer, match="more than 3 pages"):
            polygon.all_rows("/v3/x")

    @pytest.mark.parametrize("next_url", ["https://a.example", "http://[bad/v3/x", 7])
    def test_that_lead_nowhere_are_refused(self, stub, polygon, next_url):
        stub.on("/v3/x", {"results": [], "next_url": next_url})

        with pytest.raises(BadAnswer):
            polygon.all_rows("/v3/x")

    def test_may_have_no_rows(self, stub, polygon):
        stub.on("/v3/x", {"status": "OK", "next_url": "https://a.example/v3/y"})
        stub.on("/v3/y", wire.page({"n": 2}))

        assert polygon.all_rows("/v3/x") == [{"n": 2}]

    def test_lost_half_way_are_an_error_and_no_short_list(self, stub, polygon):
        stub.on("/v3/x", wire.page({"n": 1}, next_url="https://a.example/v3/y"))
        stub.on("/v3/y", Answer(status=500))

        with pytest.raises(Unavailable):
            polygon.all_rows("/v3/x")


SNAPSHOT = "/v2/snapshot/locale/us/markets/stocks/tickers"


class TestSnapshot:
    def test_reads_the_day_so_far(self, stub, polygon):
        row = {
            "ticker": "BCAT",
            "updated": 1605192894630916600,
            "day": {"o": 20.64, "h": 20.7, "l": 20.506, "c": 20.51, "v": 37216, "vw": 20.616},
            "min": {"av": 37216, "t": 1684428600000, "c": 20.5},
            "prevDay": {"c": 20.63, "v": 292738},
        }
        stub.on(SNAPSHOT, {"count": 1, "status": "OK", "tickers": [row]})

        assert polygon.snapshot().row(0, named=True) == {
            "symbol": "BCAT",
            "updated_at": datetime(2020, 11, 12, 14, 54, 54, 630916, tzinfo=UTC),
            "open": 20.64, "high": 20.7, "low": 20.506, "last": 20.51, "volume": 37216.0,
            "vwap": 20.616, "previous_close": 20.63, "previous_volume": 292738.0,
        }  # fmt: skip

    def test_takes_zeros_before_the_first_trade_for_no_data(self, stub, polygon):
        zeros = {"o": 0, "h": 0, "l": 0, "c": 0, "v": 0, "vw": 0}
        row = {"ticker": "A", "updated": 0, "day": zeros, "prevDay": {"c": 3.0, "v": 10}}
        stub.on(SNAPSHOT, {"tickers": [row, {"ticker": "B"}]})

        found = polygon.snapshot()

        assert (
            found.select(pl.col("updated_at", "open", "last", "volume").is_null().all()).row(0)
            == (True,) * 4
        )
        assert found["previous_close"].to_list() == [3.0, None]

    def test_may_not_be_in_the_plan(self, stub, polygon):
        stub.on(SNAPSHOT, wire.NOT_IN_PLAN)

        with pytest.raises(NotInPlan):
            polygon.snapshot()


class TestMarketStatus:
    def test_is_read(self, stub, polygon):
        stub.on(
            "/v1/marketstatus/now",
            {"market": "extended-hours", "serverTime": "2020-11-10T17:37:37-05:00",
             "earlyHours": False, "afterHours": True},
        )  # fmt: skip

        status = polygon.market_status()

        assert (status.is_open, status.after_hours) == (False, True)
        assert status.at == datetime(2020, 11, 10, 22, 37, 37, tzinfo=UTC)

    def test_is_refused_without_a_time(self, stub, polygon):
        stub.on("/v1/marketstatus/now", {"market": "open"})

        with pytest.raises(BadAnswer):
            polygon.market_status()

    def test_knows_special_days_to_come(self, stub, polygon):
        stub.on(
            "/v1/marketstatus/upcoming",
            [
                {"date": "2020-11-26", "exchange": "NYSE", "name": "Thanksgiving",
                 "status": "closed"},
                {"date": "2020-11-27", "exchange": "NYSE", "name": "Thanksgiving",
                 "status": "early-close", "open": "2020-11-27T14:30:00.000Z",
                 "close": "2020-11-27T18:00:00.000Z"},
            ],
        )  # fmt: skip

        closed, early = polygon.special_days()

        assert (closed.day, closed.status, closed.closes_at) == (
            date(2020, 11, 26), "closed", None
        )  # fmt: skip
        assert early.closes_at == datetime(2020, 11, 27, 18, tzinfo=UTC)
