"""Check the chain of theses and print its head; fails where the chain breaks."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.services import thesis_chain


class Command(BaseCommand):
    help = "Check that no thesis was changed, removed or slipped in. Names the first break."

    def handle(self, *args: Any, **options: Any) -> None:
        checked = thesis_chain.verify()
        if checked.unguarded:
            tables = ", ".join(checked.unguarded)
            self.stderr.write(f"No trigger guards {tables}: the database would let rows change.")
        if checked.broken:
            raise CommandError(
                f"The chain breaks at thesis {checked.broken.number}: {checked.broken.reason}."
            )
        if checked.head is None:
            self.stdout.write("No thesis is issued yet.")
            return
        head = checked.head
        self.stdout.write(
            f"The chain of {checked.theses} theses holds. Head: number {head.number}, "
            f"issued {head.issued_at:%Y-%m-%d %H:%M} UTC, digest {head.digest}."
        )
