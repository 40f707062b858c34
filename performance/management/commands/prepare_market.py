"""Market data in, discovery over all of it, outcomes settled: what a new installation shows."""

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from analytics.models import DiscoveryBatch, Source, Variant, VariantKind
from analytics.services import lakes
from performance.services.simulated_portfolio import store_simulated_portfolio


class Command(BaseCommand):
    help = "Load AMC_DATA_DIR or the sample market; discover, settle, write theses. Safe to rerun."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.AMC_DATA_DIR:
            call_command("import_market_data", stdout=self.stdout)
        elif lakes.get_active_source() == "simulated":
            call_command("load_sample_market", stdout=self.stdout)
        source = lakes.get_active_source()
        sessions = lakes.lake_of(source).sessions()
        if not sessions:
            self.stdout.write("Market data: none. Import some with import_bars.")
            return
        if _is_replayed(source, sessions):
            self.stdout.write(f"Discovery: kept, {sessions[0]} to {sessions[-1]}")
        else:
            learned = Variant.objects.active().filter(kind=VariantKind.LEARNED)
            if source != Source.SIMULATED and learned.exists():
                call_command("fit_learned", source=source, stdout=self.stdout)
            call_command("discover", "--all", stdout=self.stdout)
        call_command("settle_outcomes", stdout=self.stdout)
        call_command("write_theses", source=source, stdout=self.stdout)
        if source == Source.SIMULATED:
            stored = store_simulated_portfolio(now=timezone.now())
            for name, new in stored.rows.items():
                self.stdout.write(f"{stored.what}: {name} {'stored' if new else 'kept'}")
        call_command("rebuild_portfolio", stdout=self.stdout)


def _is_replayed(source: str, sessions: list[date]) -> bool:
    """Return whether each active variant has read all sessions, the newest from today's lake.

    A doubt means no: discovery then looks at the rows themselves, and repeats nothing.
    """
    versions = lakes.lake_of(source).versions()
    for variant in Variant.objects.active():
        batches = DiscoveryBatch.objects.current().of(source).filter(variant=variant)
        newest = batches.filter(session=sessions[-1]).first()
        if newest is None or newest.lake_versions != versions:
            return False
        if batches.filter(session__range=(sessions[0], sessions[-1])).count() != len(sessions):
            return False
    return True
