"""A flawless CSV is read at once, and exactly as it would be read line by line."""

import gzip

import polars as pl
import pytest

from analytics.clients import bar_files, clean_csv, files

HEADER = "ticker,volume,open,close,high,low,window_start,transactions"
GOOD = [
    "AAPL,1200,3.1,3.2,3.3,3.0,1719547200000000000,74",
    "NA,1200.5,3.1,3.2,3.3,3.0,1719547200000000000,74",
    "TRUE,1e3,0.1,0.30000000000000004,3.3,3.0,1719547200000000000,1",
    "KIMpL,7,3,3,3,3,1719547200000000000,1",
]
TYPES = bar_files.FLAT_FILE.required | bar_files.FLAT_FILE.optional


@pytest.fixture
def write(tmp_path):
    def made(*lines, name="2024-06-28.csv.gz", header=HEADER, end="\n"):
        path = tmp_path / name
        text = ("\n".join([header, *lines]) + end).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return made


def slowly(path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean_csv, "read", lambda path, types: None)
        return files.load(path, (bar_files.FLAT_FILE,))[1]


class TestRead:
    @pytest.mark.parametrize("end", ["\n", ""])
    @pytest.mark.parametrize("name", ["one.csv", "one.csv.gz"])
    def test_gives_what_reading_line_by_line_gives(self, write, name, end):
        path = write(*GOOD, name=name, end=end)

        quick = files.load(path, (bar_files.FLAT_FILE,))[1]

        assert clean_csv.read(path, TYPES) is not None
        assert quick.frame.equals(slowly(path).frame)
        assert quick.frame["line"].to_list() == [2, 3, 4, 5]

    def test_keeps_every_digit_of_an_instant(self, write):
        found = clean_csv.read(write("A,1,1,1,1,1,1719547200000000001,1"), TYPES)

        assert found["window_start"].item() == 1719547200000000001

    @pytest.mark.parametrize(
        "odd",
        [
            "AAPL,1200,3.1,3.2,3.3,3.0,1719547200000000000",  # a cell is missing
            "AAPL,1200,3.1,3.2,3.3,3.0,1719547200000000000,74,9",  # one too many
            "AAPL,many,3.1,3.2,3.3,3.0,1719547200000000000,74",
            "AAPL,inf,3.1,3.2,3.3,3.0,1719547200000000000,74",
            "AAPL,nan,3.1,3.2,3.3,3.0,1719547200000000000,74",
            "AAPL,,3.1,3.2,3.3,3.0,1719547200000000000,74",
            ",1200,3.1,3.2,3.3,3.0,1719547200000000000,74",
            '"A,B",1200,3.1,3.2,3.3,3.0,1719547200000000000,74',
            "",
        ],
    )
    def test_leaves_whatever_is_odd_to_reading_line_by_line(self, write, odd):
        path = write(GOOD[0], odd, GOOD[1])

        reading = files.load(path, (bar_files.FLAT_FILE,))[1]

        assert clean_csv.read(path, TYPES) is None
        assert reading.frame.equals(slowly(path).frame)
        assert reading.faults.equals(slowly(path).faults)

    def test_leaves_alone_what_cannot_be_read_and_columns_it_does_not_know(self, write, tmp_path):
        cut = tmp_path / "cut.csv.gz"
        cut.write_bytes(write(*GOOD).read_bytes()[:-9])

        assert clean_csv.read(cut, TYPES) is None
        assert clean_csv.read(tmp_path / "none.csv", TYPES) is None
        assert clean_csv.read(write("A,1", header="ticker,other"), TYPES) is None

    def test_reads_dates_as_text(self, write):
        path = write("A,2024-06-28,3,9", header="symbol,date,close,volume")

        types = bar_files.COLUMNS.required
        assert clean_csv.read(path, types).schema["date"] == pl.String
