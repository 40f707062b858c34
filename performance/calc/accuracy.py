"""How good theses were: calls, probabilities, and against what (design §9)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.calc.evidence import Estimate
from analytics.calc.thesis_calls import DOWN, FLAT, UP
from performance.calc import accuracy_curve, accuracy_figures, accuracy_loss
from performance.calc.accuracy_curve import Bin, Decomposition
from performance.calc.accuracy_figures import Basis

TARGET_ACCURACY = 0.73  # the mission's: a claim
BANDS = ("0-20 %", "20-40 %", "40-60 %", "60-80 %", "80-100 %")  # of p_target
NAMES = {UP: "always BUY", DOWN: "always AVOID", FLAT: "always HOLD"}

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Calls = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Settled theses, one value each.

    Attributes:
        basis: Their signal sessions, source and age.
        p: ``p_target`` as the author said it.
        calibrated: By the calibration known on the signal session; NaN where there was none.
        hit: The target came first.
        call: ``UP``, ``DOWN`` or ``FLAT``.
        up, down, flat: Whether each call is, or would have been, right.
    """

    basis: Basis
    p: Floats
    calibrated: Floats
    hit: Flags
    call: Calls
    up: Flags
    down: Flags
    flat: Flags

    @property
    def right(self) -> Flags:
        found: Flags = np.select(
            [self.call == UP, self.call == DOWN], [self.up, self.down], self.flat
        )
        return found

    def chosen(self, rows: Flags) -> "Cases":
        return Cases(
            basis=self.basis.chosen(rows),
            p=self.p[rows],
            calibrated=self.calibrated[rows],
            hit=self.hit[rows],
            call=self.call[rows],
            up=self.up[rows],
            down=self.down[rows],
            flat=self.flat[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Forecasts:
    """One kind of probability, raw or calibrated, scored.

    Attributes:
        n: Theses that have it.
        mean_p: Mean of the probabilities; None without a thesis.
        base_rate: Share that reached the target first.
        brier: Mean Brier score: 0 is perfect, base_rate (1 - base_rate) is no skill.
        brier_skill: 1 - Brier / (Brier of always saying the base rate of these very theses).
        log_loss: Mean log loss [nats].
        calibration_error: Expected calibration error.
        error_by_chance: What 95 % of perfectly calibrated forecasters would stay within.
        decomposition: Of the Brier score; None without a thesis.
        curve: Reliability diagram, bins without a thesis left out.
    """

    n: int
    mean_p: float | None
    base_rate: Estimate
    brier: Estimate
    brier_skill: Estimate
    log_loss: Estimate
    calibration_error: Estimate
    error_by_chance: float | None
    decomposition: Decomposition | None
    curve: Sequence[Bin]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All that is said of a set of settled theses.

    Attributes:
        theses: Settled.
        accuracy: Share of calls that were right: "thesis accuracy".
        constant_call: The call that is right most often if it is always made.
        constant: How often that is.
        skill: (accuracy - constant) / (1 - constant): 0 is no better than it, 1 perfect.
        balanced: Mean of the share of gains called BUY and of losses called TRIM, LIQUIDATE or
            AVOID; every constant call has at most 50 %. HOLD is left out.
        raw: Probabilities as said.
        calibrated: As calibrated, for those theses that had a calibration.
        calibration_gain: Log loss [nats] that calibrating saved, on the same theses; positive
            is good.
    """

    theses: int
    accuracy: Estimate
    constant_call: str
    constant: Estimate
    skill: Estimate
    balanced: Estimate
    raw: Forecasts
    calibrated: Forecasts
    calibration_gain: Estimate


def score(cases: Cases) -> Scores:
    """Score theses; figures that they do not carry say why."""
    known = ~np.isnan(cases.calibrated)
    both = cases.chosen(known)
    gain = (
        accuracy_loss.losses(both.p, both.hit).log_loss
        - accuracy_loss.losses(both.calibrated, both.hit).log_loss
    )
    constant_call, reference = _constant(cases)
    return Scores(
        theses=cases.basis.n,
        accuracy=accuracy_figures.rate(cases.right, cases.basis),
        constant_call=constant_call,
        constant=accuracy_figures.rate(reference, cases.basis),
        skill=_skill(cases.right, reference, cases.basis),
        balanced=_balanced(cases),
        raw=forecasts(cases.p, cases.hit, cases.basis),
        calibrated=forecasts(both.calibrated, both.hit, both.basis),
        calibration_gain=accuracy_figures.mean(gain, both.basis),
    )


def forecasts(p: Floats, hit: Flags, basis: Basis) -> Forecasts:
    """Score one kind of probability."""
    if not basis.n:
        missing = basis.insufficient("no thesis has settled")
        return Forecasts(
            n=0,
            mean_p=None,
            base_rate=missing,
            brier=missing,
            brier_skill=missing,
            log_loss=missing,
            calibration_error=missing,
            error_by_chance=None,
            decomposition=None,
            curve=(),
        )
    losses = accuracy_loss.losses(p, hit)
    found = accuracy_curve.binned(p, hit)
    effect = accuracy_figures.design_effect(hit - found.true[found.place], basis)
    return Forecasts(
        n=basis.n,
        mean_p=float(p.mean()),
        base_rate=accuracy_figures.rate(hit, basis),
        brier=accuracy_figures.mean(losses.brier, basis),
        brier_skill=_brier_skill(losses.brier, hit, basis),
        log_loss=accuracy_figures.mean(losses.log_loss, basis),
        calibration_error=accuracy_curve.calibration_error(found, effect, basis),
        error_by_chance=accuracy_curve.error_by_chance(found, effect),
        decomposition=accuracy_curve.decompose(p, hit, found),
        curve=accuracy_curve.curve(found, effect, basis),
    )


def bands(p: Floats) -> npt.NDArray[np.int64]:
    """Return the position in :data:`BANDS` of each probability; an edge lies in the band above."""
    return np.minimum((p * len(BANDS) + 1e-9).astype(np.int64), len(BANDS) - 1)


def _constant(cases: Cases) -> tuple[str, Flags]:
    """Return the best constant call in hindsight, and where it is right."""
    if not cases.basis.n:
        return "", cases.right
    options = {DOWN: cases.down, UP: cases.up, FLAT: cases.flat}
    best = max(options, key=lambda call: float(options[call].mean()))
    return NAMES[best], options[best]


def _skill(right: Flags, reference: Flags, basis: Basis) -> Estimate:
    refused = basis.refused()
    if refused is not None:
        return refused
    own, constant = float(right.mean()), float(reference.mean())
    if constant >= 1:
        return basis.insufficient("one and the same call was always right")
    value = (own - constant) / (1 - constant)
    influence = ((right - own) + (value - 1) * (reference - constant)) / (1 - constant)
    return accuracy_figures.figure(value, influence, basis)


def _balanced(cases: Cases) -> Estimate:
    """Give the balanced accuracy of the calls that say up or down."""
    spoken = cases.chosen(cases.call != FLAT)
    basis = spoken.basis
    refused = basis.refused()
    if refused is not None:
        return refused
    if not spoken.up.any() or not spoken.down.any():
        return basis.insufficient("all of them went one way")
    value, influence = 0.0, np.zeros(basis.n)
    for call, truth in ((UP, spoken.up), (DOWN, spoken.down)):
        recall = float((spoken.call[truth] == call).mean())
        value += recall / 2
        influence += truth * ((spoken.call == call) - recall) / (2 * float(truth.mean()))
    return accuracy_figures.figure(value, influence, basis)


def _brier_skill(brier: Floats, hit: Flags, basis: Basis) -> Estimate:
    refused = basis.refused()
    if refused is not None:
        return refused
    base, mean = float(hit.mean()), float(brier.mean())
    unskilled = base * (1 - base)
    if unskilled <= 0:
        return basis.insufficient("every thesis ended alike")
    influence = -(brier - mean) / unskilled + mean * (1 - 2 * base) / unskilled**2 * (hit - base)
    return accuracy_figures.figure(1 - mean / unskilled, influence, basis)
