"""Take a broker's CSV export into the ledger of an account."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from performance.models import Account
from performance.services import fill_imports


class Command(BaseCommand):
    help = (
        "Import fills and cash from a CSV export (Alpaca, Schwab, TD Ameritrade, IBKR, Robinhood, "
        "generic). Safe to run again: nothing is taken twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--account", required=True, help="name of the account")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument(
            "--keep-faulty",
            action="store_true",
            help="take the good rows, and keep each row that cannot be read as a finding",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(name=options["account"]).first()
        if account is None:
            raise CommandError(f"there is no account {options['account']!r}")
        try:
            content = options["file"].read_bytes()
            if options["dry_run"]:
                self._tell(fill_imports.plan(account=account, content=content))
                return
            done = fill_imports.import_file(
                account=account,
                content=content,
                now=timezone.now(),
                keep_faulty=options["keep_faulty"],
            )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except fill_imports.FaultyRows as error:
            for fault in error.faults:
                self.stderr.write(str(fault))
            raise CommandError(
                f"{len(error.faults)} rows cannot be read; nothing was imported"
            ) from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.layout}: {done.new} new rows, {done.known} known, {done.contradictions} "
            f"contradictions, {len(done.faults)} unreadable kept as findings"
        )

    def _tell(self, plan: fill_imports.Plan) -> None:
        for fault in plan.faults:
            self.stderr.write(str(fault))
        self.stdout.write(
            f"{plan.layout}, dry run: {plan.count('new')} new rows, {plan.count('known')} known, "
            f"{plan.count('contradiction')} contradictions, {len(plan.faults)} unreadable"
        )
