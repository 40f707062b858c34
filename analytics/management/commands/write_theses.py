"""Have theses written about the best candidates of a session, or of many, without a worker."""

from argparse import ArgumentParser
from collections import Counter
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.calc import sessions
from analytics.models import AuthorKind, Source
from analytics.services import history_index, lakes, theses

AUTHORS = (AuthorKind.RULES.value, AuthorKind.CLAUDE.value)


class Command(BaseCommand):
    help = (
        "Write theses about the best candidates. Sessions whose entry has passed give replays, "
        "labelled late. What was said before is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--session", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--author", action="append", choices=AUTHORS)
        parser.add_argument("--count", type=int, help="candidates a session")
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or str(lakes.get_active_source())
        first, last = options["first"], options["last"]
        if bool(first) != bool(last) or (options["session"] and first):
            raise CommandError("Give --session, or --from and --to, or nothing for the newest.")
        if not first:
            first = last = options["session"] or theses.get_newest_session(source=source)
        if not first:
            self.stdout.write(f"Source: {source}. No session has candidates yet.")
            return
        with suppress(history_index.NoIndex):  # packs look into it; what is current is kept
            history_index.record_index(source=source, now=timezone.now(), report=_Terminal())
        count = options["count"] or settings.THESES_PER_SESSION
        said: Counter[str] = Counter()
        for session in sessions.between(first, last):
            for candidate in theses.get_top(source=source, session=session, count=count):
                done = theses.write(
                    candidate=candidate,
                    authors=options["author"] or [AuthorKind.RULES.value],
                    clock=timezone.now,
                )
                said.update(f"{one.author_kind} {one.outcome} {one.reason}".strip() for one in done)
        label = " SIMULATED, not a market." if source == Source.SIMULATED else ""
        told = ", ".join(f"{number} {what}" for what, number in sorted(said.items())) or "nothing"
        self.stdout.write(f"Source: {source}.{label} {first} to {last}: {told}.")


class _Terminal:
    """Hears how far the index is; the command says what came of it all."""

    def now(self) -> datetime:
        return timezone.now()

    def progress(self, current: int, total: int | None = None, message: str = "") -> None:
        pass
