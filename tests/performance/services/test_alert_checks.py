from datetime import timedelta

import pytest

from analytics.calc import sessions
from analytics.models import Alert
from performance.services import alert_checks
from tests import factories, order_rows
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def check(now=NOW):
    return alert_checks.check(source="imported", now=now)


def standing():
    return {(alert.kind, alert.severity) for alert in Alert.objects.standing()}


class TestThresholds:
    def test_of_the_mission_are_crossed_once_and_come_back(self):
        factories.make_metric(name="win_rate", value=0.38)
        factories.make_metric(name="average_return", value=-0.1, low=-0.2, high=0.1)

        assert check().raised == 1
        assert check(LATER).raised == 0
        assert standing() == {("win_rate", "critical")}

        factories.make_metric(as_of=SESSION + timedelta(days=1), value=0.41)
        assert check(LATER).resolved == 1

    def test_of_the_summary_are_warnings(self):
        factories.make_summary(
            period_days=90, discovery_quality=69.9, thesis_accuracy=0.59, timing_score=10.0
        )

        check()

        assert standing() == {("discovery_quality", "warning"), ("thesis_accuracy", "warning")}

    def test_are_neither_crossed_nor_resolved_without_data(self):
        factories.make_metric(value=0.38)
        check()
        factories.make_metric(
            as_of=SESSION + timedelta(days=1),
            value=None,
            low=None,
            high=None,
            status="insufficient_data",
            reason="3 trades",
        )

        observed = check(LATER)

        assert (observed.raised, observed.resolved) == (0, 0)
        assert standing() == {("win_rate", "critical")}

    def test_of_the_sample_market_do_not_speak_for_the_real_one(self):
        factories.make_metric(value=0.2, low=0.1, source="simulated", status="simulated")

        assert check().raised == 0


class TestRisk:
    def test_a_position_to_be_liquidated_stands_while_it_is_held(self):
        position = factories.make_position(symbol="VIGL")
        order_rows.make_advice(account=position.account, advice="LIQUIDATE", reason="-31 %")
        assert check().raised == 1
        assert standing() == {("critical_loss", "critical")}

        position.delete()
        assert check(LATER).resolved == 1

    def test_a_broken_rule_is_told_once_and_stays_until_somebody_resolves_it(self):
        order_rows.make_breach()

        assert check().raised == 1
        assert check(LATER).raised == 0
        assert standing() == {("risk_breach", "warning")}

    @pytest.mark.parametrize("old", ["found_at", "opened_at"])
    def test_an_old_breach_is_no_news(self, old):
        order_rows.make_breach(**{old: NOW - timedelta(days=31)})

        assert check().raised == 0


class TestPatterns:
    def test_of_the_newest_session_are_raised_and_those_before_resolved(self):
        batch = factories.make_batch()
        factories.make_candidate(batch=batch, symbol="LOUD", volume_alert=True, rel_volume=16.0)
        factories.make_candidate(
            batch=batch, symbol="LIKE", rank=2, volume_alert=True, vigl_pattern=True
        )
        factories.make_candidate(batch=batch, symbol="CALM", rank=3)

        assert check().raised == 2
        assert standing() == {("volume", "info"), ("vigl_pattern", "warning")}

        factories.make_batch(session=sessions.offset(SESSION, 1), variant=batch.variant)
        check(LATER)
        assert standing() == set()
