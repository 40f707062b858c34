"""Import one file in a process of its own that a test may kill. Arguments: folder, file."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main(folder: Path, file: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "amc_trader.settings",
        "VAR_DIR": str(folder),
        "LAKE_URL": str(folder / "lake"),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
    }
    django.setup()
    settings.MIGRATION_MODULES = {"analytics": None, "performance": None}  # just the tables
    call_command("migrate", run_syncdb=True, verbosity=0)
    (folder / "ready").touch()
    call_command("import_bars", str(file))
    call_command("dumpdata", "analytics.security", "analytics.datafinding", stdout=sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
