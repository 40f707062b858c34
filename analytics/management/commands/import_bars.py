"""Way in: daily bars from files."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from analytics.management.summaries import Tally
from analytics.models import Kind, Source
from analytics.services import market_data


class Command(BaseCommand):
    help = (
        "Read daily bars, raw as traded, from Parquet, CSV or CSV.gz files or folders of them: "
        "columns symbol,date,open,high,low,close,volume[,split_ratio,quality]; or Polygon day "
        "aggregates; or Date,Open,High,Low,Close,Volume in a file named after its symbol. "
        "Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--source", default=Source.IMPORTED, choices=[Source.IMPORTED, Source.LIVE]
        )
        parser.add_argument(
            "--assume-type",
            choices=[kind.value for kind in Kind if kind != Kind.UNKNOWN],
            help="type of the symbols that no symbol list names; they are not scanned otherwise",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tally = Tally(self.stdout, self.stderr)
        for path in options["paths"]:
            read = partial(
                market_data.import_bars,
                path=path,
                source=options["source"],
                now=timezone.now(),
                assume_kind=options["assume_type"],
                on_progress=tally.progress,
            )
            tally.run(path, read)
        tally.finish()
