"""A stored detector report and exit rules for tests."""

from datetime import date, timedelta
from functools import cache
from typing import Any

from analytics.models import DetectorReport, ExitRule
from tests.analytics.calc import test_detector_report as small
from tests.factories import NOW


@cache
def result() -> dict[str, Any]:
    """Figures of a small market that nobody has seen."""
    return small.make_report()


def make_report(**fields: Any) -> DetectorReport:
    wanted: dict[str, Any] = {
        "first": date(2021, 6, 1),
        "last": date(2022, 6, 30),
        "untouched_year": 2022,
        "parameters": {"variants": {"A": "A v1", "B": "B v1"}, "rules": [], "costs": {}},
        "result": result(),
        "digest": "d" * 32,
        "lake_versions": {"bars": 3},
        "code_revision": "0123456789abcdef",
        "seconds": 10.0,
        "created_at": NOW - timedelta(seconds=10),
        "finished_at": NOW,
        "source": "imported",
    }
    return DetectorReport.objects.create(**{**wanted, **fields})


def make_rule(**fields: Any) -> ExitRule:
    return ExitRule.objects.create(**{"name": "time stop 5", "time_stop": 5, **fields})
