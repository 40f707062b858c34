import numpy as np
import pytest

from analytics.calc import ab_power
from analytics.calc.ab_power import Noise

NOISE = Noise(blocks=0.01 * np.random.default_rng(7).standard_normal(200))


class TestPower:
    def test_grows_with_time_and_effect(self):
        weak, strong = (
            ab_power.power_by_block(effect=effect, noise=NOISE, blocks=40)
            for effect in (0.005, 0.01)
        )

        assert (np.diff(weak) >= 0).all()
        assert (strong >= weak).all()
        assert strong[-1] > 0.99

    def test_of_no_difference_stays_below_the_level(self):
        noise = ab_power.noise(NOISE.blocks)

        assert ab_power.power_by_block(effect=0.0, noise=noise)[-1] <= 0.05

    def test_does_not_ask_who_is_ahead(self):
        mirrored = Noise(blocks=-NOISE.blocks)

        up = ab_power.power_by_block(effect=0.008, noise=NOISE)
        down = ab_power.power_by_block(effect=-0.008, noise=mirrored)

        assert np.array_equal(up, down)

    def test_is_the_same_each_time(self):
        first, again = (ab_power.power_by_block(effect=0.005, noise=NOISE) for _ in range(2))

        assert np.array_equal(first, again)


class TestPlan:
    def test_is_the_first_block_with_the_power_wanted(self):
        found = ab_power.planned_blocks(effect=0.008, noise=NOISE)

        curve = ab_power.power_by_block(effect=0.008, noise=NOISE)
        assert curve[found - 1] >= 0.8 > curve[found - 2]

    def test_is_none_where_20_years_are_not_enough(self):
        noise = ab_power.noise(NOISE.blocks)

        assert ab_power.planned_blocks(effect=0.0002, noise=noise) is None

    def test_refuses_an_effect_of_nothing(self):
        with pytest.raises(ValueError, match="no plan"):
            ab_power.planned_blocks(effect=0, noise=NOISE)

    def test_and_smallest_effect_undo_each_other(self):
        effect = ab_power.smallest_effect(blocks=16, noise=NOISE)

        assert ab_power.planned_blocks(effect=effect, noise=NOISE) == 16

    def test_finds_nothing_before_five_blocks(self):
        assert ab_power.smallest_effect(blocks=4, noise=NOISE) is None

    def test_adds_the_last_window(self):
        assert ab_power.sessions_needed(10) == 294


class TestNoise:
    def test_is_the_spread_of_history_around_its_mean(self):
        blocks = 5 + 0.01 * np.arange(12.0)

        found = ab_power.noise(blocks)

        assert found.blocks.mean() == pytest.approx(0)
        assert found.deviation == pytest.approx(blocks.std(ddof=1))

    def test_needs_ten_blocks_that_differ(self):
        assert ab_power.noise(np.arange(9.0)) is None
        assert ab_power.noise(np.ones(10)) is None
