import multiprocessing
import os
import signal
import time
from datetime import date

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from analytics.lake import tables
from analytics.lake.schemas import SHAPES
from analytics.lake.tables import Lake, LakeBusy
from tests.analytics.lake.frames import bars

MONDAY = date(2024, 6, 3)
YEAR = 300  # sessions: more than are overwritten one by one


@pytest.fixture
def lake(tmp_path):
    made = Lake(str(tmp_path), "market", sleep=lambda _: None, jitter=lambda: 1.0)
    made.create_all()
    return made


def write_day(url, symbol, start, done):
    mine = Lake(url, "market")
    start.wait()
    for price in range(1, 6):
        mine.upsert("bars", bars(symbol, MONDAY, 1, close=float(price)))
    done.put(symbol)


def create(url, start, done):
    start.wait()
    Lake(url, "market").create_all()
    done.put(True)


def write_forever(url, started):
    mine = Lake(url, "market")
    price = 1.0
    while True:
        mine.upsert("bars", pl.concat([bars(s, MONDAY, YEAR, close=price) for s in "ABCDEF"]))
        started.set()
        price += 1.0


def together(work, *arguments):
    """Start one process per argument list at the same moment; return what each put out."""
    context = multiprocessing.get_context("spawn")
    start, done = context.Event(), context.Queue()
    workers = [context.Process(target=work, args=(*a, start, done)) for a in arguments]
    for worker in workers:
        worker.start()
    start.set()
    found = [done.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    return found


class TestUpsert:
    def test_stores_rows_and_says_they_are_new(self, lake):
        written = lake.upsert("bars", bars(count=5))

        assert (written.new, written.changed, written.unchanged) == (5, 0, 0)
        assert (
            lake.read("bars")
            .drop("vwap", "trades", "year")
            .equals(bars(count=5).select(lake.read("bars").drop("vwap", "trades", "year").columns))
        )

    @pytest.mark.parametrize("count", [3, YEAR])
    def test_commits_nothing_the_second_time(self, lake, count):
        lake.upsert("bars", bars(count=count))
        before = lake.versions()

        written = lake.upsert("bars", bars(count=count))

        assert (written.new, written.changed, written.unchanged) == (0, 0, count)
        assert lake.versions() == before

    @pytest.mark.parametrize("count", [3, YEAR])
    def test_replaces_only_what_differs_and_hands_over_the_old_rows(self, lake, count):
        lake.upsert("bars", pl.concat([bars("A", count=count), bars("B", count=count)]))
        changed = bars("A", count=count).with_columns(
            volume=pl.when(pl.col("session") == MONDAY).then(7.0).otherwise("volume")
        )

        written = lake.upsert("bars", changed)

        assert (written.new, written.changed, written.unchanged) == (0, 1, count - 1)
        assert written.replaced.select("symbol", "session", "volume").rows() == [
            ("A", MONDAY, 1000.0)
        ]
        stored = lake.read("bars", symbols=["A"])
        assert stored["volume"].to_list() == [7.0] + [1000.0] * (count - 1)
        assert lake.read("bars", symbols=["B"]).height == count

    def test_tells_the_old_and_the_new_rows_before_it_replaces_them(self, lake):
        lake.upsert("bars", bars(count=2))
        told = []

        lake.upsert(
            "bars",
            bars(count=3, close=4.0),
            before_replacing=lambda old, new: told.append(
                (old["close"].to_list(), new["close"].to_list())
            ),
        )

        assert told == [([3.0], [4.0])] * 2  # a commit per day, none told for the new one

    def test_keeps_rows_that_shall_be_kept(self, lake):
        lake.upsert("bars", bars(count=1))

        written = lake.upsert("bars", bars(count=1, close=9.0), keeping=pl.col("close") < 5)

        assert (written.changed, written.unchanged) == (0, 1)
        assert lake.read("bars")["close"].to_list() == [3.0]

    def test_takes_a_null_for_different_from_a_number(self, lake):
        lake.upsert("bars", bars(count=1))

        written = lake.upsert("bars", bars(count=1, open=None))

        assert written.changed == 1
        assert lake.read("bars")["open"].to_list() == [None]

    def test_does_not_take_another_source_for_a_change(self, lake):
        lake.upsert("bars", bars(count=1))

        assert lake.upsert("bars", bars(count=1, source="live")).unchanged == 1

    def test_stores_not_a_number_as_null(self, lake):
        lake.upsert("bars", bars(count=1, open=float("nan")))

        assert lake.read("bars")["open"].to_list() == [None]

    def test_refuses_a_key_that_occurs_twice(self, lake):
        with pytest.raises(ValueError, match="twice"):
            lake.upsert("bars", pl.concat([bars(count=1), bars(count=1)]))

    def test_refuses_a_row_without_a_symbol(self, lake):
        with pytest.raises(ValueError, match="null"):
            lake.upsert("bars", bars(symbol=None, count=1))

    def test_lies_by_month_symbol_and_session_in_the_files(self, lake):
        lake.upsert("bars", pl.concat([bars("B", count=YEAR), bars("A", count=YEAR)]))

        files = sorted(DeltaTable(lake.path("bars")).file_uris())
        keys = pl.concat([pl.read_parquet(f) for f in files if "year=2024" in f]).select(
            pl.col("session").dt.month().alias("month"), "symbol", "session"
        )
        assert keys.rows() == sorted(keys.rows())

    def test_starts_over_on_a_fresh_handle_when_another_writer_was_faster(self, lake, monkeypatch):
        write, beaten = tables.write_deltalake, []

        def beaten_once(handle, frame, **how):
            if not beaten:
                beaten.append(True)
                Lake(lake.url, "market").upsert("bars", bars("OTHER", count=1))
            write(handle, frame, **how)

        monkeypatch.setattr(tables, "write_deltalake", beaten_once)
        lake.upsert("bars", bars("MINE", count=1))

        assert lake.read("bars")["symbol"].to_list() == ["MINE", "OTHER"]

    def test_gives_up_after_eight_tries(self, lake, monkeypatch):
        waits = []
        lake._sleep = waits.append

        def always_beaten(*_, **__):
            raise CommitFailedError

        monkeypatch.setattr(tables, "write_deltalake", always_beaten)
        with pytest.raises(LakeBusy, match="8"):
            lake.upsert("bars", bars(count=1))
        assert waits == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.0]


class TestSeveralWriters:
    def test_lose_nothing_on_the_same_session(self, lake):
        together(write_day, (lake.url, "A"), (lake.url, "B"))

        stored = lake.read("bars")
        assert stored["symbol"].to_list() == ["A", "B"]
        assert stored["close"].to_list() == [5.0, 5.0]

    def test_may_create_the_tables_at_the_same_time(self, tmp_path):
        together(create, *[(str(tmp_path),)] * 3)

        assert set(Lake(str(tmp_path), "market").versions()) == set(SHAPES)

    def test_leave_a_whole_version_when_one_is_killed(self, lake):
        context = multiprocessing.get_context("spawn")
        started = context.Event()
        writer = context.Process(target=write_forever, args=(lake.url, started))
        writer.start()
        assert started.wait(60)
        time.sleep(0.15)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()

        stored = lake.read("bars")
        assert stored.height == 6 * YEAR
        assert stored["close"].n_unique() == 1
        again = pl.concat([bars(s, MONDAY, YEAR, close=0.5) for s in "ABCDEF"])
        assert lake.upsert("bars", again).changed == 6 * YEAR


class TestRead:
    def test_is_sorted_by_symbol_and_session(self, lake):
        lake.upsert("bars", bars("B", count=3))
        lake.upsert("bars", bars("A", count=YEAR))
        lake.upsert("bars", bars("A", date(2023, 12, 27), 3))

        keys = lake.read("bars", columns=["symbol", "session"]).rows()

        assert keys == sorted(keys)
        assert len(keys) == 3 + YEAR + 3

    def test_returns_the_sessions_asked_for_both_ends_included(self, lake):
        lake.upsert("bars", bars(first=date(2023, 12, 27), count=8))

        found = lake.read("bars", first=date(2023, 12, 28), last=date(2024, 1, 2))

        assert found["session"].to_list() == [
            date(2023, 12, 28), date(2023, 12, 29), date(2024, 1, 2)
        ]  # fmt: skip

    def test_of_a_lake_that_does_not_exist_is_empty_with_all_columns(self, tmp_path):
        lake = Lake(str(tmp_path / "nowhere"), "market")

        assert lake.read("bars").columns == list(SHAPES["bars"].columns)
        assert lake.is_empty("bars")
        assert lake.sessions() == []
        assert lake.versions() == {}

    def test_counts_the_symbols_of_each_session(self, lake):
        lake.upsert("bars", pl.concat([bars("A", count=2), bars("B", count=1)]))

        assert lake.coverage()["symbols"].to_list() == [2, 1]
        assert lake.sessions() == [MONDAY, date(2024, 6, 4)]


class TestDelete:
    def test_takes_away_just_the_key(self, lake):
        lake.upsert("bars", pl.concat([bars("A", count=2), bars("B", count=2)]))

        assert lake.delete("bars", bars("A", count=1)) == 1
        assert lake.read("bars", columns=["symbol"])["symbol"].to_list() == ["A", "B", "B"]

    def test_can_take_away_the_last_row_of_a_day(self, lake):
        lake.upsert("bars", bars(count=2))

        lake.delete("bars", bars(count=1))

        assert lake.sessions() == [date(2024, 6, 4)]

    def test_of_what_is_not_there_commits_nothing(self, lake):
        before = lake.versions()

        assert lake.delete("bars", bars(count=1)) == 0
        assert lake.versions() == before


class TestRealms:
    def test_are_never_mixed(self, tmp_path):
        Lake(str(tmp_path), "simulated").upsert("bars", bars(count=1))

        assert Lake(str(tmp_path), "market").is_empty("bars")
