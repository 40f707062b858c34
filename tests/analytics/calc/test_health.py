from datetime import UTC, datetime

import pytest

from analytics.calc.health import Component, Health, Status, of_age, worst

NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)


class TestWorst:
    def test_of_nothing_is_unknown(self):
        assert worst([]) == Status.UNKNOWN

    @pytest.mark.parametrize(
        ("better", "worse"),
        [
            (Status.HEALTHY, Status.UNKNOWN),
            (Status.UNKNOWN, Status.WARNING),
            (Status.WARNING, Status.CRITICAL),
        ],
    )
    def test_decides(self, better, worse):
        assert worst([better, worse]) == worst([worse, better]) == worse


class TestAge:
    @pytest.mark.parametrize(
        ("age", "status"),
        [(None, "UNKNOWN"), (0, "HEALTHY"), (1, "HEALTHY"), (2, "WARNING"), (900, "WARNING")],
    )
    def test_is_never_healthy_when_it_is_not_known(self, age, status):
        assert of_age(age) == status


class TestHealth:
    def test_is_as_bad_as_its_worst_component(self):
        parts = [Component(name=s, status=s) for s in (Status.HEALTHY, Status.WARNING)]

        assert Health(measured_at=NOW, components=tuple(parts)).status == Status.WARNING
