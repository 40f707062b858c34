"""The admin of how it turned out, one file per stage."""

from performance.admin import (
    accuracy,
    compliance,
    dashboard,
    gates,
    health,
    ledger,
    mails,
    metrics,
    orders,
    portfolio,
    recovery,
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
    "ledger",
    "mails",
    "metrics",
    "orders",
    "portfolio",
    "recovery",
    "risk",
    "timing",
    "tracking",
]
