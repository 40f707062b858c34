"""Scores of a learned variant inside a replay: stored models asked, nothing fitted (design §17)."""

import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from analytics.calc import learned_features, learned_model
from analytics.calc.candidates import QUIET, Learned, Pool, Slots
from analytics.calc.detector import COMPONENTS, COVERAGE_TOLERANCE, Rules, Scores
from analytics.calc.features import FeatureTable, Steps
from analytics.calc.kernels import layout
from analytics.calc.learned_model import Model
from analytics.calc.panel import Flags, Floats, Longs, Panel

Places = npt.NDArray[np.int64]


def score(
    panel: Panel, rules: Rules, pool: Pool, inside: Flags, slots: Slots, past: Steps
) -> tuple[Learned, Scores]:
    """Ask for each session the newest model usable on it.

    Scored are the sessions asked for and the ``QUIET`` before them (they say which signals
    are first); the rest of the pool stays NaN and fails the gate of coverage, and so does
    every row of a session without a usable model.

    Args:
        inside: Rows of the pool that pass gates 1-6.

    Returns:
        The probabilities; and scores 0-100 (100 times the probability), coverage as the share
        of the model's features that are known, and the gates 7-9.
    """
    by_slot = _schedule(rules, slots)
    wanted = np.array([model is not None for model in by_slot], np.bool_)[pool.slot] & inside
    at = np.flatnonzero(wanted)
    values = _values(panel, pool, at, past)
    probability = np.full(pool.slot.size, np.nan)
    coverage = np.zeros(pool.slot.size)
    for model in {id(model): model for model in by_slot if model is not None}.values():
        slot = np.array([other is model for other in by_slot], np.bool_)
        own = np.flatnonzero(slot[pool.slot[at]])
        read = _read(model, values, own)
        added = learned_model.raw_contributions(model, read)
        probability[at[own]] = learned_model.probability(
            model, learned_model.log_odds(model, added)
        )
        coverage[at[own]] = (~np.isnan(read)).mean(axis=0)
    parts = np.full((len(COMPONENTS), pool.slot.size), np.nan)
    parts[0] = probability
    made = Learned(
        parts=parts,
        probability=probability,
        explain=_explain(by_slot, pool, at, values),
        used=_used(by_slot, slots),
    )
    return made, Scores(
        parts=pool.parts,
        score=100 * probability,
        coverage=coverage,
        code=_gates(pool, rules, probability, coverage),
    )


def _schedule(rules: Rules, slots: Slots) -> list[Model | None]:
    """Return the model of each slot; None outside the sessions that must be scored."""
    shown = slots.number[slots.shown]
    if not shown.size:
        return [None] * slots.number.size
    first, last = int(shown[0]) - QUIET, int(shown[-1])
    return [
        learned_model.newest(rules.models, int(number)) if first <= number <= last else None
        for number in slots.number
    ]


def _values(panel: Panel, pool: Pool, at: Places, past: Steps) -> Floats:
    table = FeatureTable(
        rows=pool.table.rows[at],
        segment=pool.table.segment[at],
        values=np.ascontiguousarray(pool.table.values[:, at]),
    )
    return learned_features.with_evidence(panel, table, past=past)


def _read(model: Model, values: Floats, own: Places) -> Floats:
    named = [learned_features.NAMES.index(name) for name in model.features]
    return np.ascontiguousarray(values[named][:, own])


def _gates(pool: Pool, rules: Rules, probability: Floats, coverage: Floats) -> npt.NDArray[np.int8]:
    code = np.zeros(probability.size, np.int8)
    thin = coverage < rules.min_coverage - COVERAGE_TOLERANCE
    code[thin | np.isnan(probability)] = layout.GATE_COVERAGE
    code[pool.table["float_shares"] >= rules.max_float] = layout.GATE_FLOAT
    code[~(pool.table["rel_volume"] >= rules.min_rel_volume)] = layout.GATE_REL_VOLUME
    return code


def _used(by_slot: list[Model | None], slots: Slots) -> list[tuple[str, ...]]:
    """Return per slot the digests of its model and of those of the ``QUIET`` sessions before.

    Empty where the slot itself has none.
    """
    used: list[tuple[str, ...]] = []
    for slot, model in enumerate(by_slot):
        if model is None:
            used.append(())
            continue
        number = int(slots.number[slot])
        near = [
            other.digest
            for other, when in zip(by_slot[:slot], slots.number[:slot], strict=True)
            if other is not None and when >= number - QUIET
        ]
        used.append(tuple(dict.fromkeys([model.digest, *near])))
    return used


def _explain(
    by_slot: list[Model | None], pool: Pool, at: Places, values: Floats
) -> Callable[[Longs], list[str]]:
    """Return what gives, for rows of the pool, each feature's part of the log-odds as JSON."""

    def explain(rows: Longs) -> list[str]:
        places = np.searchsorted(at, rows)
        return [
            json.dumps(_contributions(by_slot[int(pool.slot[row])], values[:, [place]]))
            for row, place in zip(rows, places, strict=True)
        ]

    return explain


def _contributions(model: Model | None, values: Floats) -> dict[str, float]:
    if model is None:
        return {}
    return contributions(model, values)


def contributions(model: Model, values: Floats) -> dict[str, float]:
    """Return what each feature adds to the calibrated log-odds of one row, largest first.

    With ``"base"``, what every row has, they add up to the log-odds of the probability.

    Args:
        values: [``learned_features.NAMES``, 1].
    """
    read = _read(model, values, np.zeros(1, np.int64))
    added = model.slope * learned_model.raw_contributions(model, read)[:, 0]
    base = model.intercept + model.slope * model.bias
    ranked = sorted(
        zip(model.features, added.tolist(), strict=True), key=lambda pair: -abs(pair[1])
    )
    return {"base": base, **{name: part for name, part in ranked if part != 0.0}}
