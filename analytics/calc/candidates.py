"""From scored rows to the candidates of each session: ranks, history, first signals, funnel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.calc import detector, features, fingerprint, sessions
from analytics.calc import panel as panels
from analytics.calc.detector import Codes, Rules, Scores
from analytics.calc.features import FeatureTable
from analytics.calc.kernels import layout
from analytics.calc.panel import Flags, Floats, Ints, Longs, Panel
from analytics.calc.similarity import Reference, Similarities

HISTORY = 252  # sessions that a score is compared with
FEWEST_HISTORY = 60  # past sessions with a ranked row, below which there is no label
QUIET = 14  # sessions without a pick that make a first signal
NO_MODEL = "insufficient data: no fitted model was usable on this session"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The rows that pass gates 1-6 of at least one variant, with all that is known of them.

    Attributes:
        table: Features.
        parts: Components [6, n].
        alike: Similarity to the references.
        order: Rows of the pool grouped by slot, symbols ascending.
        slot_start: Offsets into ``order`` per slot.
        slot: Slot of each row.
    """

    table: FeatureTable
    parts: Floats
    alike: Similarities
    order: Longs
    slot_start: Longs
    slot: Longs


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The sessions of a panel: ``number`` ascending, ``shown`` those asked for."""

    base: int
    number: Ints
    shown: Flags


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What fitted models made of the pool.

    Attributes:
        parts: [6, n] as :func:`pick` wants them; the first row is the probability.
        probability: Of an explosive rise within 14 sessions; NaN where no model was asked.
        explain: Gives the contributions of rows of the pool as JSON texts.
        used: Per slot the digests of the models that a scan of it uses, its own first.
    """

    parts: Floats
    probability: Floats
    explain: Callable[[Longs], list[str]]
    used: list[tuple[str, ...]]

    @property
    def weights(self) -> Floats:
        """Weights of ``parts``: the probability alone ranks."""
        return np.array([1.0, *[0.0] * (len(detector.COMPONENTS) - 1)])


@dataclass(frozen=True, kw_only=True)
class Picks:
    """Per slot the best rows of the pool, best first; -1 beyond ``count``."""

    rank_score: Floats
    place: Longs
    count: Longs
    dropped: Flags


def pick(
    panel: Panel,
    rules: Rules,
    pool: Pool,
    taking_part: Flags,
    slots: Slots,
    learned: Learned | None = None,
) -> Picks:
    from analytics.calc.kernels import ranking

    parts = learned.parts if learned else pool.parts
    weights = learned.weights if learned else rules.weight_vector
    size = slots.number.size
    picks = Picks(
        rank_score=np.full(pool.table.rows.size, np.nan),
        place=np.full((size, rules.top), -1, np.int64),
        count=np.zeros(size, np.int64),
        dropped=np.zeros((size, len(detector.COMPONENTS)), np.bool_),
    )
    ranking.rank(
        pool.order, pool.slot_start, pool.slot, taking_part, parts, weights, pool.alike.best,
        panel.segment_symbol[pool.table.segment], rules.top,
        picks.rank_score, picks.place, picks.count, picks.dropped,
    )  # fmt: skip
    if learned:
        picks.dropped[:] = False  # it has no components
    return picks


def flat(picks: Picks, slots: Slots) -> Longs:
    """Return the picks of the sessions asked for, in order of session and rank."""
    shown: Longs = picks.place[slots.shown]
    return shown[shown >= 0]


def listed(panel: Panel, pool: Pool, picks: Picks, slots: Slots) -> pl.DataFrame:
    """Return ``session``, ``symbol``, ``rank`` and panel ``row`` of the picks."""
    at = flat(picks, slots)
    count = picks.count[slots.shown]
    rank = np.arange(at.size) - np.repeat(np.cumsum(count) - count, count) + 1
    symbol = panel.segment_symbol[pool.table.segment[at]]
    return pl.DataFrame(
        {
            "session": sessions.calendar()[np.repeat(slots.number[slots.shown], count)],
            "symbol": pl.Series(panel.symbols, dtype=pl.String).gather(symbol),
            "rank": rank,
            "row": pool.table.rows[at],
        }
    )


def _history(pool: Pool, scores: Scores, ranked: Flags, slots: Slots) -> tuple[Longs, Longs, Longs]:
    """Return per row the past ranked rows scoring as much; per slot their number and days."""
    from analytics.calc.kernels import ranking

    at_least = np.zeros(ranked.size, np.int64)
    total, days = np.zeros(slots.number.size, np.int64), np.zeros(slots.number.size, np.int64)
    distinct, level = np.unique(scores.score[ranked], return_inverse=True)
    levels = np.zeros(ranked.size, np.int64)
    levels[ranked] = level + 1
    ranking.history_shares(
        pool.order, pool.slot_start, slots.number, ranked, levels, distinct.size, HISTORY,
        at_least, total, days,
    )  # fmt: skip
    return at_least, total, days


def describe(
    panel: Panel,
    pool: Pool,
    scores: Scores,
    picks: Picks,
    ranked: Flags,
    references: Sequence[Reference],
    slots: Slots,
    learned: Learned | None = None,
) -> pl.DataFrame:
    from analytics.calc.kernels import ranking

    at = flat(picks, slots)
    scaled = ranked if learned is None else np.zeros_like(ranked)  # a probability is its own scale
    at_least, total, days = _history(pool, scores, scaled, slots)
    first = np.zeros(picks.place.shape, np.bool_)
    ranking.first_signals(
        picks.place, picks.count, slots.number, pool.table.segment, panel.segments, QUIET, first
    )
    slot = np.repeat(np.flatnonzero(slots.shown), picks.count[slots.shown])
    enough = days[slot] >= FEWEST_HISTORY
    share = np.divide(at_least[at], total[slot], out=np.full(at.size, np.nan), where=enough)
    table = FeatureTable(
        rows=pool.table.rows[at],
        segment=pool.table.segment[at],
        values=pool.table.values[:, at],
    )
    signal, rows = detector.flags(panel, table), table.rows
    names = [known.symbol for known in references] + [""]
    chosen = pool.alike.best_reference[at]
    compared = pool.alike.coverage[np.maximum(chosen, 0), at] if references else np.zeros(at.size)
    columns = {name: table[name] for name in features.NAMES}
    parts = {f"c_{name}": pool.parts[k][at] for k, name in enumerate(detector.COMPONENTS)}
    frame = listed(panel, pool, picks, slots).with_columns(
        score=pl.Series(scores.score[at]),
        rank_score=pl.Series(picks.rank_score[at]),
        coverage=pl.Series(scores.coverage[at]),
        history_share=pl.Series(share),
        history_n=pl.Series(total[slot]),
        volume_alert=pl.Series(signal.volume_alert),
        vigl_pattern=pl.Series(signal.vigl_pattern),
        short_fuel=pl.Series(signal.short_fuel),
        squeeze=pl.Series(signal.squeeze),
        first_signal=pl.Series(first[slots.shown][picks.place[slots.shown] >= 0]),
        similarity=pl.Series(pool.alike.best[at]),
        similarity_to=pl.Series([names[k] for k in chosen], dtype=pl.String),
        similarity_coverage=pl.Series(np.where(chosen < 0, np.nan, compared)),
        close=pl.Series(panel.close[rows]),
        volume=pl.Series(panel.volume[rows]),
        **_learned_columns(learned, at),
        **{name: pl.Series(values) for name, values in (columns | parts).items()},
        **{
            f"similarity:{known.symbol}": pl.Series(pool.alike.value[k][at])
            for k, known in enumerate(references)
        },
    )
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None)).with_columns(
        label=_label(),
        short_fuel=pl.col("short_fuel") > 0,
    )


def _learned_columns(learned: Learned | None, at: Longs) -> dict[str, pl.Series]:
    """Return the probability of the picks and what made it; empty of a variant of rules."""
    if learned is None:
        return {
            "p_explosive": pl.Series(np.full(at.size, np.nan)),
            "contributions": pl.Series(["{}"] * at.size, dtype=pl.String),
        }
    return {
        "p_explosive": pl.Series(learned.probability[at]),
        "contributions": pl.Series(learned.explain(at), dtype=pl.String),
    }


def _label() -> pl.Expr:
    """Return the label of ``history_share``; blank where there is too little history."""
    share = pl.col("history_share")
    named = pl.lit("")
    for limit, name in reversed(detector.LABELS):
        named = pl.when(share <= limit).then(pl.lit(name)).otherwise(named)
    return named


def _funnel(panel: Panel, rules: Rules, code: Codes, slots: Slots) -> Longs:
    """Return listed symbols, then those left after each gate: [shown sessions, 1 + gates]."""
    from analytics.calc.kernels import gates

    width = int(slots.number[-1]) - slots.base + 1 if slots.number.size else 0
    parts: list[Longs] = []

    def count(first: int, last: int) -> None:
        part = np.zeros((width, len(layout.GATES) + 1), np.int64)
        gates.count_gates(
            first, last, panel.segment_start, panel.segment_symbol, panel.segment_first,
            panel.segment_scannable, panel.session, code, rules.min_sessions, slots.base, part,
        )  # fmt: skip
        parts.append(part)

    panels.in_threads(count, panel.segment_start)
    failed = np.sum(parts, axis=0)
    shown = failed[slots.number[slots.shown] - slots.base]
    total = shown.sum(axis=1, keepdims=True)
    return np.concatenate([total, total - np.cumsum(shown[:, 1:], axis=1)], axis=1)


def summarise(
    panel: Panel,
    rules: Rules,
    references: Sequence[Reference],
    code: Codes,
    candidates: pl.DataFrame,
    picks: Picks,
    slots: Slots,
    digests: fingerprint.Words,
    learned: Learned | None = None,
) -> pl.DataFrame:
    number = slots.number[slots.shown]
    funnel = _funnel(panel, rules, code, slots)
    count = picks.count[slots.shown]
    dropped = picks.dropped[slots.shown] & (count > 0)[:, None]
    shown = np.flatnonzero(slots.shown)
    used = [learned.used[slot] for slot in shown] if learned else None
    own = [models[0] if models else "" for models in used or [()] * shown.size]
    prints = fingerprint.of(digests[number - slots.base], number, rules, references, used)
    return pl.DataFrame(
        {
            "session": sessions.calendar()[number],
            "fingerprint": prints,
            "universe_size": funnel[:, 0],
            "funnel": [row.tolist() for row in funnel[:, 1:]],
            "candidate_count": count,
            "mean_score": _means(candidates["score"], count),
            "mean_coverage": _means(candidates["coverage"], count),
            "dropped_components": [
                [name for name, gone in zip(detector.COMPONENTS, row, strict=True) if gone]
                for row in dropped
            ],
            "model_digest": own,
            "note": [NO_MODEL if rules.learned and not digest else "" for digest in own],
        },
        schema_overrides={
            "funnel": pl.List(pl.Int64),
            "dropped_components": pl.List(pl.String),
            "fingerprint": pl.String,
            "model_digest": pl.String,
            "note": pl.String,
        },
    ).with_columns(pl.col("mean_score", "mean_coverage").fill_nan(None))


def _means(values: pl.Series, count: Longs) -> Floats:
    """Return the mean of each run of ``count`` values, added up in order; NaN of an empty one."""
    run = np.repeat(np.arange(count.size), count)
    totals = np.bincount(run, weights=values.to_numpy(), minlength=count.size)
    means: Floats = np.divide(totals, count, out=np.full(count.size, np.nan), where=count > 0)
    return means
