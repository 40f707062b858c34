"""Show that no scan reads the future: recompute, compare, plant leaks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.models import LookaheadCertificate, Source
from analytics.services import certificates, lakes


class Command(BaseCommand):
    help = "Compare scans from all data with scans from what was known then; plant leaks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])
        parser.add_argument("--stock-days", type=int, default=certificates.STOCK_DAYS)
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = certificates.record_certificate(
                source=options["source"] or str(lakes.get_active_source()),
                stock_days=options["stock_days"],
                seed=options["seed"],
                clock=timezone.now,
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(_lines(found)))
        if not found.passed:
            raise CommandError("The certificate is refused.")


def _lines(found: LookaheadCertificate) -> list[str]:
    label = " SIMULATED, not a market." if found.source == Source.SIMULATED else ""
    lines = [
        (
            f"Source: {found.source}.{label} {found.stock_days:,} stock-days of {found.sessions} "
            f"sessions from {found.first} to {found.last}; {found.values:,} values in "
            f"{found.seconds:.0f} s."
        ),
        f"Differences: {found.differences:,}.",
        *found.examples,
        f"Planted leaks caught: {found.leaks_caught} of {found.leaks_planted}.",
    ]
    for name, leak in found.leaks.items():
        said = f"{leak['differences']:,} differences" if leak["differences"] else "NOT CAUGHT"
        lines.append(f"- {name}: {said}. {leak['example']}".rstrip())
    return [*lines, "PASSED" if found.passed else "FAILED"]
