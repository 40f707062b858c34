import itertools
from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.clients import bar_files
from analytics.clients.files import WrongShape
from analytics.models import Correction, DataFinding, ImportRun, Security
from analytics.services import findings, listings, market_corrections, market_data, market_imports
from tests.analytics.lake.frames import bars

NOW = datetime(2024, 7, 1, 22, tzinfo=UTC)
MONDAY = date(2024, 6, 3)
LIST = "symbol,name,sec_type,first_date,last_date\nVIGL,Vigil,common,2024-06-03,2024-06-14\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.LAKE_URL = tmp_path / "lake"
    made = tmp_path / "files"
    made.mkdir()
    return made


def put(folder, frame, name="bars.parquet"):
    path = folder / name
    frame.rename({"session": "date"}).drop("source").write_parquet(path)
    return path


def take(path, **how):
    return market_data.import_bars(path=path, source="imported", now=NOW, **how)


def reference(path):
    return market_data.import_reference(path=path, source="imported", now=NOW)


def lake():
    return market_data.lake_of("imported")


def state():
    """All that an import leaves behind, whatever the order in which it came."""
    facts = ("symbol", "first_session", "last_session", "kind", "name")
    found = ("gate", "symbol", "session", "detail")
    return (
        lake().read("bars").rows(),
        lake().read("splits").rows(),
        sorted(Security.objects.values_list(*facts)),
        sorted(DataFinding.objects.filter(kept_out=False).values_list(*found)),
    )


class TestImportBars:
    def test_fills_the_lake_and_counts(self, folder):
        summary = take(put(folder, pl.concat([bars("A", count=5), bars("B", count=3)])))

        assert (summary.rows, summary.symbols, summary.sessions) == (8, 2, 5)
        assert (summary.new, summary.changed, summary.unchanged, summary.rejected) == (8, 0, 0, 0)
        assert lake().read("bars").height == 8
        run = ImportRun.objects.get()
        assert (run.file, run.state, run.new) == ("bars.parquet", "done", 8)

    def test_does_not_even_read_a_file_that_is_in_already(self, folder, monkeypatch):
        path = put(folder, bars())
        take(path)
        before = lake().versions()
        monkeypatch.setattr(bar_files, "read", None)

        summary = take(path)

        assert (summary.skipped, summary.rows) == (["bars.parquet"], 0)
        assert lake().versions() == before
        assert ImportRun.objects.count() == 1

    def test_commits_nothing_for_the_same_rows_in_another_file(self, folder):
        take(put(folder, bars()))
        before = lake().versions()

        summary = take(put(folder, bars().with_columns(more=pl.lit(1)), "again.parquet"))

        assert (summary.new, summary.changed, summary.unchanged) == (0, 0, 5)
        assert lake().versions() == before
        assert not Correction.objects.exists()

    def test_reads_a_file_again_whose_lake_is_gone(self, folder, settings, tmp_path):
        path = put(folder, bars())
        take(path)
        settings.LAKE_URL = tmp_path / "other"

        assert take(path).new == 5

    def test_records_what_a_later_file_replaces(self, folder):
        take(put(folder, bars(close=3.0)))

        summary = take(put(folder, bars(close=[3.0, 3.0, 3.1, 3.0, 3.0]), "vendor.parquet"))

        assert (summary.changed, summary.unchanged) == (1, 4)
        correction = Correction.objects.get()
        assert (correction.symbol, correction.session) == ("VIGL", date(2024, 6, 5))
        assert (correction.before["close"], correction.after["close"]) == (3.0, 3.1)
        assert (correction.known_on, correction.run.file) == (NOW, "vendor.parquet")

    def test_lets_a_file_that_knows_less_take_nothing_away(self, folder):
        take(put(folder, bars(count=3, trades=7)))

        known = {"open": None, "high": None, "low": None, "quality": 9}
        closes = bars(count=3, close=[3.0, 3.0, 3.5], **known)
        summary = take(put(folder, closes, "closes.parquet"))

        assert (summary.changed, summary.unchanged) == (1, 2)
        assert lake().read("bars").select("open", "close", "trades", "quality").rows() == [
            (3.0, 3.0, 7, 0),
            (3.0, 3.0, 7, 0),
            (None, 3.5, None, 9),
        ]

    def test_names_bad_lines_by_file_and_line_and_takes_the_rest(self, folder):
        path = folder / "vigl.csv"
        path.write_text(
            "Date,Open,High,Low,Close,Volume\n"
            "2024-06-03,3,3.2,2.9,3.1,500\n"
            "2024-06-04,3,3.2,2.9,n/a,500\n"
            "2024-06-05,3,3.2,2.9,-3,500\n"
            "2024-06-08,3,3.2,2.9,3.1,500\n"
            "2024-06-06,3,2.8,2.9,2.9,500\n"
            "2024-06-07,3,3.2,2.9,3.5,500\n"
            "2024-06-03,3,3.2,2.9,3.0,500\n"
            "2024-06-10,3,3.2,2.9,3.0,500\n"
        )

        summary = take(path)

        assert (summary.rows, summary.new, summary.rejected) == (8, 2, 6)
        found = DataFinding.objects.filter(kept_out=True).order_by("line")
        assert list(found.values_list("run__file", "line", "gate")) == [
            ("vigl.csv", 3, "unreadable"),
            ("vigl.csv", 4, "bad_price"),
            ("vigl.csv", 5, "not_a_session"),
            ("vigl.csv", 6, "high_below_low"),
            ("vigl.csv", 7, "close_outside"),
            ("vigl.csv", 8, "duplicate_key"),
        ]
        assert lake().read("bars")["session"].to_list() == [MONDAY, date(2024, 6, 10)]

    def test_names_a_thousand_bad_lines_of_a_gate_and_counts_the_rest(self, folder, monkeypatch):
        monkeypatch.setattr(findings, "MOST_PER_GATE", 3)

        take(put(folder, bars(count=10, close=-1.0)))

        details = list(DataFinding.objects.order_by("pk").values_list("line", "detail"))
        assert [line for line, _ in details] == [1, 2, 3, None]
        assert details[-1][1] == "and 7 more lines, the last of them 10"

    def test_refuses_a_file_of_the_wrong_shape_and_takes_those_beside_it(self, folder):
        put(folder, bars())
        (folder / "notes.csv").write_text("author,text\nme,hello\n")

        summary = take(folder)

        assert summary.new == 5
        assert [text.split(":")[0] for text in summary.refused] == ["notes.csv"]
        refused = ImportRun.objects.get(file="notes.csv")
        assert refused.state == "refused"
        assert "expected symbol, date, close, volume" in refused.message
        assert "found author, text" in refused.message

    def test_says_that_there_is_nothing_at_a_path(self, folder):
        with pytest.raises(WrongShape, match="no such file"):
            take(folder / "missing.csv")

    def test_never_opens_sealed_data(self, folder):
        (folder / "sealed-evaluation-set.parquet").write_bytes(b"secret")

        assert take(folder).files == 0

    def test_writes_small_files_together_and_counts_each(self, folder):
        for symbol, count in (("A", 3), ("B", 4)):
            put(folder, bars(symbol, count=count), f"{symbol}.parquet")

        take(folder)

        counts = ImportRun.objects.order_by("file").values_list("file", "rows", "new", "symbols")
        assert list(counts) == [("A.parquet", 3, 3, 1), ("B.parquet", 4, 4, 1)]
        assert lake().versions()["bars"] == 4  # one commit per session, not per file and session

    def test_takes_the_later_of_two_files_that_state_the_same_bar(self, folder):
        put(folder, bars(count=1, close=3.0), "1.parquet")
        put(folder, bars(count=1, close=3.1), "2.parquet")

        summary = take(folder)

        assert (summary.new, summary.changed) == (1, 1)
        assert lake().read("bars")["close"].to_list() == [3.1]

    def test_reports_its_progress_in_bytes(self, folder):
        path = put(folder, bars())
        told = []

        take(path, on_progress=lambda *step: told.append(step))

        size = path.stat().st_size
        assert told == [("bars.parquet", 0, size), ("listing periods and findings", size, size)]


class TestSplits:
    SPLIT = "symbol,date,split_ratio,evidence\nVIGL,2024-06-04,2.0001,exchange\n"

    @pytest.fixture
    def files(self, folder):
        path = folder / "splits.csv"
        path.write_text(self.SPLIT)
        stated = bars(count=3, close=[6.0, 3.0, 3.0], split_ratio=[1.0, 2.0, 1.0])
        return put(folder, stated), path

    def test_stated_by_the_bars_enter_the_table(self, files):
        take(files[0])

        splits = lake().read("splits")
        assert splits.select("symbol", "ex_date", "ratio", "evidence").rows() == [
            ("VIGL", date(2024, 6, 4), 2.0, "bars")
        ]
        assert not DataFinding.objects.filter(gate="unadjusted_split").exists()

    @pytest.mark.parametrize("bars_first", [True, False])
    def test_of_better_evidence_stand_whichever_came_first(self, files, bars_first):
        if bars_first:
            take(files[0])
        reference(files[1])
        take(files[0])

        assert lake().read("splits").select("ratio", "evidence").rows() == [(2.0001, "exchange")]

    def test_that_come_later_settle_the_finding_about_the_jump(self, folder, files):
        take(put(folder, bars(count=3, close=[6.0, 3.0, 3.0]), "plain.parquet"))
        assert DataFinding.objects.filter(gate="unadjusted_split").count() == 1

        reference(files[1])

        assert not DataFinding.objects.filter(gate="unadjusted_split").exists()


class TestOrder:
    @pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
    def test_of_the_imports_changes_nothing(self, folder, order):
        early = put(folder, bars(count=8), "early.parquet")
        middle = put(folder, bars(first=date(2024, 6, 17), count=5), "middle.parquet")
        late = put(folder, bars(first=date(2024, 9, 3), count=5, close=90.0), "late.parquet")
        listed = folder / "list.csv"
        listed.write_text(LIST)
        steps = [
            lambda: take(early),
            lambda: take(middle),
            lambda: take(late, assume_kind="etf"),
            lambda: reference(listed),
        ]

        for number in order:
            steps[number]()

        _, _, securities, found = state()
        assert securities == [
            ("VIGL", MONDAY, date(2024, 6, 24), "common", "Vigil"),
            ("VIGL", date(2024, 9, 3), date(2024, 9, 9), "etf", ""),
        ]
        # No finding about the feed: with one symbol there are no other bars to tell by.
        assert [row[0] for row in found] == []

    def test_fills_a_hole_and_takes_its_finding_away(self, folder):
        others = pl.concat([bars("B", count=8), bars("A", count=8)])
        hole = others.filter((pl.col("symbol") == "B") | (pl.col("session") != date(2024, 6, 6)))
        take(put(folder, hole))
        assert DataFinding.objects.filter(gate="missing_session", symbol="A").count() == 1

        take(put(folder, others, "whole.parquet"))

        assert not DataFinding.objects.filter(gate="missing_session").exists()

    def test_a_new_cut_moves_the_periods_and_joining_bars_remove_it(self, folder):
        take(put(folder, pl.concat([bars(count=2), bars(first=date(2024, 7, 15), count=2)])))
        assert Security.objects.count() == 2

        take(put(folder, bars(first=date(2024, 6, 20), count=2), "between.parquet"))

        assert [(s.first_session, s.last_session) for s in Security.objects.all()] == [
            (MONDAY, date(2024, 7, 16))
        ]


class TestKinds:
    def test_are_unknown_without_a_list(self, folder):
        take(put(folder, bars()))

        assert Security.objects.get().kind == "unknown"

    def test_may_be_assumed_even_for_a_file_that_is_in_already(self, folder):
        path = put(folder, bars())
        take(path)

        take(path, assume_kind="common")

        assert Security.objects.get().kind == "common"

    def test_that_the_product_does_not_know_are_unknown(self, folder):
        path = folder / "list.csv"
        path.write_text("symbol,sec_type\nVIGL,crypto\n")
        reference(path)

        take(put(folder, bars()))

        assert Security.objects.get().kind == "unknown"


class TestKilledImport:
    """Killed at any step, the import is simply run again and leaves what it always leaves."""

    @pytest.mark.parametrize(
        ("place", "name"),
        [
            (bar_files, "read"),
            (findings, "record_faults"),
            (market_corrections, "record_replaced"),
            (market_imports, "_splits_of_bars"),
            (market_imports, "_assume"),
            (listings, "_store_periods"),
            (findings, "replace_standing"),
        ],
    )
    def test_ends_as_if_nothing_had_happened(self, folder, monkeypatch, place, name, settings):
        first = put(folder, bars(count=20))
        jumped = bars(count=20, close=[3.0] * 10 + [6.0] * 10, split_ratio=[1.0] * 5 + [2.0] * 15)
        second = put(folder, jumped.with_columns(quality=pl.lit(0)), "second.parquet")
        take(first)
        take(second)
        wanted, corrections = state(), Correction.objects.count()
        Correction.objects.all().delete()
        for model in (Security, DataFinding, ImportRun):
            model.objects.all().delete()
        settings.LAKE_URL = folder / "lake2"
        take(first)

        def killed(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(place, name, killed)
            with pytest.raises(KeyboardInterrupt):
                take(second)
        take(second)

        assert state() == wanted
        assert Correction.objects.count() == corrections
        assert set(ImportRun.objects.values_list("state", flat=True)) == {"done"}


class TestImportReference:
    @pytest.mark.parametrize(
        ("table", "text"),
        [
            ("symbols", LIST),
            ("splits", TestSplits.SPLIT),
            ("short_interest", "symbol,settlement_date,shares_short\nVIGL,2024-05-31,5\n"),
            ("shares", "symbol,as_of_date,public_float\nVIGL,2024-05-31,5\n"),
            ("fails", "symbol,settlement_date,quantity\nVIGL,2024-05-31,5\n"),
        ],
    )
    def test_puts_each_file_where_it_belongs_and_only_once(self, folder, table, text):
        path = folder / "file.csv"
        path.write_text(text)

        summary = reference(path)
        again = reference(path)

        assert (summary.new, again.skipped) == (1, ["file.csv"])
        assert lake().read(table)["symbol"].to_list() == ["VIGL"]
        assert ImportRun.objects.get().data_set == table

    def test_describes_the_listing_periods_that_are_there(self, folder):
        take(put(folder, bars()))
        path = folder / "list.csv"
        path.write_text(LIST)

        reference(path)

        security = Security.objects.get()
        assert (security.kind, security.name) == ("common", "Vigil")

    def test_reports_lines_that_cannot_be(self, folder):
        path = folder / "splits.csv"
        path.write_text("symbol,date,split_ratio\nA,2024-06-04,0\nB,2024-06-04,2\n")

        summary = reference(path)

        assert (summary.new, summary.rejected) == (1, 1)
        assert DataFinding.objects.get().line == 2
