"""The admin of how it turned out, one file per stage."""

from performance.admin import (
    accuracy,
    compliance,
    dashboard,
    gates,
    health,
    metrics,
    orders,
    portfolio,
    risk,
    timing,
    tracking,
)

__all__ = [
    "accuracy",
    "compliance",
    "dashboard",
    "gates",
    "health",
    "metrics",
    "orders",
    "portfolio",
    "risk",
    "timing",
    "tracking",
]
