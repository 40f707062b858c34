"""Way in: symbol lists, splits, short interest, shares and fails from files."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from analytics.management.summaries import Tally
from analytics.models import Source
from analytics.services import market_data


class Command(BaseCommand):
    help = (
        "Read symbol lists, splits, short interest, shares and float, and fails to deliver from "
        "Parquet, CSV or CSV.gz files or folders of them; the columns say what a file is. "
        "Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--source", default=Source.IMPORTED, choices=[Source.IMPORTED, Source.LIVE]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tally = Tally(self.stdout, self.stderr)
        for path in options["paths"]:
            read = partial(
                market_data.import_reference,
                path=path,
                source=options["source"],
                now=timezone.now(),
                on_progress=tally.progress,
            )
            tally.run(path, read)
        tally.finish()
