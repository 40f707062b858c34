"""Columns of the tables about what a company is: share counts and symbol lists."""

from typing import Final

import polars as pl

COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "effective_date": pl.Date(),
    "known_on": pl.Datetime("us", "UTC"),
    "shares_outstanding": pl.Float64(),
    "public_float": pl.Float64(),
    "origin": pl.String(),
    "source": pl.String(),
    "year": pl.Int32(),
}

SYMBOL_COLUMNS: Final[dict[str, pl.DataType]] = {
    "symbol": pl.String(),
    "first_date": pl.Date(),
    "last_date": pl.Date(),
    "origin": pl.String(),  # the list it comes from
    "kind": pl.String(),
    "name": pl.String(),
    "exchange": pl.String(),
    "sector": pl.String(),
    "industry": pl.String(),
    "country": pl.String(),
    "assumed": pl.Boolean(),  # said by the person who imported, not by a list
    "figi": pl.String(),  # of the share class: stays when the symbol changes
    "cik": pl.String(),  # ten digits, the SEC's number of the company
    "delisted_on": pl.Date(),
    "source": pl.String(),
    "year": pl.Int32(),
}
