"""The mission's initialisation script."""

from io import StringIO

import pytest
from django.core.management import call_command

from performance.models import TimingAnalysis


def initialise() -> str:
    out = StringIO()
    call_command("init_performance_analytics_db", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestInitPerformanceAnalyticsDb:
    def test_says_what_it_stored(self):
        told = initialise()

        assert "Baseline: June-July 2024 stored" in told
        assert "Reference patterns: VIGL, CRWV, AEVA stored" in told
        assert "Variants: A, B, C stored" in told
        assert "Timing reference: VIGL stored" in told
        assert "Password (shown this once)" in told

    def test_keeps_everything_the_second_time(self):
        initialise()

        told = initialise()

        assert "stored" not in told
        assert "Password" not in told

    def test_stores_the_timing_reference_as_a_claim(self):
        initialise()

        row = TimingAnalysis.objects.get()
        assert (row.symbol, row.delay, row.source) == ("VIGL", 0, "claimed")
        assert row.trade is None
