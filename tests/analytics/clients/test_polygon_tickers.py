from datetime import date

import pytest

from analytics.clients import polygon_tickers
from analytics.clients.answers import NotFound
from analytics.clients.polygon import Polygon
from analytics.models import Kind
from tests.stubs import polygon as wire
from tests.stubs.server import Answer

DAY = date(2024, 6, 3)


@pytest.fixture
def polygon(stub, options):
    with Polygon("key", base_url=stub.url, **options) as polygon:
        yield polygon


def ticker(symbol: str, **changes):
    made = {
        "ticker": symbol,
        "name": "Agilent Technologies Inc.",
        "market": "stocks",
        "locale": "us",
        "primary_exchange": "XNYS",
        "type": "CS",
        "active": True,
        "currency_name": "usd",
        "cik": "0001090872",
        "composite_figi": "BBG000BWQYZ5",
        "share_class_figi": "BBG001SCTQY4",
        "last_updated_utc": "2021-04-25T00:00:00Z",
    }
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


class TestListed:
    def test_reads_what_identifies_a_security(self, stub, polygon):
        stub.on(wire.TICKERS, wire.page(ticker("A")))

        frame = polygon_tickers.listed(polygon, as_of=DAY).frame

        assert dict(frame.schema) == polygon_tickers.TICKERS
        assert frame.row(0, named=True) == {
            "symbol": "A", "name": "Agilent Technologies Inc.", "kind": "common",
            "vendor_type": "CS", "exchange": "nyse", "active": True, "delisted_on": None,
            "cik": "0001090872", "composite_figi": "BBG000BWQYZ5",
            "share_class_figi": "BBG001SCTQY4", "is_test": False, "as_of": DAY,
        }  # fmt: skip

    def test_asks_for_the_day_and_filters_on_nothing_that_old_rows_lack(self, stub, polygon):
        stub.on(wire.TICKERS, wire.page())

        polygon_tickers.listed(polygon, as_of=DAY)

        assert stub.asked[0].query == {
            "market": "stocks", "active": "true", "date": "2024-06-03", "limit": "1000",
            "sort": "ticker", "order": "asc",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("CS", "common"), ("OS", "common"), ("ADRC", "adr"), ("WARRANT", "warrant"),
            ("RIGHT", "right"), ("UNIT", "unit"), ("PFD", "preferred"), ("ETF", "etf"),
            ("ETN", "etf"), ("FUND", "fund"), ("SP", "other"), ("NEW", "other"), (None, "unknown"),
        ],
    )  # fmt: skip
    def test_knows_the_types(self, stub, polygon, code, kind):
        stub.on(wire.TICKERS, wire.page(ticker("A", type=code)))

        assert polygon_tickers.listed(polygon, as_of=DAY).frame["kind"].item() == kind
        assert kind in Kind.values

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("Ares Acquisition Corporation Class A Ordinary Shares", "spac"),
            ("AMCI Acquisition Corp. II Class A Common Stock", "spac"),
            ("Vigil Neuroscience Inc. Common Stock", "common"),
            ("Data Acquisition Systems Inc.", "common"),
        ],
    )
    def test_tells_blank_checks_by_their_name(self, stub, polygon, name, kind):
        stub.on(wire.TICKERS, wire.page(ticker("A", name=name)))

        assert polygon_tickers.listed(polygon, as_of=DAY).frame["kind"].item() == kind

    def test_leaves_the_warrants_of_a_blank_check_warrants(self, stub, polygon):
        stub.on(
            wire.TICKERS, wire.page(ticker("AACT.WS", name="X Acquisition Corp", type="WARRANT"))
        )

        assert polygon_tickers.listed(polygon, as_of=DAY).frame["kind"].item() == "warrant"

    def test_keeps_case_and_the_names_that_look_like_nothing(self, stub, polygon):
        stub.on(wire.TICKERS, wire.page(*(ticker(s) for s in ("KIMpL", "NA", "NULL", "TRUE"))))

        found = polygon_tickers.listed(polygon, as_of=DAY).frame["symbol"].to_list()

        assert found == ["KIMpL", "NA", "NULL", "TRUE"]

    @pytest.mark.parametrize(
        ("symbol", "name", "test"),
        [
            ("ZVZZT", "Nasdaq Test Stock", True),
            ("NTEST.A", "NYSE Tick Pilot Test Stock Class A", True),
            ("TEST", "Testa Inc.", False),
            ("A", "Contest Holdings", False),
            ("ATEN", "A10 Networks", False),
        ],
    )
    def test_marks_test_symbols(self, stub, polygon, symbol, name, test):
        stub.on(wire.TICKERS, wire.page(ticker(symbol, name=name)))

        assert polygon_tickers.listed(polygon, as_of=DAY).frame["is_test"].item() is test

    def test_reads_bare_rows(self, stub, polygon):
        bare = {"ticker": "OLD", "name": "Old Co", "market": "stocks", "locale": "us"}
        stub.on(wire.TICKERS, wire.page(bare))

        row = polygon_tickers.listed(polygon, as_of=DAY).frame.row(0, named=True)

        assert (row["kind"], row["exchange"], row["cik"], row["active"]) == (
            "unknown", None, None, True
        )  # fmt: skip

    def test_gives_the_day_of_delisting_and_each_company_that_bore_the_symbol(self, stub, polygon):
        stub.on(
            wire.TICKERS,
            wire.page(
                ticker("X", active=False, delisted_utc="2019-05-01T04:00:00Z", cik="1"),
                ticker("X", active=False, delisted_utc="2023-02-01T05:00:00Z", cik="2"),
            ),
        )

        reading = polygon_tickers.listed(polygon, as_of=DAY, active=False)

        assert reading.frame.select("symbol", "delisted_on", "cik").rows() == [
            ("X", date(2019, 5, 1), "0000000001"),
            ("X", date(2023, 2, 1), "0000000002"),
        ]
        assert reading.faults.is_empty()
        assert stub.asked[0].query["active"] == "false"

    def test_reports_a_symbol_that_comes_twice(self, stub, polygon):
        url = "https://api.massive.com/v3/reference/tickers?cursor=2"
        stub.on(f"{wire.TICKERS}?cursor=2", wire.page(ticker("A"), ticker("B")))
        stub.on(wire.TICKERS, wire.page(ticker("A"), next_url=url))

        reading = polygon_tickers.listed(polygon, as_of=DAY)

        assert reading.frame["symbol"].to_list() == ["A", "B"]
        assert reading.faults["gate"].to_list() == ["duplicate_key"]


class TestTypes:
    def test_are_read(self, stub, polygon):
        stub.on(
            "/v3/reference/tickers/types",
            wire.page(
                {"asset_class": "stocks", "code": "CS", "description": "Common Stock"},
                {"asset_class": "stocks", "code": "GDR", "description": "Receipts"},
            ),
        )

        assert [(t.code, t.kind) for t in polygon_tickers.types(polygon)] == [
            ("CS", "common"),
            ("GDR", "other"),
        ]


class TestRenames:
    def test_come_oldest_first(self, stub, polygon):
        events = [
            {"type": "ticker_change", "date": "2022-06-09", "ticker_change": {"ticker": "META"}},
            {"type": "ticker_change", "date": "2012-05-18", "ticker_change": {"ticker": "FB"}},
            {"type": "other", "date": "2012-05-18"},
        ]
        stub.on(
            "/vX/reference/tickers/META/events",
            {"results": {"name": "Meta Platforms, Inc.", "events": events}, "status": "OK"},
        )

        found = polygon_tickers.renames(polygon, of="META")

        assert [(r.symbol, r.since) for r in found] == [
            ("FB", date(2012, 5, 18)),
            ("META", date(2022, 6, 9)),
        ]

    def test_ask_for_one_path_whatever_the_symbol(self, stub, polygon):
        with pytest.raises(NotFound):
            polygon_tickers.renames(polygon, of="../../v1/x?")

        assert stub.asked[0].line.startswith("GET /vX/reference/tickers/..%2F..%2Fv1%2Fx%3F/events")

    def test_may_be_unknown(self, stub, polygon):
        path = "/vX/reference/tickers/NO/events"
        stub.on(path, Answer({"status": "NOT_FOUND", "message": "Ticker not found."}, status=404))

        with pytest.raises(NotFound, match="Ticker not found"):
            polygon_tickers.renames(polygon, of="NO")
