from dataclasses import replace
from datetime import date
from math import log

import numpy as np
import pytest

from analytics.calc.evidence import Status
from performance.calc import tracking
from performance.calc.tracking import Picked, Tally

SESSIONS = 80
KEPT = {"source": "imported", "as_of": date(2023, 6, 30)}


def each(value):
    return np.full(SESSIONS, float(value))


def wavy(mean, spread):
    """Counts that change from session to session but have the mean they are asked for."""
    return mean + spread * np.tile([1.0, -1.0], SESSIONS // 2)


def picked(explosive=5, positive=20, captured=1.0, coverage=0.8):
    return Picked(
        settled=each(50),
        explosive=wavy(explosive, min(explosive, 1)),
        positive=wavy(positive, 1),
        covered=each(50 * coverage),
        picks=each(50),
        episodes_captured=each(captured),
    )


def tally(**fields):
    by_decile = np.zeros((SESSIONS, 10, 6))
    by_decile[:, 9] = [50, 5, 25, 3, 100, 8]
    wanted = {
        "ranked": picked(),
        "drawn": picked(explosive=4, positive=18, captured=0.5),
        "best": picked(explosive=45, positive=45, captured=4),
        "returns": wavy(-3.0, 2),
        "explosive_held": each(2),
        "first_settled": each(25),
        "first_explosive": wavy(3, 1),
        "first_positive": wavy(10, 1),
        "first_returns": wavy(-1.0, 1),
        "base_n": each(900),
        "base_explosive": wavy(30, 5),
        "base_positive": wavy(400, 9),
        "by_decile": by_decile,
        "episodes": each(8),
        "winner_days": each(100),
        "winner_days_captured": each(5),
    }
    return Tally(**{**wanted, **fields})


class TestFigures:
    def test_are_pooled_over_the_sessions(self):
        found = tracking.figures(tally(), **KEPT)

        assert found.first_signals.explosive.value == pytest.approx(3 / 25)
        assert found.all_rows.explosive.value == pytest.approx(5 / 50)
        assert found.all_rows.positive_14.value == pytest.approx(20 / 50)
        assert found.all_rows.mean_return_14.value == pytest.approx(-3 / 50)
        assert found.base_explosive.value == pytest.approx(30 / 900)
        assert found.all_rows.lift.value == pytest.approx(3.0)
        assert found.capture.value == pytest.approx(1 / 8)
        assert found.stock_day_recall.value == pytest.approx(5 / 100)
        assert (found.sessions, found.capture.n) == (80, 640)

    def test_match_the_base_on_volatility(self):
        found = tracking.figures(tally(), **KEPT)

        assert found.all_rows.matched_lift.value == pytest.approx((5 / 50) / (8 / 100))
        assert found.first_signals.matched_lift.value == pytest.approx((3 / 25) / (8 / 100))

    def test_stand_in_their_intervals(self):
        found = tracking.figures(tally(), **KEPT).all_rows

        for estimate in (found.explosive, found.mean_return_14, found.lift, found.matched_lift):
            assert estimate.low <= estimate.value <= estimate.high

    def test_are_insufficient_without_sessions(self):
        empty = np.empty(0)
        none = Picked(**dict.fromkeys(Picked.__dataclass_fields__, empty))
        fields = dict.fromkeys(Tally.__dataclass_fields__, empty)
        nothing = Tally(
            **{**fields, "ranked": none, "drawn": none, "best": none},
        )
        nothing = replace(nothing, by_decile=np.empty((0, 10, 6)))

        found = tracking.figures(nothing, **KEPT)

        assert found.first_signals.explosive.status is Status.INSUFFICIENT
        assert found.quality.score.status is Status.INSUFFICIENT
        assert found.quality.skill.value is None

    def test_of_a_few_sessions_are_insufficient_even_with_many_winners(self):
        cut = {
            name: value[:59]
            for name, value in vars(tally()).items()
            if isinstance(value, np.ndarray)
        }
        parts = {
            name: Picked(**{key: values[:59] for key, values in vars(value).items()})
            for name, value in vars(tally()).items()
            if isinstance(value, Picked)
        }

        found = tracking.figures(Tally(**cut, **parts), **KEPT)

        assert found.capture.status is Status.INSUFFICIENT
        assert "59 settled sessions" in found.all_rows.lift.reason

    def test_of_the_sample_market_say_so(self):
        found = tracking.figures(tally(), source="simulated", as_of=None)

        assert found.capture.status is Status.SIMULATED


class TestQuality:
    def score(self, **fields):
        return tracking.quality(tally(**fields), **KEPT)

    def test_adds_up_its_parts(self):
        found = self.score()

        lift = 40 * log(3) / log(5)
        positive = 30 * (0.4 - 0.3) / 0.43
        assert found.lift_points.value == pytest.approx(lift)
        assert found.positive_points.value == pytest.approx(positive)
        assert found.capture_points.value == pytest.approx(20 * 0.125 / 0.5)
        assert found.coverage_points.value == pytest.approx(8.0)
        assert found.score.value == pytest.approx(lift + positive + 5 + 8)

    def test_is_100_when_everything_is_at_its_limit(self):
        best = picked(explosive=40, positive=45, captured=4, coverage=1.0)

        assert self.score(ranked=best).score.value == pytest.approx(100)

    def test_keeps_each_part_within_its_points(self):
        worst = picked(explosive=0, positive=5, captured=0, coverage=0.0)

        found = self.score(ranked=worst)

        assert found.score.value == 0
        assert found.lift_points.value == 0

    def test_is_skill_1_for_hindsight_and_0_for_chance(self):
        chance, best = tally().drawn, tally().best

        assert self.score(ranked=chance).skill.value == pytest.approx(0)
        assert self.score(ranked=best).skill.value == pytest.approx(1)

    def test_has_no_skill_where_hindsight_is_no_better(self):
        found = self.score(best=tally().drawn)

        assert found.skill.status is Status.INSUFFICIENT

    def test_gives_skill_an_interval(self):
        found = self.score().skill

        assert found.low <= found.value <= found.high
