"""Winners that were not named: which gate removed them, and what loosening it costs (§8)."""

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
from django.db.models import QuerySet

from analytics.calc import sessions
from analytics.errors import DomainError
from analytics.services import discovery, lakes, panels
from performance.models import GateStudy, WinnerEpisode

SESSIONS = 252  # studied up to the last settled one, unless said otherwise
SETTLES = 14  # sessions after which an outcome is known

Clock = Callable[[], datetime]
Progress = Callable[[int, int, str], None]


class NothingToStudy(DomainError):
    """No session with bars has settled."""


def record_gate_studies(
    *,
    source: str,
    clock: Clock,
    count: int = SESSIONS,
    on_progress: Progress = lambda _done, _total, _message: None,
) -> list[GateStudy]:
    """Loosen every gate of every active variant in turn, over the newest settled sessions.

    Args:
        source: Whose market data.
        clock: Read at the beginning and at the end of each study.
        count: Sessions studied, at most.
        on_progress: Told how many variants are done.

    Raises:
        NothingToStudy: No session with bars has settled.
        discovery.NoVariant: There is no active variant.
    """
    from analytics.calc import backtest, outcomes
    from performance.calc import gate_study

    covered = lakes.lake_of(source).sessions()
    numbers = np.array([sessions.number(day) for day in covered], dtype=np.int32)
    reach = outcomes.coverage(numbers, size=sessions.calendar().size)
    settled = [int(at) for at in numbers if reach[at] >= at + SETTLES][-count:]
    if not settled:
        raise NothingToStudy(f"No {source} session has settled yet.")
    first, last = sessions.day(settled[0]), sessions.day(settled[-1])
    variants = discovery.get_variants()
    on_progress(0, len(variants), "reading market data")
    reading = panels.get_panel(source=source, first=first, last=last, ahead=backtest.AHEAD)
    studies = []
    for done, variant in enumerate(variants, 1):
        begun = clock()
        result = gate_study.study(
            reading.panel,
            rules=discovery.rules_of(variant, source=source),
            references=discovery.get_references(),
            first=first,
            last=last,
            reach=reach,
            source=source,
        )
        ended = clock()
        studies.append(
            GateStudy.objects.create(
                variant=variant,
                first=first,
                last=last,
                result=result,
                lake_versions=reading.versions,
                seconds=(ended - begun).total_seconds(),
                created_at=ended,
                source=source,
            )
        )
        on_progress(done, len(variants), f"{variant} studied")
    return studies


def get_missed(
    *,
    source: str,
    first: date | None = None,
    last: date | None = None,
    variant: str = "",
    gate: str = "",
    symbol: str = "",
) -> QuerySet[WinnerEpisode]:
    """Return winners that no candidate row caught, newest first.

    Args:
        source: Of the rows.
        first: Of an episode's first session, at the earliest.
        last: Of an episode's first session, at the latest.
        variant: Name of the variant; all of them if blank.
        gate: Only those that this gate removed.
        symbol: Only this ticker, in any case.
    """
    wanted = {
        "first_session__gte": first,
        "first_session__lte": last,
        "variant__name": variant or None,
        "gate": gate or None,
        "symbol": symbol.strip().upper() or None,
    }
    rows = WinnerEpisode.objects.missed().filter(
        source__in=lakes.sources_beside(source),
        **{name: value for name, value in wanted.items() if value is not None},
    )
    return rows.select_related("variant").order_by(
        "-first_session", "symbol", "variant__name", "pk"
    )


def get_studies(*, source: str, variant: str = "") -> dict[int, GateStudy]:
    """Return the newest study of each variant, by the variant's id."""
    rows = GateStudy.objects.filter(source__in=lakes.sources_beside(source))
    if variant:
        rows = rows.filter(variant__name=variant)
    newest = {row["variant"]: row["pk"] for row in rows.order_by("pk").values("variant", "pk")}
    found = GateStudy.objects.filter(pk__in=newest.values()).select_related("variant")
    return {study.variant_id: study for study in found.order_by("variant__name", "pk")}


def caught_by(episode: WinnerEpisode, studies: dict[int, GateStudy]) -> list[str] | None:
    """Return the relaxations that would have caught an episode; None if it was not studied."""
    study = studies.get(episode.variant_id)
    if study is None:
        return None
    found: list[str] | None = study.result["caught_by"].get(
        f"{episode.symbol} {episode.first_session}"
    )
    return found
