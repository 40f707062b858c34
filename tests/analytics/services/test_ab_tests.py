from datetime import UTC, date, datetime

import numpy as np
import pytest
from django.db import IntegrityError

from analytics.calc import ab_test, sessions
from analytics.models import (
    DiscoveryBatch,
    Experiment,
    ExperimentReading,
    ExperimentState,
    ShadowPick,
)
from analytics.services import ab_readings, ab_tests, shadow_lists, variants
from analytics.services.ab_tests import InvalidExperiment, NotRunning
from tests import factories, studies
from tests.factories import NOW
from tests.performance.services.conftest import SCANNED, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def bars(db, settings, tmp_path):
    return studies.store_market(settings, tmp_path)


def look_back(now=NOW):
    a, b = studies.variants()
    return ab_tests.record_retrospective(variant_a=a, variant_b=b, source="imported", now=now)


def plain_outcomes(bars):
    """What became of every stock-day, read from the definitions: (peak, held) by key."""
    found = {}
    for symbol, own in bars.group_by("symbol"):
        by_at = {row["at"]: row for row in own.to_dicts()}
        for at in by_at:
            entry = by_at.get(at + 1)
            if at + 14 >= 130 or entry is None or entry["open"] is None:
                continue
            closes = [by_at[at + k]["close"] for k in range(1, 15) if at + k in by_at]
            basis = entry["open"]
            found[symbol[0], at] = (max(closes) / basis - 1, closes[-1] / basis - 1)
    return found


class TestLists:
    def test_are_compared_as_a_plain_reading_compares_them(self, bars):
        a, b = studies.variants()
        lists = shadow_lists.get_lists(
            variants=[a, b], source="imported", first=day(SCANNED[0]), in_time=False
        )

        outcome = plain_outcomes(bars)
        checked = 0
        for place, number in enumerate(lists.paired.session):
            session = sessions.day(int(number))
            at = next(k for k in range(130) if day(k) == session)
            for side, variant in enumerate((a, b)):
                picked = ShadowPick.objects.filter(
                    batch__session=session, batch__variant=variant
                ).values_list("symbol", flat=True)
                known = [outcome[s, at] for s in picked if (s, at) in outcome]
                rates = {
                    "explosive_rate": [peak >= 0.5 for peak, _ in known],
                    "return_14": [held for _, held in known],
                    "win_rate": [held > 0 for _, held in known],
                }
                assert lists.paired.picks[side, place] == len(known)
                for metric, values in rates.items():
                    ours = lists.paired.values[metric][side, place]
                    assert (np.isnan(ours) and not known) or ours == pytest.approx(np.mean(values))
                    checked += bool(known)
        assert checked > 300
        assert lists.settled == sessions.number(day(115))

    def test_count_the_explosive_stock_days_they_caught(self, bars):
        a, b = studies.variants()
        lists = shadow_lists.get_lists(
            variants=[a, b], source="imported", first=day(SCANNED[0]), in_time=False
        )
        recall = lists.paired.values["recall"]

        assert np.nanmin(recall) >= 0
        assert np.nanmax(recall) <= 1
        assert 0.05 < np.nanmean(recall) < 0.95

    def test_made_in_hindsight_do_not_count_in_a_live_experiment(self, bars):
        a, b = studies.variants()
        asked = {"variants": [a, b], "source": "imported", "first": day(SCANNED[0])}

        assert shadow_lists.get_lists(**asked, in_time=True).paired is None
        batch = DiscoveryBatch.objects.filter(session=day(60))
        batch.update(created_at=studies.in_time(day(60)))
        found = shadow_lists.get_lists(**asked, in_time=True).paired
        assert found.session.tolist() == [sessions.number(day(60))]


class TestRetrospective:
    def test_reads_complete_blocks_and_is_labelled(self, bars):
        reading = look_back()

        assert reading.blocks == len(reading.sequence) == 2  # of the 76 sessions, all settled
        assert reading.experiment.mode == "retrospective"
        assert reading.as_of == day(115)
        assert reading.effect == pytest.approx(np.mean([p["block"] for p in reading.sequence]))
        assert reading.low is None
        assert reading.verdict == "NO_DIFFERENCE_YET"
        assert set(reading.metrics) == {"return_14", "win_rate", "recall"}

    def test_is_appended_once_for_the_same_blocks(self, bars):
        first = look_back()

        again = look_back(now=datetime(2024, 7, 1, tzinfo=UTC))

        assert again.pk == first.pk
        assert ExperimentReading.objects.count() == Experiment.objects.count() == 1

    def test_is_nothing_without_batches(self, db, settings, tmp_path):
        studies.store_market(settings, tmp_path, scan=False)

        assert look_back() is None


class TestLive:
    def start(self, **fields):
        a, b = studies.variants()
        for batch in DiscoveryBatch.objects.all():
            DiscoveryBatch.objects.filter(pk=batch.pk).update(
                created_at=studies.in_time(batch.session)
            )
        wanted = {"first_session": day(SCANNED[0]), "variant_a": a, "variant_b": b}
        return studies.make_experiment(**wanted | fields)

    def read(self, experiment):
        reading = ab_readings.record_reading(experiment=experiment, now=NOW)
        experiment.refresh_from_db()
        return reading

    def test_goes_on_until_its_planned_sessions_are_over(self, bars):
        experiment = self.start(planned_sessions=91)  # 76 were read, 14 more settled the last
        assert self.read(experiment).blocks == 2
        assert experiment.state == ExperimentState.RUNNING

        Experiment.objects.update(planned_sessions=90)
        experiment.refresh_from_db()
        self.read(experiment)

        assert experiment.state == ExperimentState.COMPLETED
        assert experiment.ended_at == NOW

    def test_ends_when_it_is_decided(self, bars, monkeypatch):
        experiment = self.start()
        monkeypatch.setattr(ab_test, "verdict", lambda *_, **__: ab_test.Verdict.B_BETTER)

        self.read(experiment)

        assert experiment.state == ExperimentState.DECIDED
        assert "B_BETTER" in experiment.end_reason

    def test_says_nothing_before_its_first_session_has_settled(self, bars):
        experiment = self.start(first_session=day(116))

        assert self.read(experiment) is None

    def test_is_read_every_night_beside_the_look_back(self, bars):
        self.start()

        done = ab_tests.record_all(source="imported", now=NOW)

        assert done == {"experiments": 2, "readings": 2}


class TestRegister:
    def ask(self, **fields):
        wanted = {
            "name": "Weights",
            "variant_a": factories.make_variant(name="A"),
            "variant_b": factories.make_variant(name="B"),
            "source": "imported",
            "minimal_effect": 0.01,
            "planned_sessions": 200,
            "now": NOW,
        }
        return ab_tests.register(**wanted | fields)

    def test_begins_with_the_next_session_to_open(self):
        made = self.ask()  # on Friday evening

        assert made.first_session == date(2024, 7, 1)
        assert made.state == ExperimentState.RUNNING
        assert [rule["name"] for rule in made.rules] == ["A", "B"]

    def test_in_the_morning_begins_the_same_day(self):
        made = self.ask(now=datetime(2024, 6, 28, 12, 0, tzinfo=UTC))

        assert made.first_session == date(2024, 6, 28)

    def test_freezes_both_variants(self):
        made = self.ask()

        assert variants.is_compared(made.variant_a)
        assert variants.is_compared(made.variant_b)
        assert not variants.is_compared(factories.make_variant(name="C"))

    def test_refuses_a_variant_against_itself(self):
        with pytest.raises(InvalidExperiment, match="with itself"):
            self.ask(variant_b=factories.make_variant(name="A"))

    def test_refuses_a_variant_that_is_not_scored(self):
        with pytest.raises(InvalidExperiment, match="active"):
            self.ask(variant_b=factories.make_variant(name="D", active=False))

    def test_refuses_a_second_one_of_the_same_pair(self):
        self.ask()

        with pytest.raises(InvalidExperiment, match="running"):
            self.ask(name="Again")

    def test_refuses_to_start_without_a_plan(self):
        with pytest.raises(InvalidExperiment, match="blocks of history"):
            self.ask(planned_sessions=None)

    def test_takes_the_sessions_of_the_power_calculation(self):
        blocks = 0.007 * np.random.default_rng(1).standard_normal(50)
        studies.make_reading(
            experiment=studies.make_experiment(
                mode="retrospective",
                variant_a=factories.make_variant(name="A"),
                variant_b=factories.make_variant(name="B"),
            ),
            sequence=[{"block": float(block)} for block in blocks],
        )

        made = self.ask(planned_sessions=None)

        assert made.planned_sessions == made.plan["blocks"] * 28 + 14
        last = sessions.offset(made.first_session, made.planned_sessions - 1)
        assert made.plan["answerable_on"] == last.isoformat()


class TestPlan:
    def history(self, spread=0.007, count=50):
        blocks = spread * np.random.default_rng(1).standard_normal(count)
        return studies.make_reading(sequence=[{"block": float(block)} for block in blocks])

    def plan(self, history, effect=0.01):
        return ab_tests.get_plan(
            history=history, minimal_effect=effect, first_session=date(2024, 7, 1)
        )

    def test_says_when_the_question_is_answerable(self):
        plan = self.plan(self.history())

        assert 5 < plan.blocks < 25
        assert plan.answerable_on == sessions.offset(date(2024, 7, 1), plan.sessions - 1)
        assert 0.005 < plan.smallest < 0.03

    def test_says_that_it_is_not(self):
        plan = self.plan(self.history(), effect=0.0001)

        assert plan.blocks is plan.answerable_on is None
        assert "not answerable" in plan.reason

    def test_needs_ten_blocks_of_history(self):
        assert "9 blocks" in self.plan(self.history(count=9)).reason
        assert "0 blocks" in self.plan(None).reason


class TestStop:
    def test_ends_it_and_keeps_what_was_read(self):
        reading = studies.make_reading()

        ab_tests.stop(experiment=reading.experiment, reason="enough", now=NOW)

        reading.experiment.refresh_from_db()
        assert reading.experiment.state == ExperimentState.STOPPED
        assert ab_readings.newest_reading(reading.experiment) == reading
        with pytest.raises(NotRunning):
            ab_tests.stop(experiment=reading.experiment, reason="again", now=NOW)


class TestOverview:
    def test_prefers_a_running_experiment(self):
        old = studies.make_experiment(state="stopped", ended_at=NOW)
        running = studies.make_experiment(name="now")

        found = ab_tests.get_overview(source="imported")

        assert found.current == found.live == running
        assert old != running
        assert found.retrospective is None

    def test_falls_back_to_the_default_pair(self):
        past = studies.make_experiment(mode="retrospective")

        found = ab_tests.get_overview(source="imported")

        assert found.current == found.retrospective == past
        assert "default pair" in found.note

    def test_keeps_sources_apart(self):
        studies.make_experiment(source="simulated")

        assert ab_tests.get_overview(source="imported").current is None


class TestConstraints:
    @pytest.mark.parametrize(
        "fields",
        [
            {"minimal_effect": 0},
            {"level": 1},
            {"mode": "guess"},
            {"state": "stopped"},
            {"planned_sessions": None},
        ],
        ids=str,
    )
    def test_refuse_an_experiment_that_cannot_be(self, fields):
        with pytest.raises(IntegrityError):
            studies.make_experiment(**fields)

    def test_refuse_a_verdict_that_is_none(self):
        with pytest.raises(IntegrityError):
            studies.make_reading(verdict="WINNER")

    def test_let_a_block_be_read_once(self):
        reading = studies.make_reading()

        with pytest.raises(IntegrityError):
            studies.make_reading(experiment=reading.experiment)


class TestDrift:
    def test_is_named_where_the_mean_has_left_its_interval(self):
        assert studies.make_reading(effect=0.03, low=0.0, high=0.02).drifted

    @pytest.mark.parametrize("bounds", [(None, None), (0.0, 0.05)], ids=str)
    def test_is_not_seen_inside_or_without_one(self, bounds):
        assert not studies.make_reading(effect=0.03, low=bounds[0], high=bounds[1]).drifted
