"""Figures with their evidence as JSON columns hold them (design §1)."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import date
from functools import lru_cache
from typing import Any, get_type_hints

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


def to_tree(figures: Any) -> Any:
    """Return a dataclass of figures, numbers and such dataclasses as JSON holds it."""
    if isinstance(figures, Estimate):
        return to_json(figures)
    if not is_dataclass(figures):
        return figures
    return {field.name: to_tree(getattr(figures, field.name)) for field in fields(figures)}


def from_tree(kind: Any, stored: Any) -> Any:
    """Return what :func:`to_tree` made of a value of ``kind``.

    Raises:
        KeyError: It was made of another kind.
    """
    if kind is Estimate:
        return from_json(stored)
    parts = _kinds(kind)
    if not parts:
        return stored
    return kind(**{name: from_tree(own, stored[name]) for name, own in parts.items()})


@lru_cache(maxsize=64)
def _kinds(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind) if is_dataclass(kind) else {}
