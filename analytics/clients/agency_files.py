"""Files of FINRA and the SEC as a person downloads them: told apart by their beginning.

FINRA's terms forbid republishing its files: they are read where they lie and never shipped.
"""

import json
from pathlib import Path
from typing import Any, Final

from analytics.clients import files, finra, sec
from analytics.clients.files import Reading
from analytics.clients.reference_files import Reference
from analytics.errors import BadAnswer

SUFFIXES: Final = (".txt", ".json")  # beside those of every other file
TICKERS: Final = "company_tickers.json"  # the SEC's list that says whose a CIK is
CONCEPT: Final = "EntityCommonStockSharesOutstanding"


def read(path: Path) -> Reference | None:
    """Read a file of FINRA or the SEC; None if it is neither.

    Args:
        path: FINRA's daily short sale volume (``CNMSshvolYYYYMMDD.txt``) or short interest
            (``shrtYYYYMMDD.csv``), both with pipes; or the SEC's ``CIK##########.json``
            (company facts, or one concept) with ``company_tickers.json`` in the same folder.

    Raises:
        files.WrongShape: It begins like one of them and is damaged, or nothing says which
            symbol a company has.
    """
    if path.suffix == ".json":
        return _company(path)
    if path.suffix not in (".txt", ".csv"):
        return None
    header = _first_line(path)
    try:
        if header.startswith("|".join(finra.VOLUME_HEADER)):
            return _of("short_volume", finra.read_short_volume(_text(path)))
        if header.startswith("|".join(finra.INTEREST_HEADER)):
            return _of("short_interest", finra.read_short_interest(_text(path)))
    except BadAnswer as error:
        raise files.WrongShape(f"{path.name}: {error}") from error
    if path.suffix == ".txt":
        raise files.WrongShape(f"{path.name}: expected a file of FINRA; found {header[:80]!r}")
    return None


def _of(table: str, reading: Reading) -> Reference:
    return Reference(data_set=table, reading=reading)


def _company(path: Path) -> Reference:
    """Read what a company told the SEC of its shares outstanding."""
    body = _json(path)
    stated = _stated(body)
    if stated is None:
        raise files.WrongShape(f"{path.name}: expected {CONCEPT} of one company")
    symbol = _symbol_of(path, body.get("cik"))
    frame = sec.facts_to_shares(stated, symbol=symbol)
    return _of("shares", Reading(frame=frame))


def _stated(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of the concept, from company facts or from the concept's own file."""
    concept = body.get("facts", {}).get("dei", {}).get(CONCEPT) if "facts" in body else body
    units = concept.get("units") if isinstance(concept, dict) else None
    found = units.get("shares") if isinstance(units, dict) else None
    return found if isinstance(found, list) else None


def _symbol_of(path: Path, cik: object) -> str:
    listed = path.with_name(TICKERS)
    if not listed.exists():
        raise files.WrongShape(f"{path.name}: {TICKERS} must lie beside it to say whose it is")
    named = [row for row in _json(listed).values() if isinstance(row, dict)]
    for row in named:
        if str(row.get("cik_str", "")).lstrip("0") == str(cik).lstrip("0"):
            return str(row["ticker"]).replace("-", ".")
    raise files.WrongShape(f"{path.name}: CIK {cik} is not in {TICKERS}")


def _json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise files.WrongShape(f"{path.name}: expected JSON; {error}") from error
    if not isinstance(body, dict):
        raise files.WrongShape(f"{path.name}: expected a JSON object")
    return body


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline().strip()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def is_list(path: Path) -> bool:
    """Return whether ``path`` only says which company has which number."""
    return path.name == TICKERS
