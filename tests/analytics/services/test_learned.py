from datetime import UTC, datetime, time

import pytest
from django.db import IntegrityError, transaction

from analytics.calc import learned_fit, sessions
from analytics.calc.candidates import NO_MODEL
from analytics.models import (
    Candidate,
    DiscoveryBatch,
    LearnedModel,
    ResearchSheet,
    Security,
    Source,
    Trial,
    VariantKind,
)
from analytics.services import (
    backtesting,
    detector_lists,
    discovery,
    feature_evidence,
    lakes,
    learned,
    learned_models,
)
from tests import markets
from tests.factories import make_variant

MARKET = markets.make_market(seed=5, symbols=40, length=150, split=0.004)
LAST = MARKET.sessions[-1]
NOW = datetime.combine(LAST, time(22, 0), tzinfo=UTC)


class Report:
    def now(self):
        return NOW

    def progress(self, current, total=None, message=""):
        pass


@pytest.fixture
def variant(settings, tmp_path, monkeypatch):
    """A learned variant over a small market, on which a few hundred rows are enough."""
    monkeypatch.setattr(learned_fit, "FEWEST_ROWS", 60)
    monkeypatch.setattr(learned_fit, "FEWEST_EXPLOSIVE", 2)
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of(Source.IMPORTED), source=Source.IMPORTED)
    Security.objects.bulk_create(
        Security(**row, source=Source.IMPORTED) for row in MARKET.securities.to_dicts()
    )
    return make_variant(
        name="C", title="learned", kind=VariantKind.LEARNED, min_rel_volume=0, max_float=1e12,
        min_coverage=0.2, w_volume=0, w_momentum=0, w_float=0, w_short_interest=0,
    )  # fmt: skip


def fit(**changed):
    return learned.record_models(
        **{"source": "imported", "now": NOW, "report": Report(), **changed}
    )


@pytest.mark.django_db
class TestRecordModels:
    def test_stores_a_model_a_month_once(self, variant):
        [first] = fit()
        [again] = fit()

        rows = learned_models.get_rows(variant=variant, source="imported")
        months = [f"{row.usable_from:%Y-%m}" for row in rows]
        assert first.new == len(rows) == len(set(months)) > 3
        assert (again.new, again.kept, again.reason) == (0, first.new, "")

    def test_the_one_of_the_month_ahead_is_usable_from_the_next_session(self, variant):
        fit()

        newest = LearnedModel.objects.newest_first().first()
        assert newest.usable_from == sessions.offset(LAST, 1)

    def test_long_after_the_data_ended_no_month_is_ahead(self, variant):
        fit(now=datetime(2023, 1, 1, tzinfo=UTC))

        assert LearnedModel.objects.newest_first().first().usable_from <= LAST

    def test_a_card_says_what_it_was_made_of(self, variant):
        fit()

        card = LearnedModel.objects.newest_first().first()
        assert card.train_last < card.usable_from
        assert 0 < card.explosive < card.rows
        assert set(card.importances) == set(card.features)
        assert card.lake_versions == lakes.lake_of("imported").versions()
        assert card.digest == learned_models.load(card).digest
        assert card.metrics["base_rate"] > 0

    def test_says_why_there_is_none(self, variant, monkeypatch):
        monkeypatch.setattr(learned_fit, "FEWEST_ROWS", 10**6)

        [told] = fit()

        assert told.new == 0
        assert "a model needs 1,000,000" in told.reason
        assert not LearnedModel.objects.exists()

    def test_without_a_learned_variant_there_is_nothing_to_fit(self, db):
        make_variant()
        with pytest.raises(learned.NothingToFit, match="no active learned variant"):
            fit()

    def test_a_model_that_saw_what_it_scores_is_refused(self, variant):
        fit()
        card = LearnedModel.objects.newest_first().first()
        with pytest.raises(IntegrityError), transaction.atomic():
            LearnedModel.objects.filter(pk=card.pk).update(train_last=card.usable_from)


@pytest.mark.django_db
class TestDiscovery:
    def test_without_a_model_the_batch_says_why(self, variant):
        discovery.record_batch(session=LAST, source="imported", now=NOW)

        batch = DiscoveryBatch.objects.get()
        assert (batch.candidate_count, batch.note, batch.model_digest) == (0, NO_MODEL, "")

    def test_ranks_by_the_newest_model_and_explains_itself(self, variant):
        fit()
        discovery.record_batch(session=LAST, source="imported", now=NOW)

        usable = LearnedModel.objects.filter(usable_from__lte=LAST)
        batch, newest = DiscoveryBatch.objects.get(), usable.newest_first().first()
        best = Candidate.objects.order_by("rank").first()
        assert (batch.model_digest, batch.note) == (newest.digest, "")
        assert best.p_explosive == pytest.approx(best.score / 100)
        assert "base" in best.contributions
        assert set(best.contributions) - {"base"} <= set(newest.features)

    def test_a_model_that_came_later_supersedes_the_empty_batch(self, variant):
        discovery.record_batch(session=LAST, source="imported", now=NOW)
        fit()

        again = discovery.record_batch(session=LAST, source="imported", now=NOW)

        assert again.superseded == 1
        assert discovery.record_batch(session=LAST, source="imported", now=NOW).unchanged == 1

    def test_explains_a_symbol(self, variant):
        fit()
        discovery.record_batch(session=LAST, source="imported", now=NOW)
        best = Candidate.objects.order_by("rank").first()

        told = discovery.get_explanation(symbol=best.symbol, session=LAST, source="imported")

        assert told.verdicts[0].score == pytest.approx(best.score)

    def test_models_of_another_realm_are_not_asked(self, variant):
        fit()
        assert discovery.rules_of(variant, source="simulated").models == []


@pytest.mark.django_db
class TestLists:
    def test_give_the_probability(self, variant):
        fit()

        found = detector_lists.get_lists(source="imported", now=NOW)

        first = LearnedModel.objects.order_by("usable_from").first().usable_from
        assert found["session"].min() >= first
        assert found["p"].null_count() == 0
        assert found["rank"].max() <= 50


@pytest.mark.django_db
class TestBacktest:
    def test_takes_the_learned_variant_like_any_other(self, variant):
        make_variant()
        fit()

        run = backtesting.record_backtest(
            question=backtesting.Question(source="imported"),
            clock=lambda: NOW,
            on_progress=lambda *_said: None,
        )

        assert set(run.result) == {"B v1", "C v1"}
        told = run.parameters["variants"]["C v1"]
        assert told["models"] == [
            row.digest for row in learned_models.get_rows(variant=variant, source="imported")
        ]
        assert "models" not in run.parameters["variants"]["B v1"]


@pytest.mark.django_db
class TestEvidence:
    def test_stores_a_sheet_of_every_feature(self, variant):
        made = feature_evidence.record_evidence(source="imported", now=NOW, report=Report())

        assert made.result["volatility_20"][-1]["period"] == "all"
        assert made.result["fails_pct"][-1]["reason"].startswith("known on 0")
        subject = ResearchSheet.Subject.FEATURES
        assert feature_evidence.get_newest(subject=subject, source="live") == made

    def test_every_design_tried_enters_the_ledger(self, variant, monkeypatch):
        from analytics.calc import learned_designs

        few = {name: learned_designs.TRIED[name] for name in ("logistic", "volatility alone")}
        monkeypatch.setattr(learned_designs, "TRIED", few)

        made = feature_evidence.record_trials(source="imported", now=NOW, report=Report())

        assert set(made.result["designs"]) == set(few)
        keys = set(Trial.objects.values_list("key", flat=True))
        assert len(keys) == len(few) + 2  # and those of percentiles, tried before
        assert made.result["overfitting"]["status"] in {"ok", "insufficient_data"}
