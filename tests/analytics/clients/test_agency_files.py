"""Files of FINRA and the SEC, as a person downloads them, through import_reference."""

import json
from datetime import UTC, date, datetime

import pytest

from analytics.clients import agency_files
from analytics.clients.files import WrongShape
from analytics.services import market_data

NOW = datetime(2026, 9, 28, 22, tzinfo=UTC)
VOLUME = (
    "Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market\r\n"
    "20260925|SPY|6373542.318262|6303|12170952.290403|B,Q,N\r\n"
    "20260925|NA|4958|0|8520.366144|Q\r\n"
    "2\r\n"
)
INTEREST = (
    "accountingYearMonthNumber|symbolCode|issueName|issuerServicesGroupExchangeCode|"
    "marketClassCode|currentShortPositionQuantity|previousShortPositionQuantity|stockSplitFlag|"
    "averageDailyVolumeQuantity|daysToCoverQuantity|revisionFlag|changePercent|"
    "changePreviousNumber|settlementDate\n"
    "20260731|ABCD|Acme Micro Inc|A|NYSE|1500000|1200000||300000|999.99||25.0|300000|2026-07-31\n"
)
FACTS = {
    "cik": 320193,
    "facts": {
        "dei": {
            "EntityCommonStockSharesOutstanding": {
                "units": {
                    "shares": [
                        {"end": "2026-07-17", "val": 500, "accn": "a-1", "filed": "2026-08-01"},
                        {"end": "2026-07-17", "val": 20, "accn": "a-1", "filed": "2026-08-01"},
                        {"end": "2062-07-17", "val": 9, "accn": "a-2", "filed": "2026-08-02"},
                    ]
                }
            }
        }
    },
}
TICKERS = {"0": {"cik_str": 320193, "ticker": "BRK-B", "title": "Berkshire"}}


@pytest.mark.django_db
class TestImport:
    @pytest.fixture(autouse=True)
    def lake(self, settings, tmp_path):
        settings.LAKE_URL = tmp_path / "lake"
        return market_data.lake_of("imported")

    def take(self, path):
        return market_data.import_reference(path=path, source="imported", now=NOW)

    def test_reads_a_folder_of_them(self, lake, tmp_path):
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "CNMSshvol20260925.txt").write_text(VOLUME)
        (folder / "shrt20260731.csv").write_text(INTEREST)
        (folder / "CIK0000320193.json").write_text(json.dumps(FACTS))
        (folder / "company_tickers.json").write_text(json.dumps(TICKERS))

        summary = self.take(folder)

        assert (summary.files, summary.refused, summary.new) == (3, [], 4)
        assert lake.read("short_volume")["symbol"].to_list() == ["NA", "SPY"]
        interest = lake.read("short_interest").row(0, named=True)
        assert (interest["shares_short"], interest["days_to_cover"]) == (1_500_000, None)
        assert interest["known_on"].date() == date(2026, 8, 12)  # settled + 7 sessions + 1
        shares = lake.read("shares").row(0, named=True)
        assert (shares["symbol"], shares["shares_outstanding"]) == ("BRK.B", 520)
        assert shares["known_on"].date() == date(2026, 8, 3)  # the session after the filing

    def test_are_not_read_twice(self, tmp_path):
        path = tmp_path / "CNMSshvol20260925.txt"
        path.write_text(VOLUME)
        self.take(path)

        assert self.take(path).skipped == [path.name]


class TestRead:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("notes.txt", "Exceeded the daily hits limit"),
            ("CIK1.json", "<html>"),
            ("CIK2.json", "[]"),
            ("CIK3.json", '{"facts": {}}'),
        ],
    )
    def test_refuses_what_is_none(self, tmp_path, name, text):
        (tmp_path / name).write_text(text)

        with pytest.raises(WrongShape, match=name):
            agency_files.read(tmp_path / name)

    def test_asks_for_the_list_that_says_whose_a_company_file_is(self, tmp_path):
        path = tmp_path / "CIK0000320193.json"
        path.write_text(json.dumps(FACTS))

        with pytest.raises(WrongShape, match="must lie beside it"):
            agency_files.read(path)

    def test_leaves_other_files_to_others(self, tmp_path):
        path = tmp_path / "splits.csv"
        path.write_text("symbol,date,split_ratio\n")

        assert agency_files.read(path) is None
