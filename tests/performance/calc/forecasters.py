"""Forecasters whose skill is known, for tests that simulate."""

from datetime import date

import numpy as np

from analytics.calc.thesis_calls import DOWN, UP
from performance.calc.accuracy import Cases
from performance.calc.accuracy_figures import Basis


def logit(p):
    return np.log(p / (1 - p))


def expit(x):
    return 1 / (1 + np.exp(-x))


def truths(random, size):
    """Probabilities that theses really have: between 5 and 95 %."""
    return random.beta(1.6, 2.4, size) * 0.9 + 0.05


def overconfident(true, times=2.5):
    """Say what is true with log odds ``times`` too large."""
    return expit(logit(true) * times)


def cases(p, hit, *, session=None, calibrated=None, call=None, down=None, source="imported"):
    """Theses that are BUY where p is above one half, and right if they hit."""
    size = len(p)
    numbers = np.arange(size) % 40 if session is None else session
    hit = np.asarray(hit, dtype=bool)
    return Cases(
        basis=Basis(
            session=np.asarray(numbers, dtype=np.int32), source=source, as_of=date(2024, 6, 28)
        ),
        p=np.asarray(p, dtype=float),
        calibrated=np.full(size, np.nan) if calibrated is None else np.asarray(calibrated),
        hit=hit,
        call=np.where(np.asarray(p) > 0.5, UP, DOWN).astype(np.int8) if call is None else call,
        up=hit,
        down=~hit if down is None else down,
        flat=np.zeros(size, dtype=bool),
    )
