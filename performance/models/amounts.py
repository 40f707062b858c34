"""Columns of the ledger: money to the cent, prices with six decimals, shares with nine."""

from decimal import Decimal
from typing import Any

from django.db import models

Column = models.DecimalField[str | int | float | Decimal, Decimal]
MaybeColumn = models.DecimalField[str | int | float | Decimal | None, Decimal | None]


def money(label: str, **options: Any) -> Column:
    """Return a column of USD to the cent."""
    return models.DecimalField(label, max_digits=16, decimal_places=2, **options)


def maybe_money(label: str, **options: Any) -> MaybeColumn:
    """Return a column of USD to the cent; null: not known."""
    return models.DecimalField(
        label, max_digits=16, decimal_places=2, null=True, blank=True, **options
    )


def price(label: str, **options: Any) -> Column:
    """Return a column of USD a share."""
    return models.DecimalField(label, max_digits=18, decimal_places=6, **options)


def maybe_price(label: str, **options: Any) -> MaybeColumn:
    """Return a column of USD a share; null: not known."""
    return models.DecimalField(
        label, max_digits=18, decimal_places=6, null=True, blank=True, **options
    )


def shares(label: str, **options: Any) -> Column:
    """Return a column of shares, fractions included."""
    return models.DecimalField(label, max_digits=20, decimal_places=9, **options)


def maybe_shares(label: str, **options: Any) -> MaybeColumn:
    """Return a column of shares; null: not said."""
    return models.DecimalField(
        label, max_digits=20, decimal_places=9, null=True, blank=True, **options
    )
