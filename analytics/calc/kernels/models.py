"""Loops that evaluate a stored model: its log-odds and what each feature adds to them (§17)."""

# mypy: disable-error-code="no-untyped-def"

from math import isnan, log, log1p
from typing import Any

from numba import njit

jit: Any = njit(cache=True, nogil=True, error_model="numpy")

RAW, LOG, LOG1P, LOG_RETURN = range(4)
LINEAR, SQUARE = range(2)


@jit
def transformed(value, how):
    """Return a value on the scale that a term wants; NaN stays NaN."""
    if how == LOG:
        return log(max(value, 1e-4)) if not isnan(value) else value
    if how == LOG1P:
        return log1p(value)
    if how == LOG_RETURN:
        return log(max(1.0 + value, 0.01)) if not isnan(value) else value
    return value


@jit
def add_terms(values, feature, transform, shape, low, high, mean, scale, weight, out):
    """Add each term of a linear model to its feature's row of ``out`` [features, n].

    A value that is not known counts as the mean: its term adds nothing.
    """
    for t in range(feature.size):
        k = feature[t]
        for i in range(values.shape[1]):
            value = transformed(values[k, i], transform[t])
            if isnan(value):
                continue
            z = (min(max(value, low[t]), high[t]) - mean[t]) / scale[t]
            if shape[t] == SQUARE:
                z = min(z * z - 1.0, 6.0)
            out[k, i] += weight[t] * z


@jit
def add_trees(values, start, feature, threshold, missing_left, left, right, value, out):
    """Add the steps of each tree's path to the rows of ``out`` of the features that made them.

    Args:
        start: Node offsets per tree; a node whose ``left`` is 0 is a leaf.
        value: Of each node: a leaf's value, or the mean of the leaves below.
    """
    for t in range(start.size - 1):
        root = start[t]
        for i in range(values.shape[1]):
            node = root
            while left[node] != 0:
                seen = values[feature[node], i]
                goes_left = missing_left[node] if isnan(seen) else seen <= threshold[node]
                child = root + (left[node] if goes_left else right[node])
                out[feature[node], i] += value[child] - value[node]
                node = child
