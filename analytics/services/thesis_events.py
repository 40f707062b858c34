"""What happens to theses after they were issued: falsifiers, the check before the open (§9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
import polars as pl
from django.db import transaction

from analytics.calc import falsifiers, features, sessions
from analytics.calc import panel as panels
from analytics.calc.panel import Floats, Panel
from analytics.errors import DomainError
from analytics.models import (
    AlertKind,
    AlertSeverity,
    Thesis,
    ThesisEvent,
    ThesisEventKind,
)
from analytics.services import alerts, lakes
from analytics.services import panels as panel_reading
from analytics.services.alerts import Crossing

FOLLOWED: Final = 45  # sessions back in which theses are looked at, past the longest horizon
CHUNK: Final = 500
HELD: Final = ("BUY", "HOLD")  # calls that somebody may have acted on


class CannotWithdraw(DomainError):
    """Only the author may withdraw a thesis, and only before its entry."""


@dataclass(frozen=True, kw_only=True)
class FalsifierCheck:
    """What a check of falsifiers did: theses looked at, conditions that came true."""

    theses: int
    triggered: int
    last: date | None


def check_falsifiers(*, source: str, now: datetime, first: date | None = None) -> FalsifierCheck:
    """Record the falsifiers that came true since; safe to repeat, each is recorded once.

    Reads bars after the signal session: an event says what happened, no thesis is changed by it.

    Args:
        source: Of theses and bars.
        now: Noted on the events.
        first: Oldest signal session; 45 sessions before the newest bar if not given.
    """
    days = lakes.lake_of(source).sessions()
    if not days:
        return FalsifierCheck(theses=0, triggered=0, last=None)
    last = days[-1]
    since = first or sessions.offset(last, -FOLLOWED)
    theses = list(
        Thesis.objects.filter(
            source__in=lakes.sources_beside(source), session__gte=since, session__lt=last
        ).defer("data_pack", "raw_answer", "text", "reasons")
    )
    asked = _conditions(theses)
    if not asked:
        return FalsifierCheck(theses=len(theses), triggered=0, last=last)
    oldest = min(thesis.session for thesis in theses)
    symbols = sorted({thesis.symbol for thesis in theses})
    panel = panel_reading.get_panel(source=source, first=oldest, last=last, symbols=symbols).panel
    measured = _measured(panel)
    found = falsifiers.first_triggers(_with_listing(asked, measured), measured)
    made = _record_triggers(found, asked, theses, now)
    return FalsifierCheck(theses=len(theses), triggered=made, last=last)


def get_events(*, candidate_ids: Sequence[int]) -> dict[int, list[ThesisEvent]]:
    """Return the events of candidates, the newest first, by candidate."""
    found: dict[int, list[ThesisEvent]] = {}
    rows = ThesisEvent.objects.filter(candidate_id__in=candidate_ids).newest_first()
    for event in rows.select_related("thesis"):
        found.setdefault(event.candidate_id or 0, []).append(event)
    return found


def withdraw(*, thesis: Thesis, author_id: int | None, reason: str, now: datetime) -> ThesisEvent:
    """Note that the author no longer stands by a thesis. It stays, and is settled all the same.

    Raises:
        CannotWithdraw: Another wrote it, or its entry has passed.
    """
    if author_id is None or thesis.written_by_id != author_id:
        raise CannotWithdraw("Only the author of a thesis can withdraw it.")
    entry = sessions.offset(thesis.session, 1)
    if now >= sessions.opening(entry):
        raise CannotWithdraw(f"The entry of {entry} has passed.")
    event, _new = ThesisEvent.objects.get_or_create(
        thesis=thesis,
        kind=ThesisEventKind.WITHDRAWN,
        session=entry,
        defaults={
            "candidate_id": thesis.candidate_id,
            "message": reason[:300] or "withdrawn",
            "recorded_at": now,
            "source": thesis.source,
        },
    )
    return event


def _conditions(theses: Sequence[Thesis]) -> list[dict[str, object]]:
    """Return one row per falsifier that has not come true yet."""
    known = set(
        ThesisEvent.objects.filter(thesis__in=theses, kind=ThesisEventKind.FALSIFIED).values_list(
            "thesis_id", "subject"
        )
    )
    rows: list[dict[str, object]] = []
    for place, thesis in enumerate(theses):
        number = sessions.number(thesis.session)
        for text in thesis.falsifiers:
            if (thesis.pk, text) in known:
                continue
            one = falsifiers.parse(text)
            rows.append(
                {
                    "id": len(rows),
                    "place": place,
                    "text": text,
                    "ticker": thesis.symbol,
                    "measure": one.measure,
                    "comparison": one.comparison,
                    "number": one.number,
                    "sessions": one.sessions,
                    "after": number,
                    "until": number + thesis.horizon,
                }
            )
    return rows


def _measured(panel: Panel) -> pl.DataFrame:
    """Return every bar of a panel with its features, its listing and its share basis."""
    rows = np.arange(panel.height, dtype=np.int64)
    table = features.of_rows(panel, rows)
    segment = panels.row_segments(panel, rows)
    columns = {name: table[name] for name in falsifiers.MEASURES if name in features.NAMES}
    bars: dict[str, Floats] = {
        name: getattr(panel, name) for name in (*falsifiers.PRICES, "volume")
    }
    frame = pl.DataFrame(
        {
            "ticker": pl.Series(panel.symbols, dtype=pl.String).gather(
                panel.segment_symbol[segment]
            ),
            "listing": segment,
            "number_of_session": panel.session.astype(np.int64),
            "split": panel.split,
        }
    ).with_columns(**{name: pl.Series(values) for name, values in (bars | columns).items()})
    return frame.with_columns(
        pl.col(falsifiers.MEASURES).fill_nan(None),
        basis=pl.col("split").cum_prod().over("listing"),
        symbol=pl.format("{}#{}", "ticker", "listing"),
    )


def _with_listing(asked: list[dict[str, object]], measured: pl.DataFrame) -> pl.DataFrame:
    """Add to each condition the listing and the share basis of its signal session."""
    signal = measured.select(
        "ticker",
        "symbol",
        pl.col("number_of_session").alias("after"),
        pl.col("basis").alias("scale"),
    )
    return pl.DataFrame(asked, infer_schema_length=None).join(signal, on=["ticker", "after"])


@transaction.atomic
def _record_triggers(
    found: pl.DataFrame, asked: list[dict[str, object]], theses: Sequence[Thesis], now: datetime
) -> int:
    events = []
    for row, number, value in found.iter_rows():
        thesis = theses[int(str(asked[row]["place"]))]
        text, day = str(asked[row]["text"]), sessions.day(number)
        events.append(
            ThesisEvent(
                thesis=thesis,
                candidate_id=thesis.candidate_id,
                kind=ThesisEventKind.FALSIFIED,
                session=day,
                subject=text,
                message=f"{text}: {asked[row]['measure']} was {value:.4g} on {day}",
                detail={"value": value, "sessions_after": number - sessions.number(thesis.session)},
                recorded_at=now,
                source=thesis.source,
            )
        )
    ThesisEvent.objects.bulk_create(events, batch_size=CHUNK, ignore_conflicts=True)
    for source in {event.source for event in events}:
        alerts.raise_new(
            crossings=[
                _crossing(event)
                for event in events
                if event.source == source and not event.thesis.is_late  # a replay is no news
            ],
            source=source,
            now=now,
        )
    return len(events)


def _crossing(event: ThesisEvent) -> Crossing:
    held = event.thesis.recommendation in HELD
    return Crossing(
        kind=AlertKind.FALSIFIER,
        severity=AlertSeverity.WARNING if held else AlertSeverity.INFO,
        message=f"{event.thesis}: {event.message}",
        symbol=event.thesis.symbol,
        subject=f"thesis {event.thesis.number}",
        session=event.session,
    )
