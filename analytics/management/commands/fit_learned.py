"""Way in: fit the models that the learned variant lacks."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.models import Source
from analytics.services import lakes, learned


class Command(BaseCommand):
    help = "Fit the learned variant walk-forward: one model a month, those that are missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or str(lakes.get_active_source())
        try:
            found = learned.record_models(source=source, now=timezone.now(), report=_Terminal())
        except DomainError as error:
            raise CommandError(str(error)) from error
        for one in found:
            why = f"; insufficient data: {one.reason}" if one.reason else ""
            self.stdout.write(
                f"{one.variant}: {one.new} new models, {one.kept} kept, {one.seconds:.0f} s{why}"
            )


class _Terminal:
    """Hears how far the work is; a command is ended by its signal."""

    def now(self) -> datetime:
        return timezone.now()

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        """Say nothing: the answer is one line."""
