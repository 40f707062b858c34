"""The course of a day's volume: learnt where the plan has minute bars, else said to be stated."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from analytics.calc import intraday, sessions
from analytics.clients.answers import NotInPlan
from analytics.clients.polygon import Polygon
from analytics.services import data_sets, lakes, market_jobs, volume_curves
from tests import factories
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
LAST, TODAY = date(2024, 6, 27), date(2024, 6, 28)
NOW = datetime(2024, 6, 27, 22, tzinfo=NEW_YORK)
DAYS = sessions.between(sessions.offset(LAST, -19), LAST)
SYMBOLS = [f"S{number:02}" for number in range(24)]


def noon(day=TODAY, hour=12):
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK)


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    """24 stocks at 3 dollars, one at 30, for 25 sessions."""
    settings.LAKE_URL = tmp_path / "lake"
    found = lakes.lake_of("live")
    days = sessions.between(sessions.offset(LAST, -24), LAST)
    frame = pl.DataFrame({"symbol": [*SYMBOLS, "DEAR"]}).join(
        pl.DataFrame({"session": days}), how="cross"
    )
    price = pl.when(symbol="DEAR").then(30.0).otherwise(3.0)
    found.upsert(
        "bars", frame.with_columns(close=price, volume=1e6, quality=0, source=pl.lit("live"))
    )
    for symbol in [*SYMBOLS, "DEAR"]:
        factories.make_security(
            symbol=symbol, first_session=days[0], last_session=LAST, source="live"
        )
    return found


@pytest.fixture
def stub():
    with running() as server:
        for symbol in SYMBOLS:
            server.on(path(symbol), minutes())
        yield server


@pytest.fixture
def polygon(stub):
    with Polygon("secret", base_url=stub.url, sleep=lambda _s: None) as client:
        yield client


def path(symbol):
    return f"/v2/aggs/ticker/{symbol}/range/5/minute/{DAYS[0]}/{DAYS[-1]}"


def minutes():
    """Half of each day at 10:00, a half that is fractional at 15:00; stamped by their start."""
    found = []
    for day in DAYS:
        for hour in (10, 15):
            start = int(noon(day, hour).timestamp() * 1000)
            found.append({"t": start, "v": 1000.5, "o": 3, "h": 3, "l": 3, "c": 3})
    return {"status": "OK", "ticker": "S", "results": found}


class TestLearn:
    def test_stores_a_dated_curve_with_its_n_and_interval(self, polygon, lake, stub):
        curve = volume_curves.learn(polygon=polygon, now=NOW)

        stored = lake.read("volume_curves")
        at_noon = stored.row(by_predicate=pl.col("minute") == 720, named=True)
        assert (curve.sessions, curve.stocks) == (20, 24)
        assert at_noon["day"] == LAST
        assert (at_noon["share"], at_noon["low"], at_noon["high"]) == pytest.approx((0.5,) * 3)
        assert {asked.query["adjusted"] for asked in stub.asked} == {"false"}
        assert not any("DEAR" in asked for asked in stub.paths)

    def test_changes_nothing_when_it_is_run_again(self, polygon, lake):
        volume_curves.learn(polygon=polygon, now=NOW)
        before = lake.versions()["volume_curves"]

        volume_curves.learn(polygon=polygon, now=NOW)

        assert lake.versions()["volume_curves"] == before

    def test_goes_on_without_a_stock_that_nobody_knows(self, polygon, stub):
        stub.on(path("S00"), wire.refusal(404, "Ticker not found."))
        stub.on(path("S01"), {"status": "OK", "queryCount": 0})  # results absent

        assert volume_curves.learn(polygon=polygon, now=NOW).stocks == 22

    def test_says_when_the_plan_has_no_minutes(self, polygon, stub, lake):
        stub.on(path("S00"), wire.NOT_IN_PLAN)

        with pytest.raises(NotInPlan):
            volume_curves.learn(polygon=polygon, now=NOW)
        assert lake.is_empty("volume_curves")


class TestGetUsual:
    def test_reads_the_learnt_curve_from_the_next_session_on(self, polygon):
        volume_curves.learn(polygon=polygon, now=NOW)

        usual = volume_curves.get_usual(now=noon())

        assert (usual.share, usual.is_learnt) == (pytest.approx(0.5), True)
        assert usual.words == (
            "the course of volume learnt from 20 sessions of 24 stocks at 1-8 dollars up to "
            "2024-06-27 (by noon 50% of the day, 95 % interval 50% to 50%)"
        )
        assert volume_curves.get_curve(today=LAST) is None

    @pytest.mark.parametrize(
        ("day", "close", "why"),
        [
            (date(2024, 7, 3), 13, "approximation of a day's shape, not learnt from data (a half"),
            (date(2024, 8, 20), 16, "a stated approximation"),  # the curve is too old
        ],
    )
    def test_falls_back_to_the_stated_approximation_and_says_so(self, polygon, day, close, why):
        volume_curves.learn(polygon=polygon, now=NOW)

        usual = volume_curves.get_usual(now=noon(day))

        assert not usual.is_learnt
        assert why in usual.words
        assert usual.share == intraday.usual_share(
            noon(day), opens=sessions.opening(day), closes=noon(day, close)
        )


class TestJob:
    def test_learns_only_where_sessions_under_way_are_watched(self, polygon, stub):
        class Report:
            def now(self):
                return NOW

            def progress(self, *_args):
                pass

        assert market_jobs._learn_volume_curve(polygon, Report()) == ""
        assert stub.asked == []

        data_sets.record(data_set="snapshot", provider="polygon", state="current", now=NOW)
        assert "learnt from 20 sessions" in market_jobs._learn_volume_curve(polygon, Report())
