from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analytics.clients import sample
from analytics.models import ImportRun, Security, Source
from analytics.services import lakes, sample_market

END = date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)
SMALL = {"symbols": 30, "years": 1, "seed": 7}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")


def load(**changed):
    return sample_market.load_sample_market(**{"end": END, "now": NOW, **SMALL, **changed})


class TestLoadSampleMarket:
    def test_stores_every_data_set_in_the_simulated_lake_only(self):
        load()

        drawn = sample.draw(end=END, symbols=30, years=1)
        lake = lakes.lake_of(Source.SIMULATED)
        for table in ("bars", "splits", "short_interest", "shares"):
            frame = getattr(drawn, table)
            assert_frame_equal(lake.read(table), frame, check_column_order=False)
        assert lakes.lake_of(Source.IMPORTED).is_empty("bars")

    def test_lists_each_period_with_what_is_stated_about_it(self):
        load()

        drawn = sample.draw(end=END, symbols=30, years=1).securities
        fields = list(drawn.columns)
        stored = Security.objects.order_by("symbol", "first_session").values_list(*fields)
        assert list(stored) == drawn.sort("symbol", "first_session").rows()

    def test_says_what_is_there(self):
        loaded = load()

        assert loaded.created
        assert loaded.symbols == 29  # one ticker is used twice
        assert (loaded.first, loaded.last) == (date(2023, 6, 30), END)

    def test_keeps_what_is_there_on_a_second_run(self):
        load()
        before = lakes.lake_of(Source.SIMULATED).versions()
        again = load(end=date(2024, 7, 1), seed=8)

        assert not again.created
        assert again.last == END
        assert lakes.lake_of(Source.SIMULATED).versions() == before
        assert ImportRun.objects.count() == 1

    def test_finishes_what_a_killed_load_began(self, monkeypatch):
        def killed(**_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(sample_market.listings, "refresh_symbols", killed)
            with pytest.raises(KeyboardInterrupt):
                load()
        assert Security.objects.count() == 0

        resumed = load(end=date(2024, 7, 1), seed=8)

        assert resumed.created
        assert resumed.last == END
        assert Security.objects.count() == 30
        assert ImportRun.objects.get().state == ImportRun.State.DONE

    def test_rebuilds_the_same_market_when_the_lake_is_gone(self, settings, tmp_path):
        load()
        first = lakes.lake_of(Source.SIMULATED).read("bars")
        settings.LAKE_URL = str(tmp_path / "fresh")

        load(end=date(2024, 7, 1))

        assert_frame_equal(lakes.lake_of(Source.SIMULATED).read("bars"), first)

    def test_lists_the_securities_of_a_lake_that_outlived_its_database(self):
        load()
        ImportRun.objects.all().delete()
        Security.objects.all().delete()

        kept = load()

        assert not kept.created
        assert Security.objects.filter(source=Source.SIMULATED).count() == 30

    def test_stores_nothing_of_a_market_it_cannot_draw(self):
        with pytest.raises(ValueError, match="listings"):
            load(symbols=3)

        assert not ImportRun.objects.exists()
        assert lakes.lake_of(Source.SIMULATED).is_empty("bars")

    def test_files_no_symbol_list_as_an_assumption(self):
        load()

        lists = lakes.lake_of(Source.SIMULATED).read("symbols")
        assert lists["assumed"].unique().to_list() == [False]
        assert lists.filter(pl.col("kind") == "unknown").is_empty()


class TestRecipe:
    def test_reads_what_it_wrote(self):
        recipe = sample_market.Recipe(end=END, symbols=30, years=1, seed=7)

        assert sample_market.Recipe.read(str(recipe)) == recipe
