"""Record winner episodes: what rose 50 %, and what each variant made of it (design §8)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Q, Sum

from analytics.calc import detector, features, outcomes, replay, sessions
from analytics.calc import panel as panels
from analytics.calc.kernels import layout
from analytics.calc.market import Market
from analytics.calc.outcomes import Episodes
from analytics.models import Variant, VariantKind
from analytics.services import bulk
from performance.calc import winners
from performance.models import WinnerEpisode

BEYOND_TOP = "rank beyond the top"  # passed every gate, but others scored higher

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """What is settled together.

    Attributes:
        source: Of the batches.
        first, last: Sessions whose batches are brought up to date.
        due_first, due_last: Sessions that asked for it; the others are there because winner
            episodes reach into them.
    """

    source: str
    first: date
    last: date
    due_first: date
    due_last: date


@dataclass(frozen=True, kw_only=True)
class VariantRows:
    """Rows of the panel as one variant saw them, each ascending.

    Attributes:
        result: What the variant made of every row.
        winners: Explosive stock-days.
        candidates: Signals it named.
        gate: Rows that passed every gate.
        chance: Of each of ``gate``, to be in a random draw of as many as there were candidates.
        best: Best three of each session, by hindsight.
    """

    result: replay.VariantReplay
    winners: Longs
    candidates: Longs
    gate: Longs
    chance: npt.NDArray[np.float64]
    best: Longs


def episode_columns(
    seen: Market, rows: VariantRows, *, variant: Variant, stretch: Stretch
) -> dict[str, Any]:
    """Return the episodes of one variant that touch the stretch, as columns.

    Episodes that lie inside the stretch only because others reach into it are left out:
    their beginning may lie before it.
    """
    panel, days = seen.panel, rows.winners
    joined = outcomes.episodes(panels.row_segments(panel, days), panel.session[days])
    near_first, near_last = _near(stretch)
    kept = (panel.session[days[joined.last]] >= near_first) & (
        panel.session[days[joined.first]] <= near_last
    )
    chosen = Episodes(first=joined.first[kept], last=joined.last[kept])
    return _columns(seen, rows, chosen, variant)


def record(columns: dict[str, Any], *, variant: Variant, stretch: Stretch, now: datetime) -> int:
    """Write the episodes of one variant that touch the stretch; return how many rows changed.

    Stored ones that are none any more are deleted.
    """
    height = len(columns["symbol"])
    shared = {"variant": variant.pk, "source": stretch.source, "updated_at": now}
    return _forget(columns, variant, stretch) + bulk.upsert(
        WinnerEpisode,
        columns | {name: [value] * height for name, value in shared.items()},
        key=["source", "variant", "symbol", "first_session"],
        stamps=["updated_at"],
    )


def _near(stretch: Stretch) -> tuple[int, int]:
    """Return the first and last session number that can belong to an episode that is due."""
    return (
        sessions.number(stretch.due_first) - outcomes.EPISODE_GAP,
        sessions.number(stretch.due_last) + outcomes.EPISODE_GAP,
    )


def get_captures(variant: Variant, stretch: Stretch, days: list[date]) -> dict[str, list[Any]]:
    """Return the episodes that began on each of ``days``, and how many were captured."""
    counted = (
        WinnerEpisode.objects.of(stretch.source)
        .filter(variant=variant)
        .began_between(stretch.first, stretch.last)
        .values_list("first_session")
        .annotate(
            began=Count("pk"),
            caught=Count("pk", filter=Q(captured=True)),
            expected=Sum("random_capture"),
            by_best=Count("pk", filter=Q(best_capture=True)),
        )
    )
    by_day = {row[0]: row[1:] for row in counted}
    found = [by_day.get(day, (0, 0, 0.0, 0)) for day in days]
    found = [(began, caught, round(by_chance, 9), best) for began, caught, by_chance, best in found]
    names = (
        "episodes",
        "episodes_captured",
        "episodes_captured_at_random",
        "episodes_captured_by_best",
    )
    return {name: [row[at] for row in found] for at, name in enumerate(names)}


def _forget(columns: dict[str, Any], variant: Variant, stretch: Stretch) -> int:
    """Delete the stored episodes that are none any more; return how many."""
    near_first, near_last = _near(stretch)
    found = set(zip(columns["symbol"], columns["first_session"], strict=True))
    stored = (
        WinnerEpisode.objects.of(stretch.source)
        .filter(
            variant=variant,
            last_session__gte=sessions.day(near_first),
            first_session__lte=sessions.day(near_last),
        )
        .values_list("pk", "symbol", "first_session")
    )
    gone = [pk for pk, symbol, first in stored if (symbol, first) not in found]
    if gone:
        WinnerEpisode.objects.filter(pk__in=gone).delete()
    return len(gone)


def _columns(seen: Market, rows: VariantRows, joined: Episodes, variant: Variant) -> dict[str, Any]:
    panel, days = seen.panel, rows.winners
    first = days[joined.first]
    got = winners.capture(
        joined,
        days,
        candidates=rows.candidates,
        gate=rows.gate,
        chance=rows.chance,
        best=rows.best,
    )
    symbols = panel.segment_symbol[panels.row_segments(panel, first)]
    gates, scores = _judgement(seen, rows, first, variant)
    captured_on = _dates(panel.session[np.maximum(got.first_row, 0)])
    return {
        "symbol": [panel.symbols[at] for at in symbols],
        "first_session": _dates(panel.session[first]),
        "last_session": _dates(panel.session[days[joined.last]]),
        "days": got.days,
        "days_captured": got.days_captured,
        "captured": got.captured,
        "captured_on": [
            day if caught else None
            for day, caught in zip(captured_on, got.captured.tolist(), strict=True)
        ],
        "best_return": got.best_return(seen.lean.peak_close_return[days]),
        "random_capture": got.random,
        "best_capture": got.best,
        "first_close": panel.close[first],
        "in_base_universe": np.isin(first, seen.base),
        "gate": gates,
        "score": scores,
        "reason": np.where(np.isnan(scores), _no_score(variant), "").tolist(),
    }


def _no_score(variant: Variant) -> str:
    if variant.kind == VariantKind.LEARNED:
        return "not scored: a gate stopped it, or no fitted model was usable"
    return "no component of the score has data"


def _judgement(
    seen: Market, rows: VariantRows, first: Longs, variant: Variant
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the gate that removed each row, blank if it was a candidate, and its score."""
    names = [f"{BEYOND_TOP} {variant.top}", *layout.GATES]
    named = np.isin(first, rows.candidates).tolist()
    codes = rows.result.code[first].tolist()
    gates = ["" if own else names[code] for own, code in zip(named, codes, strict=True)]
    result = rows.result
    if result.rules.learned:  # scored where the gates let it through, by the model of its day
        at = np.searchsorted(result.scored, first)
        inside = np.append(result.scored, -1)[at] == first
        return gates, np.append(result.scores.score, np.nan)[np.where(inside, at, -1)]
    order = np.argsort(first, kind="stable")
    table = features.of_rows(seen.panel, first[order])
    scored = detector.score(table, detector.components(table), result.rules)
    scores = np.empty(first.size)
    scores[order] = scored.score
    return gates, scores


def _dates(numbers: npt.NDArray[np.int32]) -> list[date]:
    result: list[date] = sessions.calendar()[numbers].astype(object).tolist()
    return result
