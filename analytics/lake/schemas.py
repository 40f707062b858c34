"""What the lake's tables look like: one :class:`Shape` per Delta table.

Prices are raw as traded [USD], volumes in shares. Every table but the bars says when a
row was known; a bar is known at the close of its session (design §3).
"""

from dataclasses import dataclass

import polars as pl

from analytics.lake import bars, curves, moods, ordering, shares, shorts

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Columns and key of one table.

    Args:
        name: Folder of the table.
        time_key: The date column that makes a row unique together with ``symbol``.
        columns: Type by column, in the order they are stored.
        extra_key: Further columns of the key.
        ignored: Columns that alone do not make a row different.
    """

    name: str
    time_key: str
    columns: dict[str, pl.DataType]
    extra_key: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ("source",)

    @property
    def key(self) -> list[str]:
        """The columns that identify a row."""
        return ["symbol", self.time_key, *self.extra_key]

    @property
    def compared(self) -> list[str]:
        """The columns whose difference makes a row a changed one."""
        return [c for c in self.columns if c not in (*self.key, *self.ignored, "year")]

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with this table's columns and types, NaN as null, keys unique.

        Columns that ``frame`` lacks become null; columns the table lacks are dropped.

        Raises:
            ValueError: A key column is null, or a key occurs twice.
        """
        made = frame.select(
            pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in self.columns.items()
            if name != "year"
        ).with_columns(
            pl.col(pl.Float64).fill_nan(None),
            year=pl.col(self.time_key).dt.year().cast(pl.Int32),
        )
        if ordering.is_strictly(made, self.key):  # nearly always: spares a sort and a search
            return made
        nulls = made.select(pl.any_horizontal(pl.col(self.key).is_null()).any()).item()
        if nulls:
            raise ValueError(f"{self.name}: a key column is null")
        if made.select(pl.struct(self.key).is_duplicated().any()).item():
            raise ValueError(f"{self.name}: a key occurs twice")
        return made.sort(self.key)


BARS = Shape(name="bars", time_key="session", columns=bars.COLUMNS)
SPLITS = Shape(name="splits", time_key="ex_date", columns=bars.SPLIT_COLUMNS)
SHORT_INTEREST = Shape(
    name="short_interest", time_key="settlement_date", columns=shorts.INTEREST_COLUMNS
)
SHORT_VOLUME = Shape(name="short_volume", time_key="session", columns=shorts.VOLUME_COLUMNS)
FAILS = Shape(name="fails", time_key="settlement_date", columns=shorts.FAILS_COLUMNS)
SHARES = Shape(name="shares", time_key="effective_date", columns=shares.COLUMNS)
SYMBOLS = Shape(
    name="symbols", time_key="first_date", columns=shares.SYMBOL_COLUMNS, extra_key=("origin",)
)
SENTIMENT = Shape(name="sentiment", time_key="day", columns=moods.COLUMNS)
VOLUME_CURVES = Shape(
    name="volume_curves", time_key="day", columns=curves.COLUMNS, extra_key=("minute",)
)

SHAPES = {
    shape.name: shape
    for shape in (
        BARS, SPLITS, SHORT_INTEREST, SHARES, SHORT_VOLUME, FAILS, SYMBOLS, SENTIMENT,
        VOLUME_CURVES,
    )
}  # fmt: skip
