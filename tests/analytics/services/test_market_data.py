from datetime import UTC, date, datetime

import polars as pl
import pytest

from analytics.models import Source
from analytics.services import lakes, market_data
from tests.analytics.lake.frames import bars

NOW = datetime(2024, 7, 1, 22, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.LAKE_URL = tmp_path / "lake"
    return tmp_path


def take(folder, frame, source="imported"):
    path = folder / f"{source}.parquet"
    frame.rename({"session": "date"}).drop("source").write_parquet(path)
    return market_data.import_bars(path=path, source=source, now=NOW)


class TestActiveSource:
    def test_is_simulated_until_real_bars_are_in(self, folder):
        assert market_data.get_active_source() == Source.SIMULATED
        take(folder, bars(), "simulated")
        assert market_data.get_active_source() == Source.SIMULATED

        take(folder, bars())

        assert market_data.get_active_source() == Source.IMPORTED


class TestLakeOf:
    def test_is_the_same_for_live_and_imported_and_another_for_simulated(self):
        live, imported, simulated = (
            market_data.lake_of(source).path("bars") for source in ("live", "imported", "simulated")
        )

        assert live == imported != simulated

    def test_of_a_claim_does_not_exist(self):
        with pytest.raises(lakes.NoLake, match="claimed"):
            market_data.lake_of("claimed")

    def test_in_an_object_store_takes_its_options_from_the_environment(self, settings, monkeypatch):
        settings.LAKE_URL = "s3://bucket/lake"
        monkeypatch.setenv("AWS_REGION", "eu-central-1")

        lake = market_data.lake_of("imported")

        assert lake.path("bars") == "s3://bucket/lake/market/bars"
        assert lake._options["AWS_REGION"] == "eu-central-1"


class TestDataState:
    def test_tells_what_there_is_and_how_old(self, folder):
        take(folder, pl.concat([bars("A", count=5), bars("B", count=3)]))

        state = market_data.get_data_state(source="imported", now=NOW)

        assert (state.first, state.last) == (date(2024, 6, 3), date(2024, 6, 7))
        assert (state.sessions, state.symbols) == (5, 2)
        assert state.age == 15  # sessions from June 7 to July 1
        assert state.versions["bars"] == 5

    def test_of_an_empty_lake_knows_no_age(self):
        state = market_data.get_data_state(source="imported", now=NOW)

        assert (state.first, state.last, state.age, state.sessions) == (None, None, None, 0)

    def test_keeps_realms_apart(self, folder):
        take(folder, bars(), "simulated")

        assert market_data.get_data_state(source="imported", now=NOW).symbols == 0
        assert market_data.get_bars(source="imported").is_empty()
