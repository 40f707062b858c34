from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from analytics.lake.tables import Lake, LakeBusy
from analytics.models import Correction, DataFinding, Security
from analytics.services import market_data
from analytics.services.market_data import InvalidCorrection
from tests.analytics.lake.frames import bars
from tests.factories import make_user

NOW = datetime(2024, 7, 1, 22, tzinfo=UTC)
MONDAY = date(2024, 6, 3)
TUESDAY = date(2024, 6, 4)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.LAKE_URL = tmp_path / "lake"
    return tmp_path


def take(folder, frame, name="bars.parquet", now=NOW):
    path = folder / name
    frame.rename({"session": "date"}).drop("source").write_parquet(path)
    return market_data.import_bars(path=path, source="imported", now=now)


def correct(values, session=MONDAY, now=NOW, **how):
    said = {"symbol": "VIGL", "reason": "a bad print", "user": None, "source": "imported"}
    return market_data.correct_bar(session=session, values=values, now=now, **(said | how))


def split(ratio, ex_date=TUESDAY, **how):
    said = {"symbol": "VIGL", "reason": "missed", "user": None, "source": "imported", "now": NOW}
    return market_data.correct_split(ex_date=ex_date, ratio=ratio, **(said | how))


def closes(**how):
    return market_data.get_bars(source="imported", **how)["close"].to_list()


class TestCorrectBar:
    def test_replaces_the_bar_and_keeps_what_was_there(self, folder):
        take(folder, bars(count=2))
        person = make_user()

        correction = correct({"close": 3.1}, user=person)

        assert closes() == [3.1, 3.0]
        assert (correction.before["close"], correction.after["close"]) == (3.0, 3.1)
        assert correction.after["volume"] == 1000.0
        assert (correction.entered_by, correction.known_on) == (person, NOW)
        assert correction.source == "imported"

    def test_adds_a_bar_that_is_missing(self, folder):
        take(folder, bars(count=3).filter(pl.col("session") != TUESDAY))

        correction = correct({"close": 2.5, "volume": 10.0}, session=TUESDAY)

        assert closes() == [3.0, 2.5, 3.0]
        assert correction.before is None

    def test_takes_a_bar_away(self, folder):
        take(folder, bars(count=2))

        correction = correct(None)

        assert closes() == [3.0]
        assert correction.after is None
        assert Security.objects.get().first_session == TUESDAY

    def test_settles_the_finding_about_the_bar(self, folder):
        take(folder, bars(count=3, close=[3.0, 30.0, 3.0]))
        assert DataFinding.objects.filter(gate="unadjusted_split").count() == 2

        correct({"open": 3.0, "high": 3.3, "low": 2.7, "close": 3.0}, session=TUESDAY)

        assert not DataFinding.objects.filter(gate="unadjusted_split").exists()

    @pytest.mark.parametrize(
        ("how", "field"),
        [
            ({"values": {"close": -1.0}}, "close"),
            ({"values": {"close": 0.0}}, "close"),
            ({"values": {"close": None}}, "close"),
            ({"values": {"close": float("nan")}}, "close"),
            ({"values": {"close": 9.0}}, "close"),
            ({"values": {"open": 9.0}}, "open"),
            ({"values": {"high": 1.0}}, "high"),
            ({"values": {"volume": -5.0}}, "volume"),
            ({"values": {"colour": 5.0}}, "colour"),
            ({"values": {"close": 3.0}}, "values"),
            ({"values": {"close": 3.1}, "session": date(2024, 6, 8)}, "session"),
            ({"values": {"close": 3.1}, "session": date(2024, 7, 2)}, "session"),
            ({"values": {"close": 3.1}, "session": date(1980, 1, 2)}, "session"),
            ({"values": {"close": 3.1}, "symbol": "NONE"}, "symbol"),
            ({"values": {"close": 3.1}, "symbol": " "}, "symbol"),
            ({"values": {"close": 3.1}, "reason": " "}, "reason"),
            ({"values": {"close": 3.1}, "session": date(2024, 6, 10)}, "volume"),
        ],
    )
    def test_refuses_what_cannot_be_and_names_the_field(self, folder, how, field):
        take(folder, bars(count=2))

        with pytest.raises(InvalidCorrection) as refusal:
            correct(**how)

        assert refusal.value.field == field
        assert not Correction.objects.exists()
        assert closes() == [3.0, 3.0]

    def test_leaves_no_trace_when_the_lake_is_busy(self, folder, monkeypatch):
        take(folder, bars(count=2))

        def busy(*_, **__):
            raise LakeBusy("busy")

        monkeypatch.setattr(Lake, "upsert", busy)
        with pytest.raises(LakeBusy):
            correct({"close": 3.1})
        assert not Correction.objects.exists()

    def test_stands_against_a_later_file(self, folder):
        take(folder, bars(count=2))
        correct({"close": 3.1})

        summary = take(folder, bars(count=2, close=2.9), "vendor.parquet")

        assert closes() == [3.1, 2.9]
        assert (summary.changed, summary.rejected) == (1, 1)
        assert DataFinding.objects.get(gate="corrected_by_person").session == MONDAY


class TestCorrectSplit:
    def test_adds_a_split_that_was_missed(self, folder):
        take(folder, bars(count=2, close=[6.0, 3.0]))

        correction = split(2.0)

        found = market_data.get_splits(source="imported")
        assert found.select("symbol", "ex_date", "ratio").rows() == [("VIGL", TUESDAY, 2.0)]
        assert (correction.data_set, correction.before) == ("splits", None)
        assert not DataFinding.objects.filter(gate="unadjusted_split").exists()

    def test_stands_against_a_later_file(self, folder):
        split(2.0)
        path = folder / "splits.csv"
        path.write_text("symbol,date,split_ratio\nVIGL,2024-06-04,3\n")

        market_data.import_reference(path=path, source="imported", now=NOW)

        assert market_data.get_splits(source="imported")["ratio"].to_list() == [2.0]

    def test_takes_a_split_away(self, folder):
        split(2.0)

        correction = split(None)

        assert market_data.get_splits(source="imported").is_empty()
        assert (correction.before["ratio"], correction.after) == (2.0, None)

    @pytest.mark.parametrize(
        ("how", "field"),
        [
            ({"ratio": 0.0}, "ratio"),
            ({"ratio": 1.0}, "ratio"),
            ({"ratio": float("inf")}, "ratio"),
            ({"ratio": None}, "ratio"),
            ({"ratio": 2.0, "ex_date": date(2024, 6, 8)}, "ex_date"),
            ({"ratio": 2.0, "reason": ""}, "reason"),
        ],
    )
    def test_refuses_what_cannot_be_and_names_the_field(self, how, field):
        with pytest.raises(InvalidCorrection) as refusal:
            split(**how)

        assert refusal.value.field == field


class TestAsKnown:
    def test_undoes_corrections_that_came_later_one_after_the_other(self, folder):
        take(folder, bars(count=2))
        take(folder, bars(count=2, close=[3.1, 3.0]), "vendor.parquet", NOW + timedelta(days=1))
        correct({"close": 3.2}, now=NOW + timedelta(days=2))

        assert closes() == [3.2, 3.0]
        assert closes(as_known=date(2024, 7, 3)) == [3.2, 3.0]
        assert closes(as_known=date(2024, 7, 2)) == [3.1, 3.0]
        assert closes(as_known=date(2024, 7, 1)) == [3.0, 3.0]

    def test_takes_out_bars_added_later_and_puts_back_bars_taken_away(self, folder):
        take(folder, bars(count=3).filter(pl.col("session") != TUESDAY))
        correct({"close": 2.5, "volume": 10.0}, session=TUESDAY, now=NOW + timedelta(days=1))
        correct(None, session=MONDAY, now=NOW + timedelta(days=1))

        assert closes() == [2.5, 3.0]
        known = market_data.get_bars(source="imported", as_known=date(2024, 7, 1))
        assert known["session"].to_list() == [MONDAY, date(2024, 6, 5)]
        assert known.equals(known.sort("symbol", "session"))

    def test_puts_back_just_what_was_asked_for(self, folder):
        take(folder, bars(count=3))
        correct({"close": 3.2}, now=NOW + timedelta(days=1))

        assert closes(as_known=date(2024, 7, 1), first=TUESDAY) == [3.0, 3.0]
        assert closes(as_known=date(2024, 7, 1), symbols=["OTHER"]) == []
        assert closes(as_known=date(2024, 7, 1), last=MONDAY) == [3.0]

    def test_gives_the_very_rows_that_were_there(self, folder):
        take(folder, bars(count=3))
        before = market_data.get_bars(source="imported")
        correct({"close": 3.2, "open": None, "trades": 5}, now=NOW + timedelta(days=1))

        known = market_data.get_bars(source="imported", as_known=date(2024, 7, 1))

        assert known.equals(before)

    def test_undoes_splits_too(self):
        split(2.0, now=NOW + timedelta(days=1))
        split(4.0, now=NOW + timedelta(days=2))

        def ratios(day):
            return market_data.get_splits(source="imported", as_known=day)["ratio"].to_list()

        assert [ratios(date(2024, 7, day)) for day in (1, 2, 3)] == [[], [2.0], [4.0]]
