"""Discovery over many sessions in one pass: gates, scores, ranks, history, flags (design §5-§7).

A scan of one session is a replay whose output is cut to that session: the same code, the
same bits. Nothing here looks forward; what became of a pick is ``analytics.calc.outcomes``.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from os import cpu_count

import numpy as np
import polars as pl

from analytics.calc import (
    candidates,
    detector,
    features,
    fingerprint,
    learned,
    sessions,
    similarity,
)
from analytics.calc import panel as panels
from analytics.calc.candidates import Pool, Slots
from analytics.calc.detector import Codes, Limits, Rules, Scores
from analytics.calc.features import Steps
from analytics.calc.kernels import layout
from analytics.calc.panel import Floats, Longs, Panel
from analytics.calc.similarity import Reference

SPIKE = 3.0  # relative volume that counts towards a market-wide event
EVENT_WINDOW = 60  # sessions before, whose median is usual
FEWEST_EVENT = 40  # of them that must be known
EVENT_TIMES = 3.0  # times the median that make an event


@dataclass(frozen=True, kw_only=True)
class VariantReplay:
    """What one variant made of each session.

    Attributes:
        rules: The variant.
        code: Per panel row, the first gate that it fails (``layout.GATES``, from 1) or 0.
        scored: Rows of the panel that ``scores`` are of, ascending.
        scores: Scores of the pool.
        batches: One row per session: ``session``, ``fingerprint``, ``universe_size``,
            ``funnel`` (symbols left after each gate), ``candidate_count``, ``mean_score``,
            ``mean_coverage``, ``dropped_components``.
        candidates: One row per pick: ``session``, ``symbol``, ``rank``, ``row`` (of the panel)
            and the columns of ``analytics.models.Candidate``.
        shadow: ``session``, ``symbol``, ``rank``, ``row``, ``score``: the top without the
            relative-volume gate.
    """

    rules: Rules
    code: Codes
    scored: Longs
    scores: Scores
    batches: pl.DataFrame
    candidates: pl.DataFrame
    shadow: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Discovery of all variants over the sessions asked for.

    Attributes:
        pool: Rows that pass gates 1-6 of a variant, over the whole panel.
        rel_volume: Per panel row; NaN is null.
        events: ``session``, ``spike_share``, ``spike_share_median``, ``volume_event``.
        variants: In the order given.
    """

    pool: Pool
    rel_volume: Floats
    events: pl.DataFrame
    variants: list[VariantReplay]


def run(
    panel: Panel,
    *,
    variants: Sequence[Rules],
    references: Sequence[Reference],
    first: date,
    last: date,
) -> Replay:
    """Scan every session from ``first`` to ``last`` that has a bar.

    Args:
        panel: Must reach back ``fingerprint.LOOKBACK`` sessions before ``first``, or to the
            beginning of the data.
        variants: One or more.
        references: Past winners to compare with.
        first, last: Sessions, both included.
    """
    present = np.bincount(panel.session) if panel.height else np.zeros(1, np.int64)
    number = np.flatnonzero(present).astype(np.int32)
    low, high = sessions.number(first), sessions.number(last)
    shown = (number >= low) & (number <= high)
    slots = Slots(base=int(number[0]) if number.size else 0, number=number, shown=shown)
    past = features.steps(panel)
    codes, rel_volume = _bar_gates(panel, variants, past)
    count = int(number[-1]) - slots.base + 1 if number.size else 0
    with ThreadPoolExecutor(1) as beside:  # fills the core that the pool leaves idle
        digesting = beside.submit(fingerprint.row_digests, panel, base=slots.base, count=count)
        events = _events(panel, rel_volume, slots)
        pool = _pool(panel, references, list(codes.values()), slots, past)
        digests = digesting.result()
    return Replay(
        pool=pool,
        rel_volume=rel_volume,
        events=events,
        variants=_side_by_side(
            lambda rules: _variant(
                panel, rules, references, codes[rules.bar_limits], pool, slots, digests, past
            ),
            variants,
        ),
    )


def _side_by_side(
    work: Callable[[Rules], VariantReplay], variants: Sequence[Rules]
) -> list[VariantReplay]:
    """Return ``work`` of each variant; they share what they read and write nothing of it."""
    with ThreadPoolExecutor(max(min(len(variants), cpu_count() or 1), 1)) as pool:
        return list(pool.map(work, variants))


def _bar_gates(
    panel: Panel, variants: Sequence[Rules], past: Steps
) -> tuple[dict[Limits, Codes], Floats]:
    """Return the first of gates 1-6 that each row fails, per distinct set of limits."""
    from analytics.calc.kernels import gates

    mean, dollars = features.volume_means(panel, past)
    rel_volume = np.empty(panel.height)
    codes: dict[Limits, Codes] = {}
    for limits in dict.fromkeys(rules.bar_limits for rules in variants):
        code = np.empty(panel.height, np.int8)

        def fill(
            begin: int,
            end: int,
            code: Codes = code,
            limits: Limits = limits,
        ) -> None:
            gates.gate_rows(
                begin, end, panel.segment_start, panel.segment_first, panel.segment_scannable,
                panel.session, panel.close, panel.volume, panel.split, mean, dollars,
                *limits, rel_volume, code,
            )  # fmt: skip

        panels.in_threads(fill, panel.segment_start)
        codes[limits] = code
    return codes, rel_volume


def _pool(
    panel: Panel, references: Sequence[Reference], codes: list[Codes], slots: Slots, past: Steps
) -> Pool:
    passed = codes[0] == layout.PASSED
    for code in codes[1:]:
        passed |= code == layout.PASSED
    rows = np.flatnonzero(passed)
    table = features.of_rows(panel, rows, past=past)
    fields = np.stack(
        [table["rel_volume"], table["short_interest_pct"], table["float_shares"], panel.close[rows]]
    )
    session = panel.session[rows]
    order = np.argsort(session, kind="stable")
    return Pool(
        table=table,
        parts=detector.components(table),
        alike=similarity.compare(fields, references),
        order=order,
        slot_start=np.searchsorted(session[order], np.append(slots.number, 2**30)),
        slot=np.searchsorted(slots.number, session),
    )


def _events(panel: Panel, rel_volume: Floats, slots: Slots) -> pl.DataFrame:
    """Return the share of common stocks with a volume spike, its usual level, and the flag."""
    from analytics.calc.kernels import gates

    width = int(slots.number[-1]) - slots.base + 1 if slots.number.size else 0
    spikes, known = np.zeros(width, np.int64), np.zeros(width, np.int64)
    gates.count_spikes(
        panel.segment_start, panel.segment_common, panel.session, rel_volume, SPIKE, slots.base,
        spikes, known,
    )  # fmt: skip
    share = np.divide(spikes, known, out=np.full(width, np.nan), where=known > 0)
    shown = slots.number[slots.shown] - slots.base
    usual = _usual(share)[shown]
    here = share[shown] if shown.size else np.empty(0)
    return pl.DataFrame(
        {
            "session": sessions.calendar()[slots.number[slots.shown]],
            "spike_share": here,
            "spike_share_median": usual,
            "volume_event": here > EVENT_TIMES * usual,
        },
        schema_overrides={"spike_share_median": pl.Float64, "spike_share": pl.Float64},
    ).with_columns(
        pl.col("spike_share", "spike_share_median").fill_nan(None),
        volume_event=pl.when(
            pl.col("spike_share_median").is_not_nan() & pl.col("spike_share").is_not_nan()
        ).then("volume_event"),
    )


def _usual(share: Floats) -> Floats:
    """Return the median of the ``EVENT_WINDOW`` sessions before each; NaN if too few are known."""
    before = pl.Series(share).fill_nan(None).shift(1)
    median = before.rolling_median(EVENT_WINDOW, min_samples=FEWEST_EVENT)
    values: Floats = median.fill_null(np.nan).to_numpy()
    return values


def _variant(
    panel: Panel,
    rules: Rules,
    references: Sequence[Reference],
    bar_code: Codes,
    pool: Pool,
    slots: Slots,
    digests: fingerprint.Words,
    past: Steps,
) -> VariantReplay:
    rows = pool.table.rows
    inside = bar_code[rows] == layout.PASSED
    models, scores = None, None
    if rules.learned:
        models, scores = learned.score(panel, rules, pool, inside, slots, past)
    scores = scores or detector.score(pool.table, pool.parts, rules)
    code = bar_code.copy()
    code[rows[inside]] = scores.code[inside]
    ranked = inside & (scores.code == layout.PASSED)
    picks = candidates.pick(panel, rules, pool, ranked, slots, models)
    covered = scores.coverage >= rules.min_coverage - detector.COVERAGE_TOLERANCE
    small = ~(pool.table["float_shares"] >= rules.max_float)
    shadow = candidates.pick(panel, rules, pool, inside & covered & small, slots, models)
    chosen = candidates.describe(panel, pool, scores, picks, ranked, references, slots, models)
    return VariantReplay(
        rules=rules,
        code=code,
        scored=rows,
        scores=scores,
        batches=candidates.summarise(
            panel, rules, references, code, chosen, picks, slots, digests, models
        ),
        candidates=chosen,
        shadow=candidates.listed(panel, pool, shadow, slots).with_columns(
            score=pl.Series(scores.score[candidates.flat(shadow, slots)])
        ),
    )
