"""Compaction: fewer files, the same rows, older versions still readable; younger columns."""

from datetime import date

import polars as pl
import pytest
from deltalake import DeltaTable

from analytics.lake import tables
from analytics.lake.tables import Lake
from tests.analytics.lake.frames import bars, days_from

FIRST = date(2024, 1, 2)


@pytest.fixture
def lake(tmp_path):
    """Sixty sessions written one by one, from January to March."""
    made = Lake(str(tmp_path), "market")
    frame = pl.concat([bars(s, FIRST, 60) for s in ("A", "B")])
    for day in days_from(FIRST, 60):
        made.upsert("bars", frame.filter(pl.col("session") == day))
    return made


class TestCompact:
    def test_leaves_the_rows_and_takes_away_files(self, lake):
        before, files = lake.read("bars"), len(DeltaTable(lake.path("bars")).file_uris())

        fewer = lake.compact("bars", before=date(2024, 4, 15))

        handle = DeltaTable(lake.path("bars"))
        assert lake.read("bars").equals(before)
        assert (files, fewer, len(handle.file_uris())) == (60, 59, 1)

    def test_keeps_the_versions_that_batches_cite(self, lake):
        version = lake.versions()["bars"]

        lake.compact("bars", before=date(2024, 4, 15))

        old = DeltaTable(lake.path("bars"), version=version)
        assert pl.scan_delta(old).collect().height == 120

    def test_leaves_the_month_under_way_alone(self, lake):
        lake.compact("bars", before=date(2024, 3, 15))

        march = [day for day in days_from(FIRST, 60) if day.month == 3]
        assert len(DeltaTable(lake.path("bars")).file_uris()) == 1 + len(march)

    def test_does_nothing_where_files_are_few(self, lake, monkeypatch):
        monkeypatch.setattr(tables, "CROWDED", 60)
        before = lake.versions()

        assert lake.compact("bars", before=date(2024, 4, 15)) == 0
        assert lake.versions() == before

    def test_of_a_table_that_is_not_there_is_nothing(self, tmp_path):
        assert Lake(str(tmp_path), "market").compact("bars", before=date(2024, 4, 15)) == 0


class TestYoungerColumns:
    def test_are_null_in_an_older_table_and_come_with_the_next_write(self, tmp_path):
        lake = Lake(str(tmp_path), "market")
        known = pl.DataFrame({"symbol": ["A"], "first_date": [FIRST], "origin": ["list"]})
        young = ("figi", "cik", "delisted_on")
        shape = tables.SHAPES["symbols"]
        old = shape.conform(known.with_columns(source=pl.lit("imported"))).drop(young)
        old.write_delta(lake.path("symbols"), delta_write_options={"partition_by": ["year"]})

        assert lake.read("symbols")["figi"].to_list() == [None]
        more = known.with_columns(symbol=pl.lit("B"), figi=pl.lit("BBG1"))
        lake.upsert("symbols", more.with_columns(source=pl.lit("live")))
        assert lake.read("symbols")["figi"].to_list() == [None, "BBG1"]
