"""The session under way: provisional rows, alerts once, "end of day" without the plan."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from analytics.calc import intraday, sessions
from analytics.clients.polygon import Polygon
from analytics.models import Alert, DataSetState, DiscoveryBatch, LiveQuote
from analytics.services import lakes, live_session
from tests import factories
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2024, 6, 28)
SNAPSHOT = "/v2/snapshot/locale/us/markets/stocks/tickers"


def at(hour, minute=0, day=DAY):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    """A million shares a day at 3 dollars, for 30 sessions before DAY."""
    settings.LAKE_URL = tmp_path / "lake"
    found = lakes.lake_of("live")
    days = sessions.between(sessions.offset(DAY, -30), sessions.offset(DAY, -1))
    frame = pl.DataFrame({"symbol": ["VIGL"] * 30, "session": days})
    found.upsert(
        "bars", frame.with_columns(close=3.0, volume=1e6, quality=0, source=pl.lit("live"))
    )
    factories.make_security(last_session=days[-1], source="live")
    return found


@pytest.fixture
def stub():
    with running() as server:
        yield server


@pytest.fixture
def polygon(stub):
    with Polygon("secret", base_url=stub.url, sleep=lambda _s: None) as client:
        yield client


def put(stub, when, volume, last=3.5, opened=3.1, **changes):
    row = {
        "ticker": "VIGL",
        "updated": int(when.timestamp() * 1e9),
        "day": {"o": opened, "h": last, "l": opened, "c": last, "v": volume},
        "min": {},
        "prevDay": {"c": 3.0, "v": 1e6},
    }
    stub.on(SNAPSHOT, {"status": "OK", "tickers": [row | changes]})


class TestWatch:
    def test_measures_volume_against_the_usual_by_that_minute(self, stub, polygon):
        put(stub, at(12, 45), 4_000_000.0)

        live_session.watch(polygon=polygon, now=at(12, 45))

        row = LiveQuote.objects.get()
        share = intraday.usual_share(at(12, 45), opens=sessions.opening(DAY), closes=at(16))
        assert row.usual_volume == pytest.approx(1e6 * share)
        assert row.rel_volume == pytest.approx(4 / share)
        assert (row.session, row.before_open) == (DAY, False)

    def test_raises_each_alert_once_and_resolves_it_the_next_session(self, stub, polygon):
        put(stub, at(10, 30), 12_000_000.0)

        raised = [live_session.watch(polygon=polygon, now=at(10, 30)) for _ in range(3)]

        assert raised == [2, 0, 0]
        assert set(Alert.objects.values_list("kind", "provisional")) == {
            ("volume", True),
            ("vigl_pattern", True),
        }
        monday = at(10, day=date(2024, 7, 1))
        put(stub, monday, 1_000.0)
        live_session.watch(polygon=polygon, now=monday)
        assert not Alert.objects.standing().exists()

    def test_says_what_the_usual_rests_on(self, stub, polygon):
        put(stub, at(10, 30), 12_000_000.0)

        live_session.watch(polygon=polygon, now=at(10, 30))

        told = Alert.objects.get(kind="volume").message
        assert told.endswith("x the usual by now, an approximation (provisional)")
        assert live_session.get_live(now=at(10, 35)).why == (
            "volume against a stated approximation of a day's shape, not learnt from data"
        )

    def test_measures_against_the_learnt_course_where_there_is_one(self, stub, polygon, lake):
        minutes = pl.DataFrame({"minute": range(245, 965, 5)}).with_columns(
            share=(pl.col("minute") - 240) / 720, symbol=pl.lit("1-8"), source=pl.lit("live"),
            day=pl.lit(date(2024, 6, 27)), sessions=20, stocks=60, low=0.1, high=0.9,
        )  # fmt: skip
        lake.upsert("volume_curves", minutes)
        put(stub, at(10), 12_000_000.0)

        live_session.watch(polygon=polygon, now=at(10))

        assert LiveQuote.objects.get().usual_volume == pytest.approx(0.5e6)
        assert "learnt from minute bars" in Alert.objects.get(kind="volume").message
        assert "60 stocks" in live_session.get_live(now=at(10)).why

    def test_raises_gaps_before_the_open(self, stub, polygon):
        put(stub, at(8, 5), 60_000.0, last=3.9)

        live_session.watch(polygon=polygon, now=at(8, 5))

        alert = Alert.objects.get()
        assert (alert.kind, alert.severity) == ("premarket_gap", "info")
        assert alert.message == "VIGL at 3.90 before the open, +30% from the close (provisional)"
        assert LiveQuote.objects.get().before_open

    def test_measures_on_todays_share_basis(self, stub, polygon, lake):
        split = pl.DataFrame({"symbol": ["VIGL"], "ex_date": [DAY], "ratio": [0.5]})
        lake.upsert("splits", split.with_columns(source=pl.lit("live")))
        put(stub, at(15, 59), 2_000_000.0, last=6.0, opened=6.0)

        live_session.watch(polygon=polygon, now=at(15, 59))

        row = LiveQuote.objects.get()
        assert row.previous_close == 6.0
        assert row.gap == pytest.approx(0.0)
        assert row.usual_volume < 500_000

    def test_writes_nothing_to_the_lake_and_no_batch(self, stub, polygon, lake):
        before = lake.versions()
        put(stub, at(10, 30), 12_000_000.0)

        live_session.watch(polygon=polygon, now=at(10, 30))

        assert lake.versions() == before
        assert not DiscoveryBatch.objects.exists()

    def test_leaves_out_what_was_last_seen_yesterday(self, stub, polygon):
        put(stub, at(15, day=date(2024, 6, 27)), 12_000_000.0)

        assert live_session.watch(polygon=polygon, now=at(10, 30)) == 0
        assert not LiveQuote.objects.exists()

    @pytest.mark.parametrize(
        "now",
        [at(7, 59), at(16, 1), at(12, day=date(2024, 6, 29)), at(13, 30, day=date(2024, 7, 3))],
    )
    def test_asks_nothing_outside_a_session(self, stub, polygon, now):
        assert live_session.watch(polygon=polygon, now=now) is None
        assert stub.asked == []

    def test_says_end_of_day_without_the_plan_and_asks_once_a_day(self, stub, polygon):
        stub.on(SNAPSHOT, wire.NOT_IN_PLAN)

        for minute in (0, 5, 10):
            assert live_session.watch(polygon=polygon, now=at(11, minute)) is None

        assert len(stub.asked) == 1
        assert DataSetState.objects.get().state == "not_in_plan"
        assert live_session.get_live(now=at(11)).label == "end of day"
        assert live_session.may_ask(now=at(11) + timedelta(days=1, minutes=1))


class TestUsualShare:
    def shares(self, day=DAY, ends=16):
        minutes = [at(4, day=day) + timedelta(minutes=n) for n in range(0, 60 * 13, 5)]
        return [
            intraday.usual_share(m, opens=sessions.opening(day), closes=at(ends, day=day))
            for m in minutes
        ]

    def test_rises_to_one(self):
        shares = self.shares()

        assert shares == sorted(shares)
        assert shares[0] > 0
        assert shares[-1] == 1.0

    def test_runs_fastest_at_both_ends(self):
        opens, ends = sessions.opening(DAY), at(16)
        at_open, midday, late = (
            intraday.usual_share(m + timedelta(minutes=30), opens=opens, closes=ends)
            - intraday.usual_share(m, opens=opens, closes=ends)
            for m in (at(9, 30), at(12, 30), at(15, 29))
        )

        assert at_open > 2 * midday
        assert late > 2 * midday

    def test_is_over_at_one_on_a_half_day(self):
        day = date(2024, 7, 3)

        assert (
            intraday.usual_share(
                at(13, day=day), opens=sessions.opening(day), closes=at(13, day=day)
            )
            == 1.0
        )
