"""Say what every gate and component made of a symbol."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.errors import DomainError
from analytics.models import Source
from analytics.services import discovery, lakes

MARKS = {True: "pass", False: "FAIL", None: "unknown"}


class Command(BaseCommand):
    help = "Say what every gate and component made of a symbol on a session, candidate or not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--symbol", required=True)
        parser.add_argument("--session", required=True, type=date.fromisoformat)
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or lakes.get_active_source()
        try:
            found = discovery.get_explanation(
                symbol=options["symbol"], session=options["session"], source=source
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), default=str, indent=2))
            return
        self.stdout.write(
            f"{found.symbol} on {found.session}, source {source}; "
            f"this listing began {found.listing_first}"
        )
        self.stdout.write("  " + ", ".join(f"{k} {_cell(v)}" for k, v in found.bar.items()))
        for verdict in found.verdicts:
            self._verdict(verdict)
        self.stdout.write("\nSimilarity")
        for known in found.likeness:
            self.stdout.write(
                f"  {known.reference:<8}{_cell(known.value):>10}  coverage {known.coverage:.0%}"
            )
        self.stdout.write("\nFeatures")
        for name, value in found.features.items():
            self.stdout.write(f"  {name:<24}{_cell(value):>18}")

    def _verdict(self, verdict: Any) -> None:
        place = (
            f"rank {verdict.rank} of {verdict.candidates}, ranked by {verdict.rank_score:.2f}"
            if verdict.rank
            else f"no candidate: stopped by {verdict.stopped_by}"
            if verdict.stopped_by
            else f"passed every gate, but ranked behind the top {verdict.candidates}"
        )
        self.stdout.write(f"\n{verdict.variant}: {place}")
        for gate in verdict.gates:
            self.stdout.write(
                f"  {MARKS[gate.passed]:<8}{gate.name:<28}{_cell(gate.value):>18}   {gate.limit}"
            )
        self.stdout.write(f"  score {_cell(verdict.score)}, coverage {verdict.coverage:.0%}")
        for part in verdict.parts:
            self.stdout.write(
                f"    {part.name:<22}weight {part.weight:.2f}  component {_cell(part.value):>8}"
                f"  points {_cell(part.points):>8}"
            )


def _cell(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else f"{value:,.4g}"
