"""Read a flawless CSV in one go, five times as fast as line by line of text.

Whatever is odd about a file (a quote, an empty cell, a word where a number should be, a line too
long or too short) makes it none of ours: it is read line by line, which names what is wrong.
"""

import gzip
from pathlib import Path

import polars as pl

EXACT = (pl.Float64(), pl.Int64(), pl.Int8())  # read as such; everything else stays text
MARK = b"\xef\xbb\xbf"


def read(path: Path, types: dict[str, pl.DataType]) -> pl.DataFrame | None:
    """Return the cells of a CSV, or None if it is not flawless.

    Args:
        path: A CSV or CSV.gz with a header.
        types: Type by column; the names are in lower case with underscores, as in the file.

    Returns:
        One row per line, columns as in the file's header: numbers are numbers and finite,
        the rest is text as it stands. None where a line or a cell is not plainly right, where
        a column has no type, and where the file cannot be read at all.
    """
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.name.endswith(".gz") else raw
    except (OSError, EOFError):
        return None
    text = text.removeprefix(MARK)
    header = text.partition(b"\n")[0].decode(errors="replace").split(",")
    plain = len(set(header)) == len(header) and set(header) <= set(types)
    if not plain or b'"' in text or b"\r" in text:
        return None
    lines = text.count(b"\n") - text.endswith(b"\n")
    schema = {name: types[name] if types[name] in EXACT else pl.String() for name in header}
    try:
        cells = pl.read_csv(text, schema=schema)
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None
    return cells if cells.height == lines and _is_whole(cells) else None


def _is_whole(cells: pl.DataFrame) -> bool:
    """Return whether there is something in every cell, and every number is finite."""
    if any(cells.null_count().row(0)):
        return False
    floats = [name for name, dtype in cells.schema.items() if dtype.is_float()]
    return not floats or bool(
        cells.select(pl.all_horizontal(pl.col(floats).is_finite().all())).item()
    )
