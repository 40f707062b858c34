"""The mission's initialisation script. The tables themselves are made by ``migrate``."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from analytics.services import setup as first_rows
from performance.services import setup as first_scores
from performance.services import timetable


class Command(BaseCommand):
    help = "Store baseline, references, variants, groups and a first administrator. Safe to rerun."

    def handle(self, *args: Any, **options: Any) -> None:
        for step in (
            first_rows.store_baseline(),
            first_rows.store_references(),
            first_scores.store_timing_reference(now=timezone.now()),
            first_rows.store_variants(),
            first_rows.store_groups(),
            timetable.store_timetable(),
        ):
            self.stdout.write(f"{step.what}: {_told(step)}")
        account = first_rows.create_admin()
        if account is None:
            self.stdout.write("Administrator: kept")
        else:
            self.stdout.write(f"Administrator: stored. User {account.username}")
            self.stdout.write(f"Password (shown this once): {account.password}")


def _told(step: first_rows.Stored) -> str:
    """Return "A, B stored; C kept"."""
    stored = ", ".join(name for name, new in step.rows.items() if new)
    kept = ", ".join(name for name, new in step.rows.items() if not new)
    parts = [f"{stored} stored" if stored else "", f"{kept} kept" if kept else ""]
    return "; ".join(part for part in parts if part)
