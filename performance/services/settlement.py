"""Settle one stretch of sessions: read it once, look forward once, write in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from django.db import transaction
from django.db.models import Model

from analytics.calc import market, outcomes, replay, sessions
from analytics.calc.kernels import layout
from analytics.calc.market import Market
from analytics.models import Candidate, DiscoveryBatch, Variant
from analytics.services import bulk, discovery, panels
from performance.calc import batch_rows, outcome_rows
from performance.calc.batch_rows import Gate, Picks
from performance.models import BatchAnalysis, CandidateTracking, WinnerEpisode
from performance.services import winners
from performance.services.winners import Stretch, VariantRows

AHEAD = 55  # sessions read after the last: the longest horizon, and 20 more to tell a delisting

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What one stretch came to: candidates by status, rows written."""

    batches: int
    counts: dict[str, int]
    changed: int


def settle(stretch: Stretch, *, now: datetime, covered: npt.NDArray[np.int32]) -> Settled:
    """Bring outcomes, batch analyses and winner episodes of a stretch up to date.

    Args:
        stretch: What to settle.
        now: Written on rows that change.
        covered: Sessions that have bars, by number, ascending.
    """
    batches, picks = _batches(stretch), _picks(stretch)
    reading = panels.get_panel(
        source=stretch.source, first=stretch.first, last=stretch.last, ahead=AHEAD
    )
    variants = list(
        Variant.objects.filter(pk__in=batches["variant_id"].unique().to_list()).order_by("pk")
    )
    reach = outcomes.coverage(covered, size=sessions.calendar().size)
    found = replay.run(
        reading.panel,
        variants=[discovery.rules_of(variant, source=stretch.source) for variant in variants],
        references=[],
        first=stretch.first,
        last=stretch.last,
    )
    numbers = np.unique(batches["number"].to_numpy()).astype(np.int32)
    gates = [_gate(found, result, reading.panel.session, numbers) for result in found.variants]
    seen = market.view(
        reading.panel, reach=reach, numbers=numbers, extra=_union([gate.rows for gate in gates])
    )
    stamp = {
        "updated_at": now,
        "lake_version": reading.versions.get("bars", 0),
        "source": stretch.source,
    }
    tracked, outcome_columns = _outcomes(seen, picks)
    parts = []
    for variant, gate, result in zip(variants, gates, found.variants, strict=True):
        own = tracked.filter(pl.col("variant_id") == variant.pk)
        of = batches.filter(pl.col("variant_id") == variant.pk).sort("number")
        made, best = batch_rows.gate_columns(seen, gate)
        rows = _rows_of(seen, result, gate, best, own, of)
        analysis = _analysis(seen, own, of, made, rows)
        episodes = winners.episode_columns(seen, rows, variant=variant, stretch=stretch)
        parts.append((variant, of["session"].to_list(), analysis, episodes))
    changed = _write(stretch, outcome_columns, parts, stamp)
    asked = pl.col("session").is_between(stretch.due_first, stretch.due_last)
    counts = tracked.filter(asked).group_by("status").len()
    return Settled(
        batches=batches.filter(asked).height,
        counts=dict(zip(counts["status"], counts["len"], strict=True)),
        changed=changed,
    )


def extended(*, source: str, first: date, last: date) -> Stretch:
    """Return the stretch from ``first`` to ``last``, widened to the episodes that touch it.

    An episode is one row, so it is recomputed whole or not at all.
    """
    near_first = sessions.offset(first, -outcomes.EPISODE_GAP)
    near_last = sessions.offset(last, outcomes.EPISODE_GAP)
    touching = WinnerEpisode.objects.of(source).filter(
        last_session__gte=near_first, first_session__lte=near_last
    )
    ends = touching.values_list("first_session", "last_session")
    return Stretch(
        source=source,
        first=min([first, *(begin for begin, _ in ends)]),
        last=max([last, *(end for _, end in ends)]),
        due_first=first,
        due_last=last,
    )


def _batches(stretch: Stretch) -> pl.DataFrame:
    """Return the current batches: id, variant_id, session, number, candidate_count, coverage."""
    rows = (
        DiscoveryBatch.objects.current()
        .of(stretch.source)
        .filter(session__range=(stretch.first, stretch.last))
        .values_list("pk", "variant_id", "session", "candidate_count", "mean_coverage")
    )
    frame = pl.DataFrame(
        list(rows),
        schema={
            "batch_id": pl.Int64,
            "variant_id": pl.Int64,
            "session": pl.Date,
            "candidate_count": pl.Int64,
            "mean_coverage": pl.Float64,
        },
        orient="row",
    )
    return frame.with_columns(number=_numbers(frame["session"]))


def _picks(stretch: Stretch) -> pl.DataFrame:
    """Return the candidates of the current batches: id, variant_id, session, symbol, first."""
    rows = Candidate.objects.filter(
        batch__is_current=True,
        batch__source=stretch.source,
        batch__session__range=(stretch.first, stretch.last),
    ).values_list("pk", "batch__variant_id", "batch__session", "symbol", "first_signal")
    frame = pl.DataFrame(
        list(rows),
        schema={
            "candidate_id": pl.Int64,
            "variant_id": pl.Int64,
            "session": pl.Date,
            "symbol": pl.String,
            "first": pl.Boolean,
        },
        orient="row",
    )
    return frame.with_columns(number=_numbers(frame["session"])).sort("candidate_id")


def _numbers(days: pl.Series) -> pl.Series:
    calendar = sessions.calendar()
    found = np.searchsorted(calendar, days.to_numpy().astype("datetime64[D]"))
    return pl.Series("number", found, dtype=pl.Int64)


def _union(parts: list[Longs]) -> Longs:
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _gate(
    found: replay.Replay,
    result: replay.VariantReplay,
    session: npt.NDArray[np.int32],
    numbers: npt.NDArray[np.int32],
) -> Gate:
    """Return the rows of the stretch that passed every gate of a variant."""
    pool = found.pool.table.rows
    passed = (result.code[pool] == layout.PASSED) & np.isin(session[pool], numbers)
    return Gate(rows=pool[passed], coverage=result.scores.coverage[passed])


def _outcomes(seen: Market, picks: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the candidates with what became of them, and the columns of their tracking."""
    ids = pl.Series(seen.panel.symbols, dtype=pl.String)
    symbol = picks["symbol"].replace_strict(
        ids, pl.Series(range(len(ids)), dtype=pl.Int64), default=-1, return_dtype=pl.Int64
    )
    signal = picks["number"].to_numpy()
    rows = market.find_rows(seen.panel, symbol.to_numpy(), signal)
    columns, state = outcome_rows.columns(seen, rows, signal)
    tracked = picks.with_columns(
        row=pl.Series(rows),
        state=pl.Series(state),
        status=pl.Series(columns["status"].tolist(), dtype=pl.String),
        final=pl.Series(columns["is_final"]),
        return_14=pl.Series(columns["return_14"]),
        peak=pl.Series(columns["peak_close_return"]),
        decile=pl.Series([value or 0 for value in columns["volatility_decile"]], dtype=pl.Int64),
    )
    return tracked, {"candidate": picks["candidate_id"].to_list(), **columns}


def _write(
    stretch: Stretch,
    outcome_columns: dict[str, Any],
    parts: list[tuple[Variant, list[date], dict[str, Any], dict[str, Any]]],
    stamp: dict[str, Any],
) -> int:
    """Write outcomes, episodes and analyses, all or nothing; return the rows that changed."""
    with transaction.atomic():
        changed = _upsert(CandidateTracking, outcome_columns, stamp, key="candidate")
        for variant, days, analysis, episodes in parts:
            changed += winners.record(
                episodes, variant=variant, stretch=stretch, now=stamp["updated_at"]
            )
            captures = winners.get_captures(variant, stretch, days)
            changed += _upsert(BatchAnalysis, analysis | captures, stamp, key="batch")
    return changed


def _upsert(model: type[Model], columns: dict[str, Any], stamp: dict[str, Any], *, key: str) -> int:
    shared = _repeated(stamp, len(columns[key]))
    return bulk.upsert(model, columns | shared, key=[key], stamps=["updated_at"])


def _repeated(values: dict[str, Any], height: int) -> dict[str, list[Any]]:
    return {name: [value] * height for name, value in values.items()}


def _rows_of(
    seen: Market,
    result: replay.VariantReplay,
    gate: Gate,
    best: Longs,
    own: pl.DataFrame,
    batches: pl.DataFrame,
) -> VariantRows:
    """Return the rows that matter, of the sessions in which the variant has a batch."""
    size = seen.numbers.size
    scanned = np.zeros(size, np.bool_)
    drawn = np.zeros(size)
    place = seen.position[batches["number"].to_numpy()]
    scanned[place] = True
    drawn[place] = batches["candidate_count"].to_numpy()
    at = seen.place(gate.rows)
    passed = market.count(at, size)
    named = own["row"].to_numpy()
    return VariantRows(
        result=result,
        winners=seen.winners[scanned[seen.place(seen.winners)]],
        candidates=np.unique(named[named >= 0]),
        gate=gate.rows,
        chance=np.minimum(1.0, drawn[at] / passed[at]),
        best=best[scanned[seen.place(best)]],
    )


def _analysis(
    seen: Market, own: pl.DataFrame, batches: pl.DataFrame, gate: dict[str, Any], rows: VariantRows
) -> dict[str, Any]:
    """Return the columns of the analyses of one variant, one value per batch."""
    picks = Picks(
        place=seen.position[own["number"].to_numpy()],
        row=own["row"].to_numpy(),
        first=own["first"].to_numpy(),
        state=own["state"].to_numpy(),
        final=own["final"].to_numpy(),
        return_14=own["return_14"].to_numpy(),
        peak=own["peak"].to_numpy(),
        decile=own["decile"].to_numpy(),
    )
    base, size = market.base_counts(seen), seen.numbers.size
    by_place: dict[str, Any] = {
        "is_complete": seen.complete(),
        "is_final": batch_rows.finality(seen, picks),
        **batch_rows.candidate_columns(picks, size),
        **gate,
        "base_n": base.n,
        "base_explosive": base.explosive,
        "base_positive_14": base.positive,
        "by_decile": batch_rows.decile_columns(picks, base),
        "winner_days": market.count(seen.place(rows.winners), size),
        "winner_days_captured": market.count(
            seen.place(np.intersect1d(rows.winners, rows.candidates)), size
        ),
    }
    place = seen.position[batches["number"].to_numpy()]
    return {
        "batch": batches["batch_id"].to_list(),
        "mean_coverage": batches["mean_coverage"].to_list(),
        **{
            name: [values[at] for at in place] if isinstance(values, list) else values[place]
            for name, values in by_place.items()
        },
    }
