"""Which files of a folder hold market data, and in which order they are read."""

from pathlib import Path
from typing import Final

from analytics.clients import agency_files
from analytics.clients.files import SUFFIXES

BARS: Final = ("bars", "closes_only")  # how the names of files with bars start
REFERENCE: Final = (  # in this order; the last three as FINRA and the SEC name them
    "symbols", "shares", "short_interest", "splits", "fails", "shrt", "CNMSshvol", "CIK",
)  # fmt: skip


def sort_out(folder: Path) -> list[tuple[Path, bool]]:
    """Return the data files of a folder and whether each holds bars; reference data first."""
    files = data_files(folder)
    reference = [p for start in REFERENCE for p in files if p.name.startswith(start)]
    bars = [path for path in files if path.name.startswith(BARS)]
    return [*((path, False) for path in reference), *((path, True) for path in bars)]


def data_files(folder: Path) -> list[Path]:
    """Return every file whose ending we can read, whatever its name says."""
    endings = (*SUFFIXES, *agency_files.SUFFIXES)
    return sorted(path for path in folder.iterdir() if path.name.endswith(endings))
