"""Way in: fill the lake from the provider, here and now or as a job."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.services import backfill, jobs, market_jobs, providers


class Command(BaseCommand):
    help = (
        "Fill the lake with market data. What is there is skipped: it may be killed, and run "
        "twice at once. Says beforehand how long it takes and what the plan cannot give."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--queue", action="store_true", help="let a worker do it, as a job")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        first, last = options["first"], options["last"]
        limit = providers.polygon_limit()
        plan = backfill.get_plan(now=timezone.now(), limit=limit, first=first, last=last)
        self.stdout.write(str(plan))
        if options["dry_run"]:
            return
        if options["queue"]:
            given = {"first": first, "last": last}
            wanted = {name: day.isoformat() for name, day in given.items() if day}
            job = jobs.request(kind=market_jobs.BACKFILL, arguments=wanted, now=timezone.now())
            self.stdout.write(f"Queued as job {job.pk}.")
            return
        with providers.connect_polygon() as polygon, providers.connect_finra() as finra:
            filled = backfill.fill(
                polygon=polygon,
                finra=finra,
                plan=plan,
                clock=timezone.now,
                on_progress=self._progress,
            )
        self.stdout.write(f"{filled}.")
        for held in filled.held:
            self.stderr.write(f"Held back: {held}")

    def _progress(self, done: int, total: int, message: str) -> None:
        self.stderr.write(f"{done} of {total}: {message}")
