import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.calc import sessions, similarity, similarity_index
from analytics.calc.similarity import Reference
from analytics.models import Candidate, HistoryIndex, ReferencePattern
from analytics.services import (
    discovery,
    history_index,
    lakes,
    panels,
    shape_search,
    similarity_evidence,
)
from analytics.services.history_index import NoIndex
from analytics.services.shape_search import NoSuchShape
from tests import factories, studies
from tests.factories import NOW
from tests.performance.services.conftest import day

pytestmark = pytest.mark.django_db
LATER = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def bars(db, settings, tmp_path):
    return studies.store_market(settings, tmp_path)


def build(now=NOW):
    return history_index.record_index(source="imported", now=now, report=studies.Report(now))


class Plain:
    """Every settled stock-day of the base universe, from a panel, by loops."""

    def __init__(self):
        from analytics.calc import features, market, outcomes

        days = lakes.lake_of("imported").sessions()
        panel = panels.get_panel(source="imported", first=days[0], last=days[-1]).panel
        numbers = np.array([sessions.number(day) for day in days], np.int32)
        reach = outcomes.coverage(numbers, size=sessions.calendar().size)
        seen = market.view(panel, reach=reach, numbers=numbers, extra=np.empty(0, np.int64))
        table = features.of_rows(panel, seen.base)
        reference = Reference(symbol="VIGL", rel_volume=3.0, close=4.0)
        fields = np.stack(
            [
                table["rel_volume"],
                table["short_interest_pct"],
                table["float_shares"],
                panel.close[seen.base],
            ]
        )
        self.alike = similarity.compare(fields, [reference]).value[0]
        self.both = (fields[0] > 0) & (fields[3] > 0)
        self.session = panel.session[seen.base]
        self.known = seen.lean.known[seen.base]
        self.hit = seen.lean.explosive[seen.base]

    def count(self, value, session):
        rows = self.both & self.known & (self.alike >= value)
        rows &= self.session + 14 < sessions.number(session)
        return int(rows.sum()), float(self.hit[rows].mean()) if rows.any() else None


class TestRecordIndex:
    def test_says_what_it_was_built_from(self, bars):
        index = build()

        assert index.as_of == day(129)
        assert index.settled == day(115)
        assert index.lake_versions == lakes.lake_of("imported").versions()
        assert index.references[0]["symbol"] == "VIGL"
        assert index.stock_days > 1000
        assert index.shapes > 1000

    def test_is_not_built_again_from_the_same(self, bars):
        assert build().pk == build(LATER).pk

    def test_is_built_again_for_other_references(self, bars):
        old = build()
        ReferencePattern.objects.update(volume_spike=9.0)

        assert build(LATER).pk != old.pk

    def test_is_built_again_where_its_folder_is_gone(self, bars, settings):
        old = build()
        shutil.rmtree(Path(settings.VAR_DIR) / "history" / old.name)

        assert build(LATER).pk != old.pk

    def test_keeps_two_builds(self, bars, settings):
        for number in range(4):
            ReferencePattern.objects.update(volume_spike=5.0 + number)
            build(datetime(2024, 7, 1 + number, tzinfo=UTC))

        folders = {path.name for path in (Path(settings.VAR_DIR) / "history").iterdir()}
        assert folders == set(HistoryIndex.objects.values_list("name", flat=True))
        assert len(folders) == 2

    def test_needs_bars(self, settings, tmp_path):
        settings.LAKE_URL, settings.VAR_DIR = str(tmp_path / "lake"), str(tmp_path)
        lakes.lake_of("imported").create_all()

        with pytest.raises(NoIndex, match="no imported bars"):
            build()


class TestEvidence:
    def test_counts_what_a_plain_count_counts(self, bars):
        build()
        plain = Plain()

        seen = 0
        picks = Candidate.objects.select_related("batch").order_by("pk")
        for candidate in picks.filter(batch__session__gte=day(95))[:60]:
            found = similarity_evidence.get_evidence(candidate=candidate)
            (one,) = found.of
            n, rate = plain.count(one.similarity, candidate.batch.session)
            assert one.reached.n == n
            if one.reached.value is not None:
                assert one.reached.value == pytest.approx(rate)
                assert one.reached.low <= rate <= one.reached.high
                seen += 1
        assert seen > 5

    def test_counts_only_what_was_settled_before(self, bars):
        build()
        candidate = Candidate.objects.select_related("batch").filter(batch__session=day(50)).first()

        found = similarity_evidence.get_evidence(candidate=candidate).of[0]

        assert found.reached.n == Plain().count(found.similarity, day(50))[0]
        assert found.reached.as_of is None or found.reached.as_of <= day(35)
        assert found.reached.status == "insufficient_data"  # 35 sessions had settled

    def test_labels_a_partial_one_and_the_reference_itself(self, bars):
        build()
        candidate = Candidate.objects.select_related("batch").last()
        candidate.symbol = "VIGL"

        found = similarity_evidence.get_evidence(candidate=candidate).of[0]

        assert found.partial
        assert found.coverage == pytest.approx(0.5)
        assert found.fields == ["rel_volume", "close"]
        assert found.by_construction

    def test_says_that_there_is_no_index_yet(self, settings, tmp_path):
        settings.VAR_DIR = str(tmp_path)

        found = similarity_evidence.get_evidence(candidate=factories.make_candidate())

        assert found.of == []
        assert "not built yet" in found.reason

    def test_is_quick(self, bars):
        from time import perf_counter

        build()
        candidate = Candidate.objects.select_related("batch").last()
        similarity_evidence.get_evidence(candidate=candidate)

        took = []
        for _ in range(20):
            begun = perf_counter()
            similarity_evidence.get_evidence(candidate=candidate)
            took.append(perf_counter() - begun)
        assert np.median(took) < 0.02  # 5 ms on a quiet machine: benchmarks/bench_similarity.py


class TestShapeSearch:
    def search(self, symbol="S00", at=110, **fields):
        asked = {"symbol": symbol, "session": day(at), "source": "imported", "k": 30}
        return shape_search.get_search(**asked | fields)

    @pytest.fixture
    def whole(self, bars):
        """A stock whose last 20 sessions all traded, by its place in the calendar."""
        build()
        for number in range(40):
            own = bars.filter((bars["symbol"] == f"S{number:02d}") & bars["at"].is_between(91, 110))
            if own.height == 20:
                return f"S{number:02d}"
        raise AssertionError("no such stock")

    def test_gives_outcomes_and_chance(self, whole):
        found = self.search(whole)

        assert found.k == 30
        assert found.explosive.n == 30
        assert 0 <= found.null.low <= found.null.mean <= found.null.high <= 1
        levels = list(found.return_14.values())
        assert levels == sorted(levels)
        assert len(found.neighbours) == 20

    def test_finds_nothing_that_had_not_settled(self, whole):
        found = self.search(whole)

        assert max(one.session for one in found.neighbours) < day(96)

    def test_names_the_outcomes_of_its_neighbours(self, whole, bars):
        one = self.search(whole).neighbours[0]
        own = bars.filter(bars["symbol"] == one.symbol).sort("at")
        at = next(k for k in range(130) if day(k) == one.session)
        entry = own.filter(own["at"] == at + 1)["open"][0]
        last = own.filter(own["at"].is_between(at + 1, at + 14))["close"][-1]

        assert one.return_14 == pytest.approx(last / entry - 1, abs=1e-5)

    @pytest.mark.parametrize(
        ("symbol", "at"), [("NOPE", 110), ("SPY", 110), ("S00", 5)], ids=["unknown", "ETF", "young"]
    )
    def test_refuses_what_has_no_shape(self, bars, symbol, at):
        build()

        with pytest.raises(NoSuchShape):
            self.search(symbol, at)

    def test_of_a_reference_needs_its_signal_session(self, bars):
        build()

        with pytest.raises(NoSuchShape, match="signal session of VIGL"):
            shape_search.get_of_reference(reference="VIGL", source="imported", k=10)

    def test_of_a_reference_is_that_of_its_run_up(self, whole):
        ReferencePattern.objects.create(symbol=whole, gain=1, signal_session=day(110))

        found = shape_search.get_of_reference(reference=whole, source="imported", k=30)

        assert found == self.search(whole)


class TestDetector:
    def test_knows_nothing_of_the_index(self):
        import grimp

        graph = grimp.build_graph("analytics", include_external_packages=False)
        reached = graph.find_upstream_modules("analytics.services.discovery")

        assert similarity_index.__name__ not in reached
        assert history_index.__name__ not in reached
        assert discovery.__name__ not in reached
