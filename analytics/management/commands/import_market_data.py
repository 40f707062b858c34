"""Way in: everything in AMC_DATA_DIR, reference data before bars."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from analytics.services import market_files


class Command(BaseCommand):
    help = "Read all market data in AMC_DATA_DIR. Safe to run again: what is in is not read."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.AMC_DATA_DIR) if settings.AMC_DATA_DIR else None
        if folder is None or not folder.is_dir():
            raise CommandError("AMC_DATA_DIR names no folder")
        listed = market_files.sort_out(folder)
        reference = [path for path, is_bars in listed if not is_bars]
        bars = [path for path, is_bars in listed if is_bars]
        known = {path for path, _ in listed}
        left = [path.name for path in market_files.data_files(folder) if path not in known]
        if left:
            self.stderr.write(f"Left alone, the name says nothing: {', '.join(left)}")
        for command, paths in (("import_reference", reference), ("import_bars", bars)):
            if paths:
                call_command(command, *paths, stdout=self.stdout, stderr=self.stderr)
