"""What an author's probability is worth: the calibration known on a day, applied (design §9)."""

from datetime import date

from analytics.calc import thesis_confidence
from analytics.calc.thesis_confidence import Calibrated
from analytics.models import PatternCalibration
from analytics.services import lakes


def get_calibration(
    *, source: str, author: str, pattern: str, on: date
) -> PatternCalibration | None:
    """Return the calibration that a thesis of signal session ``on`` may use.

    Args:
        source: Rows of its realm: live and imported stand together, simulated alone.
        author, pattern: As on the thesis.
        on: Signal session; no later row is ever returned, so a replay repeats what was said.

    Returns:
        None if there is none: the author has no settled thesis on the pattern yet.
    """
    rows = PatternCalibration.objects.filter(
        source__in=lakes.sources_beside(source), author=author, pattern=pattern
    )
    return rows.known_by(on).first()


def get_calibrated(
    *, source: str, author: str, pattern: str, p: float, on: date
) -> Calibrated | None:
    """Return ``p`` calibrated, with the interval whose lower bound the size rule uses (§14).

    None means that nothing is known of this author on this pattern; the raw p then stands alone
    and no size follows from it.

    Raises:
        ValueError: ``p`` is no probability.
    """
    found = get_calibration(source=source, author=author, pattern=pattern, on=on)
    return apply_to(found, p=p) if found else None


def apply_to(calibration: PatternCalibration, *, p: float) -> Calibrated:
    """Return ``p`` by one stored calibration."""
    return thesis_confidence.confidence(
        p, method=calibration.method, parameters=calibration.parameters, n=calibration.n
    )
