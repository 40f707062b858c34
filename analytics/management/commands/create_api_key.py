"""Make an API key from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.services import api_keys


class Command(BaseCommand):
    help = "Make an API key for a member of staff and print it, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="whose rights it has")
        parser.add_argument("--name", required=True, help=api_keys.NAME_RULE)
        parser.add_argument("--days", type=int, default=api_keys.DAYS, help="until it expires")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = api_keys.create_for(
                username=options["user"],
                name=options["name"],
                days=options["days"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"Valid until {new.expires:%Y-%m-%d}. Shown this once:")
        self.stdout.write(new.key)
