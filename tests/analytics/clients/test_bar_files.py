import gzip
from datetime import date

import polars as pl
import pytest

from analytics.clients import bar_files
from analytics.clients.files import WrongShape
from tests.analytics.lake.frames import bars


class TestRead:
    def test_reads_the_columns_of_the_project_from_parquet(self, tmp_path):
        path = tmp_path / "bars.parquet"
        frame = bars(count=2).rename({"session": "date"}).with_columns(split_ratio=pl.lit(2.0))
        frame.write_parquet(path)

        read = bar_files.read(path).frame

        assert read.columns == list(bar_files.ROW)
        assert read.select("symbol", "session", "close", "split_ratio").row(1) == (
            "VIGL", date(2024, 6, 4), 3.0, 2.0
        )  # fmt: skip

    def test_reads_closes_without_a_range(self, tmp_path):
        path = tmp_path / "closes.csv"
        path.write_text("symbol,date,open,high,low,close,volume\nA,2024-06-03,,,,3.1,500\n")

        assert bar_files.read(path).frame.select("open", "high", "low", "close").row(0) == (
            None, None, None, 3.1
        )  # fmt: skip

    def test_reads_one_symbol_from_a_file_named_after_it(self, tmp_path):
        path = tmp_path / "vigl.csv"
        path.write_text(
            "Date,Open,High,Low,Close,Adj Close,Volume\n2024-06-03,2.9,3.2,2.8,3.1,3.0,500\n"
        )

        reading = bar_files.read(path)

        assert reading.frame.select("symbol", "session", "close", "volume", "quality").row(0) == (
            "VIGL", date(2024, 6, 3), 3.1, 500.0, 0
        )  # fmt: skip
        assert "split" in reading.note

    @pytest.mark.parametrize("ticker", ["NA", "NULL", "TRUE"])
    def test_reads_day_aggregates_with_the_session_of_new_york(self, tmp_path, ticker):
        path = tmp_path / "2024-06-03.csv.gz"
        text = (
            "ticker,volume,open,close,high,low,window_start,transactions\n"
            f"{ticker},4930,200.29,200.5,200.63,200.29,1717387200000000000,129\n"
        )  # 2024-06-03 00:00 in New York
        path.write_bytes(gzip.compress(text.encode()))

        frame = bar_files.read(path).frame

        assert frame.select("symbol", "session", "close", "trades").row(0) == (
            ticker, date(2024, 6, 3), 200.5, 129
        )  # fmt: skip

    def test_refuses_other_files_whole_and_says_what_it_expected(self, tmp_path):
        path = tmp_path / "list.csv"
        path.write_text("symbol,name\nA,Agilent\n")

        with pytest.raises(
            WrongShape, match=r"expected symbol, date, close, volume .* found symbol, name"
        ):
            bar_files.read(path)
