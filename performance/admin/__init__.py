"""The admin of how it turned out, one file per stage."""

from performance.admin import (
    accuracy,
    dashboard,
    gates,
    health,
    metrics,
    portfolio,
    risk,
    timing,
    tracking,
)

__all__ = [
    "accuracy",
    "dashboard",
    "gates",
    "health",
    "metrics",
    "portfolio",
    "risk",
    "timing",
    "tracking",
]
