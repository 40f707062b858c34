"""Fill in what became of every candidate."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.models import Source
from analytics.services import lakes
from performance.services import tracking


class Command(BaseCommand):
    help = "Settle the outcomes of all candidates that are not final. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument(
            "--again", action="store_true", help="final ones, too: after a correction of bars"
        )
        parser.add_argument(
            "--source",
            choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED],
            help="default: real data if there is any",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or lakes.get_active_source()
        try:
            summary = tracking.settle_outcomes(
                source=source,
                now=timezone.now(),
                first=options["first"],
                last=options["last"],
                again=options["again"],
                on_progress=self._progress,
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{summary.batches} batches: {summary.settled} candidates settled, "
            f"{summary.delisted} delisted, {summary.no_entry} without entry, "
            f"{summary.pending} pending; {summary.changed} rows changed, "
            f"{summary.seconds:.1f} s, source {source}."
        )

    def _progress(self, done: int, total: int) -> None:
        if done < total:
            self.stderr.write(f"{done} of {total} sessions")
