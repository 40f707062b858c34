import pytest

from analytics.calc.health import Status
from analytics.models import Alert
from analytics.services import lakes
from performance.models import DashboardSummary, EquityDay, HealthMetric, Incident
from performance.services import self_check
from performance.services.self_check import Check
from tests import factories
from tests.factories import NOW, SESSION
from tests.health_rows import make_metric

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def checks():
    return {each.name: each for each in self_check.get_checks(source="imported")}


def trades(*results):
    account = factories.make_account()
    for number, result in enumerate(results):
        factories.make_trade(
            account=account,
            symbol=f"T{number}",
            status="closed",
            opened_session=SESSION,
            closed_session=SESSION,
            opened_at=NOW,
            closed_at=NOW,
            exit_price=3,
            invested=100,
            realised=result,
            unrealised=None,
            open_quantity=0,
        )
    return account


def stored(**values):
    factories.make_summary(period_days=90)
    for name, value in values.items():
        factories.make_metric(name=name, value=value, low=None, high=None)


class TestCheck:
    @pytest.mark.parametrize(
        ("one", "other", "agrees"),
        [
            (0.5, 0.5 + 1e-12, True),
            (0.5, 0.5001, False),
            (None, None, True),
            (None, 0.5, False),
            (0.5, None, False),
        ],
    )
    def test_agrees_where_both_say_the_same(self, one, other, agrees):
        assert Check(name="x", stored=one, plain=other).agrees is agrees


class TestGetChecks:
    def test_counts_trades_by_hand(self):
        trades(60, 10, -20, -30, 0)
        stored(win_rate=0.4, average_return=0.04, median_return=0.0, explosive_growth_rate=0.2)

        found = checks()

        assert found["win_rate"].agrees
        assert found["average_return"].agrees
        assert found["median_return"].agrees
        assert found["explosive_growth_rate"].agrees
        assert found["profit_factor"].plain == pytest.approx(0.7 / 0.5)

    def test_gives_no_figure_of_too_few_trades(self):
        trades(60, 10)
        stored()

        assert checks()["win_rate"].plain is None

    def test_counts_the_candidates_of_the_newest_session(self):
        batch = factories.make_batch(candidate_count=2)
        factories.make_candidate(batch=batch)

        (check,) = checks().values()

        assert (check.stored, check.plain, check.agrees) == (2, 1, False)

    def test_takes_equity_apart(self):
        account = factories.make_account()
        amounts = {"cash": 900, "holdings": 100, "equity": 1000, "equity_at_zero": 1000}
        EquityDay.objects.create(
            account=account, session=SESSION, flow=1000, source="imported", **amounts
        )

        found = checks()

        assert found[f"equity of {account}"].agrees
        assert not found[f"holdings of {account}"].agrees  # there is no position
        assert found[f"equity of {account} from its trades"].agrees

    def test_weighs_the_components_again(self):
        make_metric(value=80.0)
        make_metric(component="database", name="probe", value=0.1)

        assert checks()["health score"].plain == 100.0

    def test_follows_the_formula_of_recovery(self):
        current = {
            "average_return": {"value": 0.26},
            "win_rate": {"value": 11 / 30},
            "explosive_growth_rate": {"value": 0.0},
        }
        factories.make_summary(
            period_days=90,
            recovery_status="BEHIND_SCHEDULE",
            recovery_progress=0.35,
            figures={"recovery": {"current": current}},
        )

        assert checks()["recovery"].agrees


class TestRecord:
    def test_is_an_incident_while_a_figure_is_wrong(self):
        trades(60, 10, -20, -30, 0)
        stored(win_rate=0.6)

        found = self_check.record(source="imported", now=NOW)

        assert found.status == Status.CRITICAL
        assert "win_rate: stored 0.6, computed 0.4" in found.reason
        assert Incident.objects.get().component == "self-check"
        assert Alert.objects.get().severity == "critical"

    def test_closes_it_when_the_figures_agree(self):
        batch = factories.make_batch(candidate_count=1)
        self_check.record(source="imported", now=NOW)
        factories.make_candidate(batch=batch)

        found = self_check.record(source="imported", now=NOW)

        assert found.status == Status.HEALTHY
        assert Incident.objects.get().closed_at == NOW
        assert not Alert.objects.standing().exists()

    def test_knows_nothing_where_there_is_nothing(self):
        assert self_check.record(source="imported", now=NOW).status == Status.UNKNOWN
        assert HealthMetric.objects.get().value == 0
        assert not DashboardSummary.objects.exists()
