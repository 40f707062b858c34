"""Fitting of the learned variant: the only place that needs scikit-learn (design §17).

Looks at outcomes: no line of the detector reaches this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc import learned_designs, learned_model
from analytics.calc.kernels import models
from analytics.calc.learned_designs import Design
from analytics.calc.learned_model import LOGISTIC, Model
from analytics.calc.panel import Flags, Floats

FEWEST_ROWS = 5_000  # settled stock-days that a fit needs
FEWEST_EXPLOSIVE = 100  # of them explosive
FEWEST_CALIBRATION = 50  # explosive stock-days that a calibration needs
SAMPLE = 5  # every so many rows say what the quantiles are
STEPS = 25  # of Newton, at most
MOST_ODDS = 30.0


class TooLittle(ValueError):
    """There are too few settled stock-days to fit on."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model in the form that is stored, before calibration.

    Attributes:
        features: Names that it reads.
        parameters: See ``learned_model.load``.
        importances: By feature: the deviation of what it adds to the log-odds of the training
            rows.
    """

    kind: str
    features: tuple[str, ...]
    parameters: dict[str, Any]
    importances: dict[str, float]


def fit(values: Floats, explosive: Flags, weights: Floats, design: Design) -> Fit:
    """Fit a model on settled stock-days.

    Args:
        values: [``design.features``, n]; NaN is null.
        explosive: [n].
        weights: [n], above 0.

    Raises:
        TooLittle: Fewer than ``FEWEST_ROWS`` rows or ``FEWEST_EXPLOSIVE`` explosive ones.
    """
    if explosive.size < FEWEST_ROWS or int(explosive.sum()) < FEWEST_EXPLOSIVE:
        raise TooLittle(
            f"{explosive.size:,} settled stock-days, {int(explosive.sum()):,} explosive; a model "
            f"needs {FEWEST_ROWS:,} and {FEWEST_EXPLOSIVE:,}"
        )
    made = _logistic if design.kind == LOGISTIC else _trees
    parameters = made(values, explosive, weights, design)
    plain = learned_model.load(
        kind=design.kind,
        usable_from=0,
        features=design.features,
        parameters=parameters,
        calibration={"slope": 1.0, "intercept": 0.0},
    )
    spread = learned_model.raw_contributions(plain, values[:, ::SAMPLE].copy()).std(axis=1)
    return Fit(
        kind=design.kind,
        features=design.features,
        parameters=parameters,
        importances=dict(zip(design.features, map(float, spread), strict=True)),
    )


def calibration(raw: Floats, explosive: Flags) -> dict[str, float]:
    """Return slope and intercept that turn log-odds into calibrated ones (Platt).

    Newton's method on the two; as they are (1 and 0) where there is too little to say, or
    where the order would be turned round.

    Args:
        raw: Log-odds that models gave before the outcomes were known.
        explosive: What became of them.

    Source: Platt 1999, Advances in Large Margin Classifiers, 61.
    """
    flat = float(raw.std()) <= 0 or bool(explosive.all())
    if flat or int(explosive.sum()) < FEWEST_CALIBRATION:
        return {"slope": 1.0, "intercept": 0.0}
    rate = float(explosive.mean())
    columns = np.stack([raw, np.ones(raw.size)])
    found = np.array([0.0, np.log(rate / (1 - rate))])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(found @ columns, -MOST_ODDS, MOST_ODDS)))
        gradient = columns @ (explosive - p)
        curvature = (columns * (p * (1 - p))) @ columns.T
        move = np.linalg.solve(curvature, gradient)
        found += move
        if float(np.abs(move).max()) < 1e-10:
            break
    if not found[0] > 0:
        return {"slope": 1.0, "intercept": 0.0}
    return {"slope": float(found[0]), "intercept": float(found[1])}


def _transform(name: str, design: Design) -> int:
    if not design.logs:
        return models.RAW
    if name in learned_designs.LOGS:
        return models.LOG
    if name in learned_designs.LOG_COUNTS:
        return models.LOG1P
    return models.LOG_RETURN if name in learned_designs.LOG_RETURNS else models.RAW


def _scaled(values: Floats, how: int) -> Floats:
    if how == models.LOG:
        return np.log(np.maximum(values, 1e-4))
    if how == models.LOG1P:
        return np.log1p(values)
    return np.log(np.maximum(1 + values, 0.01)) if how == models.LOG_RETURN else values


def _terms(values: Floats, design: Design) -> tuple[dict[str, list[Any]], list[Floats]]:
    """Return the terms without their weights, and the column of each."""
    terms: dict[str, list[Any]] = {
        name: [] for name in learned_model.TERM_TYPES if name != "weight"
    }
    columns: list[Floats] = []
    for at, name in enumerate(design.features):
        how = _transform(name, design)
        seen = _scaled(values[at], how)
        known = seen[~np.isnan(seen)][::SAMPLE]
        if known.size < FEWEST_ROWS // (4 * SAMPLE):
            continue
        low, high = map(float, np.quantile(known, [design.clip, 1 - design.clip]))
        drawn = np.clip(known, low, high)
        mean, scale = float(drawn.mean()), float(drawn.std())
        if not scale > 0:
            continue
        z = np.nan_to_num((np.clip(seen, low, high) - mean) / scale)
        for shape in (models.LINEAR, models.SQUARE)[: 2 if design.squares else 1]:
            square = np.where(np.isnan(seen), 0.0, np.minimum(z * z - 1, 6.0))
            columns.append(z if shape == models.LINEAR else square)
            row = (at, how, shape, low, high, mean, scale)
            for key, value in zip(terms, row, strict=True):
                terms[key].append(value)
    return terms, columns


def _logistic(values: Floats, explosive: Flags, weights: Floats, design: Design) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    terms, columns = _terms(values, design)
    if not columns:
        raise TooLittle("no feature is known on the settled stock-days")
    made = LogisticRegression(C=design.strength, solver="newton-cholesky", max_iter=100)
    made.fit(np.stack(columns, axis=1), explosive, sample_weight=weights)
    return {
        **terms,
        "weight": [float(weight) for weight in made.coef_[0]],
        "bias": float(made.intercept_[0]),
    }


def _trees(values: Floats, explosive: Flags, weights: Floats, design: Design) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    used = np.flatnonzero((~np.isnan(values[:, ::SAMPLE])).sum(axis=1) > FEWEST_ROWS // 20)
    if not used.size:
        raise TooLittle("no feature is known on the settled stock-days")
    made = HistGradientBoostingClassifier(
        max_iter=design.trees,
        learning_rate=design.rate,
        max_leaf_nodes=design.leaves,
        min_samples_leaf=100,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=0,
    )
    made.fit(values[used].T, explosive, sample_weight=weights)
    return _portable(
        [stage[0].nodes for stage in made._predictors],  # noqa: SLF001  # no other way to them
        float(np.ravel(made._baseline_prediction)[0]),  # noqa: SLF001
        used,
    )


def _portable(
    trees: Sequence[npt.NDArray[Any]], baseline: float, used: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """Return scikit-learn's trees as lists; an inner node's value is the mean of its leaves."""
    found: dict[str, list[Any]] = {name: [] for name in learned_model.TREE_TYPES}
    found["start"].append(0)
    bias = baseline
    for nodes in trees:
        leaf = nodes["is_leaf"].astype(bool)
        left, right = nodes["left"].astype(int), nodes["right"].astype(int)
        value, count = nodes["value"].astype(float), nodes["count"].astype(float)
        for node in range(nodes.size - 1, -1, -1):  # children come after their parents
            if not leaf[node]:
                below = [left[node], right[node]]
                value[node] = value[below] @ count[below] / count[below].sum()
        bias += float(value[0])
        found["start"].append(found["start"][-1] + nodes.size)
        found["feature"] += used[np.where(leaf, 0, nodes["feature_idx"])].tolist()
        finite = np.minimum(nodes["num_threshold"], np.finfo(float).max)  # known against unknown
        found["threshold"] += np.where(leaf, 0.0, finite).tolist()
        found["missing_left"] += nodes["missing_go_to_left"].astype(bool).tolist()
        found["left"] += np.where(leaf, 0, left).tolist()
        found["right"] += np.where(leaf, 0, right).tolist()
        found["value"] += value.tolist()
    return {**found, "bias": bias}


def raw(model: Model, values: Floats) -> Floats:
    """Return the uncalibrated log-odds of rows: [n]."""
    return learned_model.log_odds(model, learned_model.raw_contributions(model, values))
