from datetime import date

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from analytics.calc.thesis_calibration import calibrated
from performance.calc import accuracy_loss, calibration
from performance.calc.accuracy_figures import Basis
from tests.performance.calc.forecasters import expit, logit, overconfident, truths


def basis(n, per_session=10):
    return Basis(
        session=(np.arange(n) // per_session).astype(np.int32),
        source="imported",
        as_of=date(2024, 6, 28),
    )


def fit(p, hit, *, base=(300, 1000), per_session=10):
    return calibration.fit(
        np.asarray(p),
        np.asarray(hit),
        basis(len(p), per_session),
        base_hits=base[0],
        base_n=base[1],
    )


class TestYoungGroup:
    @pytest.mark.parametrize(
        ("hits", "n", "base", "expected"),
        [
            (0, 1, (30_000, 100_000), 6 / 21),
            (5, 5, (20_000, 100_000), 9 / 25),
            (10, 40, (25_000, 100_000), 15 / 60),
            (0, 1, (0, 1), 0.25 / 2),
            (2, 2, (2, 5), (2 + 5 * 2.5 / 6) / 7),
        ],
    )
    def test_gets_its_rate_shrunk_to_the_base_rate(self, hits, n, base, expected):
        found = fit(np.full(n, 0.8), np.arange(n) < hits, base=base)

        own = found.parameters
        assert found.method == "beta_binomial"
        assert own["alpha"] / (own["alpha"] + own["beta"]) == pytest.approx(expected, rel=1e-4)
        assert (found.n, own["hits"]) == (n, hits)
        assert found.base_rate == pytest.approx((base[0] + 0.5) / (base[1] + 1))

    @pytest.mark.parametrize("hits", [0, 5])
    def test_is_never_certain(self, hits):
        found = fit(np.full(5, 0.5), np.full(5, hits == 5), base=(hits, 5))

        assert min(found.parameters["alpha"], found.parameters["beta"]) > 0

    def test_is_never_empty(self):
        with pytest.raises(ValueError, match="nothing"):
            fit([], [])


class TestGrownGroup:
    def test_is_scaled_as_the_penalised_likelihood_says(self):
        random = np.random.default_rng(1)
        true = truths(random, 300)
        p, hit = overconfident(true), random.random(300) < true

        found = fit(p, hit).parameters

        def cost(at):
            odds = at[0] + at[1] * logit(p)
            away = (at - [0, 1]) / calibration.PRIOR_SCALES
            return np.sum(np.logaddexp(0, odds) - hit * odds) + away @ away / 2

        best = minimize(cost, [0, 1], tol=1e-12).x
        assert (found["intercept"], found["slope"]) == pytest.approx(best, abs=1e-5)
        assert found["slope"] == pytest.approx(0.4, abs=0.1)

    def test_nears_scikit_learns_unpenalised_fit_as_it_grows(self):
        random = np.random.default_rng(2)
        true = truths(random, 20_000)
        p, hit = overconfident(true), random.random(20_000) < true

        found = fit(p, hit, per_session=1000).parameters

        plain = LogisticRegression(C=np.inf).fit(logit(p)[:, None], hit)
        assert found["slope"] == pytest.approx(plain.coef_[0, 0], abs=0.01)
        assert found["intercept"] == pytest.approx(plain.intercept_[0], abs=0.01)

    def test_of_an_author_who_is_worse_than_none_is_flat_but_never_reversed(self):
        random = np.random.default_rng(3)
        true = truths(random, 400)

        found = fit(1 - true, random.random(400) < true).parameters

        assert found["slope"] == 0
        assert expit(found["intercept"]) == pytest.approx(true.mean(), abs=0.06)

    @pytest.mark.parametrize("p", [0.0, 1.0, 0.5])
    def test_stands_one_and_the_same_probability(self, p):
        hit = np.arange(60) % 4 == 0

        found = fit(np.full(60, p), hit)

        value = calibrated(p, method="platt", parameters=found.parameters)
        assert 0.0 <= value <= 1.0
        assert all(np.isfinite(list(found.parameters.values())))

    def test_trusts_theses_that_move_together_less(self):
        random = np.random.default_rng(4)
        hit = np.repeat(random.random(100) < 0.4, 10)
        p = np.full(1000, 0.6)

        together, alone = fit(p, hit), fit(p, hit, per_session=1000)

        assert together.parameters["effect"] > 5
        assert together.parameters["var_intercept"] > 1.5 * alone.parameters["var_intercept"]

    def test_has_an_interval_that_covers(self):
        held = 0
        for seed in range(200):
            random = np.random.default_rng(seed)
            true = truths(random, 200)
            found = fit(overconfident(true), random.random(200) < true).parameters
            x = logit(overconfident(np.array([0.7]))[0])
            middle = found["intercept"] + found["slope"] * x
            variance = (
                found["var_intercept"] + 2 * x * found["covariance"] + x * x * found["var_slope"]
            )
            held += abs(middle - logit(0.7)) <= 1.96 * np.sqrt(variance)
        assert 0.92 <= held / 200 <= 0.99


class TestDue:
    def test_is_often_at_first_and_seldom_later(self):
        settled = np.arange("2022-01-01", "2024-01-01", dtype="datetime64[D]").repeat(2)

        found = calibration.due(settled)

        assert found[:5] == [2, 4, 6, 8, 10]
        assert len(found) < 90
        assert max(np.diff(found) / found[:-1]) > 0.05

    def test_takes_whole_sessions(self):
        settled = np.array(["2022-01-03"] * 3 + ["2022-01-04"] * 2, dtype="datetime64[D]")

        assert calibration.due(settled) == [3, 5]

    def test_goes_on_from_what_the_newest_fit_has_seen(self):
        settled = np.arange("2022-01-01", "2022-04-11", dtype="datetime64[D]")

        assert calibration.due(settled, known=99) == []
        assert calibration.due(settled, known=90) == [95, 100]
        assert calibration.due(settled[:0]) == []


def out_of_sample(seed, say, size=600):
    """Mean log loss, raw and calibrated, of theses that each fit had not seen, from 50 on."""
    random = np.random.default_rng(seed)
    true = truths(random, size)
    p, hit = say(true), random.random(size) < true
    days = np.datetime64("2022-01-03") + np.arange(size) // 5
    put_right = np.full(size, np.nan)
    steps = calibration.due(days)
    for seen, until in zip(steps, [*steps[1:], size], strict=True):
        if seen < calibration.FEWEST_FOR_PLATT:
            continue
        found = fit(p[:seen], hit[:seen], base=(int(hit[:seen].sum()), seen), per_session=5)
        put_right[seen:until] = [
            calibrated(one, method=found.method, parameters=found.parameters)
            for one in p[seen:until]
        ]
    known = ~np.isnan(put_right)
    return tuple(
        float(accuracy_loss.losses(values[known], hit[known]).log_loss.mean())
        for values in (p, put_right)
    )


class TestOutOfSample:
    @pytest.mark.parametrize(
        ("say", "change"),
        [
            pytest.param(lambda true: true, (-0.02, 0.01), id="perfect-is-not-harmed"),
            pytest.param(overconfident, (-1.0, -0.08), id="overconfident-improves"),
            pytest.param(
                lambda true: expit(logit(true) + 1), (-1.0, -0.08), id="too-high-improves"
            ),
            pytest.param(
                lambda true: expit(logit(true) * 0.5), (-1.0, -0.005), id="timid-improves"
            ),
        ],
    )
    def test_does_what_it_should(self, say, change):
        losses = [out_of_sample(seed, say) for seed in range(8)]

        raw, put_right = np.mean(losses, axis=0)
        assert change[0] <= put_right / raw - 1 <= change[1]
