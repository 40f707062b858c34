from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import ab_test
from analytics.calc.ab_test import Verdict
from tests import experiments

FIRST = 5000


def plain_evidence(values, m, c2=1.0):
    n = len(values)
    total = sum(v - m for v in values)
    squares = sum((v - m) ** 2 for v in values)
    return sqrt(c2 / (n + c2)) * (1 - total**2 / ((n + c2) * squares)) ** (-n / 2)


def blocks(mean, spread, count, seed=0):
    return mean + spread * np.random.default_rng(seed).standard_normal(count)


def sequence(mean=0.0, spread=0.01, count=30, seed=0):
    return ab_test.sequence(blocks(mean, spread, count, seed))


class TestEvidence:
    def test_is_the_formula_of_the_design(self):
        values = blocks(0.003, 0.01, 12)

        found = ab_test.log_evidence(values, 0.001)

        for n in range(1, 13):
            assert exp(found[n - 1]) == pytest.approx(plain_evidence(values[:n], 0.001))

    def test_of_blocks_without_any_difference_speaks_for_none(self):
        assert (ab_test.log_evidence(np.zeros(8)) < 0).all()


class TestSequence:
    def test_ends_where_the_evidence_reaches_its_bound(self):
        values = blocks(0.002, 0.01, 9)
        found = ab_test.sequence(values)
        wide = [ab_test.sequence(values[:n]) for n in range(5, 10)]
        edge = max(w.effect[-1] - ab_test._half_width(w.n, _ss(values[: w.n]), 0.95) for w in wide)

        assert found.low[-1] == pytest.approx(edge)
        at = next(
            n
            for n in range(5, 10)
            if wide[n - 5].effect[-1] - ab_test._half_width(n, _ss(values[:n]), 0.95)
            == pytest.approx(edge)
        )
        assert plain_evidence(values[:at], edge) == pytest.approx(20)

    def test_excludes_nothing_before_five_blocks(self):
        found = sequence(mean=5.0)

        assert np.isinf(found.low[:4]).all()
        assert np.isfinite(found.low[4])

    def test_only_ever_shrinks(self):
        found = sequence(count=60)

        assert (np.diff(found.low[5:]) >= 0).all()
        assert (np.diff(found.high[5:]) <= 0).all()

    @given(st.integers(1, 40), st.integers(1, 40))
    def test_never_reads_the_future(self, count, cut):
        values = blocks(0.001, 0.01, count)
        known = ab_test.sequence(values[:cut])

        whole = ab_test.sequence(values)

        assert np.array_equal(whole.low[:cut], known.low)
        assert np.array_equal(whole.log_e[:cut], known.log_e)


class TestBlocks:
    def test_average_28_sessions_of_the_calendar(self):
        session = np.arange(FIRST, FIRST + 60, dtype=np.int32)
        difference = np.arange(60, dtype=float)

        found = ab_test.block_means(session, difference, first=FIRST, settled=FIRST + 59)

        assert found.mean.tolist() == [13.5, 41.5]
        assert found.last.tolist() == [FIRST + 27, FIRST + 55]

    def test_wait_until_the_last_window_has_settled(self):
        session = np.arange(FIRST, FIRST + 60, dtype=np.int32)

        found = ab_test.block_means(session, np.ones(60), first=FIRST, settled=FIRST + 54)

        assert found.last.tolist() == [FIRST + 27]

    def test_leave_out_what_holds_too_little(self):
        session = np.arange(FIRST, FIRST + 84, dtype=np.int32)
        difference = np.ones(84)
        difference[28:43] = np.nan  # 13 of 28 are left
        difference[56:70] = np.nan  # 14 of 28 are left

        found = ab_test.block_means(session, difference, first=FIRST, settled=FIRST + 83)

        assert found.last.tolist() == [FIRST + 27, FIRST + 83]

    def test_begin_with_the_experiment(self):
        session = np.arange(FIRST - 30, FIRST + 28, dtype=np.int32)
        difference = np.where(session < FIRST, 9.0, 1.0)

        found = ab_test.block_means(session, difference, first=FIRST, settled=FIRST + 27)

        assert found.mean.tolist() == [1.0]


class TestVerdict:
    def judge(self, primary, guardrail=None, minimal=0.01):
        return ab_test.verdict(
            primary, minimal_effect=minimal, guardrail=guardrail or sequence(spread=1.0)
        )

    def test_names_who_is_ahead(self):
        assert self.judge(sequence(mean=0.02)) == Verdict.B_BETTER
        assert self.judge(sequence(mean=-0.02)) == Verdict.A_BETTER

    def test_is_futile_inside_the_minimal_effect(self):
        assert self.judge(sequence(spread=0.005, count=60)) == Verdict.FUTILE

    def test_waits_otherwise(self):
        assert self.judge(sequence(spread=0.05)) == Verdict.NO_DIFFERENCE_YET
        assert self.judge(sequence(count=0)) == Verdict.NO_DIFFERENCE_YET

    def test_names_no_winner_whose_return_is_worse(self):
        ahead, worse = sequence(mean=0.02), sequence(mean=-0.03)

        assert self.judge(ahead, worse) == Verdict.NO_DIFFERENCE_YET
        assert ab_test.guardrail_breached(ahead, worse)
        assert not ab_test.guardrail_breached(ahead, sequence(mean=0.03))

    def test_stands_once_0_was_excluded(self):
        values = np.concatenate([blocks(0.02, 0.005, 20), blocks(-0.2, 0.005, 5)])

        assert ab_test.sequence(values).decided == 1


class TestEBh:
    def test_asks_more_of_many(self):
        assert ab_test.e_bh({"a": log(21)}) == {"a"}
        assert ab_test.e_bh({"a": log(21), "b": 0.0}) == set()
        assert ab_test.e_bh({"a": log(41), "b": 0.0}) == {"a"}

    def test_lets_metrics_carry_each_other(self):
        assert ab_test.e_bh({"a": log(21), "b": log(21)}) == {"a", "b"}


class TestEffectiveN:
    def test_is_about_all_sessions_when_they_are_independent(self):
        found = np.mean([ab_test.effective_n(blocks(0, 1, 700, seed)) for seed in range(40)])

        assert 550 < found <= 700

    def test_shrinks_where_outcomes_overlap(self):
        series = experiments.moving(np.random.default_rng(3), 40, 700)

        found = np.mean([ab_test.effective_n(one) for one in series])

        assert 35 < found < 75  # 700 / 14 = 50

    def test_is_not_known_without_spread_or_history(self):
        assert ab_test.effective_n(np.zeros(100)) is None
        assert ab_test.effective_n(np.ones(27)) is None


class TestKnownTruth:
    """A small version of ``benchmarks/bench_ab.py``."""

    def test_finds_no_difference_where_there_is_none(self):
        null = experiments.differences(experiments=600, sessions=28 * 36)

        share = np.mean(experiments.decided(null, blocks=36) != 0)

        assert share <= 0.05

    @pytest.mark.parametrize(("effect", "number"), [(0.012, 12), (0.008, 24)])
    def test_has_the_power_that_was_promised(self, effect, number):
        made = experiments.differences(experiments=1500, sessions=28 * number, effect=effect)

        found = np.mean(experiments.decided(made, blocks=number) > 0)

        assert found == pytest.approx(experiments.promised(effect=effect, blocks=number), abs=0.04)
        assert 0.2 < found < 0.95


def _ss(values):
    return float(((values - values.mean()) ** 2).sum())
