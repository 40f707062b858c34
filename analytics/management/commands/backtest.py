"""Run a backtest and print what came of it."""

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.calc import figures
from analytics.errors import DomainError
from analytics.models import BacktestRun, Source
from analytics.services import backtesting, lakes

TERMS = {"top": int, "hold": int, "cost_bp": float, "capital": float, "max_share": float}


class Command(BaseCommand):
    help = "Replay discovery over history and trade it on paper. Every run enters the ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="SESSION")
        parser.add_argument("--variant", action="append", metavar="NAME")
        parser.add_argument("--json", action="store_true", help="everything, as JSON")
        for name, kind in TERMS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=kind)

    def handle(self, *args: Any, **options: Any) -> None:
        question = backtesting.Question(
            source=options["source"] or str(lakes.get_active_source()),
            first=options["first"],
            last=options["last"],
            variants=options["variant"],
            terms={name: options[name] for name in TERMS if options[name] is not None},
        )
        try:
            run = backtesting.record_backtest(
                question=question, clock=timezone.now, on_progress=lambda *_said: None
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            whole = {"result": run.result, "deflation": run.deflation, "winners": run.winners}
            self.stdout.write(json.dumps(whole, indent=1))
            return
        self.stdout.write("\n".join(_lines(run)))


def _lines(run: BacktestRun) -> list[str]:
    label = " SIMULATED, not a market." if run.source == Source.SIMULATED else ""
    lines = [
        (
            f"Source: {run.source}.{label} {run.first} to {run.last}, {run.seconds:.0f} s, "
            f"digest {run.digest}."
        )
    ]
    for name, found in run.result.items():
        explosive, portfolio = found["explosive"], found["portfolio"]
        rate, lift = explosive["first_signals"]["rate"], explosive["all_rows"]["matched_lift"]
        lines += [
            (
                f"{name}: {found['counts']['candidates']:,} candidates; explosive "
                f"{figures.percent(rate['value'])} of first signals, base "
                f"{figures.percent(explosive['base']['value'])}, matched lift "
                f"{figures.times(lift['value'])}; recall "
                f"{figures.percent(found['recall']['episodes']['value'])}"
            ),
            (
                f"   portfolio {figures.change(portfolio.get('total_return'))}, Sharpe "
                f"{figures.number(portfolio['sharpe']['value'], 2)}, PSR "
                f"{figures.percent(portfolio['psr']['value'])}, deflated "
                f"{figures.percent(run.deflation[name]['value'])}"
            ),
        ]
    lines += [f"{w['symbol']}: {w['verdict']}. {w['reason']}".rstrip() for w in run.winners]
    return lines
