"""What the charts of the detector report draw; the same figures stand in its tables."""

from analytics.calc.documents import Document

SPANS = ("before", "untouched")
LISTED = "all listed"


def returns(result: Document) -> Document:
    """Return mean net return with interval, by scope, variant and rule, of all listed."""
    scopes = [scope for scope in result["scopes"] if scope["key"] in SPANS]
    return {
        "rules": result["rules"],
        "series": [
            {
                "name": f"{name}, {scope['title']}",
                "points": [
                    _point(found["mean_net"]) for found in own["exits"] if found["list"] == LISTED
                ],
            }
            for scope in scopes
            for name, own in scope["variants"].items()
        ],
    }


def calibration(result: Document) -> Document:
    """Return forecast against observed rate of each variant that gives a probability."""
    return {
        "series": [
            {
                "name": f"{name}, {scope['title']}",
                "points": [
                    [part["forecast"], *_point(part["observed"])]
                    for part in own["calibration"]["bins"]
                ],
            }
            for scope in result["scopes"]
            if scope["key"] in SPANS
            for name, own in scope["variants"].items()
            if own["calibration"]
        ]
    }


def _point(estimate: Document) -> list[float | None]:
    return [estimate["value"], estimate["low"], estimate["high"]]
