"""A fitted model as it is stored, and what it makes of rows: part of the detector (design §17).

Nothing here fits anything: see ``learned_fit``, which the detector never reaches.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.calc.panel import Floats

LOGISTIC, TREES = "logistic", "trees"


class BadModel(ValueError):
    """The stored parameters are not those of a model that can be evaluated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A model ready for use.

    Attributes:
        kind: ``logistic`` or ``trees``.
        usable_from: First session (number) that it may score.
        digest: Of everything that its answer depends on.
        features: Names that it reads.
        bias: Log-odds where every feature adds nothing.
        arrays: Of the terms or of the trees; ``feature`` points into ``features``.
        slope, intercept: Calibration of the log-odds.
    """

    kind: str
    usable_from: int
    digest: str
    features: tuple[str, ...]
    bias: float
    arrays: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    slope: float
    intercept: float


TERM_TYPES: Mapping[str, type] = {
    "feature": np.int64, "transform": np.int64, "shape": np.int64, "low": np.float64,
    "high": np.float64, "mean": np.float64, "scale": np.float64, "weight": np.float64,
}  # fmt: skip
TREE_TYPES: Mapping[str, type] = {
    "start": np.int64, "feature": np.int64, "threshold": np.float64, "missing_left": np.bool_,
    "left": np.int64, "right": np.int64, "value": np.float64,
}  # fmt: skip
TYPES = {LOGISTIC: TERM_TYPES, TREES: TREE_TYPES}


def digest_of(kind: str, features: Sequence[str], parameters: Any, calibration: Any) -> str:
    """Return the digest of a model's content, 32 hexadecimal digits."""
    content = [kind, list(features), parameters, calibration]
    text = json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def load(
    *,
    kind: str,
    usable_from: int,
    features: Sequence[str],
    parameters: Mapping[str, Any],
    calibration: Mapping[str, float],
) -> Model:
    """Return a stored model as arrays.

    Args:
        parameters: ``bias`` and, by name, the lists of ``TERM_TYPES`` or ``TREE_TYPES``.
        calibration: ``slope`` and ``intercept``.

    Raises:
        BadModel: A list is missing, or the kind is not known.
    """
    if kind not in TYPES:
        raise BadModel(f"no kind of model is called {kind!r}")
    missing = set(TYPES[kind]) - set(parameters)
    if missing or "bias" not in parameters:
        raise BadModel(f"a {kind} model without {', '.join(sorted(missing)) or 'bias'}")
    return Model(
        kind=kind,
        usable_from=usable_from,
        digest=digest_of(kind, features, parameters, calibration),
        features=tuple(features),
        bias=float(parameters["bias"]),
        arrays={name: np.array(parameters[name], kept) for name, kept in TYPES[kind].items()},
        slope=float(calibration["slope"]),
        intercept=float(calibration["intercept"]),
    )


def raw_contributions(model: Model, values: Floats) -> Floats:
    """Return what each feature adds to the uncalibrated log-odds: [features, n].

    Exact: ``model.bias`` and the column's sum are the log-odds. For trees, the steps of the
    path from the mean of a tree's leaves to the leaf reached, filed under the feature split on.

    Args:
        values: [features, n] in the order of ``model.features``; NaN is null.
    """
    from analytics.calc.kernels import models

    out = np.zeros(values.shape)
    ordered = [model.arrays[name] for name in TYPES[model.kind]]
    if model.kind == LOGISTIC:
        models.add_terms(values, *ordered, out)
    else:
        models.add_trees(values, *ordered, out)
    return out


def log_odds(model: Model, added: Floats) -> Floats:
    """Return the uncalibrated log-odds of what :func:`raw_contributions` gave: [n]."""
    total = np.full(added.shape[1], model.bias)
    for row in added:  # one feature after the other: the same order, the same bits
        total += row
    return total


def probability(model: Model, raw: Floats) -> Floats:
    """Return the calibrated probability of an explosive rise within 14 sessions."""
    odds = model.intercept + model.slope * raw
    calibrated: Floats = 1 / (1 + np.exp(-odds))
    return calibrated


def newest(models: Sequence[Model], number: int) -> Model | None:
    """Return the newest model that may score session ``number``; None if there is none."""
    usable = [model for model in models if model.usable_from <= number]
    return max(usable, key=lambda model: model.usable_from, default=None)
