"""The reliability diagram as plain lists that a browser can draw (design §9)."""

from typing import Any

from performance.calc.accuracy import Forecasts, Scores

RAW, CALIBRATED = "as the author said it", "calibrated"


def payload(scores: Scores) -> dict[str, Any]:
    """Return one series per kind of probability: said, came true, its interval, bin by bin."""
    kinds = ((RAW, scores.raw), (CALIBRATED, scores.calibrated))
    return {
        "series": [{"name": name, "points": _points(found)} for name, found in kinds if found.n]
    }


def describe(scores: Scores) -> str:
    """Return the diagram in words, for those who do not see it."""
    if not scores.raw.n:
        return "No thesis has settled."
    bins = "; ".join(
        f"said {part.said:.0%}, came true {part.came_true.value or 0:.0%} of {part.n}"
        for part in scores.raw.curve
    )
    return f"Reliability of {scores.raw.n} theses as their authors said it: {bins}."


def _points(found: Forecasts) -> list[list[float | None]]:
    return [
        [part.said, part.came_true.value, part.came_true.low, part.came_true.high]
        for part in found.curve
    ]
