"""Write the comprehensive report to a file or the terminal."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.services import lakes
from performance.services import report_text, reporting


class Command(BaseCommand):
    help = "Print the comprehensive report as Markdown, or write it to a .md or .pdf file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--period-days", type=int, default=30)
        parser.add_argument("--source", choices=["live", "imported", "simulated"])
        parser.add_argument("--to", type=Path, help="ends in .md or .pdf")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = reporting.get_report(
                source=options["source"] or lakes.get_active_source(),
                now=timezone.now(),
                period_days=options["period_days"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        target: Path | None = options["to"]
        if target is None:
            self.stdout.write(report_text.render(found))
            return
        if target.suffix == ".pdf":
            from performance.services import report_pdf

            target.write_bytes(report_pdf.render(found))
        elif target.suffix == ".md":
            target.write_text(report_text.render(found))
        else:
            raise CommandError(f"{target} must end in .md or .pdf")
        self.stdout.write(f"{found.title}: {len(found.sections)} sections in {target.name}.")
