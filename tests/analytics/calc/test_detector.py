from dataclasses import replace
from datetime import date
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import detector, features
from analytics.calc.detector import COMPONENTS, ORIGINAL, SQUEEZE, Rules
from analytics.calc.features import FeatureTable
from analytics.calc.kernels import layout
from analytics.calc.panel import Panel
from tests.analytics.calc import oracle
from tests.markets import from_rows

DAY = date(2022, 3, 1)
NOTHING = dict.fromkeys(features.NAMES, nan)
GOOD = {
    "rel_volume": 5.0,
    "ret_1": 0.15,
    "ret_5": 0.3,
    "ret_20": 0.6,
    "close_location": 0.5,
    "breakout_20": 0.1,
    "float_shares": 5e6,
    "short_interest_pct": 0.3,
    "sentiment": 0.0,
}


def table(*rows: dict[str, float]) -> FeatureTable:
    values = np.array([[({**NOTHING, **row})[name] for row in rows] for name in features.NAMES])
    at = np.arange(len(rows), dtype=np.int64)
    return FeatureTable(rows=at, segment=at.astype(np.int32), values=values)


def panel_of(*closes: float) -> Panel:
    bars = [(f"S{k}", DAY, None, None, None, close, 1e6) for k, close in enumerate(closes)]
    listed = [(f"S{k}", DAY, DAY, "common") for k in range(len(closes))]
    return from_rows(bars=bars, securities=listed).panel()


def part(name: str, **row: float) -> float:
    return float(detector.components(table(row))[COMPONENTS.index(name), 0])


def isnull(value: float) -> bool:
    return bool(np.isnan(value))


class TestComponents:
    @pytest.mark.parametrize(
        ("times", "value"),
        [(20.9, 1), (50, 1), (1, 0), (0.4, 0), (0, 0), (20.9**0.5, 0.5), (4.572, 0.5)],
    )
    def test_volume_is_the_log_of_relative_volume_over_that_of_vigl(self, times, value):
        assert part("volume", rel_volume=times) == pytest.approx(value, abs=1e-4)

    @pytest.mark.parametrize(
        ("returns", "value"),
        [
            ((0.15, 0.30, 0.60), 1),
            ((0.15, 0.15, 0.0), 0.5),
            ((-0.5, 9.0, 0.0), 1 / 3),
            ((0.0, 0.0, -0.1), 0),
        ],
    )
    def test_momentum_is_the_mean_of_three_clipped_returns(self, returns, value):
        row = dict(zip(("ret_1", "ret_5", "ret_20"), returns, strict=True))

        assert part("momentum", **row) == pytest.approx(value)

    @pytest.mark.parametrize("missing", ["ret_1", "ret_5", "ret_20"])
    def test_momentum_is_null_if_any_return_is(self, missing):
        assert isnull(part("momentum", **{**GOOD, missing: nan}))

    @pytest.mark.parametrize(
        ("shares", "value"), [(5e6, 1), (1e6, 1), (1e8, 0), (9e8, 0), ((5e6 * 1e8) ** 0.5, 0.5)]
    )
    def test_float_is_logarithmic_between_five_and_a_hundred_million(self, shares, value):
        assert part("float", float_shares=shares) == pytest.approx(value)

    @pytest.mark.parametrize(
        ("short", "value"), [(0.30, 1), (0.05, 0), (0.175, 0.5), (0.9, 1), (0.0, 0)]
    )
    def test_short_interest_is_linear_between_five_and_thirty_per_cent(self, short, value):
        assert part("short_interest", short_interest_pct=short) == pytest.approx(value)

    @pytest.mark.parametrize(
        ("location", "breakout", "value"),
        [(1.0, 0.10, 1), (0.5, -0.05, 0.25), (0.0, 0.025, 0.25), (0.75, 5.0, 0.875)],
    )
    def test_technical_is_the_mean_of_close_location_and_breakout(self, location, breakout, value):
        got = part("technical", close_location=location, breakout_20=breakout)

        assert got == pytest.approx(value)

    @pytest.mark.parametrize("missing", ["close_location", "breakout_20"])
    def test_technical_is_null_if_either_part_is(self, missing):
        assert isnull(part("technical", **{**GOOD, missing: nan}))

    @pytest.mark.parametrize(("mood", "value"), [(1, 1), (-1, 0), (0, 0.5)])
    def test_sentiment_runs_from_minus_one_to_one(self, mood, value):
        assert part("sentiment", sentiment=mood) == pytest.approx(value)

    def test_are_null_where_their_input_is(self):
        assert np.isnan(detector.components(table({}))).all()

    @given(
        st.fixed_dictionaries(
            {name: st.floats(-1, 1e9) | st.just(nan) for name in features.NAMES}
            | {"rel_volume": st.floats(0, 1e6) | st.just(nan)}
        )
    )
    def test_lie_between_zero_and_one(self, row):
        parts = detector.components(table(row))

        assert (np.isnan(parts) | ((parts >= 0) & (parts <= 1))).all()


class TestScore:
    def score(self, rules: Rules, row: dict[str, float]) -> tuple[float, float, int]:
        rows = table(row)
        found = detector.score(rows, detector.components(rows), rules)
        return float(found.score[0]), float(found.coverage[0]), int(found.code[0])

    def test_of_the_squeeze_variant_by_hand(self):
        row = {**GOOD, "rel_volume": 20.9**0.5, "float_shares": 1e8 - 1}
        row |= {"ret_20": 0.0, "short_interest_pct": 0.175}

        score, coverage, _ = self.score(SQUEEZE, row)

        by_hand = 100 * (0.40 * 0.5 + 0.30 * 2 / 3 + 0.15 * 0 + 0.15 * 0.5)
        assert score == pytest.approx(by_hand, abs=1e-5)
        assert coverage == pytest.approx(1)

    def test_of_the_original_variant_by_hand(self):
        row = {**GOOD, "rel_volume": 20.9, "sentiment": -1.0, "ret_1": 0.0}

        score, coverage, _ = self.score(ORIGINAL, row)

        assert score == pytest.approx(100 * (0.30 + 0.25 * 2 / 3 + 0 + 0.20 * 0.75))
        assert coverage == pytest.approx(1)

    def test_is_renormalised_over_the_components_with_data(self):
        score, coverage, _ = self.score(SQUEEZE, {**GOOD, "rel_volume": 20.9, "float_shares": nan})

        assert score == pytest.approx(100)
        assert coverage == pytest.approx(0.85)

    def test_without_any_data_is_null(self):
        score, coverage, code = self.score(SQUEEZE, {})

        assert isnull(score)
        assert coverage == 0
        assert layout.GATES[code - 1] == "relative volume"

    @given(
        st.dictionaries(st.sampled_from(sorted(GOOD)), st.just(nan)),
        st.sampled_from([ORIGINAL, SQUEEZE]),
    )
    def test_equals_the_oracle_for_every_pattern_of_missing_data(self, missing, rules):
        row = {**NOTHING, **GOOD, **missing}
        given_ = {name: None if np.isnan(value) else value for name, value in row.items()}

        score, coverage, _ = self.score(rules, row)

        wanted = oracle.score(oracle.components(given_), rules.weights)
        assert coverage == pytest.approx(wanted[1])
        assert (None if isnull(score) else score) == (wanted[0] and pytest.approx(wanted[0]))


class TestGatesOfScore:
    def code(self, rules: Rules, **row: float) -> str:
        rows = table({**GOOD, **row})
        found = int(detector.score(rows, detector.components(rows), rules).code[0])
        return layout.GATES[found - 1] if found else "passed"

    @pytest.mark.parametrize(
        ("times", "gate"),
        [(1.5, "passed"), (np.nextafter(1.5, 0), "relative volume"), (nan, "relative volume")],
    )
    def test_relative_volume_must_reach_its_limit(self, times, gate):
        assert self.code(SQUEEZE, rel_volume=times) == gate

    @pytest.mark.parametrize(
        ("shares", "gate"), [(nan, "passed"), (np.nextafter(1e8, 0), "passed"), (1e8, "float")]
    )
    def test_float_must_be_below_its_limit_when_known(self, shares, gate):
        assert self.code(SQUEEZE, float_shares=shares) == gate

    def test_the_first_that_fails_is_named(self):
        assert self.code(SQUEEZE, float_shares=1e9, rel_volume=1) == "relative volume"

    def test_coverage_is_compared_with_a_tolerance(self):
        rules = replace(ORIGINAL, weights={"volume": 0.30, "momentum": 0.25, "sentiment": 0.45})

        assert self.code(rules, sentiment=nan) == "passed"  # 0.30 + 0.25 is 0.55, give or take
        assert self.code(replace(rules, min_coverage=0.5500001), sentiment=nan) == "coverage"

    @pytest.mark.parametrize(("tiny", "gate"), [(5e-10, "passed"), (2e-9, "coverage")])
    def test_the_tolerance_is_a_billionth(self, tiny, gate):
        rules = replace(SQUEEZE, weights={"volume": 0.5, "sentiment": 0.5}, min_coverage=0.5 + tiny)

        assert self.code(rules, sentiment=nan) == gate


ALERT = {"rel_volume": 15.0, "float_shares": 2e7, "short_interest_pct": 0.2}


class TestFlags:
    def flags(self, close: float = 3.0, **row: float) -> detector.SignalFlags:
        return detector.flags(panel_of(close), table({**ALERT, **row}))

    @pytest.mark.parametrize(("times", "alert"), [(15.0, True), (14.999, False), (nan, False)])
    def test_volume_alert_is_fifteen_times_the_average(self, times, alert):
        assert self.flags(rel_volume=times).volume_alert[0] == alert

    @pytest.mark.parametrize(
        ("times", "close", "like"),
        [
            (20.9, 2.94, True),
            (20.9, 4.66, True),
            (20.9, 4.67, False),
            (20.9, 2.93, False),
            (20.89, 3.0, False),
        ],
    )
    def test_vigl_pattern_is_its_volume_at_its_price(self, times, close, like):
        assert self.flags(close, rel_volume=times).vigl_pattern[0] == like

    @pytest.mark.parametrize(("short", "fuel"), [(0.11, 1.0), (0.10, 0.0), (nan, nan)])
    def test_short_fuel_is_more_than_a_tenth_and_null_where_not_known(self, short, fuel):
        got = self.flags(short_interest_pct=short).short_fuel[0]

        assert got == fuel or (isnull(got) and isnull(fuel))

    @pytest.mark.parametrize(
        ("shares", "short", "squeeze"),
        [
            (2e7, 0.2, True),
            (2e7, nan, True),
            (nan, 0.2, True),
            (nan, nan, False),
            (1e8, 0.2, False),
            (2e7, 0.10, False),
            (1e8, nan, False),
            (nan, 0.10, False),
            (1e8, 0.10, False),
        ],
    )
    def test_squeeze_needs_one_of_float_and_short_interest_and_none_to_fail(
        self, shares, short, squeeze
    ):
        assert self.flags(float_shares=shares, short_interest_pct=short).squeeze[0] == squeeze

    @pytest.mark.parametrize(
        ("close", "times", "squeeze"),
        [
            (1.0, 15, True),
            (8.0, 15, True),
            (0.99, 15, False),
            (8.01, 15, False),
            (3.0, 14.9, False),
            (3.0, nan, False),
        ],
    )
    def test_squeeze_needs_the_volume_alert_and_the_price(self, close, times, squeeze):
        assert self.flags(close, rel_volume=times).squeeze[0] == squeeze


class TestRules:
    def test_of_the_mission(self):
        assert ORIGINAL.weights == {
            "volume": 0.30,
            "momentum": 0.25,
            "sentiment": 0.25,
            "technical": 0.20,
        }
        assert SQUEEZE.weights == {
            "volume": 0.40,
            "momentum": 0.30,
            "float": 0.15,
            "short_interest": 0.15,
        }
        assert (SQUEEZE.min_close, SQUEEZE.max_close) == (1, 8)
        assert (SQUEEZE.min_dollar_volume, SQUEEZE.min_rel_volume) == (500_000, 1.5)
        assert (SQUEEZE.max_float, SQUEEZE.min_sessions) == (1e8, 21)
        assert (SQUEEZE.min_coverage, SQUEEZE.top) == (0.55, 50)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"weights": {"volume": 1, "luck": 1}}, "unknown components"),
            ({"weights": {"volume": -1, "float": 2}}, "negative"),
            ({"weights": {"volume": 0}}, "positive"),
            ({"weights": {}}, "positive"),
            ({"min_close": 9}, "price band"),
            ({"min_close": 0}, "price band"),
            ({"top": 0}, "top"),
        ],
    )
    def test_refuse_what_cannot_be(self, wrong, message):
        with pytest.raises(ValueError, match=message):
            replace(SQUEEZE, **wrong)


class TestContributions:
    def test_add_up_to_the_score(self):
        values = {"volume": 0.5, "momentum": None, "float": 1.0, "short_interest": 0.0}

        points = detector.contributions(values, SQUEEZE.weights)

        assert points == pytest.approx({"volume": 20 / 0.7, "float": 15 / 0.7, "short_interest": 0})

    def test_without_data_are_none_at_all(self):
        assert detector.contributions({"volume": None}, SQUEEZE.weights) == {}
