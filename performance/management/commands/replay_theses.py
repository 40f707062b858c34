"""Put settled cases to Claude once more, as they were and masked, and print the memory lift."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.calc import figures
from analytics.errors import DomainError
from analytics.models import Source
from analytics.services import lakes
from performance.services import replays


class Command(BaseCommand):
    help = (
        "Ask Claude about settled cases with and without symbol, names, dates and prices. "
        "It costs two calls a case, of the same daily budget, and issues no thesis."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--masked", action="store_true", required=True, help="ask both ways")
        parser.add_argument("--count", type=int, default=20, help="cases at most")
        parser.add_argument("--source", choices=[Source.IMPORTED, Source.LIVE, Source.SIMULATED])

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["source"] or str(lakes.get_active_source())
        try:
            found = replays.replay(source=source, count=options["count"], clock=timezone.now)
        except DomainError as error:
            raise CommandError(str(error)) from error
        label = " SIMULATED, not a market." if source == Source.SIMULATED else ""
        lines = [
            (
                f"Source: {source}.{label} {found.compared} of {found.asked} cases compared, "
                f"${found.cost_usd:.4f}."
            ),
            *_of_view("as they were", found.plain),
            *_of_view("masked", found.masked),
            f"memory lift, accuracy: {figures.estimate(found.memory_lift)}",
            f"memory lift, Brier of P(explosive): {_points(found.memory_lift_brier)}",
            _cutoff(found),
            *_of_view("skill: masked, after the cut-off", found.skill),
            *(f"not answered: {count} {reason}" for reason, count in sorted(found.failed.items())),
        ]
        self.stdout.write("\n".join(lines))


def _of_view(title: str, view: replays.View) -> list[str]:
    return [
        f"{title}: accuracy {figures.estimate(view.accuracy)}",
        (
            f"{title}: Brier of P(explosive) {_points(view.brier_explosive)}, "
            f"of P(target first) {_points(view.brier_target)}"
        ),
    ]


def _points(figure: Any) -> str:
    if figure.value is None:
        return f"not given: {figure.reason}"
    bounds = f" ({figure.low:.4f} to {figure.high:.4f})" if figure.low is not None else ""
    return f"{figure.value:.4f}{bounds}, n {figure.n}"


def _cutoff(found: replays.Replay) -> str:
    if found.cutoff is None:
        return "training cut-off: not known, so no case counts as skill"
    before = found.compared - found.after_cutoff
    return (
        f"training cut-off {found.cutoff}: {before} cases up to it never count as skill, "
        f"{found.after_cutoff} after it may"
    )
