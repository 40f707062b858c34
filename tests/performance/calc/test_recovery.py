from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from performance.calc import recovery
from performance.calc.metrics import Trades
from performance.calc.recovery import Standing, Targets, alert_level, progress, project, status

BASELINE = recovery.parts(average_return=1.52, win_rate=11 / 15, explosive_rate=7 / 15)
MONDAY, NEWEST = date(2023, 1, 2), date(2024, 6, 28)
WEEKS = np.arange(60, dtype=np.float64)


def figures(average, win, explosive):
    return {"average_return": average, "win_rate": win, "explosive_growth_rate": explosive}


def line(slope, noise, *, start=0.2, weeks=WEEKS, seed=1):
    return start + slope * weeks + np.random.default_rng(seed).normal(0, noise, weeks.size)


class TestProgress:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (figures(1.52, 11 / 15, 7 / 15), 1.0),
            (figures(-1, 0, 0), 0.0),
            (figures(0, 0, 0), 0.5 / 2.52),  # idle cash: about 20 %
            (figures(-0.02, 0.43, 0.01), 0.318),  # random stocks: about 32 %
            (figures(9, 1, 1), 1.0),
        ],
        ids=["baseline", "floors", "idle cash", "random stocks", "beyond"],
    )
    def test_of_known_levels(self, values, expected):
        assert progress(values, BASELINE) == pytest.approx(expected, abs=1e-3)

    @given(st.floats(-1, 5), st.floats(0, 1), st.floats(0, 1))
    def test_is_a_share(self, average, win, explosive):
        assert 0 <= progress(figures(average, win, explosive), BASELINE) <= 1

    def test_refuses_a_baseline_below_its_floor(self):
        with pytest.raises(ValueError, match="not above the floor"):
            recovery.parts(average_return=-1, win_rate=0.5, explosive_rate=0.5)


class TestWeekly:
    def test_counts_a_trade_in_the_week_of_its_entry_only(self):
        returns = np.array([0.6, -0.2, 0.1])
        own = Trades(
            returns=returns, at_zero=returns, invested=np.ones(3),
            opened=np.array([0, 1, 9]), closed=np.array([20, 21, 22]),
        )  # fmt: skip

        weeks, level = recovery.weekly(own, np.array([0, 0, 3]), BASELINE)

        assert weeks.tolist() == [0, 3]
        assert level[0] == pytest.approx(recovery.unclipped(figures(0.2, 0.5, 0.5), BASELINE))
        assert level[1] == pytest.approx(recovery.unclipped(figures(0.1, 1, 0), BASELINE))


class TestTheilSen:
    def test_agrees_with_scipy(self):
        level = line(0.004, 0.2)

        slope, _start = recovery.theil_sen(WEEKS, level)

        assert slope == pytest.approx(stats.theilslopes(level, WEEKS).slope, abs=1e-12)

    def test_is_not_moved_by_a_wild_week(self):
        level = line(0.004, 0.001)
        level[7] = 50

        assert recovery.theil_sen(WEEKS, level)[0] == pytest.approx(0.004, abs=2e-4)


class TestProjection:
    def test_names_the_day_on_which_a_clean_line_arrives(self):
        found = project(WEEKS, line(0.005, 1e-9), monday=MONDAY, newest=NEWEST)

        arrives = MONDAY + timedelta(days=7 * 140)  # 0.2 + 0.005 * 140 = 0.9
        assert abs((found.projected - arrives).days) <= 1
        assert (found.early, found.late) == (found.projected, found.projected)
        assert found.reason.startswith("exploratory")

    def test_gives_a_range_around_a_noisy_line(self):
        found = project(WEEKS, line(0.006, 0.08), monday=MONDAY, newest=NEWEST)

        assert found.early < found.projected < found.late
        assert found.rising >= recovery.SURE

    def test_names_no_day_while_the_slope_may_be_flat(self):
        found = project(WEEKS, line(0.0005, 0.3), monday=MONDAY, newest=NEWEST)

        assert found.projected is None
        assert "of bootstrapped slopes rise, 97.5% must" in found.reason

    def test_names_no_day_for_a_falling_line(self):
        found = project(WEEKS, line(-0.01, 0.01), monday=MONDAY, newest=NEWEST)

        assert (found.projected, found.rising) == (None, 0.0)

    def test_needs_half_a_year_of_cohorts(self):
        found = project(WEEKS[:25], line(0.01, 0.01)[:25], monday=MONDAY, newest=NEWEST)

        assert (found.projected, found.cohorts) == (None, 25)
        assert found.reason == "25 entry weeks with trades, 26 are needed"

    def test_never_lies_in_the_past(self):
        found = project(WEEKS, line(0.02, 0.01, start=0.8), monday=MONDAY, newest=NEWEST)

        assert found.projected == NEWEST

    def test_too_far_away_is_no_day(self):
        found = project(WEEKS, line(1e-5, 1e-9), monday=MONDAY, newest=NEWEST)

        assert found.projected is None
        assert "2100" in found.reason

    def test_is_the_same_twice(self):
        asked = {"monday": MONDAY, "newest": NEWEST}

        assert project(WEEKS, line(0.006, 0.1), **asked) == project(
            WEEKS, line(0.006, 0.1), **asked
        )


class TestStatus:
    END = date(2024, 8, 1)

    @pytest.mark.parametrize(
        ("share", "day", "ends", "expected"),
        [
            (None, None, END, "INSUFFICIENT_DATA"),
            (0.9, None, END, "RECOVERED"),
            (0.5, END, END, "ON_TRACK"),
            (0.5, END + timedelta(days=1), END, "BEHIND_SCHEDULE"),
            (0.5, None, END, "BEHIND_SCHEDULE"),
            (0.5, END, None, "BEHIND_SCHEDULE"),
        ],
        ids=["nothing known", "reached", "in time", "late", "no date", "no roadmap"],
    )
    def test_follows_the_definition(self, share, day, ends, expected):
        assert status(share, day, ends) == expected


TARGETS = Targets(win_rate=11 / 15, average_return=1.52, explosive_rate=7 / 15)
GOOD = {
    "win_rate": 0.8, "average_return": 1.6, "explosive_rate": 0.5, "discovery_quality": 86.0,
    "thesis_accuracy": 0.74, "timing_score": 91.0, "health_score": 95.0,
}  # fmt: skip


class TestAlertLevel:
    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({}, "GOOD"),
            ({"win_rate": 0.39}, "CRITICAL"),
            ({"average_return": -0.16}, "CRITICAL"),
            ({"win_rate": 0.39, "average_return": None}, "CRITICAL"),
            ({"win_rate": None}, "UNKNOWN"),
            ({"average_return": None}, "UNKNOWN"),
            ({"discovery_quality": 69.9}, "WARNING"),
            ({"thesis_accuracy": 0.59}, "WARNING"),
            ({"win_rate": 0.4, "average_return": -0.15}, "BELOW_TARGET"),
            ({"discovery_quality": None}, "BELOW_TARGET"),
            ({"health_score": 90.0}, "BELOW_TARGET"),
            ({"explosive_rate": 0.4}, "BELOW_TARGET"),
        ],
        ids=str,
    )
    def test_follows_the_definition(self, changed, expected):
        level, why = alert_level(Standing(**{**GOOD, **changed}), TARGETS)

        assert level == expected
        assert why

    def test_says_what_is_wrong(self):
        _level, why = alert_level(Standing(**{**GOOD, "win_rate": 0.3}), TARGETS)

        assert why == ["win rate 30.0 % is below 40.0 %"]
