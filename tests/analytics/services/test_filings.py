"""Filings and halts: dated flags, taken at the cut-off of the candidate's session."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from analytics.clients.nasdaq import Nasdaq
from analytics.clients.sec import Sec
from analytics.models import DataSetState, Filing, Halt
from analytics.services import filings, lakes
from tests import factories
from tests.stubs.server import running

pytestmark = pytest.mark.django_db
SESSION = date(2024, 6, 28)
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)


@pytest.fixture
def stub():
    with running() as server:
        yield server


def filed(accepted, form="424B5", kind="424B", symbol="VIGL"):
    number = Filing.objects.count()
    return Filing.objects.create(
        accession=f"0001-24-{number}", symbol=symbol, cik="0000320193", kind=kind, form=form,
        accepted_at=accepted, fetched_at=NOW,
    )  # fmt: skip


def flags(source="imported"):
    return [
        (flag.kind, flag.label)
        for flag in filings.get_flags(symbol="VIGL", session=SESSION, source=source)
    ]


class TestGetFlags:
    def test_knows_what_was_filed_on_the_evening_and_nothing_later(self):
        filed(datetime(2024, 6, 28, 21, 30, tzinfo=NEW_YORK))
        filed(datetime(2024, 6, 29, 0, 1, tzinfo=NEW_YORK), form="S-3", kind="S-3")
        filed(datetime(2024, 6, 10, 8, tzinfo=NEW_YORK), form="8-K", kind="8-K")

        assert flags() == [("offering", "424B5"), ("event", "8-K")]

    def test_forgets_what_is_old_and_what_others_filed(self):
        filed(datetime(2024, 5, 1, 8, tzinfo=NEW_YORK))
        filed(datetime(2024, 6, 28, 8, tzinfo=NEW_YORK), symbol="OTHR")

        assert flags() == []

    def test_shows_a_halt_from_its_moment_on(self):
        Halt.objects.create(
            symbol="VIGL", reason="LUDP", halted_at=NOW - timedelta(hours=4), fetched_at=NOW
        )
        Halt.objects.create(
            symbol="VIGL", reason="T1", halted_at=NOW + timedelta(days=1), fetched_at=NOW
        )

        assert flags() == [("halt", "trading halted (LUDP)")]

    def test_says_nothing_of_a_simulated_company(self):
        filed(datetime(2024, 6, 28, 8, tzinfo=NEW_YORK))

        assert flags(source="simulated") == []


class TestSyncFilings:
    @pytest.fixture
    def sec(self, stub):
        recent = {
            "accessionNumber": ["0001-24-000007", "0001-24-000006", "0001-24-000005"],
            "form": ["424B5", "10-Q", "S-3/A"],
            "filingDate": ["2024-06-27", "2024-06-20", "2024-06-03"],
            "acceptanceDateTime": [
                "2024-06-27T16:31:02.000Z", "2024-06-20T09:00:00.000Z", "2024-06-03T07:00:00.000Z",
            ],
            "items": ["", "", ""],
            "primaryDocument": ["a.htm", "b.htm", "c.htm"],
        }  # fmt: skip
        stub.on("/submissions/CIK0000320193.json", {"filings": {"recent": recent, "files": []}})
        stub.on(
            "/files/company_tickers.json",
            {"0": {"cik_str": 320193, "ticker": "VIGL", "title": "Vigil"}},
        )
        with Sec("A b@c.de", base_url=stub.url, data_base_url=stub.url) as client:
            yield client

    def test_stores_offerings_once(self, sec):
        first = filings.sync_filings(sec=sec, symbols=["VIGL", "NONE"], now=NOW)
        again = filings.sync_filings(sec=sec, symbols=["VIGL"], now=NOW)

        assert (first, again) == (2, 0)
        assert list(Filing.objects.order_by("form").values_list("kind", "form")) == [
            ("424B", "424B5"),
            ("S-3", "S-3/A"),
        ]
        assert DataSetState.objects.get(data_set="filings").state == "current"

    def test_shows_them_on_the_candidates_page_and_in_the_api(self, sec, admin_client):
        candidate = factories.make_candidate()
        filings.sync_filings(sec=sec, symbols=filings.get_watched(now=NOW), now=NOW)

        page = admin_client.get(f"/admin/analytics/candidate/{candidate.pk}/change/")
        answer = admin_client.get(f"/analytics/candidates/{candidate.pk}").json()

        assert "424B5" in page.content.decode()
        assert [notice["label"] for notice in answer["notices"]] == ["424B5", "S-3/A"]
        assert answer["notices"][0]["kind"] == "offering"


class TestSyncShares:
    def test_asks_once_a_quarter_and_replaces_nothing(self, stub, settings, tmp_path):
        settings.LAKE_URL = tmp_path / "lake"
        rows = [
            {"end": "2024-03-31", "val": 5e6, "accn": "a", "filed": "2024-05-10"},
            {"end": "2023-12-31", "val": 4e6, "accn": "b", "filed": "2024-02-20"},
        ]
        path = "/api/xbrl/companyconcept/CIK0000320193/dei/EntityCommonStockSharesOutstanding.json"
        stub.on(path, {"units": {"shares": rows}})
        factories.make_security(cik="0000320193", source="live")
        lake = lakes.lake_of("live")
        known = pl.DataFrame({"symbol": ["VIGL"], "effective_date": [date(2023, 12, 31)]})
        lake.upsert("shares", known.with_columns(public_float=3e6, source=pl.lit("live")))

        with Sec("A b@c.de", base_url=stub.url, data_base_url=stub.url) as sec:
            counts = [filings.sync_shares(sec=sec, symbols=["VIGL"], now=NOW) for _ in range(2)]

        assert (counts, len(stub.asked)) == ([1, 0], 1)
        found = lake.read("shares").select("effective_date", "public_float", "shares_outstanding")
        assert found.rows() == [(date(2023, 12, 31), 3e6, None), (date(2024, 3, 31), None, 5e6)]


class TestSyncHalts:
    def test_brings_a_halt_up_to_date(self, stub):
        item = (
            "<rss xmlns:ndaq='http://www.nasdaqtrader.com/'><channel><item>"
            "<ndaq:IssueSymbol>VIGL</ndaq:IssueSymbol><ndaq:ReasonCode>LUDP</ndaq:ReasonCode>"
            "<ndaq:HaltDate>06/28/2024</ndaq:HaltDate><ndaq:HaltTime>10:31:00</ndaq:HaltTime>"
            "{}</item></channel></rss>"
        )
        resumed = "<ndaq:ResumptionTradeTime>10:36:00</ndaq:ResumptionTradeTime>"
        stub.on("/rss.aspx", item.format(""), item.format(resumed))

        with Nasdaq(base_url=stub.url) as nasdaq:
            counts = [filings.sync_halts(nasdaq=nasdaq, now=NOW) for _ in range(2)]

        halt = Halt.objects.get()
        assert counts == [1, 0]
        assert halt.resumes_at == datetime(2024, 6, 28, 10, 36, tzinfo=NEW_YORK)
