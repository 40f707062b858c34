"""Load the simulated market."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.calc import sessions
from analytics.services import sample_market


class Command(BaseCommand):
    help = (
        "Store a simulated market, marked SIMULATED, in a lake of its own. "
        "If there is one it is kept as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--symbols", type=int, default=sample_market.SYMBOLS, metavar="N")
        parser.add_argument("--years", type=int, default=sample_market.YEARS, metavar="N")
        parser.add_argument("--seed", type=int, default=sample_market.SEED, metavar="N")
        parser.add_argument(
            "--end",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="last session; the last finished one by the clock if not given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            loaded = sample_market.load_sample_market(
                end=options["end"] or sessions.last_finished(now),
                now=now,
                symbols=options["symbols"],
                years=options["years"],
                seed=options["seed"],
            )
        except ValueError as wrong:
            raise CommandError(str(wrong)) from wrong
        done = "stored" if loaded.created else "kept as it was"
        self.stdout.write(
            f"SIMULATED market {done}: {loaded.bars:,} bars of {loaded.symbols} symbols, "
            f"{loaded.sessions} sessions from {loaded.first} to {loaded.last}."
        )
