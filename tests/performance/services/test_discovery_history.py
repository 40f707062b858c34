from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import DiscoveryBatch
from performance.models import BatchAnalysis, DiscoveryHistory
from performance.services import discovery_analysis, discovery_history, tracking
from tests import factories
from tests.factories import NOW
from tests.performance.services.conftest import SCANNED, day, scan

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
DECILES = [[0] * 6] * 10


@pytest.fixture
def settled(market):
    market.store()
    scan()
    tracking.settle_outcomes(source="imported", now=NOW)


def analysis(end=120, days_back=20, **fields):
    return discovery_analysis.get_discovery_analysis(
        end=day(end), days_back=days_back, source="imported", **fields
    )


def refresh(now=LATER):
    return discovery_analysis.refresh_histories(source="imported", now=now)


def since(found):
    return [variant.history_computed_at for variant in found.variants]


def plain(found):
    """The analysis without the time at which its history was stored."""
    return replace(
        found, variants=[replace(each, history_computed_at=None) for each in found.variants]
    )


class TestStored:
    @pytest.mark.parametrize("days_back", [7, 60, 400])
    def test_gives_the_very_figures_that_are_computed(self, settled, days_back):
        computed = analysis(days_back=days_back)

        refresh()

        read = analysis(days_back=days_back)
        assert since(computed) == [None, None]
        assert since(read) == [LATER, LATER]
        assert read.variants[0].history.all_rows.explosive.n > 0
        assert plain(read) == computed

    def test_reads_the_rows_of_the_window_only(self, settled):
        refresh()

        with CaptureQueriesContext(
            connection,
        ) as queries:
            analysis(days_back=7, variant="A")

        (rows,) = [each["sql"] for each in queries if "by_decile" in each["sql"]]
        assert str(day(120) - timedelta(days=7)) in rows

    def test_twice_changes_nothing(self, settled):
        assert refresh() == 2

        assert refresh(LATER + timedelta(hours=1)) == 0

        assert since(analysis()) == [LATER, LATER]

    def test_of_one_variant(self, settled):
        refresh()

        (only,) = analysis(variant="B").variants
        assert (only.variant, only.history_computed_at) == ("B v1", LATER)


class TestNotStored:
    def test_before_the_end_of_the_history(self, settled):
        refresh()

        found = analysis(end=SCANNED[0] + 20)

        assert since(found) == [None, None]
        assert found.variants[0].history_sessions == (day(SCANNED[0]), day(SCANNED[0] + 20))

    def test_after_an_analysis_has_changed(self, settled):
        refresh()
        row = BatchAnalysis.objects.complete().filter(batch__variant__name="A").first()
        row.settled, row.no_entry = row.settled - 1, row.no_entry + 1
        row.first_settled = row.first_explosive = row.first_positive_14 = 0
        row.explosive = row.explosive_held = row.positive_14 = row.delisted = 0
        row.updated_at = LATER
        row.save()

        found = analysis()

        assert since(found) == [None, LATER]
        assert found.variants[0].history.all_rows.explosive.n == sum(
            BatchAnalysis.objects.complete()
            .filter(batch__variant__name="A")
            .values_list("settled", flat=True)
        )

    def test_after_a_batch_was_superseded(self, settled):
        refresh()
        newest = DiscoveryBatch.objects.filter(variant__name="A", session=day(SCANNED[1] - 1))
        assert newest.update(is_current=False) == 1

        assert since(analysis()) == [None, LATER]

    def test_when_it_was_computed_by_another_formula(self, settled):
        refresh()
        DiscoveryHistory.objects.update(formula=discovery_history.FORMULA + 1)

        assert since(analysis()) == [None, None]

    def test_without_a_complete_session(self):
        factories.make_analysis(is_complete=False, is_final=False, by_decile=DECILES)

        assert refresh() == 0

    def test_of_another_source(self, settled):
        refresh()
        factories.make_analysis(batch=factories.make_batch(source="simulated"), by_decile=DECILES)

        found = discovery_analysis.get_discovery_analysis(
            end=NOW.date(), days_back=7, source="simulated"
        )

        assert since(found) == [None]
