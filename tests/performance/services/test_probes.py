from datetime import timedelta

import pytest
from django.db import DatabaseError

from analytics.calc.health import Component, Status
from analytics.services import lakes
from performance.models import HealthMetric
from performance.services import probes
from performance.services.probes import Probe
from tests.factories import NOW
from tests.health_rows import make_metric

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


def probe(name, status="HEALTHY", reason="", **figures):
    def measured(_now):
        return Component(name=name, status=Status(status), reason=reason, figures=figures)

    return Probe(component=name, measure=measured, weight=1, recommendation="Look.")


def broken(name, error):
    def measured(_now):
        raise error

    return Probe(component=name, measure=measured, weight=1, recommendation="Look.")


class TestMeasure:
    def test_goes_on_when_a_probe_breaks(self):
        found = probes.measure(
            now=NOW, probes=[broken("disk", RuntimeError("boom")), probe("e-mail")]
        )

        assert [part.status for part in found.components] == ["UNKNOWN", "HEALTHY"]
        assert "RuntimeError" in found.components[0].reason
        assert (found.score.known, found.score.unknown) == (1, 1)

    def test_takes_a_database_error_for_nothing_measured(self):
        found = probes.measure(now=NOW, probes=[broken("thesis", DatabaseError())])

        assert found.components[0].status == "UNKNOWN"

    def test_asks_nothing_more_where_the_database_is_down(self):
        asked = []
        late = Probe(component="thesis", measure=asked.append, weight=1, recommendation="Look.")

        found = probes.measure(now=NOW, probes=[probe("database", "CRITICAL", "down"), late])

        assert not asked
        assert found.components[1].status == "UNKNOWN"

    def test_measures_a_fresh_installation_without_inventing_anything(self):
        found = probes.measure(now=NOW)

        by_name = {part.name: part for part in found.components}
        assert by_name["database"].status == "HEALTHY"
        assert by_name["storage"].figures["var_free_bytes"] > 0
        for keyless in ("Polygon", "Alpaca", "Claude", "portfolio", "thesis"):
            assert by_name[keyless].status == "UNKNOWN", keyless
            assert by_name[keyless].reason


class TestRecord:
    def test_stores_each_component_and_the_whole_once(self):
        round_ = probes.measure(now=NOW, probes=[probe("e-mail", failed=0), probe("disk")])

        for _ in range(2):
            probes.record(measured=round_)

        stored = {row.component: row for row in HealthMetric.objects.all()}
        assert set(stored) == {"e-mail", "disk", "overall"}
        assert stored["e-mail"].figures == {"failed": 0}
        assert (stored["overall"].value, stored["overall"].status) == (100.0, "HEALTHY")

    def test_says_that_a_whole_in_trouble_is_critical_and_where(self):
        bad = probe("disk", "CRITICAL", "full")
        probes.record(measured=probes.measure(now=NOW, probes=[bad, probe("e-mail")]))

        whole = HealthMetric.objects.get(component="overall")
        assert (whole.status, whole.value) == ("CRITICAL", 50.0)
        assert "disk" in whole.reason

    def test_forgets_what_is_old(self):
        make_metric(measured_at=NOW - timedelta(days=91))

        probes.record(measured=probes.measure(now=NOW, probes=[probe("disk")]))

        assert not HealthMetric.objects.filter(measured_at__lt=NOW).exists()

    def test_knows_nothing_where_nothing_could_be_measured(self):
        unknown = probe("disk", "UNKNOWN", "no disk")
        probes.record(measured=probes.measure(now=NOW, probes=[unknown]))

        whole = HealthMetric.objects.get(component="overall")
        assert (whole.value, whole.status) == (None, "UNKNOWN")
