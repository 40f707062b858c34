"""What an author's probability is worth: the calibration known on a day, applied (design §9)."""

from datetime import date

from analytics.calc import thesis_confidence
from analytics.calc.thesis_confidence import Calibrated
from analytics.models import PatternCalibration, Thesis
from analytics.services import thesis_chain


def get_calibrated(
    *, source: str, author: str, pattern: str, p: float, on: date
) -> Calibrated | None:
    """Return ``p`` calibrated, with the interval whose lower bound the size rule uses (§14).

    Args:
        source: Rows of its realm: live and imported stand together, simulated alone.
        author, pattern: As on the thesis.
        p: As the author said it.
        on: Signal session; no later calibration is ever used, so a replay repeats what was said.

    Returns:
        None if nothing is known of this author on this pattern; the raw p then stands alone and
        no size follows from it.

    Raises:
        ValueError: ``p`` is no probability.
    """
    found = thesis_chain.get_calibration(author=author, pattern=pattern, session=on, source=source)
    return apply_to(found, p=p) if found else None


def of_thesis(thesis: Thesis) -> Calibrated | None:
    """Return what was frozen with a thesis, with its interval; None without a calibration.

    One query unless the calibration was selected with the thesis.
    """
    return apply_to(thesis.calibration, p=thesis.p_target) if thesis.calibration else None


def apply_to(calibration: PatternCalibration, *, p: float) -> Calibrated:
    """Return ``p`` by one stored calibration."""
    return thesis_confidence.confidence(
        p, method=calibration.method, parameters=calibration.parameters, n=calibration.n
    )
