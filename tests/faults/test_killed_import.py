"""A killed import leaves the last good version and can simply be run again."""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from analytics.lake.tables import Lake
from tests.analytics.lake.frames import bars

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS, SESSIONS = 200, 260


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    frame = pl.concat(
        [bars(f"S{n:03}", date(2023, 6, 1), SESSIONS, close=3.0 + n) for n in range(SYMBOLS)]
    )
    holed = frame.filter(pl.col("session") != date(2023, 8, 1) + pl.duration(days=pl.col("close")))
    path = tmp_path_factory.mktemp("files") / "bars.parquet"
    holed.rename({"session": "date"}).drop("source").write_parquet(path)
    return path


def begin(folder, file):
    folder.mkdir(exist_ok=True)
    (folder / "ready").unlink(missing_ok=True)
    words = [sys.executable, "-m", "tests.faults.import_once", str(folder), str(file)]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while not (folder / "ready").exists():
        assert child.poll() is None
        time.sleep(0.01)
    return child


def finished(folder, file):
    """Let an import end; return what it left in the lake and in the database."""
    shown, _ = begin(folder, file).communicate(timeout=120)
    dumped = json.loads(shown.decode().splitlines()[-1])
    rows = [
        (row["model"], *(row["fields"][n] for n in ("symbol", "session", "detail", "kept_out")))
        if row["model"].endswith("finding")
        else (row["model"], *(row["fields"][n] for n in ("symbol", "first_session", "kind")))
        for row in dumped
    ]
    return Lake(str(folder / "lake"), "market").read("bars").rows(), sorted(rows, key=str)


@pytest.mark.slow
class TestKilledImport:
    def test_run_again_leaves_what_an_undisturbed_one_leaves(self, tmp_path, file):
        start = time.monotonic()
        wanted = finished(tmp_path / "undisturbed", file)
        took = time.monotonic() - start

        for share in (0.05, 0.15, 0.3):
            child = begin(tmp_path / "killed", file)
            time.sleep(share * took)
            child.kill()
            child.wait()
            child.stdout.close()
            stored = Lake(str(tmp_path / "killed" / "lake"), "market").read("bars").height
            assert stored in {0, len(wanted[0])}

        assert finished(tmp_path / "killed", file) == wanted
