"""Many weight sets over the rows that pass the gates, ranked as the detector ranks (design §16)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np

from analytics.calc.candidates import Pool
from analytics.calc.detector import COMPONENTS, COVERAGE_TOLERANCE
from analytics.calc.kernels import layout
from analytics.calc.outcomes import EXPLOSIVE, LeanOutcomes
from analytics.calc.panel import Floats, Ints, Longs, Panel
from analytics.calc.replay import VariantReplay

COST = 0.005  # of each side, before slippage [fraction]
DECIMALS = 3  # of drawn weights: what a draft variant shows is what was tried
STEP = 25  # weight sets between two reports


@dataclass(frozen=True, kw_only=True)
class Field:
    """The rows that weight sets choose from, grouped by session, symbols ascending.

    Attributes:
        session: Session numbers, ascending.
        start: Offsets of the rows of each session.
        parts: Components [6, rows].
        alike: Highest similarity, the tie-break.
        symbol: Order of symbols, the last tie-break.
        explosive, net: Outcome; NaN where not known. ``net`` is ``return_14`` after costs.
    """

    session: Ints
    start: Longs
    parts: Floats
    alike: Floats
    symbol: Ints
    explosive: Floats
    net: Floats


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What each weight set came to.

    Attributes:
        profit: [sessions, sets] mean net return of the session's picks; NaN without one.
        picks, explosive_rate, mean_net: By set, over all settled picks; NaN without one.
    """

    profit: Floats
    picks: Longs
    explosive_rate: Floats
    mean_net: Floats


def draw(*, sets: int, components: Sequence[str], seed: int) -> Floats:
    """Draw weight sets evenly from the simplex over ``components``.

    Returns:
        [sets, 6] in the order of ``COMPONENTS``; each adds up to 1, in thousandths.
    """
    random = np.random.default_rng(seed)
    parts = 10**DECIMALS
    drawn = random.dirichlet(np.ones(len(components)), sets) * parts
    whole = np.floor(drawn)
    for row, rest in enumerate(parts - whole.sum(axis=1)):
        largest = np.argsort(whole[row] - drawn[row])[: int(rest)]
        whole[row, largest] += 1
    weights = np.zeros((sets, len(COMPONENTS)))
    weights[:, [COMPONENTS.index(name) for name in components]] = whole / parts
    return weights


def field(
    panel: Panel,
    pool: Pool,
    found: VariantReplay,
    lean: LeanOutcomes,
    *,
    first: int,
    last: int,
    cost: float = COST,
) -> Field:
    """Return what may be chosen in sessions ``first`` to ``last``: all gates but coverage passed.

    Args:
        panel: Reaching past ``last``.
        pool, found: Of a replay of the panel with the gates of one variant.
        lean: Outcomes of the panel's rows.
        first, last: Session numbers.
        cost: Of each side [fraction].
    """
    code = found.code[pool.table.rows]
    session = panel.session[pool.table.rows]
    open_ = (code == layout.PASSED) | (code == layout.GATE_COVERAGE)
    open_ &= (session >= first) & (session <= last)
    at = pool.order[open_[pool.order]]
    rows = pool.table.rows[at]
    numbers, start = np.unique(panel.session[rows], return_index=True)
    held, peak = lean.return_14[rows], lean.peak_close_return[rows]
    return Field(
        session=numbers,
        start=np.append(start, rows.size).astype(np.int64),
        parts=np.ascontiguousarray(pool.parts[:, at]),
        alike=pool.alike.best[at],
        symbol=panel.segment_symbol[pool.table.segment[at]],
        explosive=np.where(np.isnan(peak), np.nan, (peak >= EXPLOSIVE).astype(np.float64)),
        net=(1 + held) * (1 - cost) / (1 + cost) - 1,
    )


def join(parts: Sequence[Field]) -> Field:
    """Return stretches, one after the other, as one."""
    sizes = np.cumsum([0, *(part.net.size for part in parts)])
    starts = [part.start[:-1] + size for part, size in zip(parts, sizes, strict=False)]
    return Field(
        session=np.concatenate([part.session for part in parts]),
        start=np.append(np.concatenate(starts), sizes[-1]).astype(np.int64),
        parts=np.concatenate([part.parts for part in parts], axis=1),
        alike=np.concatenate([part.alike for part in parts]),
        symbol=np.concatenate([part.symbol for part in parts]),
        explosive=np.concatenate([part.explosive for part in parts]),
        net=np.concatenate([part.net for part in parts]),
    )


def components_with_data(rows: Field) -> list[str]:
    """Return the components that are known for at least one row."""
    known = np.flatnonzero(~np.isnan(rows.parts).all(axis=1))
    return [COMPONENTS[at] for at in known]


def run(
    rows: Field,
    weights: Floats,
    *,
    top: int,
    min_coverage: float,
    on_progress: Callable[[int], None] | None = None,
) -> Swept:
    """Rank every session with every weight set and look at its best ``top`` rows.

    Args:
        rows: What may be chosen.
        weights: [sets, 6].
        top: Picks per session.
        min_coverage: Share of the weights that must have data.
        on_progress: Told the sets done, from the calling thread.
    """
    sets = len(weights)
    swept = Swept(
        profit=np.full((rows.session.size, sets), np.nan),
        picks=np.zeros(sets, np.int64),
        explosive_rate=np.full(sets, np.nan),
        mean_net=np.full(sets, np.nan),
    )

    def work(number: int) -> None:
        _one(rows, weights[number], number, top, min_coverage, swept)

    with ThreadPoolExecutor(min(cpu_count() or 1, 4)) as pool:
        for done, _ in enumerate(pool.map(work, range(sets)), start=1):
            if on_progress and (done % STEP == 0 or done == sets):
                on_progress(done)
    return swept


def _one(
    rows: Field, weights: Floats, number: int, top: int, min_coverage: float, out: Swept
) -> None:
    places = picks_of(rows, weights, top=top, min_coverage=min_coverage)
    net, explosive = np.append(rows.net, np.nan), np.append(rows.explosive, np.nan)
    earned, hit = net[places], explosive[places]
    known = ~np.isnan(earned)
    count = known.sum(axis=1)
    total = np.where(known, earned, 0.0).sum(axis=1)
    some = count > 0
    out.profit[some, number] = total[some] / count[some]
    out.picks[number] = count.sum()
    if out.picks[number]:
        out.mean_net[number] = total.sum() / out.picks[number]
        out.explosive_rate[number] = np.nansum(hit[known]) / out.picks[number]


def picks_of(rows: Field, weights: Floats, *, top: int, min_coverage: float) -> Longs:
    """Return the best rows of each session, best first: [sessions, top], -1 beyond the last."""
    from analytics.calc.kernels import ranking

    height, size = rows.net.size, rows.session.size
    score, coverage = np.empty(height), np.empty(height)
    ranking.scores(rows.parts, weights, score, coverage)
    places = np.full((size, top), -1, np.int64)
    slot = np.repeat(np.arange(size), np.diff(rows.start))
    ranking.rank(
        np.arange(height), rows.start, slot, coverage >= min_coverage - COVERAGE_TOLERANCE,
        rows.parts, weights, rows.alike, rows.symbol, top, np.full(height, np.nan), places,
        np.zeros(size, np.int64), np.zeros((size, len(COMPONENTS)), np.bool_),
    )  # fmt: skip
    return places
