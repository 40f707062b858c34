import json

import numpy as np
import pytest

from analytics.calc import learned_fit, learned_model
from analytics.calc.learned_designs import Design
from analytics.calc.learned_fit import TooLittle

FEATURES = ("rel_volume", "ret_5", "runups_252", "log_price")
DESIGNS = [
    Design(name="plain", features=FEATURES),
    Design(name="squares", features=FEATURES, squares=True, logs=False),
    Design(name="trees", kind="trees", features=FEATURES, trees=20),
]


def rows(size=12_000, seed=3):
    """Stock-days whose chance rises with volume and falls with price; a tenth is unknown."""
    random = np.random.default_rng(seed)
    values = np.stack(
        [
            np.exp(random.normal(0, 1, size)),
            random.normal(0, 0.1, size),
            random.poisson(2, size).astype(float),
            random.normal(1, 0.5, size),
        ]
    )
    odds = -3 + np.log(values[0]) - values[3]
    explosive = random.random(size) < 1 / (1 + np.exp(-odds))
    values[random.random(values.shape) < 0.1] = np.nan
    return values, explosive


VALUES, EXPLOSIVE = rows()
ONES = np.ones(EXPLOSIVE.size)


def loaded(fit, **calibration):
    return learned_model.load(
        kind=fit.kind,
        usable_from=0,
        features=fit.features,
        parameters=json.loads(json.dumps(fit.parameters)),
        calibration={"slope": 1.0, "intercept": 0.0, **calibration},
    )


@pytest.fixture(scope="module", params=DESIGNS, ids=lambda design: design.name)
def fitted(request):
    return learned_fit.fit(VALUES, EXPLOSIVE, ONES, request.param)


class TestFit:
    def test_contributions_add_up_to_the_log_odds(self, fitted):
        model = loaded(fitted)
        added = learned_model.raw_contributions(model, VALUES)

        total = learned_model.log_odds(model, added)

        np.testing.assert_allclose(total, model.bias + added.sum(axis=0), rtol=1e-9)

    def test_finds_what_matters(self, fitted):
        ranked = sorted(fitted.importances, key=fitted.importances.__getitem__)
        assert set(ranked[-2:]) == {"rel_volume", "log_price"}

    def test_is_the_same_twice(self, fitted):
        design = next(d for d in DESIGNS if d.kind == fitted.kind and d.features == FEATURES)
        first, again = (learned_fit.fit(VALUES, EXPLOSIVE, ONES, design) for _ in range(2))
        assert first == again

    def test_a_row_is_scored_alike_alone_and_among_others(self, fitted):
        model = loaded(fitted)
        alone = np.concatenate([learned_fit.raw(model, VALUES[:, [at]].copy()) for at in range(40)])
        assert alone.tobytes() == learned_fit.raw(model, VALUES)[:40].tobytes()

    def test_needs_enough_rows(self):
        with pytest.raises(TooLittle, match="400 settled stock-days"):
            learned_fit.fit(VALUES[:, :400], EXPLOSIVE[:400], ONES[:400], DESIGNS[0])

    def test_leaves_out_a_feature_that_is_never_known(self):
        values = VALUES.copy()
        values[1] = np.nan

        found = learned_fit.fit(values, EXPLOSIVE, ONES, DESIGNS[0])

        assert found.importances["ret_5"] == 0


class TestAgainstScikitLearn:
    def test_trees_say_what_it_says(self, monkeypatch):
        from sklearn.ensemble import HistGradientBoostingClassifier

        kept = []
        real = HistGradientBoostingClassifier.fit

        def fit(self, *given, **more):
            kept.append(self)
            return real(self, *given, **more)

        monkeypatch.setattr(HistGradientBoostingClassifier, "fit", fit)
        model = loaded(learned_fit.fit(VALUES, EXPLOSIVE, ONES, DESIGNS[2]))

        ours = learned_fit.raw(model, VALUES)

        np.testing.assert_allclose(ours, kept[0].decision_function(VALUES.T), rtol=1e-9)

    def test_trees_that_split_known_from_unknown_can_be_stored(self):
        values = VALUES.copy()
        values[1] = np.where(EXPLOSIVE, np.nan, 1.0)

        model = loaded(learned_fit.fit(values, EXPLOSIVE, ONES, DESIGNS[2]))

        assert learned_fit.raw(model, values)[EXPLOSIVE].min() > 0
        assert learned_fit.raw(model, values)[~EXPLOSIVE].max() < 0

    @pytest.mark.parametrize("design", DESIGNS[:2], ids=lambda design: design.name)
    def test_the_linear_model_says_what_it_says(self, monkeypatch, design):
        from sklearn.linear_model import LogisticRegression

        kept = []
        real = LogisticRegression.fit

        def fit(self, columns, *given, **more):
            kept.append((self, columns))
            return real(self, columns, *given, **more)

        monkeypatch.setattr(LogisticRegression, "fit", fit)
        model = loaded(learned_fit.fit(VALUES, EXPLOSIVE, ONES, design))

        made, columns = kept[0]
        ours = learned_fit.raw(model, VALUES)
        np.testing.assert_allclose(ours, made.decision_function(columns), rtol=1e-9, atol=1e-9)


class TestCalibration:
    def test_undoes_what_was_too_sure(self):
        random = np.random.default_rng(1)
        odds = random.normal(-2, 1, 40_000)
        explosive = random.random(odds.size) < 1 / (1 + np.exp(-odds))

        found = learned_fit.calibration(odds * 2 + 1, explosive)

        assert found["slope"] == pytest.approx(0.5, abs=0.03)
        assert found["intercept"] == pytest.approx(-0.5, abs=0.1)

    def test_leaves_it_where_there_is_too_little(self):
        odds = np.linspace(-3, 0, 1000)
        assert learned_fit.calibration(odds, odds > -0.05) == {"slope": 1.0, "intercept": 0.0}

    def test_never_turns_the_order_round(self):
        odds = np.linspace(-3, 0, 1000)
        assert learned_fit.calibration(odds, odds < -2)["slope"] == 1.0


class TestLoad:
    def test_refuses_parameters_that_are_not_whole(self):
        short = set(learned_model.TERM_TYPES) - {"weight"}
        with pytest.raises(learned_model.BadModel, match="without weight"):
            learned_model.load(
                kind="logistic",
                usable_from=0,
                features=FEATURES,
                parameters={"bias": 0.0, **dict.fromkeys(short, ())},
                calibration={"slope": 1.0, "intercept": 0.0},
            )

    def test_refuses_an_unknown_kind(self):
        with pytest.raises(learned_model.BadModel, match="'oracle'"):
            learned_model.load(
                kind="oracle", usable_from=0, features=(), parameters={}, calibration={}
            )

    def test_the_digest_changes_with_the_calibration(self, fitted):
        assert loaded(fitted).digest != loaded(fitted, slope=0.9).digest


class TestNewest:
    def test_takes_the_newest_that_is_usable(self):
        fit = learned_fit.fit(VALUES, EXPLOSIVE, ONES, DESIGNS[0])
        models = [
            learned_model.load(
                kind=fit.kind,
                usable_from=number,
                features=fit.features,
                parameters=fit.parameters,
                calibration={"slope": 1.0, "intercept": 0.0},
            )
            for number in (10, 30, 20)
        ]

        assert [
            found and found.usable_from
            for found in (learned_model.newest(models, at) for at in (9, 10, 29, 99))
        ] == [None, 10, 20, 30]
