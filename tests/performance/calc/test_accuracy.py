import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss

from analytics.calc.thesis_calls import DOWN, FLAT, UP
from performance.calc import accuracy
from tests.performance.calc.forecasters import cases, overconfident, truths


@pytest.fixture(scope="module")
def ranked():
    """Scores of four forecasters on the same 4,000 theses."""
    random = np.random.default_rng(11)
    true = truths(random, 4000)
    hit = random.random(4000) < true
    session = np.arange(4000) // 10
    said = {
        "perfect": true,
        "overconfident": overconfident(true),
        "constant": np.full(4000, hit.mean()),
        "reversed": 1 - true,
    }
    return {name: accuracy.score(cases(p, hit, session=session)) for name, p in said.items()}


class TestForecasters:
    @pytest.mark.parametrize("score", ["brier", "log_loss"])
    def test_are_ranked_right(self, ranked, score):
        values = {name: getattr(found.raw, score).value for name, found in ranked.items()}

        assert values["perfect"] < values["constant"] < values["reversed"]
        assert values["perfect"] < values["overconfident"] < values["reversed"]

    def test_with_and_without_skill_are_told_apart(self, ranked):
        perfect, constant, back = (
            ranked[name].raw.brier_skill for name in ("perfect", "constant", "reversed")
        )

        assert perfect.low > 0
        assert constant.value == pytest.approx(0, abs=1e-9)
        assert back.high < 0

    def test_show_what_is_wrong_with_the_overconfident_one(self, ranked):
        perfect, bold = ranked["perfect"].raw, ranked["overconfident"].raw

        assert perfect.calibration_error.value <= perfect.error_by_chance
        assert bold.calibration_error.low > perfect.calibration_error.high
        assert bold.decomposition.reliability > 10 * perfect.decomposition.reliability
        assert bold.decomposition.resolution == pytest.approx(
            perfect.decomposition.resolution, rel=0.25
        )


class TestCalls:
    def test_are_held_against_the_best_constant_one(self):
        down = np.arange(100) < 59
        call = np.full(100, DOWN, np.int8)

        found = accuracy.score(cases(np.full(100, 0.2), ~down, call=call, down=down))

        assert found.constant_call == "always AVOID"
        assert found.accuracy.value == found.constant.value == 0.59
        assert found.skill.value == pytest.approx(0)
        assert found.balanced.value == 0.5

    def test_are_worth_what_they_add(self):
        hit = np.arange(100) < 40
        call = np.where(np.arange(100) < 30, UP, DOWN).astype(np.int8)

        found = accuracy.score(cases(np.full(100, 0.5), hit, call=call))

        assert found.accuracy.value == pytest.approx(0.9)
        assert found.constant.value == pytest.approx(0.6)
        assert found.skill.value == pytest.approx((0.9 - 0.6) / 0.4)
        assert found.balanced.value == pytest.approx(balanced_accuracy_score(hit, call == UP))

    def test_of_hold_are_right_or_wrong_but_not_balanced(self):
        call = np.where(np.arange(40) < 20, FLAT, UP).astype(np.int8)

        found = accuracy.score(cases(np.full(40, 0.5), np.arange(40) % 2 == 0, call=call))

        assert found.accuracy.value == pytest.approx(0.25)
        assert found.balanced.n == 20

    def test_that_all_went_one_way_have_no_balance_and_no_skill(self):
        found = accuracy.score(cases(np.full(40, 0.9), np.ones(40, bool)))

        assert found.balanced.status == found.skill.status == "insufficient_data"
        assert found.raw.brier_skill.reason == "every thesis ended alike"


@pytest.fixture(scope="module")
def drawn():
    """Histories of 120 sessions of 5 theses that share a mood, and a long one."""
    random = np.random.default_rng(21)

    def draw(sessions):
        mood = np.repeat(random.normal(0, 0.6, sessions), 5)
        true = 1 / (1 + np.exp(-(mood - 0.3 + random.normal(0, 1, sessions * 5))))
        session = np.repeat(np.arange(sessions), 5)
        said = np.clip(true + random.normal(0, 0.2, true.size), 0.01, 0.99)
        return accuracy.score(cases(said, random.random(true.size) < true, session=session))

    return draw(20_000), [draw(120) for _ in range(120)]


class TestIntervals:
    @pytest.mark.parametrize("figure", ["accuracy", "skill", "balanced"])
    def test_of_calls_cover(self, drawn, figure):
        long_run = getattr(drawn[0], figure).value
        found = [getattr(scores, figure) for scores in drawn[1]]

        assert np.mean([one.low <= long_run <= one.high for one in found]) >= 0.9

    @pytest.mark.parametrize("figure", ["brier", "brier_skill", "log_loss"])
    def test_of_probabilities_cover(self, drawn, figure):
        long_run = getattr(drawn[0].raw, figure).value
        found = [getattr(scores.raw, figure) for scores in drawn[1]]

        assert np.mean([one.low <= long_run <= one.high for one in found]) >= 0.9


class TestCalibrated:
    def test_is_scored_beside_the_raw_on_the_same_theses(self):
        random = np.random.default_rng(2)
        true = truths(random, 400)
        hit = random.random(400) < true
        calibrated = np.where(np.arange(400) < 100, np.nan, true)

        found = accuracy.score(cases(overconfident(true), hit, calibrated=calibrated))

        assert (found.raw.n, found.calibrated.n, found.calibration_gain.n) == (400, 300, 300)
        assert found.calibrated.brier.value == pytest.approx(
            brier_score_loss(hit[100:], true[100:])
        )
        assert found.calibration_gain.low > 0


class TestBands:
    def test_take_an_edge_up(self):
        p = np.array([0.0, 0.2, 0.39, 0.4, 0.6, 0.8, 1.0])

        assert accuracy.bands(p).tolist() == [0, 1, 1, 2, 3, 4, 4]


class TestNothing:
    def test_is_said(self):
        found = accuracy.score(cases([], []))

        assert found.theses == 0
        assert found.raw.brier.reason == "no thesis has settled"
        assert found.raw.curve == ()
        assert found.raw.decomposition is None
