"""What analytics can be asked to do."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from analytics.clients.files import WrongShape
from analytics.services import discovery, job_kinds, market_data, market_files

NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)


class Report:
    def __init__(self):
        self.said = []

    def now(self):
        return NOW

    def progress(self, current, total=None, message=""):
        self.said.append((current, total))


@pytest.fixture
def scans(monkeypatch):
    """The stretches that were scanned, instead of scanning them."""
    found = []

    def scan(*, first, last, source, now):
        found.append((str(first), str(last), source))
        return SimpleNamespace(sessions=2, new=1, superseded=0, unchanged=1, candidates=5)

    monkeypatch.setattr(discovery, "record_batches", scan)
    return found


class TestDiscover:
    def test_scans_one_session(self, scans):
        report = Report()

        result = job_kinds.discover({"session": "2024-06-28", "source": "simulated"}, report)

        assert scans == [("2024-06-28", "2024-06-28", "simulated")]
        assert result["message"] == "1 new, 0 superseded, 1 unchanged; 5 candidates"
        assert report.said[-1] == (1, 1)

    def test_scans_a_long_range_in_parts_and_says_how_far_it_is(self, scans):
        report = Report()

        result = job_kinds.discover(
            {"first": "2024-01-02", "last": "2024-06-28", "source": "imported"}, report
        )

        assert [done for done, _ in report.said] == [0, 60, 120, 124]
        assert (len(scans), result["candidates"]) == (3, 15)

    def test_says_so_when_there_are_no_bars(self, monkeypatch):
        nothing = SimpleNamespace(sessions=0, new=0, superseded=0, unchanged=0, candidates=0)
        monkeypatch.setattr(discovery, "record_batches", lambda **fields: nothing)

        with pytest.raises(discovery.NoBars, match="no imported bars"):
            job_kinds.discover({"session": "2024-06-28", "source": "imported"}, Report())


class TestImportMarketData:
    @pytest.fixture
    def reads(self, monkeypatch, settings, tmp_path):
        """Names of the files that were read, instead of reading them."""
        found = []
        settings.AMC_DATA_DIR = str(tmp_path)
        for name in ("bars_2024.csv", "symbols.csv", "notes.csv", "splits.csv"):
            (tmp_path / name).touch()

        def read(*, path, source, now):
            found.append(path.name)
            if path.name == "splits.csv":
                raise WrongShape("splits.csv: no column ex_date")
            return SimpleNamespace(refused=[], new=10)

        monkeypatch.setattr(market_data, "import_bars", read)
        monkeypatch.setattr(market_data, "import_reference", read)
        return found

    def test_reads_reference_data_first_and_leaves_other_files_alone(self, reads):
        result = job_kinds.import_market_data({}, Report())

        assert reads == ["symbols.csv", "splits.csv", "bars_2024.csv"]
        assert (result["new"], result["refused"]) == (20, ["splits.csv: no column ex_date"])

    def test_says_so_when_there_is_no_folder(self, settings):
        settings.AMC_DATA_DIR = ""

        with pytest.raises(job_kinds.NoFolder):
            job_kinds.import_market_data({}, Report())


class TestSortOut:
    def test_takes_every_ending_that_can_be_read(self, tmp_path):
        for name in ("bars.parquet", "bars.csv.gz", "readme.md", "sealed-evaluation-set.bin"):
            (tmp_path / name).touch()

        assert [path.name for path, _ in market_files.sort_out(tmp_path)] == [
            "bars.csv.gz",
            "bars.parquet",
        ]
