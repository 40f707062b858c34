"""Backfill in a process of its own that may be killed. Arguments: folder, URL, first, last.

The rest of the module drives such processes; see also benchmarks/bench_backfill.py.
"""

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("bars", "splits", "symbols")


def main(folder: Path, url: str, first: str, last: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(folder),
        "LAKE_URL": str(folder / "lake"),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "POLYGON_API_KEY": "secret",
        "POLYGON_BASE_URL": url,
        "POLYGON_CALLS_PER_MINUTE": "0",
        "FINRA_BASE_URL": url,
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    (folder / "ready").touch()
    call_command("sync_market_data", "--from", first, "--to", last)
    call_command(
        "dumpdata", "analytics.security", "analytics.datafinding", stdout=sys.stdout, verbosity=0
    )


@dataclass(frozen=True, kw_only=True)
class Task:
    """A backfill to be run in processes of its own."""

    folder: Path
    url: str
    first: date
    last: date

    def start(self) -> "subprocess.Popen[bytes]":
        """Begin, and return once the tables are there."""
        self.folder.mkdir(exist_ok=True)
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        words = [str(self.folder), self.url, str(self.first), str(self.last)]
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fill_once", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        while not ready.exists():
            if child.poll() is not None:
                raise RuntimeError("the backfill ended before it began")
            time.sleep(0.01)
        return child

    def finish(self) -> dict[str, Any]:
        """Run to the end; return what is in the lake and in the database."""
        import json

        from analytics.lake.tables import Lake

        child = self.start()
        shown, _ = child.communicate(timeout=600)
        if child.returncode:
            raise RuntimeError(shown.decode())
        rows = json.loads(shown.decode().splitlines()[-1])
        facts = sorted(
            str([(name, value) for name, value in row["fields"].items() if name != "run"])
            for row in rows
        )
        lake = Lake(str(self.folder / "lake"), "market")
        return {"facts": facts, **{table: lake.read(table).rows() for table in TABLES}}

    def kill(self, after_s: float) -> int:
        """Begin and kill; return how many sessions the lake has then."""
        from analytics.lake.tables import Lake

        child = self.start()
        time.sleep(after_s)
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()
        return len(Lake(str(self.folder / "lake"), "market").sessions())


def moments(count: int, longest_s: float, seed: int = 7) -> list[float]:
    """Return random moments, the same for the same seed."""
    chance = random.Random(seed)
    return [chance.uniform(0, longest_s) for _ in range(count)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
