from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from analytics.calc import data_pack, sessions
from analytics.models import Candidate, Source
from analytics.services import history_index, lakes, thesis_packs
from tests import factories, studies
from tests.factories import NOW, SESSION
from tests.stubs import polygon as wire
from tests.stubs import server

pytestmark = pytest.mark.django_db
NEWS = "/v2/reference/news"


@pytest.fixture
def indexed(db, settings, tmp_path):
    """A market scanned over 76 sessions, and the index of its past stock-days."""
    bars = studies.store_market(settings, tmp_path)
    history_index.record_index(source="imported", now=NOW, report=studies.Report())
    return bars


def newest():
    return Candidate.objects.select_related("batch").order_by("-batch__session", "rank").first()


class TestGetPack:
    def test_carries_denominators_and_neighbours(self, indexed):
        pack = thesis_packs.get_pack(candidate=newest())

        assert data_pack.size(pack) <= data_pack.MOST_BYTES
        assert pack["similarity"][0]["reached"]["n"] > 0
        assert pack["neighbours"]["k"] > 0
        assert {"q05", "q50", "q95"} <= set(pack["neighbours"]["return_14"])

    def test_lists_neighbours_that_had_settled_only(self, indexed):
        candidate = newest()
        session = candidate.batch.session

        nearest = thesis_packs.get_pack(candidate=candidate)["neighbours"]["nearest"]

        ended = [sessions.offset(date.fromisoformat(one["session"]), 14) for one in nearest]
        assert ended
        assert max(ended) < session

    def test_never_reads_the_future(self, indexed, settings):
        candidate = Candidate.objects.select_related("batch").order_by("batch__session", "pk")[60]
        cut = candidate.batch.session
        before = thesis_packs.get_pack(candidate=candidate)
        later = indexed.filter(pl.col("session") > cut).with_columns(
            pl.col("open", "high", "low", "close") * 3.0
        )
        lakes.lake_of("imported").upsert("bars", later.drop("at"))
        tomorrow = NOW + timedelta(days=1)
        history_index.record_index(source="imported", now=tomorrow, report=studies.Report())

        assert thesis_packs.get_pack(candidate=candidate) == before


class TestGetTitles:
    @pytest.fixture
    def stub(self, settings):
        with server.running() as running:
            settings.POLYGON_API_KEY = "key"
            settings.POLYGON_BASE_URL = running.url
            settings.POLYGON_CALLS_PER_MINUTE = 0
            yield running

    def article(self, title, at):
        return {
            "id": title,
            "title": title,
            "published_utc": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "article_url": "https://example.com",
            "publisher": {"name": "Wire"},
            "tickers": ["VIGL"],
        }

    def titles(self, source="imported"):
        return thesis_packs.get_titles(symbol="VIGL", session=SESSION, source=source)

    def test_are_the_newest_first_and_stop_at_the_cut_off(self, stub):
        early, late = datetime(2024, 6, 27, 12, tzinfo=UTC), datetime(2024, 6, 28, 21, tzinfo=UTC)
        stub.on(NEWS, wire.page(self.article("Early", early), self.article("Late", late)))

        assert self.titles() == [
            {"at": "2024-06-28", "title": "Late"},
            {"at": "2024-06-27", "title": "Early"},
        ]
        assert stub.asked[0].query["published_utc.lt"].startswith("2024-06-29T04:00")

    def test_are_none_without_a_provider_a_plan_or_a_real_company(self, stub, settings):
        stub.on(NEWS, wire.NOT_IN_PLAN)

        assert self.titles() is None
        assert self.titles(source=Source.SIMULATED) is None
        settings.POLYGON_API_KEY = ""
        assert self.titles() is None

    def test_go_into_the_pack(self):
        candidate = factories.make_candidate()

        pack = thesis_packs.get_pack(
            candidate=candidate, titles=[{"at": "2024-06-28", "title": "VIGL\njumps"}]
        )

        assert pack["news"] == [{"at": "2024-06-28", "title": "VIGL jumps"}]
