"""Derive trades, positions and equity from the ledger, from nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from performance.models import Account
from performance.services import portfolio


class Command(BaseCommand):
    help = "Rebuild lots, trades, positions and equity of all accounts. The same rows every time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="only the account of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.order_by("pk")
        if options["account"]:
            accounts = accounts.filter(name=options["account"])
            if not accounts:
                raise CommandError(f"there is no account {options['account']!r}")
        for account in accounts:
            done = portfolio.rebuild(account=account, now=timezone.now())
            self.stdout.write(
                f"{done.account} ({account.source}): {done.fills} fills, {done.trades} trades "
                f"({done.open_trades} open), {done.days} sessions to {done.last or '-'}, "
                f"{done.findings} findings; {done.changed} rows changed, {done.seconds:.1f} s"
            )
        if not accounts:
            self.stdout.write("No accounts.")
