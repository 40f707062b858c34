from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from analytics.calc import detector_report_words, exits, learned_designs
from analytics.models import DetectorReport, Security, Trial
from analytics.services import detector_lists, detector_report, exit_kinds, job_registry, lakes
from tests import detector_reports, factories, markets
from tests.factories import make_job, make_reference, make_variant

NOW = datetime(2022, 12, 30, 22, 0, tzinfo=UTC)
MARKET = markets.make_market(seed=4, symbols=10, length=300, split=0.003)
LIMITS = {"max_close": 50.0, "min_close": 0.01, "min_dollar_volume": 1e4, "min_rel_volume": 0.5}

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    markets.fill_lake(MARKET, lakes.lake_of("imported"), source="imported")
    Security.objects.bulk_create(
        Security(**row, source="imported") for row in MARKET.securities.to_dicts()
    )
    make_reference()
    make_variant(name="A", w_volume=0.0, w_momentum=1.0, w_float=0, w_short_interest=0, **LIMITS)
    make_variant(name="B", w_volume=1.0, w_momentum=0.0, w_float=0, w_short_interest=0, **LIMITS)


def record(**asked):
    return detector_report.record_report(
        **{"source": "imported", "clock": lambda: NOW, "on_progress": lambda *_: None, **asked}
    )


class TestRecordReport:
    def test_stores_every_variant_under_every_rule(self, lake):
        mine = detector_reports.make_rule()

        found = record()

        assert found.result["variants"] == ["A", "B"]
        assert found.result["missing"] == {"C": "no out-of-sample model"}
        names = [*(rule.name for rule in exits.NAMED), mine.name]
        assert found.result["rules"][:-1] == names
        assert [rule["name"] for rule in found.parameters["rules"]] == names
        assert list(found.rules.all()) == [mine]
        assert found.untouched_year == 2022
        assert found.result["verdict"]

    def test_agrees_with_the_lists_it_was_made_of(self, lake):
        lists = detector_lists.get_lists(source="imported", now=NOW)

        found = record()

        own = {scope["key"]: scope for scope in found.result["scopes"]}["2021"]["variants"]["B"]
        listed = lists.filter((pl.col("variant") == "B") & (pl.col("session").dt.year() == 2021))
        assert own["candidates"] == listed.height
        assert found.result["lost"] == 0

    def test_gives_the_same_again_and_counts_it_as_one_look(self, lake):
        first, again = record(), record()

        assert again.digest == first.digest
        assert again.pk != first.pk
        trials = Trial.objects.all()
        assert trials.count() == trials.values("key").distinct().count() == 2 * 5 * 3
        assert first.result["ledger"] == 2 * 5 * 3

    def test_counts_what_was_tried_before(self, lake):
        Trial.objects.create(key="k", sessions=1, created_at=NOW, source="imported")

        assert record().result["ledger"] == 2 * 5 * 3 + 1

    def test_takes_a_learned_variant_where_there_is_one(self, lake, monkeypatch):
        lists = detector_lists.get_lists(source="imported", now=NOW)
        learned = lists.filter(pl.col("variant") == "B").with_columns(
            variant=pl.lit("C"), p=pl.lit(0.1)
        )
        monkeypatch.setattr(
            detector_lists, "get_lists", lambda **_asked: pl.concat([lists, learned])
        )

        found = record()

        assert found.result["missing"] == {}
        own = {scope["key"]: scope for scope in found.result["scopes"]}["before"]["variants"]
        assert own["C"]["precision"] == own["B"]["precision"]
        assert own["C"]["calibration"]["n"] > 100
        designs = len(learned_designs.TRIED)
        assert found.result["ledger"] == 3 * 5 * 2 + designs, "the choice among them was a look"

    def test_adds_the_slippage_of_the_variants_to_the_costs(self, lake):
        make_variant(name="D", slippage_bp=20.0, **LIMITS)

        assert record().parameters["costs"]["rate"] == pytest.approx(0.007)

    def test_refuses_where_nothing_was_listed(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")
        lakes.lake_of("imported").create_all()
        make_variant()

        with pytest.raises(detector_report.NothingListed):
            record()


class TestGetLatest:
    def test_gives_the_newest_of_the_source_and_its_age(self):
        late = factories.NOW + timedelta(hours=2)
        assert detector_report.get_latest(source="imported", now=late) is None
        detector_reports.make_report(source="simulated", finished_at=late)
        newest = detector_reports.make_report(finished_at=late - timedelta(hours=1))
        detector_reports.make_report()

        found = detector_report.get_latest(source="imported", now=late)

        assert found.report == newest
        assert found.age_seconds == pytest.approx(3600)


class TestReplayExits:
    def test_says_what_it_came_to(self, lake):
        class Report:
            now = staticmethod(lambda: NOW)
            progress = staticmethod(lambda *_said: None)

        job = make_job(kind=exit_kinds.REPLAY_EXITS, arguments={"source": "imported"})

        found = job_registry.get_kind(exit_kinds.REPLAY_EXITS).work(
            {"source": "imported"}, Report()
        )

        stored = DetectorReport.objects.get(pk=found["report"])
        assert stored.job == job
        assert found["digest"] == stored.digest
        assert detector_report_words.sentences(stored.result)[-1] in found["message"]
