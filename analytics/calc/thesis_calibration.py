"""Apply a stored calibration to a probability as its author said it (design §9)."""

from collections.abc import Mapping
from math import exp, log

BETA_BINOMIAL, PLATT = "beta_binomial", "platt"
NEAREST = 1e-6  # to 0 and 1: where the log-odds end


def calibrated(p: float, *, method: str, parameters: Mapping[str, float]) -> float:
    """Return the probability that stands for ``p`` once its author's record is known.

    Args:
        p: As the author said it, 0 to 1.
        method: ``beta_binomial``: the group's share of hits, shrunk toward the base rate: the
            mean of Beta(``alpha``, ``beta``), whatever ``p`` is (before 50 settled theses a slope
            cannot be told from chance). ``platt``: logistic of
            ``intercept + slope * logit(p)``.
        parameters: Numbers by the names above.

    Returns:
        A probability, 0 to 1.

    Raises:
        ValueError: The method is not known, or ``p`` is not a probability.
        KeyError: A parameter is missing.

    Source:
        design §9; Platt (1999).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in 0 to 1, got {p}")
    if method == BETA_BINOMIAL:
        return parameters["alpha"] / (parameters["alpha"] + parameters["beta"])
    if method == PLATT:
        inside = min(max(p, NEAREST), 1 - NEAREST)
        odds = parameters["intercept"] + parameters["slope"] * log(inside / (1 - inside))
        return 1 / (1 + exp(-odds)) if odds > -700 else 0.0
    raise ValueError(f"there is no calibration method called {method!r}")
