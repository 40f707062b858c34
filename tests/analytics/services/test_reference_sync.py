"""Who is listed on which day, splits that adjust once, floats with a history, moods."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from analytics.calc import sessions
from analytics.clients.polygon import Polygon
from analytics.models import DataFinding, Kind, Security
from analytics.services import lakes, market_data, market_sync, panels
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


def put_bars(lake, symbol, first, last):
    days = sessions.between(first, last)
    frame = pl.DataFrame({"symbol": [symbol] * len(days), "session": days})
    lake.upsert("bars", frame.with_columns(close=3.0, volume=1e6, quality=0, source=pl.lit("live")))


def listed(polygon, as_of=DAY):
    asked = market_sync.sync_listed(polygon=polygon, as_of=as_of, now=NOW)
    market_sync.refresh_listings(now=NOW, again=True)
    return asked


class TestSyncListed:
    def test_keeps_everything_but_stocks_out_of_the_scan(self, stub, polygon, lake):
        kinds = {
            "ACME": ("CS", "Acme Inc."),
            "ADRX": ("ADRC", "Foreign plc"),
            "BLNK": ("CS", "Blank Acquisition Corp"),
            "SPYX": ("ETF", "Index"),
            "KIMpL": ("PFD", "Preferred L"),
            "ACMEW": ("WARRANT", "Warrant"),
            "ACMEU": ("UNIT", "Unit"),
            "CEFX": ("FUND", "Fund"),
            "ZVZZT": ("CS", "NASDAQ TEST STOCK"),
        }
        for symbol in kinds:
            put_bars(lake, symbol, date(2024, 6, 3), DAY)
        rows = [market.ticker(s, type=t, name=n) for s, (t, n) in kinds.items()]
        market.put_lists(stub, rows)

        listed(polygon)

        found = dict(Security.objects.values_list("symbol", "kind"))
        panel = panels.get_panel(source="live", first=DAY, last=DAY).panel
        scanned = [panel.symbols[i] for i in panel.segment_symbol[panel.segment_scannable]]
        assert (found["BLNK"], found["ZVZZT"], found["KIMpL"]) == ("spac", "other", "preferred")
        assert scanned == ["ACME", "ADRX"]

    def test_knows_a_company_that_delisted_since(self, stub, polygon, lake):
        put_bars(lake, "GONE", date(2024, 4, 1), date(2024, 5, 10))
        put_bars(lake, "ACME", date(2024, 4, 1), DAY)
        gone = market.ticker("GONE", active=False, delisted_utc="2024-05-13T00:00:00Z")
        market.put_lists(stub, [market.ticker("ACME")], [gone])

        listed(polygon)

        security = Security.objects.get(symbol="GONE")
        assert (security.kind, security.delisted_on) == (Kind.COMMON, date(2024, 5, 13))
        assert Security.objects.listed_on(date(2024, 5, 1)).count() == 2
        assert Security.objects.listed_on(DAY).get().symbol == "ACME"

    def test_cuts_history_where_a_ticker_goes_to_another_company(self, stub, polygon, lake):
        put_bars(lake, "META", date(2024, 4, 1), DAY)
        old = market.ticker(
            "META", type="ETF", name="Ball Metaverse ETF", share_class_figi="BBG00000000A",
            active=False, delisted_utc="2024-05-31T00:00:00Z",
        )  # fmt: skip
        new = market.ticker("META", name="Meta Platforms", share_class_figi="BBG00000000B")
        market.put_lists(stub, [new], [old])

        listed(polygon)

        periods = list(
            Security.objects.order_by("first_session").values_list(
                "first_session", "last_session", "kind", "figi"
            )
        )
        assert periods == [
            (date(2024, 4, 1), date(2024, 5, 31), "etf", "BBG00000000A"),
            (date(2024, 6, 3), DAY, "common", "BBG00000000B"),
        ]

    def test_gives_both_symbols_of_a_renamed_company_its_figi(self, stub, polygon, lake):
        put_bars(lake, "FB", date(2024, 4, 1), date(2024, 6, 7))
        put_bars(lake, "METX", date(2024, 6, 10), DAY)
        market.put_lists(stub, [market.ticker("FB", share_class_figi="BBG00000000B")])
        listed(polygon, as_of=date(2024, 6, 3))
        market.put_lists(stub, [market.ticker("METX", share_class_figi="BBG00000000B")])
        listed(polygon)

        assert sorted(
            Security.objects.filter(figi="BBG00000000B").values_list("symbol", flat=True)
        ) == ["FB", "METX"]

    def test_gives_the_same_listings_whatever_the_order_of_the_lists(self, stub, polygon, lake):
        put_bars(lake, "ACME", date(2024, 4, 1), DAY)
        days = [date(2024, 6, 3), DAY]
        seen = []
        for order in (days, days[::-1]):
            lake.delete("symbols", lake.read("symbols"))
            for day in order:
                market.put_lists(stub, [market.ticker("ACME", name=f"Acme of {day.month}")])
                listed(polygon, as_of=day)
            seen.append(list(Security.objects.values_list("symbol", "first_session", "name")))

        assert seen[0] == seen[1]


class TestSyncSplits:
    def split(self, day, old=10, new=1, **changes):
        made = {"ticker": "ACME", "execution_date": day, "split_from": old, "split_to": new}
        return made | {"adjustment_type": "reverse_split", "id": f"E{day}"} | changes

    def sync(self, polygon):
        return market_sync.sync_splits(
            polygon=polygon, first=date(2024, 5, 1), last=date(2024, 7, 1), now=NOW
        )

    def test_does_not_adjust_twice_for_a_split_listed_twice(self, stub, polygon, lake):
        stub.on(wire.SPLITS, wire.page(self.split("2024-06-10"), self.split("2024-06-11")))

        self.sync(polygon)

        assert lake.read("splits").select("ex_date", "ratio").rows() == [(date(2024, 6, 10), 0.1)]
        assert DataFinding.objects.get().gate == "duplicate_key"

    def test_does_not_adjust_twice_for_one_that_comes_again_later(self, stub, polygon, lake):
        stub.on(wire.SPLITS, wire.page(self.split("2024-06-10")))
        self.sync(polygon)
        stub.on(wire.SPLITS, wire.page(self.split("2024-06-12")))

        self.sync(polygon)
        self.sync(polygon)

        assert lake.read("splits")["ex_date"].to_list() == [date(2024, 6, 10)]
        assert DataFinding.objects.filter(gate="duplicate_key").count() == 1

    def test_leaves_a_persons_split_alone(self, stub, polygon, lake):
        put_bars(lake, "ACME", date(2024, 6, 3), DAY)
        market_data.correct_split(
            symbol="ACME", ex_date=date(2024, 6, 10), ratio=0.2, reason="seen", user=None,
            now=NOW, source="live",
        )  # fmt: skip
        stub.on(wire.SPLITS, wire.page(self.split("2024-06-10")))

        self.sync(polygon)

        assert lake.read("splits")["ratio"].to_list() == [0.2]


class TestSyncFloat:
    def float(self, stub, value, day="2024-06-01"):
        row = {"ticker": "ACME", "effective_date": day, "free_float": value}
        stub.on("/stocks/vX/float", wire.page(row))

    def test_keeps_when_each_figure_was_first_seen(self, stub, polygon, lake):
        for value, later in ((5e6, 0), (5e6, 7), (6e6, 14), (6e6, 21)):
            self.float(stub, value)
            market_sync.sync_float(polygon=polygon, now=NOW + timedelta(days=later))

        rows = lake.read("shares").select("effective_date", "public_float", "known_on").rows()
        assert rows == [
            (date(2024, 6, 1), 5e6, NOW),
            (date(2024, 7, 12), 6e6, NOW + timedelta(days=14)),
        ]


class TestSyncSentiment:
    def test_gives_variant_a_its_component(self, stub, polygon, lake):
        put_bars(lake, "ACME", date(2024, 5, 1), DAY)
        tones = ["positive", "negative", "positive"]
        articles = [
            {
                "id": f"a{n}",
                "published_utc": f"2024-06-27T1{n}:00:00Z",
                "tickers": ["ACME"],
                "insights": [{"ticker": "ACME", "sentiment": tone}],
            }
            for n, tone in enumerate(tones)
        ]
        stub.on("/v2/reference/news", wire.page(*articles))

        market_sync.sync_sentiment(polygon=polygon, first=date(2024, 6, 27), last=DAY, now=NOW)

        row = lake.read("sentiment").row(0, named=True)
        panel = panels.get_panel(source="live", first=DAY, last=DAY).panel
        assert (row["day"], row["articles"]) == (date(2024, 6, 27), 3)
        assert row["sentiment"] == pytest.approx(1 / 3)
        assert panel.sentiment.values["sentiment"].tolist() == [row["sentiment"]]


class TestSyncShorts:
    def test_takes_finras_files_where_the_plan_has_none(self, stub, polygon, lake):
        from analytics.clients.finra import Finra

        stub.on("/stocks/v1/short-volume", wire.NOT_IN_PLAN)
        header = "Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market"
        text = f"{header}\r\n20240628|ACME|4958.25|0|8520.366144|Q\r\n20240628|NA|1|0|2|Q\r\n2\r\n"
        stub.on("/equity/regsho/daily/CNMSshvol20240628.txt", text)

        with Finra(base_url=stub.url) as finra:
            asked = market_sync.sync_short_volume(polygon=polygon, finra=finra, days=[DAY], now=NOW)

        assert asked.said == "short volume: 2 new, 0 changed"
        assert lake.read("short_volume")["symbol"].to_list() == ["ACME", "NA"]
