from datetime import UTC, date, datetime

import pytest

from analytics.calc import sessions
from analytics.clients import sec
from analytics.clients.answers import NotFound, Unauthorized
from analytics.clients.sec import Sec
from analytics.errors import BadAnswer, Unavailable
from analytics.lake import shares
from analytics.lake.tables import Lake
from tests.stubs.server import Answer

CIK = "0000320193"
SUBMISSIONS = f"/submissions/CIK{CIK}.json"
CONCEPT = f"/api/xbrl/companyconcept/CIK{CIK}/dei/EntityCommonStockSharesOutstanding.json"


@pytest.fixture
def client(stub, options):
    said = "Amc Trader ops@example.com"
    with Sec(said, base_url=stub.url, data_base_url=stub.url, **options) as client:
        yield client


def fact(end="2026-07-17", value=500, number="0000320193-26-000042", filed="2026-08-03"):
    return {"end": end, "val": value, "accn": number, "fy": 2026, "form": "10-Q", "filed": filed}


class TestCiks:
    def test_are_read_in_our_spelling(self, stub, client):
        stub.on(
            "/files/company_tickers.json",
            {
                "0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."},
                "1": {"cik_str": 1067983, "ticker": "BRK-B", "title": "Berkshire"},
            },
        )

        assert client.ciks() == {"AAPL": CIK, "BRK.B": "0001067983"}
        assert stub.asked[0].headers["User-Agent"] == "Amc Trader ops@example.com"


class TestSharesOutstanding:
    def read(self, stub, client, *facts):
        stub.on(CONCEPT, {"cik": 320193, "units": {"shares": list(facts)}})
        return client.shares_outstanding(cik="320193", symbol="AAPL")

    def test_are_known_the_session_after_they_were_filed(self, stub, client):
        frame = self.read(stub, client, fact())

        assert dict(frame.schema) == shares.COLUMNS
        assert frame.select("symbol", "effective_date", "shares_outstanding", "origin").rows() == [
            ("AAPL", date(2026, 7, 17), 500.0, "sec")
        ]
        assert frame["known_on"].item() == sessions.opening(date(2026, 8, 4))

    def test_of_all_classes_are_added_up(self, stub, client):
        frame = self.read(stub, client, fact(value=500), fact(value=70))

        assert frame["shares_outstanding"].to_list() == [570.0]

    def test_stated_again_later_count_from_the_first_time(self, stub, client):
        again = fact(value=999, number="0000320193-26-000099", filed="2026-11-02")

        frame = self.read(stub, client, again, fact())

        assert frame.select("shares_outstanding").rows() == [(500.0,)]
        assert frame["known_on"].item() == sessions.opening(date(2026, 8, 4))

    def test_about_a_day_after_their_filing_are_typing_errors(self, stub, client):
        assert self.read(stub, client, fact(end="2062-07-17")).is_empty()

    @pytest.mark.parametrize(
        "wrong", [fact(value=0), fact(value=None), fact(end="soon"), fact(number=None)]
    )
    def test_that_cannot_be_are_left_out(self, stub, client, wrong):
        assert self.read(stub, client, wrong).is_empty()

    def test_may_never_have_been_filed(self, client):
        with pytest.raises(NotFound):
            client.shares_outstanding(cik="1", symbol="X")

    def test_can_be_committed_to_the_lake(self, stub, client, tmp_path):
        frame = self.read(
            stub, client, fact(), fact(end="2026-04-17", number="n", filed="2026-05-01")
        )

        assert Lake(str(tmp_path), "market").upsert("shares", frame).new == 2


def columns(*filings):
    names = ("accessionNumber", "form", "filingDate", "acceptanceDateTime", "items")
    rows = [(*filing, "")[:5] for filing in filings]
    made = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return {**made, "primaryDocument": ["main.htm"] * len(filings)}


OFFER = ("0000320193-26-000050", "424B5", "2026-08-10", "2026-08-10T20:30:11.000Z")
EVENT = ("0000320193-26-000051", "8-K", "2026-08-11", "2026-08-11T12:01:00.000Z", "1.01, 3.02")
REPORT = ("0000320193-26-000052", "10-Q", "2026-08-12", "2026-08-12T12:01:00.000Z")


class TestFilings:
    def read(self, client, since=date(2026, 1, 1)):
        return client.filings(cik="320193", symbol="AAPL", since=since)

    def test_of_the_kinds_that_matter_come_newest_first(self, stub, client):
        recent = columns(REPORT, OFFER, EVENT)
        stub.on(SUBMISSIONS, {"filings": {"recent": recent, "files": []}})

        event, offer = self.read(client)

        assert (event.kind, event.items) == ("8-K", ("1.01", "3.02"))
        assert (offer.kind, offer.form, offer.filed_on) == ("424B", "424B5", date(2026, 8, 10))
        assert offer.url == (
            "https://www.sec.gov/Archives/edgar/data/320193/000032019326000050/main.htm"
        )

    def test_before_the_day_asked_for_are_left_out(self, stub, client):
        stub.on(SUBMISSIONS, {"filings": {"recent": columns(OFFER, EVENT)}})

        assert [f.kind for f in self.read(client, date(2026, 8, 11))] == ["8-K"]

    def test_of_long_ago_are_in_further_files(self, stub, client):
        old = ("0000320193-19-000001", "S-3", "2019-05-02", "2019-05-02T12:00:00.000Z")
        name = f"CIK{CIK}-submissions-001.json"
        files = [
            {"name": name, "filingFrom": "2010-01-01", "filingTo": "2019-12-31"},
            {"name": "../../x.json", "filingTo": "2019-12-31"},
        ]
        stub.on(SUBMISSIONS, {"filings": {"recent": columns(OFFER), "files": files}})
        stub.on(f"/submissions/{name}", columns(old, OFFER))

        found = self.read(client, date(2019, 1, 1))

        assert [f.kind for f in found] == ["424B", "S-3"]
        assert len(stub.asked) == 2

    def test_are_asked_for_once_if_the_newest_file_reaches_back_far_enough(self, stub, client):
        files = [{"name": f"CIK{CIK}-submissions-001.json", "filingTo": "2019-12-31"}]
        stub.on(SUBMISSIONS, {"filings": {"recent": columns(OFFER), "files": files}})

        self.read(client)

        assert stub.paths == [SUBMISSIONS]

    @pytest.mark.parametrize("lost", ["form", "filingDate"])
    def test_are_refused_if_a_column_is_missing_or_short(self, stub, client, lost):
        whole = columns(OFFER, EVENT)
        without = {name: cells for name, cells in whole.items() if name != lost}
        stub.on(
            SUBMISSIONS,
            {"filings": {"recent": without}},
            {"filings": {"recent": {**whole, lost: whole[lost][:1]}}},
        )

        for _ in range(2):
            with pytest.raises(BadAnswer, match="column"):
                self.read(client)

    @pytest.mark.parametrize("cik", ["", "AAPL", "12345678901", "../1"])
    def test_need_a_cik(self, client, cik):
        with pytest.raises(BadAnswer, match="is no CIK"):
            client.filings(cik=cik, symbol="X", since=date(2026, 1, 1))


class TestKindOf:
    @pytest.mark.parametrize(
        ("form", "kind"),
        [
            ("424B5", "424B"), ("424B3", "424B"), ("S-1", "S-1"), ("S-1/A", "S-1"),
            ("S-1MEF", "S-1"), ("S-3", "S-3"), ("S-3ASR", "S-3"), ("S-3/A", "S-3"), ("F-3", "F-3"),
            ("F-3ASR", "F-3"), ("8-K", "8-K"), ("8-K/A", "8-K"), ("8-K12B", "8-K"),
            ("S-11", None), ("S-8", None), ("S-4", None), ("10-K", None), ("424A", None),
            ("S-1D1", None), ("", None),
        ],
    )  # fmt: skip
    def test_knows_forms_by_their_whole_name(self, form, kind):
        assert sec.kind_of(form) == kind


class TestKnownFrom:
    def test_is_never_earlier_than_the_time_read_as_that_of_new_york(self):
        known = sec.known_from("2025-05-01T16:21:59.000Z", date(2025, 5, 1))

        assert known == datetime(2025, 5, 1, 20, 21, 59, tzinfo=UTC)

    def test_of_an_evening_is_the_morning_when_it_is_shown(self):
        known = sec.known_from("2025-05-01T18:40:00.000Z", date(2025, 5, 2))

        assert known == datetime(2025, 5, 2, 10, tzinfo=UTC)

    def test_of_an_afternoon_is_still_that_session_in_either_reading(self):
        for stated in ("2025-05-01T16:30:00.000Z", "2025-05-01T20:30:00.000Z"):
            known = sec.known_from(stated, date(2025, 5, 1))
            assert known <= sessions.cut_off(date(2025, 5, 1))

    def test_without_a_time_is_the_end_of_the_day(self):
        assert sec.known_from("", date(2025, 5, 1)) == datetime(2025, 5, 2, 2, tzinfo=UTC)


class TestRefusals:
    def test_for_asking_too_often_are_left_to_the_task(self, stub, client, waits):
        page = "<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>"
        stub.on(SUBMISSIONS, Answer(page, status=403))

        with pytest.raises(Unavailable) as refusal:
            client.filings(cik=CIK, symbol="X", since=date(2026, 1, 1))

        assert refusal.value.retry_after == 600
        assert waits == []

    def test_for_not_saying_who_asks_are_final(self, stub, client):
        stub.on(SUBMISSIONS, Answer("Undeclared Automated Tool", status=403))

        with pytest.raises(Unauthorized):
            client.filings(cik=CIK, symbol="X", since=date(2026, 1, 1))
