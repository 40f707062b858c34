"""What Claude's models cost: US dollars per million tokens.

Source: the provider's price list, as summarised in the project's notes on interfaces. A model that
is not listed needs ``CLAUDE_USD_PER_MILLION``; without a price no dollar budget can be kept.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars per million tokens; reading from the cache is never billed above input."""

    tokens_in: Decimal
    tokens_out: Decimal
    cache_write: Decimal
    cache_read: Decimal

    def highest(self, *, tokens_in: int, tokens_out: int) -> Decimal:
        """Return what a call costs at most, whatever the cache does."""
        dearest = max(self.tokens_in, self.cache_write)
        return (dearest * tokens_in + self.tokens_out * tokens_out) / MILLION

    def billed(
        self, *, tokens_in: int, tokens_out: int, cache_write: int, cache_read: int
    ) -> Decimal:
        """Return what a call cost; ``tokens_in`` is what neither went to nor came from cache."""
        return (
            self.tokens_in * tokens_in
            + self.tokens_out * tokens_out
            + self.cache_write * cache_write
            + self.cache_read * cache_read
        ) / MILLION


def _price(tokens_in: str, tokens_out: str, cache_write: str, cache_read: str) -> Price:
    return Price(
        tokens_in=Decimal(tokens_in),
        tokens_out=Decimal(tokens_out),
        cache_write=Decimal(cache_write),
        cache_read=Decimal(cache_read),
    )


PRICES: Final = {
    "claude-sonnet-5-5": _price("2", "10", "2.50", "0.20"),
    # up to 100,000 tokens of input, far more than we send; no price of reading from cache is listed
    "claude-haiku-5-5": _price("0.10", "0.50", "0.125", "0.10"),
    # no price of writing to cache is listed; the others pay 1.25 times their input
    "claude-opus-5-5": _price("4", "20", "5", "0.20"),
}


def price_of(model: str, *, stated: str = "") -> Price | None:
    """Return the price of ``model``; None if nobody knows it.

    Args:
        model: Its id.
        stated: "input/output" as the settings state it; it wins. Writing to the cache is then
            taken at 1.25 times the input, reading from it at the input.

    Raises:
        ValueError: ``stated`` is not two amounts.
    """
    if not stated:
        return PRICES.get(model)
    try:
        tokens_in, tokens_out = (Decimal(part) for part in stated.split("/"))
    except (ArithmeticError, ValueError) as error:
        raise ValueError(
            f"CLAUDE_USD_PER_MILLION must look like 2/10 (input/output), not {stated!r}"
        ) from error
    return Price(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cache_write=tokens_in * Decimal("1.25"),
        cache_read=tokens_in,
    )
