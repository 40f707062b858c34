"""Price tables, daily bars and splits: their columns, and which of two bars knows more."""

from typing import Final

import polars as pl

COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "session": pl.Date(),
    "open": pl.Float64(),  # [USD], null where only the close is known
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),  # never null
    "volume": pl.Float64(),  # [shares], as traded
    "vwap": pl.Float64(),
    "trades": pl.Int64(),
    "quality": pl.Int8(),
    "source": pl.String(),
    "year": pl.Int32(),
}

SPLIT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "ex_date": pl.Date(),
    "ratio": pl.Float64(),  # new shares per old: 2.0 is 2-for-1, 0.1 is 1-for-10 reverse
    "known_on": pl.Datetime("us", "UTC"),
    "evidence": pl.String(),
    "source": pl.String(),
    "year": pl.Int32(),
}

OPTIONAL: Final = ("open", "high", "low", "vwap", "trades")


def keep_known(old: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Fill what ``rows`` leave open from stored bars of the same key and the same close.

    A file that has closes only, or no count of trades, says nothing against what is known.

    Args:
        old: Stored bars.
        rows: Bars about to be written, same columns.

    Returns:
        ``rows``, same rows in the same order. A bar that gets its range from the stored one
        keeps that one's ``quality`` too.
    """
    c = pl.col
    same = c("close") == c("close_old")
    less = same & c("open").is_null() & c("open_old").is_not_null()
    stored = old.select("symbol", "session", "close", "quality", *OPTIONAL)
    return (
        rows.join(
            stored, on=["symbol", "session"], how="left", suffix="_old", maintain_order="left"
        )
        .with_columns(
            *(
                pl.when(same).then(pl.coalesce(name, f"{name}_old")).otherwise(name).alias(name)
                for name in OPTIONAL
            ),
            quality=pl.when(less).then("quality_old").otherwise("quality"),
        )
        .select(rows.columns)
    )
