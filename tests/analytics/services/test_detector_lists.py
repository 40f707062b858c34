from datetime import UTC, datetime

import pytest

from analytics.calc import sessions
from analytics.models import Candidate, Security, Source
from analytics.services import detector_lists, discovery, lakes
from tests import markets
from tests.factories import make_reference, make_variant

MARKET = markets.alert_market()
LAST = MARKET.sessions[-1]
NOW = datetime(2022, 1, 3, 22, 0, tzinfo=UTC)


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of(Source.IMPORTED), source=Source.IMPORTED)
    Security.objects.bulk_create(
        Security(**row, source=Source.IMPORTED) for row in MARKET.securities.to_dicts()
    )
    make_reference()
    make_variant()


@pytest.mark.django_db
class TestGetLists:
    def test_names_what_discovery_names(self, lake):
        found = detector_lists.get_lists(source=Source.IMPORTED, now=NOW)

        discovery.record_batch(session=LAST, source=Source.IMPORTED, now=NOW)
        named = Candidate.objects.order_by("rank").values_list("symbol", "rank", "score")
        last = found.filter(session=LAST).select("symbol", "rank", "score")
        assert last.rows() == list(named)
        assert dict(found.schema) == detector_lists.SCHEMA
        assert found["p"].null_count() == found.height > 0

    def test_leaves_out_a_session_that_has_not_closed(self, lake):
        before = sessions.opening(LAST)

        found = detector_lists.get_lists(source=Source.IMPORTED, now=before)

        assert LAST not in found["session"].to_list()
