from datetime import UTC, date, datetime

import pytest

from analytics.calc import sessions
from analytics.clients import finra
from analytics.clients.answers import NotPublishedYet
from analytics.clients.finra import Finra
from analytics.errors import BadAnswer
from analytics.lake import shorts
from analytics.lake.tables import Lake
from tests.stubs.server import Answer

SESSION = date(2026, 9, 25)
SETTLED = date(2026, 7, 31)
VOLUME_PATH = "/equity/regsho/daily/CNMSshvol20260925.txt"
INTEREST_PATH = "/equity/otcmarket/biweekly/shrt20260731.csv"

VOLUME = (
    "Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market\r\n"
    "20260925|SPY|6373542.318262|6303|12170952.290403|B,Q,N\r\n"
    "20260925|AAAA|4958|0|8520.366144|Q\r\n"
    "20260925|NA|0|0|0|Q\r\n"
    "3\r\n"
)
HEADER = (
    "accountingYearMonthNumber|symbolCode|issueName|issuerServicesGroupExchangeCode|"
    "marketClassCode|currentShortPositionQuantity|previousShortPositionQuantity|stockSplitFlag|"
    "averageDailyVolumeQuantity|daysToCoverQuantity|revisionFlag|changePercent|"
    "changePreviousNumber|settlementDate"
)


def interest(symbol="ABCD", short=1500000, days="5.0", flag="", day="2026-07-31"):
    return (
        f"20260731|{symbol}|Acme Micro Inc|A|NYSE|{short}|1200000||300000|{days}|{flag}|25.0|"
        f"300000|{day}"
    )


def interest_file(*lines: str) -> str:
    return "\r\n".join([HEADER, *lines]) + "\r\n"


@pytest.fixture
def client(stub, options):
    with Finra(base_url=stub.url, **options) as client:
        yield client


class TestShortVolume:
    def test_reads_decimals_windows_line_ends_and_a_ticker_called_na(self, stub, client):
        stub.on(VOLUME_PATH, VOLUME)

        reading = client.short_volume(SESSION)

        assert dict(reading.frame.schema) == shorts.VOLUME_COLUMNS
        assert reading.frame.select("symbol", "short_volume", "total_volume").rows() == [
            ("SPY", 6373542.318262, 12170952.290403),
            ("AAAA", 4958.0, 8520.366144),
            ("NA", 0.0, 0.0),
        ]
        assert reading.faults.is_empty()
        assert reading.note == ""

    def test_is_known_that_evening(self):
        frame = finra.read_short_volume(VOLUME).frame

        assert frame["known_on"][0] == datetime(2026, 9, 26, 1, tzinfo=UTC)
        assert frame["known_on"][0] < sessions.cut_off(SESSION)

    def test_says_if_the_count_at_the_end_does_not_fit(self):
        reading = finra.read_short_volume(VOLUME.replace("\r\n3\r\n", "\r\n9000\r\n"))

        assert reading.note == "the file says that it has 9000 rows, and 3 could be read"

    @pytest.mark.parametrize("status", [403, 404])
    def test_is_not_published_yet_if_the_file_is_missing(self, stub, client, waits, status):
        stub.on(VOLUME_PATH, Answer("<Error>AccessDenied</Error>", status=status))

        with pytest.raises(NotPublishedYet):
            client.short_volume(SESSION)

        assert waits == []

    @pytest.mark.parametrize("text", ["<!DOCTYPE html><html>", "Exceeded the daily hits limit"])
    def test_does_not_take_a_web_page_for_a_file(self, stub, client, text):
        stub.on(VOLUME_PATH, text)

        with pytest.raises(BadAnswer, match="expected Date"):
            client.short_volume(SESSION)

    def test_reports_rows_of_another_day_twice_or_that_cannot_be(self):
        text = VOLUME.replace("3\r\n", "") + (
            "20260924|B|1|0|2|Q\r\n"
            "20260925|SPY|1|0|2|Q\r\n"
            "20260925|C|5|0|2|Q\r\n"
            "20260925|D|x|0|2|Q\r\n"
        )

        reading = finra.read_short_volume(text, session=SESSION)

        assert reading.frame.height == 3
        assert reading.faults.sort("line").select("line", "gate").rows() == [
            (5, "wrong_session"),
            (6, "duplicate_key"),
            (7, "bad_figure"),
            (8, "bad_figure"),
        ]

    def test_spells_class_shares_as_we_do(self):
        text = VOLUME.replace("AAAA", "BRK/B")

        assert "BRK.B" in finra.read_short_volume(text).frame["symbol"]

    def test_can_be_committed_to_the_lake(self, tmp_path):
        lake = Lake(str(tmp_path), "market")

        assert lake.upsert("short_volume", finra.read_short_volume(VOLUME).frame).new == 3


class TestShortInterest:
    def test_reads_the_piped_file(self, stub, client):
        stub.on(INTEREST_PATH, interest_file(interest(), interest("NA", days="")))

        reading = client.short_interest(SETTLED)

        assert dict(reading.frame.schema) == shorts.INTEREST_COLUMNS
        columns = ("symbol", "settlement_date", "shares_short", "avg_daily_volume")
        assert reading.frame.select(*columns).rows() == [
            ("ABCD", SETTLED, 1500000.0, 300000.0),
            ("NA", SETTLED, 1500000.0, 300000.0),
        ]
        assert reading.frame["days_to_cover"].to_list() == [5.0, None]

    def test_is_known_8_sessions_after_settlement(self):
        frame = finra.read_short_interest(interest_file(interest())).frame

        assert frame["known_on"].item() == sessions.opening(date(2026, 8, 12))

    def test_has_no_days_to_cover_where_there_was_no_volume(self):
        frame = finra.read_short_interest(interest_file(interest(days="999.99"))).frame

        assert frame["days_to_cover"].item() is None

    @pytest.mark.parametrize("revised_first", [True, False])
    def test_lets_a_revised_row_stand_for_the_one_it_revises(self, revised_first):
        rows = [interest(short=1), interest(short=2, flag="R")]
        text = interest_file(*(reversed(rows) if revised_first else rows))

        reading = finra.read_short_interest(text)

        assert reading.frame["shares_short"].to_list() == [2.0]
        assert reading.faults["gate"].to_list() == ["duplicate_key"]

    def test_leaves_cut_lines_out(self):
        text = interest_file(interest(), "20260731|CUT|Acme")

        assert finra.read_short_interest(text).frame["symbol"].to_list() == ["ABCD"]

    def test_reports_rows_about_another_day(self):
        text = interest_file(interest(), interest("B", day="2026-07-15"))

        reading = finra.read_short_interest(text, settlement=SETTLED)

        assert reading.frame["symbol"].to_list() == ["ABCD"]
        assert reading.faults["gate"].to_list() == ["wrong_session"]

    def test_is_not_published_yet_if_the_file_is_missing(self, stub, client):
        stub.on(INTEREST_PATH, Answer(status=403))

        with pytest.raises(NotPublishedYet):
            client.short_interest(SETTLED)


class TestSettlementDates:
    def test_are_the_15th_and_the_last_day_moved_back_to_a_session(self):
        assert finra.settlement_dates(date(2026, 1, 1), date(2026, 3, 1)) == [
            date(2026, 1, 15),
            date(2026, 1, 30),
            date(2026, 2, 13),
            date(2026, 2, 27),
        ]

    def test_lie_within_what_was_asked_for(self):
        assert finra.settlement_dates(date(2026, 1, 16), date(2026, 1, 29)) == []
