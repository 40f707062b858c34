import gzip
from datetime import date

import polars as pl
import pytest

from analytics.clients import files
from analytics.clients.files import Layout, WrongShape

ANY = Layout(
    name="anything",
    required={"symbol": pl.String(), "close": pl.Float64()},
    optional={"date": pl.Date(), "trades": pl.Int64(), "late": pl.Boolean()},
)


def load(tmp_path, text, name="prices.csv"):
    path = tmp_path / name
    path.write_text(text)
    return files.load(path, (ANY,))[1]


class TestLoad:
    @pytest.mark.parametrize("ticker", ["NA", "NULL", "TRUE", "NAN", "INF", "007", "1E5"])
    def test_keeps_a_ticker_as_it_is_written(self, tmp_path, ticker):
        assert load(tmp_path, f"symbol,close\n{ticker},1.5\n").frame["symbol"].to_list() == [ticker]

    def test_takes_columns_in_any_case_and_order_and_leaves_others_alone(self, tmp_path):
        frame = load(tmp_path, "Close , Comment,SYMBOL\n1.5,x,VIGL\n").frame

        assert frame.select("symbol", "close").rows() == [("VIGL", 1.5)]

    def test_names_the_line_of_a_cell_that_is_no_number(self, tmp_path):
        reading = load(tmp_path, "symbol,close\nA,1\nB,1.2.3\nC,2\n")

        assert reading.frame["symbol"].to_list() == ["A", "C"]
        assert reading.faults.select("line", "symbol", "detail").rows() == [
            (3, "B", "close is 1.2.3")
        ]

    @pytest.mark.parametrize("cell", ["", " ", "nan", "inf", "null", "$3"])
    def test_takes_none_of_these_for_a_price(self, tmp_path, cell):
        reading = load(tmp_path, f"symbol,close\nA,{cell}\nB,2\n")

        assert reading.frame["symbol"].to_list() == ["B"]
        assert reading.faults["line"].to_list() == [2]

    def test_names_a_line_with_a_wrong_number_of_cells_and_goes_on(self, tmp_path):
        reading = load(tmp_path, 'symbol,close\nA,1,000\nB,2\nC\n"D,E",3\n"F",4,5\n')

        assert reading.frame["symbol"].to_list() == ["B", "D,E"]
        assert reading.faults["line"].to_list() == [2, 4, 6]

    def test_counts_lines_across_empty_ones(self, tmp_path):
        reading = load(tmp_path, "symbol,close\n\nA,1\n\nB,x\n")

        assert reading.frame["line"].to_list() == [3]
        assert reading.faults["line"].to_list() == [5]

    def test_reads_the_line_ends_and_the_mark_of_other_systems(self, tmp_path):
        frame = load(tmp_path, "\ufeffsymbol,close\r\nA,1\r\n").frame

        assert frame.select("symbol", "close").rows() == [("A", 1.0)]

    @pytest.mark.parametrize("day", ["2024-06-03", "06/03/2024", "20240603", "2024-06-03 00:00:00"])
    def test_reads_dates_as_they_are_usually_written(self, tmp_path, day):
        frame = load(tmp_path, f"symbol,close,date\nA,1,{day}\n").frame

        assert frame["date"].to_list() == [date(2024, 6, 3)]

    def test_names_an_optional_cell_only_if_it_holds_nonsense(self, tmp_path):
        reading = load(tmp_path, "symbol,close,date,trades\nA,1,,\nB,1,soon,\nC,1,,1.5e\n")

        assert reading.frame["symbol"].to_list() == ["A"]
        assert reading.faults["detail"].to_list() == ["date is soon", "trades is 1.5e"]

    def test_reads_a_compressed_file(self, tmp_path):
        path = tmp_path / "prices.csv.gz"
        path.write_bytes(gzip.compress(b"symbol,close\nA,1\n"))

        assert files.load(path, (ANY,))[1].frame.height == 1

    def test_reads_parquet_with_the_row_as_line(self, tmp_path):
        path = tmp_path / "prices.parquet"
        pl.DataFrame({"symbol": ["A", "B"], "close": [1, None]}).write_parquet(path)

        reading = files.load(path, (ANY,))[1]

        assert reading.frame.select("symbol", "close", "line").rows() == [("A", 1.0, 1)]
        assert reading.faults["line"].to_list() == [2]

    def test_of_a_header_alone_is_empty(self, tmp_path):
        assert load(tmp_path, "symbol,close\n").frame.is_empty()

    def test_takes_not_a_number_in_parquet_for_missing(self, tmp_path):
        path = tmp_path / "prices.parquet"
        pl.DataFrame({"symbol": ["A", "B"], "close": [float("nan"), 1.0]}).write_parquet(path)

        assert files.load(path, (ANY,))[1].faults["line"].to_list() == [1]


class TestRefusal:
    def test_says_what_was_expected_and_what_was_found(self, tmp_path):
        with pytest.raises(
            WrongShape, match=r"prices.csv: expected symbol, close \(anything\); found ticker, last"
        ):
            load(tmp_path, "ticker,last\nA,1\n")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("prices.csv", b""),
            ("prices.csv", b"\xff\xfe\x00\x01"),
            ("prices.csv.gz", b"symbol,close\nA,1\n"),
            ("prices.csv.gz", gzip.compress(b"symbol,close\nA,1\n" * 99, mtime=0)[:40]),
            ("prices.parquet", b"symbol,close\nA,1\n"),
            ("prices.xlsx", b"PK"),
        ],
    )
    def test_covers_files_that_are_not_what_they_are_called(self, tmp_path, name, content):
        path = tmp_path / name
        path.write_bytes(content)

        with pytest.raises(WrongShape, match=f"{name}: expected"):
            files.load(path, (ANY,))


class TestDataFiles:
    def test_are_those_with_the_right_endings_by_name(self, tmp_path):
        for name in ("b.csv", "a.csv.gz", "c.parquet", "sealed.bin", "README.md"):
            (tmp_path / name).touch()

        found = files.data_files(tmp_path)

        assert [path.name for path in found] == ["a.csv.gz", "b.csv", "c.parquet"]

    def test_of_a_path_that_is_not_there_is_an_error(self, tmp_path):
        with pytest.raises(WrongShape, match="no such file"):
            files.data_files(tmp_path / "nothing")


class TestSymbolOf:
    @pytest.mark.parametrize(
        ("name", "symbol"),
        [("VIGL.csv", "VIGL"), ("brk-b.us.csv", "BRK-B"), ("true.csv.gz", "TRUE")],
    )
    def test_is_the_name_before_the_first_dot(self, tmp_path, name, symbol):
        assert files.symbol_of(tmp_path / name) == symbol


class TestCanonical:
    def test_writes_a_class_of_shares_after_a_dot_and_nothing_else(self):
        written = pl.DataFrame({"symbol": ["BRK-B", "BRK.B", "VIGL", "AB-CD", "KIMpL", "NA"]})

        read = written.select(files.canonical(pl.col("symbol")))["symbol"].to_list()

        assert read == ["BRK.B", "BRK.B", "VIGL", "AB-CD", "KIMpL", "NA"]
