"""Figures with their evidence as JSON columns hold them (design §1)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from analytics.calc.evidence import Estimate, Status


def to_json(figure: Estimate) -> dict[str, Any]:
    """Return a figure as JSON holds it; :func:`from_json` gives it back."""
    return asdict(figure) | {
        "as_of": figure.as_of.isoformat() if figure.as_of else None,
        "status": str(figure.status),
    }


def from_json(stored: Mapping[str, Any]) -> Estimate:
    """Return the figure that :func:`to_json` stored."""
    day = stored["as_of"]
    return Estimate(
        **{
            **stored,
            "as_of": date.fromisoformat(day) if day else None,
            "status": Status(stored["status"]),
        }
    )
