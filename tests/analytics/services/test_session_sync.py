"""A session's bars: gated, stored once, superseded by a later file, held back when bad."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from analytics.clients.alpaca_data import AlpacaData
from analytics.clients.answers import NotInPlan, NotPublishedYet, TooOldForPlan
from analytics.clients.polygon import Polygon
from analytics.models import Correction, DataFinding, HeldSession, ImportRun, Security
from analytics.services import holds, lakes, market_data, market_sync
from analytics.services.providers import NotConfigured
from tests import factories
from tests.stubs import market
from tests.stubs import polygon as wire
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
DAY = date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def lake(settings, tmp_path):
    settings.LAKE_URL = tmp_path / "lake"
    return lakes.lake_of("live")


@pytest.fixture
def stub():
    with running() as server:
        yield server


@pytest.fixture
def polygon(stub):
    with Polygon("secret", base_url=stub.url, sleep=lambda _s: None) as client:
        yield client


def take(polygon, day=DAY, now=NOW):
    return market_sync.sync_session(session=day, polygon=polygon, now=now)


def stored(stub, polygon, count, last=DAY):
    """Store ``count`` sessions up to ``last``, itself included."""
    from analytics.calc import sessions

    for back in range(count - 1, -1, -1):
        day = sessions.offset(last, -back)
        market.put_session(stub, day)
        take(polygon, day)
    market_sync.refresh_listings(now=NOW)


class TestSyncSession:
    def test_stores_bars_as_live_with_fractions_and_lower_case_tickers(self, stub, polygon, lake):
        bars = [*market.bars_of(DAY), wire.bar("KIMpL", DAY, v=4369.25)]
        market.put_session(stub, DAY, bars)

        summary = take(polygon)

        kept = lake.read("bars", symbols=["KIMpL"]).row(0, named=True)
        assert (summary.rows, summary.new, summary.held) == (25, 25, "")
        assert (kept["volume"], kept["source"], kept["session"]) == (4369.25, "live", DAY)

    def test_changes_nothing_when_it_is_asked_again(self, stub, polygon, lake):
        market.put_session(stub, DAY)
        take(polygon)
        before = lake.versions()

        again = take(polygon)

        assert (again.new, again.changed, again.unchanged) == (0, 0, 24)
        assert lake.versions() == before
        assert ImportRun.objects.count() == 1

    def test_lets_a_corrected_file_supersede_and_keeps_what_was(self, stub, polygon, lake):
        market.put_session(stub, DAY)
        take(polygon)
        corrected = market.bars_of(DAY)
        old = corrected[3]["c"]
        corrected[3]["c"] = old + 0.1
        market.put_session(stub, DAY, corrected)

        again = take(polygon, now=NOW + timedelta(hours=12))

        correction = Correction.objects.get()
        assert (again.changed, again.unchanged) == (1, 23)
        assert correction.symbol == "S03"
        assert correction.before["close"] == old
        assert correction.known_on == NOW + timedelta(hours=12)

    def test_can_be_undone_by_a_replay_of_that_evening(self, stub, polygon):
        market.put_session(stub, DAY)
        take(polygon)
        market.put_session(stub, DAY, market.bars_of(DAY, c=3.3))
        take(polygon, now=NOW + timedelta(days=1))

        then = market_data.get_bars(source="live", as_known=DAY)

        assert then.filter(symbol="S05")["close"].item() == market.bars_of(DAY)[5]["c"]

    def test_takes_away_what_a_corrected_file_drops(self, stub, polygon, lake):
        market.put_session(stub, DAY)
        take(polygon)
        bars = [bar for bar in market.bars_of(DAY) if bar["T"] != "S03"]
        market.put_session(stub, DAY, bars)

        again = take(polygon, now=NOW + timedelta(hours=12))

        correction = Correction.objects.get()
        assert (again.withdrawn, again.moved, again.unchanged) == (1, 1, 23)
        assert lake.read("bars", symbols=["S03"]).is_empty()
        assert (correction.symbol, correction.after) == ("S03", None)
        assert correction.before["close"] == market.bars_of(DAY)[3]["c"]
        assert correction.reason == "withdrawn by polygon sip 2024-06-28"
        assert market_data.get_bars(source="live", as_known=DAY).height == 24

    def test_records_what_a_corrected_file_adds(self, stub, polygon):
        market.put_session(stub, DAY, market.bars_of(DAY)[:-1])
        take(polygon)
        market.put_session(stub, DAY)

        again = take(polygon, now=NOW + timedelta(hours=12))

        correction = Correction.objects.get()
        assert (again.new, correction.symbol, correction.before) == (1, "S23", None)
        assert market_data.get_bars(source="live", as_known=DAY).height == 23

    def test_withdraws_a_row_once_however_often_it_is_tried(self, stub, polygon, lake, monkeypatch):
        market.put_session(stub, DAY)
        take(polygon)
        market.put_session(stub, DAY, market.bars_of(DAY)[1:])
        with monkeypatch.context() as patch:
            patch.setattr(type(lake), "_write", lambda *_a, **_k: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                take(polygon)

        assert take(polygon).withdrawn == 1
        assert Correction.objects.count() == 1

    def test_keeps_the_stored_bar_where_the_later_row_is_faulty(self, stub, polygon, lake):
        market.put_session(stub, DAY)
        take(polygon)
        bars = market.bars_of(DAY)
        bars[3] |= {"h": 1.0, "l": 2.0}
        market.put_session(stub, DAY, bars)

        again = take(polygon)

        assert (again.withdrawn, again.rejected) == (0, 1)
        assert lake.read("bars", symbols=["S03"]).height == 1

    def test_refuses_a_later_file_that_drops_many(self, stub, polygon, lake):
        market.put_session(stub, DAY)
        take(polygon)
        market.put_session(stub, DAY, market.bars_of(DAY)[2:])

        again = take(polygon)

        assert again.held == "too_many_withdrawn: 2 of 24 stored bars are missing"
        assert lake.read("bars").height == 24
        assert DataFinding.objects.get(gate="too_many_withdrawn").severity == "error"
        assert not HeldSession.objects.exists()

    def test_leaves_a_persons_correction_alone(self, stub, polygon, lake):
        stored(stub, polygon, 1)
        market_data.correct_bar(
            symbol="S01", session=DAY, values={"close": 3.9}, reason="seen", user=None, now=NOW,
            source="live",
        )  # fmt: skip

        market.put_session(stub, DAY, market.bars_of(DAY, c=3.2))
        take(polygon)

        assert lake.read("bars", symbols=["S01"])["close"].item() == 3.9

    def test_keeps_bad_rows_out_and_names_them(self, stub, polygon, lake):
        bars = market.bars_of(DAY)
        bars[2] |= {"h": 1.0, "l": 2.0}
        market.put_session(stub, DAY, bars)

        summary = take(polygon)

        assert (summary.rows, summary.rejected) == (23, 1)
        finding = DataFinding.objects.get(gate="high_below_low")
        assert (finding.symbol, finding.kept_out, finding.source) == ("S02", True, "live")

    def test_writes_listing_periods_only_when_asked(self, stub, polygon):
        market.put_session(stub, DAY)
        take(polygon)

        assert not Security.objects.exists()
        assert market_sync.refresh_listings(now=NOW) == 24
        assert market_sync.refresh_listings(now=NOW) == 0
        assert Security.objects.count() == 24

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (wire.HOLIDAY, NotPublishedYet),
            (wire.TOO_EARLY, NotPublishedYet),
            (wire.NOT_IN_PLAN, NotInPlan),
            (wire.TOO_OLD, TooOldForPlan),
        ],
    )
    def test_says_why_there_are_none_and_holds_nothing(self, stub, polygon, answer, error):
        stub.on(wire.grouped_path(DAY), answer)

        with pytest.raises(error):
            take(polygon)

        assert not HeldSession.objects.exists()


class TestHardGates:
    def test_hold_a_session_of_half_the_symbols(self, stub, polygon, lake):
        stored(stub, polygon, 6, last=date(2024, 6, 27))
        market.put_session(stub, DAY, market.bars_of(DAY)[:11])

        summary = take(polygon)

        held = HeldSession.objects.get()
        assert summary.held == "too_few_symbols: 11 symbols where 24 are usual"
        assert (held.session, held.gate, held.resolved_at) == (DAY, "too_few_symbols", None)
        assert DAY not in lake.sessions()
        assert DataFinding.objects.get(gate="too_few_symbols").severity == "error"

    def test_hold_yesterdays_bars_under_todays_date(self, stub, polygon, lake):
        stored(stub, polygon, 6, last=date(2024, 6, 27))
        stale = [bar | {"t": wire.closing_ms(DAY)} for bar in market.bars_of(date(2024, 6, 27))]
        market.put_session(stub, DAY, stale)

        assert "100% of the bars are those of 2024-06-27" in take(polygon).held
        assert DAY not in lake.sessions()

    def test_hold_another_days_data(self, stub, polygon, lake):
        market.put_session(stub, DAY, market.bars_of(date(2024, 6, 20)))

        assert take(polygon).held.startswith("unusable_answer")
        assert HeldSession.objects.get().session == DAY
        assert lake.sessions() == []

    def test_end_when_a_good_file_comes(self, stub, polygon, lake):
        stored(stub, polygon, 6, last=date(2024, 6, 27))
        market.put_session(stub, DAY, market.bars_of(DAY)[:5])
        take(polygon)
        market.put_session(stub, DAY)

        summary = take(polygon, now=NOW + timedelta(hours=1))

        held = HeldSession.objects.get()
        assert (summary.held, held.resolution) == ("", holds.GOOD_FILE)
        assert DAY in lake.sessions()

    def test_let_data_through_that_a_person_accepted(self, stub, polygon, lake):
        stored(stub, polygon, 6, last=date(2024, 6, 27))
        market.put_session(stub, DAY, market.bars_of(DAY)[:5])
        take(polygon)
        person = factories.make_user()
        holds.accept(held_id=HeldSession.objects.get().pk, user=person, now=NOW)

        assert take(polygon).new == 5
        assert HeldSession.objects.get().accepted_by == person

    def test_do_not_hold_a_session_whose_good_bars_are_there(self, stub, polygon, lake):
        stored(stub, polygon, 7)
        market.put_session(stub, DAY, market.bars_of(DAY)[:5])

        assert take(polygon).held
        assert not HeldSession.objects.exists()
        assert lake.read("bars", first=DAY, last=DAY).height == 24
        assert DataFinding.objects.filter(gate="too_few_symbols").exists()


class TestFallback:
    def test_takes_consolidated_bars_from_alpaca(self, stub, polygon, lake):
        stored(stub, polygon, 3, last=date(2024, 6, 27))
        bar = {"t": "2024-06-28T04:00:00Z", "o": 3, "h": 4, "l": 2, "c": 3.5, "v": 9.5}
        stub.on("/v2/stocks/bars", {"bars": {"S01": [bar]}, "next_page_token": None})

        with AlpacaData("id", "secret", base_url=stub.url) as alpaca:
            summary = market_sync.sync_session_from_alpaca(
                session=DAY, alpaca=alpaca, feed="sip", now=NOW
            )

        assert (summary.new, summary.held) == (1, "")
        assert ImportRun.objects.latest("pk").file == "alpaca sip 2024-06-28"
        assert stub.asked[-1].query["feed"] == "sip"

    def test_never_stores_iex_bars_beside_consolidated_ones(self, stub, lake):
        with (
            AlpacaData("id", "secret", base_url=stub.url) as alpaca,
            pytest.raises(NotConfigured, match="a few per cent of the volume"),
        ):
            market_sync.sync_session_from_alpaca(session=DAY, alpaca=alpaca, feed="iex", now=NOW)

        assert stub.asked == []


class TestStoredSessions:
    def test_are_those_of_an_answer_or_of_a_large_import(self, stub, polygon, lake):
        stored(stub, polygon, 1)
        other = pl.DataFrame({"symbol": ["X"], "session": [date(2024, 6, 20)], "close": [1.0]})
        lake.upsert("bars", other.with_columns(volume=1.0, source=pl.lit("imported")))

        assert market_sync.stored_sessions(lake=lake) == {DAY}
