"""Scan sessions with every active variant and record what is found (design §7)."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

import polars as pl
from django.db import transaction

from analytics.calc import replay, sessions
from analytics.calc.detector import Rules
from analytics.calc.explain import Explanation, NoBar, explain
from analytics.calc.replay import Replay, VariantReplay
from analytics.calc.sessions import OutsideCalendar
from analytics.calc.similarity import Reference
from analytics.errors import DomainError
from analytics.models import (
    Candidate,
    DiscoveryBatch,
    FloatBasis,
    Pattern,
    ReferencePattern,
    ShadowPick,
    Variant,
    VariantKind,
)
from analytics.services import bulk, holds, learned_models, panels

CHUNK = 500  # sessions scanned from one reading; bounds the memory of a long replay

Progress = Callable[[int, int], None]


class NoBars(DomainError):
    """There is nothing to scan."""


class NoVariant(DomainError):
    """No active variant of that name."""


@dataclass(frozen=True, kw_only=True)
class DiscoverySummary:
    """What a run did.

    Attributes:
        sessions: Sessions that had bars.
        new: Batches written for the first time.
        superseded: Batches whose rows had changed since, written anew.
        unchanged: Batches that stand as they were.
        candidates: Candidates written.
        seconds: Wall time.
    """

    sessions: int
    new: int
    superseded: int
    unchanged: int
    candidates: int
    seconds: float


def get_variants(*, names: Sequence[str] | None = None) -> list[Variant]:
    """Return the newest active version of each variant, by name.

    Raises:
        NoVariant: A name of ``names`` has no active version, or there is none at all.
    """
    newest = {variant.name: variant for variant in Variant.objects.active().order_by("version")}
    missing = set(names or ()) - set(newest)
    if missing or not newest:
        raise NoVariant(f"no active variant {', '.join(sorted(missing)) or 'at all'}")
    return [newest[name] for name in sorted(names or newest)]


def rules_of(variant: Variant, *, source: str) -> Rules:
    """Return the variant as the calculation wants it, with its models fitted on the realm's data.

    A learned variant without any has none: its batches say so.
    """
    return Rules(
        name=str(variant),
        weights=variant.weights,
        min_close=variant.min_close,
        max_close=variant.max_close,
        min_dollar_volume=variant.min_dollar_volume,
        min_rel_volume=variant.min_rel_volume,
        max_float=variant.max_float,
        min_sessions=variant.min_sessions,
        min_coverage=variant.min_coverage,
        top=variant.top,
        learned=variant.kind == VariantKind.LEARNED,
        models=learned_models.get_models(variant=variant, source=source),
    )


def get_references() -> list[Reference]:
    """Return the active reference patterns, by symbol."""
    return [
        Reference(
            symbol=pattern.symbol,
            rel_volume=pattern.volume_spike,
            short_interest_pct=pattern.short_interest_pct,
            float_shares=pattern.float_shares,
            close=pattern.entry_price,
        )
        for pattern in ReferencePattern.objects.filter(active=True).order_by("symbol")
    ]


def record_batch(
    *, session: date, source: str, now: datetime, variants: Sequence[Variant] | None = None
) -> DiscoverySummary:
    """Scan one session and record its candidates. See :func:`record_batches`.

    Raises:
        NoBars: No bar is stored for ``session``.
    """
    summary = record_batches(first=session, last=session, source=source, now=now, variants=variants)
    if not summary.sessions:
        raise NoBars(f"no bars for {session}")
    return summary


def record_batches(
    *,
    first: date,
    last: date,
    source: str,
    now: datetime,
    variants: Sequence[Variant] | None = None,
    on_progress: Progress | None = None,
) -> DiscoverySummary:
    """Scan every session from ``first`` to ``last`` that has bars and record batches.

    A batch whose rows have not changed since is left as it is; one whose rows have is
    superseded by a new revision and stays. Safe to run twice, and twice at once. A session
    that is held back gets no batch.

    Args:
        first, last: Sessions, both included.
        source: Tells the lake; the batches carry it.
        now: Written on new batches.
        variants: Those to scan with; every active one otherwise.
        on_progress: Told the sessions done and in all.

    Raises:
        NoVariant: There is no active variant.
        holds.SessionHeld: Every session asked for is held back.
    """
    started = perf_counter()
    using = list(variants) if variants is not None else get_variants()
    rules = [rules_of(variant, source=source) for variant in using]
    days = sessions.between(first, last)
    held = holds.get_held(source=source, first=first, last=last)
    if days and set(days) <= set(held):
        raise holds.SessionHeld(f"{days[0]} is held back, {held[days[0]]}")
    totals = {"sessions": 0, "new": 0, "superseded": 0, "unchanged": 0, "candidates": 0}
    for at in range(0, len(days), CHUNK):
        part = days[at : at + CHUNK]
        reading = panels.get_panel(source=source, first=part[0], last=part[-1])
        begun = perf_counter()
        found = replay.run(
            reading.panel,
            variants=rules,
            references=get_references(),
            first=part[0],
            last=part[-1],
        )
        for key, count in _store(
            using, _without(found, held), source, now, reading.versions, perf_counter() - begun
        ).items():
            totals[key] += count
        if on_progress:
            on_progress(min(at + CHUNK, len(days)), len(days))
    return DiscoverySummary(**totals, seconds=perf_counter() - started)


def _without(found: Replay, held: Collection[date]) -> Replay:
    """Leave out the sessions that are held back: no batch is published on them."""
    if not held:
        return found
    good = ~pl.col("session").is_in(list(held))
    kept = [replace(result, batches=result.batches.filter(good)) for result in found.variants]
    return replace(found, variants=kept, events=found.events.filter(good))


def _store(
    variants: Sequence[Variant],
    found: Replay,
    source: str,
    now: datetime,
    versions: dict[str, int],
    seconds: float,
) -> dict[str, int]:
    """Write the batches that are new or changed, all in one transaction."""
    counts = {"new": 0, "superseded": 0, "unchanged": 0, "candidates": 0}
    with transaction.atomic():
        list(Variant.objects.select_for_update().filter(pk__in=[v.pk for v in variants]))
        for variant, result in zip(variants, found.variants, strict=True):
            batches = result.batches.join(
                found.events, on="session", how="left", maintain_order="left"
            )
            changed = _write_batches(variant, batches, source, now, versions, seconds, counts)
            counts["candidates"] += _write_picks(result, changed)
    return counts | {"sessions": found.events.height}


def _write_batches(
    variant: Variant,
    batches: pl.DataFrame,
    source: str,
    now: datetime,
    versions: dict[str, int],
    seconds: float,
    counts: dict[str, int],
) -> dict[date, int]:
    """Write what differs from the current batches; return the new batch of each such session."""
    if batches.is_empty():
        return {}
    current = {
        batch.session: batch
        for batch in DiscoveryBatch.objects.current()
        .of(source)
        .filter(
            variant=variant,
            session__range=(batches["session"].min(), batches["session"].max()),
        )
    }
    fresh, outdated = [], []
    for row in batches.iter_rows(named=True):
        old = current.get(row["session"])
        if old and old.fingerprint == row["fingerprint"]:
            counts["unchanged"] += 1
            continue
        if old:
            outdated.append(old.pk)
        counts["superseded" if old else "new"] += 1
        fresh.append(
            DiscoveryBatch(
                **row,
                variant=variant,
                revision=old.revision + 1 if old else 1,
                supersedes=old,
                lake_versions=versions,
                run_seconds=seconds,
                created_at=now,
                source=source,
            )
        )
    DiscoveryBatch.objects.filter(pk__in=outdated).update(is_current=False)
    DiscoveryBatch.objects.bulk_create(fresh, batch_size=500)
    return {batch.session: batch.pk for batch in fresh}


def _write_picks(result: VariantReplay, batch_ids: dict[date, int]) -> int:
    if not batch_ids:
        return 0
    ids = pl.DataFrame(
        {"session": list(batch_ids), "batch_id": list(batch_ids.values())},
        schema={"session": pl.Date, "batch_id": pl.Int64},
    )
    picks = result.candidates.join(ids, on="session", maintain_order="left")
    shadow = result.shadow.join(ids, on="session", maintain_order="left")
    bulk.insert(Candidate, _candidate_columns(picks))
    bulk.insert(
        ShadowPick,
        {name: shadow[name].to_list() for name in ("batch_id", "symbol", "rank", "score")},
    )
    return picks.height


def _candidate_columns(picks: pl.DataFrame) -> dict[str, list[Any]]:
    """Return the columns of ``Candidate``, one value per pick."""
    alike = [name for name in picks.columns if name.startswith("similarity:")]
    outstanding = pl.col("float_outstanding")
    ready = picks.with_columns(
        float_basis=pl.when(outstanding.is_null())
        .then(pl.lit(""))
        .when(outstanding > 0)
        .then(pl.lit(str(FloatBasis.OUTSTANDING)))
        .otherwise(pl.lit(str(FloatBasis.PUBLIC))),
        pattern=pl.when("squeeze")
        .then(pl.lit(str(Pattern.VIGL_SQUEEZE)))
        .otherwise(pl.lit(str(Pattern.STANDARD))),
        float_age=pl.col("float_age").cast(pl.Int64),
        short_interest_age=pl.col("short_interest_age").cast(pl.Int64),
    )
    made: dict[str, list[Any]] = {
        "close": [Decimal(f"{price:.4f}") for price in picks["close"]],
        "similarities": [
            {name.removeprefix("similarity:"): value for name, value in row.items()}
            for row in picks.select(alike).iter_rows(named=True)
        ]
        if alike
        else [{}] * picks.height,
        "contributions": [json.loads(text) for text in picks["contributions"]],
    }
    names = [field.attname for field in Candidate._meta.concrete_fields if not field.primary_key]
    return {name: made[name] if name in made else ready[name].to_list() for name in names}


def get_explanation(*, symbol: str, session: date, source: str) -> Explanation:
    """Return what every gate and component of each active variant made of a symbol.

    The session is scanned as it is known now; nothing is recorded.

    Raises:
        NoBars: The symbol has no bar that session.
        NoVariant: There is no active variant.
    """
    references = get_references()
    try:
        reading = panels.get_panel(source=source, first=session, last=session)
    except OutsideCalendar as error:
        raise NoBars(str(error)) from error
    found = replay.run(
        reading.panel,
        variants=[rules_of(variant, source=source) for variant in get_variants()],
        references=references,
        first=session,
        last=session,
    )
    try:
        return explain(reading.panel, found, references, symbol=symbol, session=session)
    except NoBar as error:
        raise NoBars(str(error)) from error
