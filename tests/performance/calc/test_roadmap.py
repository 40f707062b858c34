import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.calc import detector, evidence
from performance.calc import roadmap
from performance.calc.roadmap import CHECK_BOXES, Live

DAY = date(2024, 6, 28)
BOXES = {box.key: box for box in CHECK_BOXES}
MISSION = (
    "Liquidate critical loss positions (>25% loss)",
    "Implement emergency position sizing limits",
    "Restore basic system health monitoring",
    "Restore VIGL pattern detection algorithm",
    "Calibrate volume threshold to 20.9x average",
    "Focus price range $2.94-$4.66 (VIGL success range)",
    "Target 20%+ explosive candidates daily",
    "Implement same-day entry system (VIGL baseline)",
    "Retrain thesis generation algorithm",
    "Improve timing to <1 day entry delay",
    "Achieve >70% thesis accuracy",
    "Fine-tune all system parameters",
    "Optimize position sizing strategy",
    "Monitor progress vs baseline metrics",
    "Target >60% win rate, >30% avg returns",
)


def of(value, n=40):
    return evidence.measured(
        value=value, n=n, source="imported", as_of=DAY, method="", bounds=(value, value)
    )


def none(reason="3 trades, 5 are needed"):
    return evidence.insufficient(n=3, reason=reason, source="imported", as_of=DAY)


GOOD = Live(
    as_of=DAY, start=DAY - timedelta(days=30), has_account=True,
    positions=3, worst=-0.25, worst_symbol="AAA",
    assessed=3, oversize=0, size_limit=0.1, assessed_on=DAY,
    probed=8, batch_age=1, candidates=50, compared=50, in_band=7,
    volume_threshold=20.9, price_band=(2.94, 4.66), price_gates=((1.0, 8.0), (1.0, 8.0)),
    explosive={"A v1": of(0.1), "B v1": of(0.2)}, at_once=of(0.5), delay=of(0.99),
    calibrations=1, prompts=1, accuracy=of(0.701), sweeps=(None, 0.49),
    equal=of(0.301), capital=of(0.301), win_rate=of(0.601), monitored=5,
)  # fmt: skip

# What turns each check box, and into what.
TURNS = [
    ("critical_losses", {"worst": -0.2501}, "not_met"),
    ("critical_losses", {"positions": 0}, "met"),
    ("critical_losses", {"positions": 0, "unmarked": 2}, "unknown"),
    ("critical_losses", {"unmarked": 1}, "unknown"),
    ("critical_losses", {"unmarked": 1, "worst": -0.3}, "not_met"),
    ("critical_losses", {"has_account": False}, "unknown"),
    ("size_limits", {"oversize": 1}, "not_met"),
    ("size_limits", {"assessed_on": None}, "unknown"),
    ("health_monitoring", {"probed": 7}, "not_met"),
    ("health_monitoring", {"unknown_probes": 1}, "not_met"),
    ("health_monitoring", {"probed": 10, "unknown_probes": 2}, "met"),
    ("pattern_detection", {"batch_age": 2}, "not_met"),
    ("pattern_detection", {"compared": 49}, "not_met"),
    ("pattern_detection", {"batch_age": None}, "unknown"),
    ("volume_threshold", {"volume_threshold": 15.0}, "not_met"),
    ("volume_threshold", {"volume_threshold": None}, "unknown"),
    ("price_range", {"price_band": (1.0, 8.0)}, "not_met"),
    ("price_range", {"price_gates": ((3.0, 8.0),)}, "not_met"),
    ("price_range", {"price_gates": ()}, "unknown"),
    ("explosive_candidates", {"explosive": {"B v1": of(0.199)}}, "not_met"),
    ("explosive_candidates", {"explosive": {"B v1": none()}}, "unknown"),
    ("explosive_candidates", {"explosive": {}}, "unknown"),
    ("same_day_entry", {"at_once": of(0.49)}, "not_met"),
    ("same_day_entry", {"at_once": none()}, "unknown"),
    ("thesis_retraining", {"calibrations": 0}, "not_met"),
    ("thesis_retraining", {"start": None}, "unknown"),
    ("entry_delay", {"delay": of(1.0)}, "not_met"),
    ("entry_delay", {"delay": None}, "unknown"),
    ("thesis_accuracy", {"accuracy": of(0.7)}, "not_met"),
    ("thesis_accuracy", {"accuracy": none()}, "unknown"),
    ("parameter_tuning", {"sweeps": (0.5,)}, "not_met"),
    ("parameter_tuning", {"sweeps": ()}, "not_met"),
    ("parameter_tuning", {"start": None}, "unknown"),
    ("position_sizing", {"capital": of(0.2)}, "not_met"),
    ("position_sizing", {"equal": of(0.1, n=19)}, "unknown"),
    ("position_sizing", {"capital": none()}, "unknown"),
    ("monitoring", {"monitored": 4}, "not_met"),
    ("results", {"win_rate": of(0.6)}, "not_met"),
    ("results", {"equal": of(0.3)}, "not_met"),
    ("results", {"win_rate": none()}, "unknown"),
]


class TestCheckBoxes:
    def test_are_the_missions_letter_for_letter(self):
        assert tuple(box.title for box in CHECK_BOXES) == MISSION

    def test_are_fifteen_in_four_phases(self):
        assert len(BOXES) == 15
        assert [box.phase for box in CHECK_BOXES] == [1] * 3 + [2] * 4 + [3] * 4 + [4] * 4

    @pytest.mark.parametrize("key", BOXES)
    def test_are_ticked_by_good_figures(self, key):
        found = BOXES[key].predicate(GOOD)

        assert found.state == "met", found.evidence

    @pytest.mark.parametrize(
        ("key", "changed", "state"), TURNS, ids=[f"{at}-{turn[0]}" for at, turn in enumerate(TURNS)]
    )
    def test_turn_with_their_figures(self, key, changed, state):
        found = BOXES[key].predicate(replace(GOOD, **changed))

        assert found.state == state, found.evidence

    def test_have_each_been_seen_to_turn(self):
        assert {key for key, _changed, state in TURNS if state == "not_met"} == set(BOXES)

    @pytest.mark.parametrize("key", BOXES)
    def test_are_never_ticked_by_nothing(self, key):
        found = BOXES[key].predicate(Live(as_of=DAY))

        assert found.state != "met"
        assert 0 < len(found.evidence) <= 400

    def test_are_documented_one_by_one(self):
        page = (Path(__file__).parents[3] / "docs" / "roadmap.md").read_text()

        for box in CHECK_BOXES:
            assert box.title in page, box.key
            assert re.search(rf"`{box.key}`", page), box.key
            assert box.rule in " ".join(page.split()), box.key

    def test_name_the_thresholds_of_the_detector(self):
        assert roadmap.VOLUME_THRESHOLD == detector.VIGL_VOLUME
        assert roadmap.PRICE_BAND == detector.VIGL_BAND_USD


class TestPhases:
    def test_take_two_weeks_each(self):
        start = date(2024, 6, 3)

        assert roadmap.phase_days(start, 1) == (start, date(2024, 6, 16))
        assert roadmap.phase_days(start, 4)[1] == roadmap.ends(start) == date(2024, 7, 28)

    @pytest.mark.parametrize(
        ("day", "phase"),
        [("2024-06-02", None), ("2024-06-03", 1), ("2024-06-17", 2), ("2024-07-28", 4),
         ("2024-07-29", None)],
    )  # fmt: skip
    def test_follow_each_other(self, day, phase):
        assert roadmap.current_phase(date(2024, 6, 3), date.fromisoformat(day)) == phase
