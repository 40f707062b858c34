"""Weight sweeps: try many weight sets over history and keep the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction

from analytics.calc import sessions
from analytics.calc.overfitting import WINDOW_BLOCKS, WINDOW_PURGE, Overfitting, TooShort
from analytics.calc.overfitting import overfitting as validate
from analytics.errors import DomainError
from analytics.models import SweepSet, Trial, Variant, VariantKind, WeightSweep
from analytics.services import bulk, lakes, panels
from analytics.services.job_registry import Report

if TYPE_CHECKING:
    from analytics.calc import sweep

CHUNK = 500  # sessions read at once
AHEAD = 15  # sessions of bars that settle the last one


class NothingToSweep(DomainError):
    """There are no rows to choose from."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to sweep.

    Attributes:
        variant: Its gates are used; its own weights are one of the sets.
        source: Whose bars.
        first, last: Sessions, both included; the whole history if None.
        sets: Weight sets in all.
        top: Picks per session that are looked at.
        seed: Of the draw.
    """

    variant: Variant
    source: str
    first: date | None = None
    last: date | None = None
    sets: int = 1000
    top: int = 10
    seed: int = 1


def record_sweep(*, wish: Wish, now: datetime, report: Report) -> WeightSweep:
    """Rank history with every weight set and store what their top picks came to.

    Nothing here is a forecast: the best of a thousand is best partly by luck, and the
    probability of backtest overfitting says how likely that is all.

    Raises:
        NothingToSweep: No row of the period passes the gates.
    """
    from analytics.calc import sweep

    started = perf_counter()
    rows, versions, span = read_field(wish, report)
    with_data = sweep.components_with_data(rows)
    own = _own_weights()
    drawn = sweep.draw(sets=max(wish.sets - len(own), 0), components=with_data, seed=wish.seed)
    weights = np.concatenate([np.array(list(own.values())).reshape(-1, drawn.shape[1]), drawn])
    swept = sweep.run(
        rows,
        weights,
        top=wish.top,
        min_coverage=wish.variant.min_coverage,
        on_progress=lambda done: report.progress(done, len(weights), "weight sets"),
    )
    checked, note = get_validation(swept)
    with transaction.atomic():
        stored = WeightSweep.objects.create(
            variant=wish.variant,
            first=span[0],
            last=span[1],
            sets=len(weights),
            top=wish.top,
            cost=_cost(wish.variant),
            seed=wish.seed,
            components=with_data,
            sessions=int((~np.isnan(swept.profit).all(axis=1)).sum()),
            overfitting=checked.share if checked else None,
            overfitting_note=note,
            splits=checked.logits.size if checked else 0,
            logits=[round(float(x), 6) for x in checked.logits] if checked else [],
            lake_versions=versions,
            created_at=now,
            seconds=perf_counter() - started,
            source=wish.source,
        )
        bulk.insert(SweepSet, _columns(stored, weights, swept, list(own)))
        bulk.insert(Trial, _trials(stored, weights, now))
    return stored


def wish_of(arguments: Mapping[str, Any]) -> Wish:
    """Return what a job asks for.

    Raises:
        NothingToSweep: There is no such variant.
    """
    found = Variant.objects.active().filter(kind=VariantKind.RULES).order_by("name", "version")
    named = found.filter(pk=arguments["variant"]) if "variant" in arguments else found
    variant = named.last()
    if variant is None:
        raise NothingToSweep("There is no such active variant.")
    first, last = arguments.get("first"), arguments.get("last")
    return Wish(
        variant=variant,
        source=arguments.get("source") or lakes.get_active_source(),
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
        **{name: int(arguments[name]) for name in ("sets", "top", "seed") if name in arguments},
    )


def _cost(variant: Variant) -> float:
    """Return the cost of each side: what a backtest takes, and the variant's slippage."""
    from analytics.calc import sweep

    return sweep.COST + variant.slippage_bp / 10_000


def _own_weights() -> dict[str, list[float]]:
    """Return the weights of the active variants by name: the lines to compare with."""
    active = Variant.objects.active().filter(kind=VariantKind.RULES).order_by("name", "version")
    return {str(variant): list(variant.weights.values()) for variant in active}


def read_field(
    wish: Wish, report: Report
) -> tuple["sweep.Field", dict[str, int], tuple[date, date]]:
    """Return what weight sets choose from, the versions of the lake, and first and last session.

    Raises:
        NothingToSweep: No row of the period passes the gates.
    """
    from analytics.calc import outcomes, replay, sweep
    from analytics.services import discovery

    lake = lakes.lake_of(wish.source)
    days = [day for day in lake.sessions() if (wish.first or day) <= day <= (wish.last or day)]
    covered = np.array([sessions.number(day) for day in lake.sessions()], np.int32)
    reach = outcomes.coverage(covered, size=sessions.calendar().size)
    parts, versions = [], lake.versions()
    for at in range(0, len(days), CHUNK):
        part = days[at : at + CHUNK]
        report.progress(at, len(days), "reading history")
        reading = panels.get_panel(source=wish.source, first=part[0], last=part[-1], ahead=AHEAD)
        found = replay.run(
            reading.panel,
            variants=[discovery.rules_of(wish.variant, source=wish.source)],
            references=discovery.get_references(),
            first=part[0],
            last=part[-1],
        )
        wanted = np.zeros(reading.panel.height, np.bool_)
        wanted[found.pool.table.rows] = True
        parts.append(
            sweep.field(
                reading.panel,
                found.pool,
                found.variants[0],
                outcomes.settle_lean(reading.panel, wanted, reach=reach),
                first=sessions.number(part[0]),
                last=sessions.number(part[-1]),
                cost=_cost(wish.variant),
            )
        )
    if not any(part.net.size for part in parts):
        raise NothingToSweep("No stock-day of the period passes the gates.")
    return sweep.join(parts), versions, (days[0], days[-1])


def get_validation(swept: "sweep.Swept") -> tuple[Overfitting | None, str]:
    """Return the validation, over the sessions whose windows have settled."""
    settled = ~np.isnan(swept.profit).all(axis=1)
    try:
        found = validate(swept.profit[settled], blocks=WINDOW_BLOCKS, purge=WINDOW_PURGE)
    except TooShort as error:
        return None, str(error)
    return found, f"{WINDOW_BLOCKS} blocks, {WINDOW_PURGE} sessions dropped at each edge"


def _trials(stored: WeightSweep, weights: Any, now: datetime) -> dict[str, Any]:
    """Return a line of the ledger per set: every look at history counts.

    Without a Sharpe ratio: what a sweep measures is no daily portfolio.
    """
    told = (stored.source, stored.variant_id, stored.first, stored.last, stored.top, stored.cost)
    size = len(weights)
    return {
        "run_id": [None] * size,
        "variant_id": [None] * size,
        "key": [
            blake2b(repr((told, row.tolist())).encode(), digest_size=16).hexdigest()
            for row in weights
        ],
        "sharpe": [None] * size,
        "sessions": [stored.sessions] * size,
        "returns": [{}] * size,
        "created_at": [now] * size,
        "source": [stored.source] * size,
    }


def _columns(
    stored: WeightSweep, weights: Any, swept: "sweep.Swept", labels: list[str]
) -> dict[str, Any]:
    size = len(weights)
    order = np.argsort(-np.nan_to_num(swept.mean_net, nan=-np.inf), kind="stable")
    place = np.empty(size, np.int64)
    place[order] = np.arange(1, size + 1)
    names = [f.name for f in SweepSet._meta.concrete_fields if f.name.startswith("w_")]
    return {
        "sweep_id": [stored.pk] * size,
        "number": list(range(1, size + 1)),
        "label": [*labels, *[""] * (size - len(labels))],
        **{name: weights[:, at] for at, name in enumerate(names)},
        "picks": swept.picks,
        "explosive_rate": swept.explosive_rate,
        "mean_net_return": swept.mean_net,
        "place": place,
    }
