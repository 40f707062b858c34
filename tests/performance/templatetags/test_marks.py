"""Badges by shape and word, intervals as drawings and as text."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analytics.calc import evidence
from performance.calc import freshness as times
from performance.templatetags import marks

MEASURED = evidence.measured(
    value=0.12, n=840, source="imported", as_of=None, method="m", bounds=(0.1, 0.15)
)
MISSING = evidence.insufficient(
    n=12, reason="49 settled sessions, 60 are needed", source="imported"
)


class TestBadge:
    @pytest.mark.parametrize("code", sorted(marks.BADGES))
    def test_has_a_shape_and_a_word_beside_its_colour(self, code):
        shape, word, *_ = marks.BADGES[code]

        assert shape
        assert word
        assert word in marks.badge(code)

    def test_shows_an_unknown_code_as_it_is_and_escapes_it(self):
        assert "&lt;b&gt;" in marks.badge("<b>")

    def test_does_not_take_a_failed_job_for_a_failed_outcome(self):
        assert marks.job_badge("failed") != marks.badge("failed")


class TestFreshness:
    def test_carries_the_instants_that_the_browser_compares(self):
        found = times.of_moment(datetime(2024, 6, 28, 20, 0, tzinfo=UTC))

        said = marks.freshness(found)

        assert 'data-as-of="2024-06-28T20:00:00+00:00"' in said
        assert 'data-due="2024-06-28T20:02:30+00:00"' in said
        assert "LIVE" not in said

    def test_says_that_there_are_no_data(self):
        assert "no data yet" in marks.freshness(None)


class TestEstimateParts:
    def test_gives_value_and_interval_as_percentages(self):
        assert marks.value_of(MEASURED) == "12.0 %"
        assert marks.interval_of(MEASURED) == "95%: 10.0 to 15.0 %"

    def test_gives_signs_to_returns(self):
        loss = replace(MEASURED, value=-0.015, low=-0.03, high=0.0)

        assert marks.value_of(loss, signed=True) == "-1.5 %"
        assert marks.interval_of(loss, signed=True) == "95%: -3.0 to +0.0 %"

    def test_gives_a_dash_and_the_reason_instead_of_a_number(self):
        assert marks.value_of(MISSING) == "–"
        assert marks.interval_of(MISSING) == "49 settled sessions, 60 are needed"
        assert "insufficient data" in marks.status_badge(MISSING)

    def test_labels_a_claim_and_leaves_the_measured_plain(self):
        assert "claimed" in marks.status_badge(evidence.claimed(value=0.73, n=15))
        assert marks.status_badge(MEASURED) == ""


class TestIntervalPlot:
    def test_draws_whisker_and_dot_inside_the_scale(self):
        drawn = marks.interval_plot(MEASURED, 0.0, 0.5, "measured")

        assert 'class="whisker" x1="50.4" x2="73.6"' in drawn
        assert 'aria-hidden="true"' in drawn

    def test_draws_nothing_where_there_is_no_value(self):
        assert marks.interval_plot(MISSING, 0.0, 0.5, "measured") == ""


class TestDurationsAndGates:
    @pytest.mark.parametrize(
        ("value", "said"), [(None, "–"), (0.44, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s")]
    )
    def test_tells_durations(self, value, said):
        assert marks.seconds(value) == said

    @pytest.mark.parametrize(
        ("value", "said"), [(None, "–"), ("none", "none"), (1234567.0, "1.23 M"), (2.94, "2.94")]
    )
    def test_tells_what_a_gate_saw(self, value, said):
        assert marks.gate_value(value) == said
