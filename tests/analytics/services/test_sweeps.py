import numpy as np
import pytest

from analytics.models import SweepSet, Trial, Variant, WeightSweep
from analytics.services import study_kinds, sweep_results, sweeps
from analytics.services.job_registry import get_kind
from analytics.services.sweeps import NothingToSweep
from tests import factories, studies
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def bars(db, settings, tmp_path):
    return studies.store_market(settings, tmp_path, scan=False)


def run(report=None, **arguments):
    wish = sweeps.wish_of({"source": "imported", "sets": 20, "top": 3, **arguments})
    return sweeps.record_sweep(wish=wish, now=NOW, report=report or studies.Report())


class TestRecordSweep:
    def test_stores_every_set_with_the_variants_among_them(self, bars):
        sweep = run()

        assert sweep.results.count() == sweep.sets == 20
        own = sweep.results.exclude(label="")
        assert {one.label for one in own} == {"A v1", "B v1"}
        assert own.get(label="B v1").weights == Variant.objects.get(name="B").weights
        places = sweep.results.order_by("place").values_list("mean_net_return", flat=True)
        assert list(places) == sorted(places, reverse=True)

    def test_is_the_same_for_the_same_seed(self, bars):
        first, again = (
            list(run(seed=4).results.order_by("number").values_list("mean_net_return", "picks"))
            for _ in range(2)
        )

        assert first == again

    def test_says_when_history_is_too_short_to_validate(self, bars):
        sweep = run()

        assert sweep.overfitting is None
        assert "too few" in sweep.overfitting_note

    def test_stores_the_probability_of_overfitting(self, bars, monkeypatch):
        monkeypatch.setattr(sweeps, "WINDOW_PURGE", 2)

        sweep = run()

        assert sweep.splits == len(sweep.logits) == 70
        assert sweep.overfitting == pytest.approx(np.mean(np.array(sweep.logits) <= 0))

    def test_writes_every_look_into_the_ledger(self, bars):
        run()
        run()

        assert Trial.objects.count() == 40
        assert Trial.objects.values("key").distinct().count() == 20

    def test_takes_slippage_off_beside_the_costs(self, bars):
        plain = run()
        Variant.objects.update(slippage_bp=100)
        dear = run()

        assert dear.cost == pytest.approx(plain.cost + 0.01)
        worse = dear.results.get(number=5).mean_net_return
        assert worse < plain.results.get(number=5).mean_net_return

    def test_says_how_far_it_is(self, bars):
        report = studies.Report()

        run(report)

        assert report.said[0][2] == "reading history"
        assert report.said[-1] == (20, 20, "weight sets")

    def test_needs_a_variant_and_rows(self, bars):
        with pytest.raises(NothingToSweep, match="variant"):
            run(variant=999)
        Variant.objects.update(min_close=40)
        with pytest.raises(NothingToSweep, match="gates"):
            run()

    def test_runs_as_a_job(self, bars):
        kind = get_kind(study_kinds.SWEEP)

        result = kind.work({"source": "imported", "sets": 5}, studies.Report())

        assert WeightSweep.objects.get(pk=result["sweep"]).sets == 5


class TestDraft:
    def test_has_the_weights_of_the_set_and_the_gates_of_its_variant(self):
        frozen = factories.make_batch(variant=factories.make_variant(max_close=6)).variant
        chosen = studies.make_set(sweep=studies.make_sweep(variant=frozen))

        draft = sweep_results.record_draft(chosen=chosen)

        assert not draft.active
        assert draft.max_close == 6
        assert draft.weights == chosen.weights
        assert not draft.batches.exists()

    def test_changes_no_variant_that_is_there(self):
        chosen = studies.make_set()
        before = list(Variant.objects.values())

        drafts = {sweep_results.record_draft(chosen=chosen).pk for _ in range(2)}

        assert len(drafts) == 1
        assert list(Variant.objects.exclude(pk__in=drafts).values()) == before


class TestHeatMap:
    def test_averages_the_sets_of_a_square(self):
        sweep = studies.make_sweep()
        for volume, net in ((0.05, -0.04), (0.07, -0.02), (0.95, 0.01)):
            studies.make_set(sweep=sweep, w_volume=volume, w_momentum=0.05, mean_net_return=net)
        studies.make_set(sweep=sweep, label="A v1", w_volume=0.05, w_momentum=0.05)

        found = sweep_results.get_heat_map(sweep=sweep)

        low, high = found.rows[0][1][0], found.rows[4][1][0]
        assert (low.sets, low.shade) == (2, 1)
        assert low.mean_net_return == pytest.approx(-0.03)
        assert (high.sets, high.shade) == (1, 5)
        assert found.rows[2][1][2].sets == 0

    def test_of_nothing_is_empty(self):
        found = sweep_results.get_heat_map(sweep=studies.make_sweep())

        assert all(cell.sets == 0 for _, cells in found.rows for cell in cells)
        assert SweepSet.objects.count() == 0
