from datetime import date
from decimal import Decimal
from math import inf, nan

import pytest

from analytics.calc import evidence, figures

AS_OF = date(2024, 6, 28)


def measured(value, n=840, **more):
    return evidence.measured(
        value=value, n=n, source=more.pop("source", "imported"), as_of=AS_OF, method="x", **more
    )


class TestPercent:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.467, "46.7 %"), (-0.061, "-6.1 %"), (0.0, "0.0 %"), (12.5, "1,250.0 %")],
    )
    def test_turns_a_fraction_into_a_percentage(self, value, text):
        assert figures.percent(value) == text

    def test_of_a_change_carries_its_sign(self):
        assert figures.change(3.24) == "+324.0 %"
        assert figures.change(-0.25) == "-25.0 %"


class TestMissing:
    @pytest.mark.parametrize(
        "form",
        [
            figures.percent,
            figures.change,
            figures.money,
            figures.large,
            figures.large_money,
            figures.times,
            figures.number,
        ],
    )
    @pytest.mark.parametrize("value", [None, nan, inf])
    def test_is_never_shown_as_a_number(self, form, value):
        assert form(value) == figures.MISSING

    def test_counts_and_days_are_missing_too(self):
        assert figures.count(None) == figures.day(None) == figures.MISSING


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (957.5, "$957.50"),
            (Decimal("2.94"), "$2.94"),
            (0.0312, "$0.0312"),
            (0, "$0.00"),
            (-1234.5, "-$1,234.50"),
        ],
    )
    def test_has_cents_and_four_decimals_below_a_dollar(self, value, text):
        assert figures.money(value) == text


class TestLarge:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(999, "999"), (1_234_567, "1.23 M"), (2.5e9, "2.50 B"), (-1500, "-1.50 k")],
    )
    def test_is_shortened(self, value, text):
        assert figures.large(value) == text

    def test_money_keeps_its_sign_of_dollars(self):
        assert figures.large_money(500_000) == "$500.00 k"


class TestEstimate:
    def test_stands_with_n_and_interval(self):
        shown = figures.estimate(measured(0.123, bounds=(0.098, 0.151)))

        assert shown == "12.3 % (n = 840; 95 %: 9.8 to 15.1 %)"

    def test_without_an_interval_says_so(self):
        assert figures.estimate(measured(0.1, n=12)) == "10.0 % (n = 12; no interval)"

    def test_that_cannot_be_given_says_why(self):
        few = evidence.insufficient(n=12, reason="16 settled sessions", source="imported")

        assert figures.estimate(few) == "insufficient data (n = 12): 16 settled sessions"

    def test_that_is_claimed_says_so(self):
        assert figures.estimate(evidence.claimed(value=0.73, n=15)).endswith(
            "claimed, not measured here"
        )

    def test_of_the_sample_market_says_simulated(self):
        shown = figures.estimate(measured(0.1, bounds=(0.05, 0.2), source="simulated"))

        assert shown.endswith("SIMULATED")

    def test_that_was_never_made_is_not_known(self):
        assert figures.estimate(None) == "not known"
