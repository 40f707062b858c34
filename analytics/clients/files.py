"""Market data from files: Parquet, CSV and CSV.gz. Frames come out, and what was unreadable.

Every cell of a CSV is read as text first, so that a ticker such as NA, NULL or TRUE stays a
ticker, and a cell that is no number is named with its line instead of stopping the file.
"""

import csv
import gzip
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Final, TextIO, cast

import polars as pl

from analytics.clients import clean_csv
from analytics.errors import DomainError

SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")
LINE: Final = pl.UInt32()

FAULT: Final[dict[str, pl.DataType]] = {
    "gate": pl.String(),
    "severity": pl.String(),
    "symbol": pl.String(),
    "session": pl.Date(),
    "line": LINE,
    "detail": pl.String(),
}


class WrongShape(DomainError):
    """The file is not what it should be: refused whole, with what was expected and found."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a file holds.

    Args:
        frame: One row per readable line; ``line`` is its line in the file (its row, from 1,
            in Parquet).
        faults: One row per unreadable line, columns as in ``FAULT``.
        note: Something to know about the whole file.
    """

    frame: pl.DataFrame
    faults: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FAULT))
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Columns a file may have.

    Args:
        name: What such a file is called in messages.
        required: Type by column that must be there and have a value on each line.
        optional: Type by column that may be missing or empty.
        renamed: Our name by the file's name, where they differ.
        one_of: Optional columns of which at least one must be there.
    """

    name: str
    required: dict[str, pl.DataType]
    optional: dict[str, pl.DataType] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()

    def fits(self, columns: list[str]) -> bool:
        """Return whether a file with these columns has what is required."""
        some = not self.one_of or set(self.one_of) & set(columns)
        return set(self.required) <= set(columns) and bool(some)

    def __str__(self) -> str:
        wanted = [*self.required, " or ".join(self.one_of)] if self.one_of else self.required
        return f"{', '.join(wanted)} ({self.name})"


def digest(path: Path) -> str:
    """Return the SHA-256 of the file, in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def data_files(path: Path, *, also: tuple[str, ...] = ()) -> list[Path]:
    """Return ``path`` itself, or the data files in the folder ``path``, sorted by name.

    Args:
        path: A file or a folder.
        also: Endings that count beside ``SUFFIXES``.

    Raises:
        WrongShape: There is nothing at ``path``.
    """
    if path.is_dir():
        endings = (*SUFFIXES, *also)
        return sorted(p for p in path.rglob("*") if p.is_file() and p.name.endswith(endings))
    if not path.exists():
        raise WrongShape(f"{path}: there is no such file or folder")
    return [path]


def canonical(symbol: pl.Expr) -> pl.Expr:
    """Return tickers as we spell them: a class of shares after a dot (BRK-B becomes BRK.B)."""
    return symbol.str.replace(r"^([A-Z]+)-([A-Z])$", "$1.$2")


def symbol_of(path: Path) -> str:
    """Return the ticker that a per-symbol file is named after: ``brk-b.us.csv.gz`` is BRK-B."""
    return path.name.split(".")[0].strip().upper()


def columns_of(path: Path) -> list[str]:
    """Return the file's column names, in lower case with underscores.

    Raises:
        WrongShape: It is neither Parquet nor CSV, or cannot be read as what it is called.
    """
    return [_plain(name) for name in _raw_columns(path)]


def load(path: Path, layouts: tuple[Layout, ...]) -> tuple[Layout, Reading]:
    """Read ``path`` as the first of ``layouts`` that fits its columns.

    Returns:
        The layout that fitted, and a reading whose frame has the layout's columns (optional
        ones that the file lacks are null) and ``line``.

    Raises:
        WrongShape: No layout fits.
    """
    columns = columns_of(path)
    for layout in layouts:
        if layout.fits(columns):
            return layout, _read(path, layout)
    wanted = "; or ".join(map(str, layouts))
    raise WrongShape(f"{path.name}: expected {wanted}; found {', '.join(columns) or 'nothing'}")


def _read(path: Path, layout: Layout) -> Reading:
    types = layout.required | layout.optional
    raw, ragged = _cells(path, types)
    raw = raw.rename({name: _plain(name) for name in raw.columns if name != "line"})
    absent = [name for name in types if name not in raw.columns]
    cells = raw.select(
        "line",
        *(
            _parsed(pl.col(name), raw.schema[name], dtype).alias(name)
            for name, dtype in types.items()
            if name not in absent
        ),
        *(pl.lit(None, types[name]).alias(name) for name in absent),
    )
    bad = _unreadable(raw, cells, layout)
    frame = cells.filter(~pl.col("line").is_in(bad["line"].implode())) if bad.height else cells
    if "symbol" in frame.columns and frame["symbol"].str.contains("-", literal=True).any():
        frame = frame.with_columns(canonical(pl.col("symbol")))
    return Reading(frame=frame.rename(layout.renamed), faults=pl.concat([ragged, bad]).sort("line"))


def _unreadable(raw: pl.DataFrame, cells: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Name each line with a cell that is required and empty, or is not of its type."""
    there = [name for name in (*layout.required, *layout.optional) if name in raw.columns]
    problems = []
    for name in there:
        lost = cells[name].is_null()
        if name not in layout.required:
            lost &= raw[name].is_not_null()
            if raw.schema[name] == pl.String:
                lost &= raw[name].str.strip_chars() != ""
        if not lost.any():
            continue
        problems.append(
            raw.filter(lost).select(
                gate=pl.lit("unreadable"),
                severity=pl.lit("error"),
                symbol=_symbol_cell(raw),
                session=pl.lit(None, pl.Date),
                line=pl.col("line"),
                detail=pl.concat_str(
                    pl.lit(f"{name} is "),
                    pl.col(name).cast(pl.String).fill_null("empty").str.slice(0, 80),
                ),
            )
        )
    if not problems:
        return pl.DataFrame(schema=FAULT)
    return pl.concat(problems).unique("line", keep="first", maintain_order=True)


def _symbol_cell(raw: pl.DataFrame) -> pl.Expr:
    for name in ("symbol", "ticker"):
        if name in raw.columns:
            return pl.col(name).cast(pl.String).fill_null("").str.slice(0, 16)
    return pl.lit("")


def _parsed(cell: pl.Expr, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """Turn a cell into its type; null where it is not one."""
    if wanted == pl.String:
        text = cell.cast(pl.String).str.strip_chars()
        return pl.when(text != "").then(text)
    if found.is_float():
        return pl.when(cell.is_finite()).then(cell).cast(wanted, strict=False)
    if found != pl.String:
        return cell.cast(wanted, strict=False)
    text = cell.str.strip_chars()
    if wanted == pl.Date:
        day = text.str.slice(0, 10)
        return pl.coalesce(
            day.str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")
        )
    if wanted == pl.Boolean:
        return text.str.to_lowercase().replace_strict(
            {"true": True, "1": True, "false": False, "0": False}, default=None
        )
    number = text.cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    return number if wanted == pl.Float64 else number.cast(wanted, strict=False)


def _plain(name: str) -> str:
    return name.strip().lstrip("\ufeff").lower().replace(" ", "_")


def _raw_columns(path: Path) -> list[str]:
    if path.name.endswith(".parquet"):
        try:
            return list(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise WrongShape(f"{path.name}: expected Parquet; {_first_line(error)}") from error
    if not path.name.endswith(SUFFIXES):
        raise WrongShape(f"{path.name}: expected a name that ends in {', '.join(SUFFIXES)}")
    try:
        with _opened(path) as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        raise WrongShape(f"{path.name}: expected CSV; {_first_line(error)}") from error


def _opened(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _cells(path: Path, types: dict[str, pl.DataType]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells with their ``line``, and a fault for each line of the wrong length."""
    none = pl.DataFrame(schema=FAULT)
    if path.name.endswith(".parquet"):
        frame = pl.read_parquet(path)
        return frame.with_row_index("line", 1).cast({"line": LINE}), none
    flawless = clean_csv.read(path, types)
    if flawless is not None:
        return flawless.with_row_index("line", 2).cast({"line": LINE}), none
    return _csv_cells(path)


def _csv_cells(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a CSV line by line of text: a line with too many or few cells spoils only itself."""
    header = _raw_columns(path)
    try:
        with _opened(path) as file:
            text = pl.Series("text", file.read().split("\n")[1:], dtype=pl.String)
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise WrongShape(f"{path.name}: expected CSV; {_first_line(error)}") from error
    lines = pl.DataFrame({"text": text}).with_row_index("line", 2).cast({"line": LINE})
    lines = lines.filter(pl.col("text").str.strip_chars() != "")
    return _split(lines, header)


def _split(lines: pl.DataFrame, header: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    quoted = lines.filter(pl.col("text").str.contains('"', literal=True))
    plain = lines.filter(~pl.col("text").str.contains('"', literal=True))
    right = plain["text"].str.count_matches(",", literal=True) == len(header) - 1
    cells = plain.filter(right).select(
        "line", pl.col("text").str.split_exact(",", len(header) - 1).struct.unnest()
    )
    cells.columns = ["line", *header]
    ragged = [plain.filter(~right)]
    if quoted.height:
        parsed = [next(csv.reader([text])) for text in quoted["text"]]
        fits = pl.Series([len(row) == len(header) for row in parsed], dtype=pl.Boolean)
        rows = [row for row in parsed if len(row) == len(header)]
        more = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
        more.insert_column(0, quoted.filter(fits)["line"])
        cells = pl.concat([cells, more]).sort("line")
        ragged.append(quoted.filter(~fits))
    faults = pl.concat(ragged).select(
        gate=pl.lit("unreadable"),
        severity=pl.lit("error"),
        symbol=pl.lit(""),
        session=pl.lit(None, pl.Date),
        line=pl.col("line"),
        detail=pl.lit(f"expected {len(header)} cells: ") + pl.col("text").str.slice(0, 80),
    )
    return cells, faults
