"""Scan one session or many and record the candidates."""

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.errors import DomainError
from analytics.models import Candidate, Source
from analytics.services import discovery, lakes

SHOWN = ("rank", "symbol", "score", "similarity", "rel_volume", "close", "label", "pattern")


class Command(BaseCommand):
    help = "Scan sessions with every active variant. Again is a no-op while the data is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--session", type=date.fromisoformat, help="one session, YYYY-MM-DD")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--all", action="store_true", help="every session of the lake")
        parser.add_argument(
            "--variant", action="append", metavar="NAME", help="default: all active"
        )
        parser.add_argument("--source", choices=_SOURCES, help="default: real data if there is any")
        parser.add_argument("--json", action="store_true", help="print the candidates as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        source = options["source"] or lakes.get_active_source()
        first, last = _range(options, source)
        variants = discovery.get_variants(names=options["variant"])
        summary = discovery.record_batches(
            first=first,
            last=last,
            source=source,
            now=timezone.now(),
            variants=variants,
            on_progress=None if first == last else self._progress,
        )
        if not summary.sessions:
            raise CommandError(f"no {source} bars from {first} to {last}")
        if options["json"]:
            self.stdout.write(json.dumps(_candidates(first, last, source, variants), indent=2))
            return
        if first == last:
            self._table(_candidates(first, last, source, variants))
        self.stdout.write(
            f"{summary.sessions} sessions: {summary.new} batches new, {summary.superseded} "
            f"superseded, {summary.unchanged} unchanged, {summary.candidates} candidates "
            f"written, {summary.seconds:.1f} s, source {source}."
        )

    def _progress(self, done: int, total: int) -> None:
        self.stderr.write(f"{done} of {total} sessions")

    def _table(self, rows: list[dict[str, Any]]) -> None:
        variant = None
        for row in rows:
            if row["variant"] != variant:
                variant = row["variant"]
                self.stdout.write(f"\n{variant}\n" + "".join(f"{name:>13}" for name in SHOWN))
            cells = [_cell(row[name]) for name in SHOWN]
            self.stdout.write("".join(f"{cell:>13}" for cell in cells))
        self.stdout.write("")


_SOURCES = [Source.IMPORTED, Source.LIVE, Source.SIMULATED]


def _range(options: dict[str, Any], source: str) -> tuple[date, date]:
    if options["session"]:
        return options["session"], options["session"]
    if options["first"] and options["last"]:
        if options["first"] > options["last"]:
            raise CommandError("--from lies after --to")
        return options["first"], options["last"]
    if options["all"]:
        days = lakes.lake_of(source).sessions()
        if not days:
            raise CommandError(f"the {source} lake has no bars; import some first")
        return days[0], days[-1]
    raise CommandError("say --session D, --from D1 --to D2, or --all")


def _candidates(first: date, last: date, source: str, variants: list[Any]) -> list[dict[str, Any]]:
    found = (
        Candidate.objects.current()
        .filter(batch__session__range=(first, last), batch__source=source)
        .filter(batch__variant__in=variants)
        .select_related("batch__variant")
        .order_by("batch__variant__name", "batch__session", "rank")
    )
    return [
        {
            "session": pick.batch.session.isoformat(),
            "variant": str(pick.batch.variant),
            "source": pick.batch.source,
            **pick.snapshot(),
            "close": float(pick.close),
        }
        for pick in found
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
