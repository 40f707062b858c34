from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analytics.calc import sessions, shapes
from analytics.calc.shapes import History, NoShape
from tests import markets

SYMBOLS, LENGTH = 12, 260


def make_history(seed=0):
    random = np.random.default_rng(seed)
    size = SYMBOLS * LENGTH
    price = np.cumsum(random.normal(0, 0.04, (SYMBOLS, LENGTH)), axis=1)
    peak = random.normal(0.1, 0.3, size).astype(np.float32)
    peak[random.random(size) < 0.05] = np.nan
    return History(
        price=price.ravel().astype(np.float32),
        volume=random.normal(12, 0.7, size).astype(np.float32),
        run=np.tile(np.minimum(np.arange(1, LENGTH + 1), 255), SYMBOLS).astype(np.uint8),
        session=np.tile(np.arange(1000, 1000 + LENGTH), SYMBOLS).astype(np.int32),
        symbol=np.repeat(np.arange(SYMBOLS), LENGTH).astype(np.int32),
        band=random.integers(1, 5, size).astype(np.uint8),
        peak=peak,
        held=(peak - 0.1).astype(np.float32),
    )


def plain(past, row):
    """Every distance to the shape of ``row``, written out."""
    found = {}
    mine = [_scaled(values[row - 19 : row + 1]) for values in (past.price, past.volume)]
    for other in range(past.price.size):
        if past.run[other] < 20 or np.isnan(past.peak[other]):
            continue
        if past.session[other] + 14 >= past.session[row]:
            continue
        own = past.symbol[other] == past.symbol[row]
        if own and past.session[row] - past.session[other] < 20:
            continue
        theirs = [_scaled(values[other - 19 : other + 1]) for values in (past.price, past.volume)]
        squares = sum(((a - b) ** 2).sum() for a, b in zip(mine, theirs, strict=True))
        found[other] = np.sqrt(squares)
    return found


def _scaled(path):
    path = path.astype(np.float64)
    return (path - path.mean()) / path.std()


def search(past, row, **changed):
    asked = {"symbol": int(past.symbol[row]), "session": int(past.session[row]), "count": 15}
    return shapes.nearest(past, shapes.shape_of(past, row), **asked | changed)


class TestNearest:
    @pytest.mark.parametrize("row", [200, LENGTH * 5 + 150, LENGTH * 12 - 1])
    def test_finds_what_a_plain_search_finds(self, row):
        past = make_history()
        everything = plain(past, row)
        taken = []
        for other in sorted(everything, key=everything.get):
            near = [t for t in taken if past.symbol[t] == past.symbol[other]]
            if all(abs(past.session[t] - past.session[other]) >= 20 for t in near):
                taken.append(other)

        found = search(past, row)

        assert found.rows.tolist() == taken[:15]
        assert found.distance == pytest.approx([everything[row] for row in taken[:15]], abs=1e-4)
        assert found.searched == len(everything)

    def test_finds_a_planted_twin_first(self):
        past = make_history()
        price, volume = past.price.copy(), past.volume.copy()
        twin, row = LENGTH * 3 + 60, LENGTH * 7 + 200
        price[twin - 19 : twin + 1] = price[row - 19 : row + 1] * 1.7 + 2
        volume[twin - 19 : twin + 1] = volume[row - 19 : row + 1] * 0.4 - 3
        peak = np.nan_to_num(past.peak, nan=0.0)

        found = search(replace(past, price=price, volume=volume, peak=peak), row)

        assert found.rows[0] == twin
        assert found.distance[0] < 0.01

    def test_never_reads_the_future(self):
        past, row = make_history(), LENGTH * 5 + 150
        later = past.session + 14 >= past.session[row]
        noise = np.random.default_rng(9)
        changed = replace(
            past,
            peak=np.where(later, noise.normal(size=later.size), past.peak).astype(np.float32),
            price=np.where(
                past.session > past.session[row], noise.normal(size=later.size), past.price
            ).astype(np.float32),
        )

        before, after = search(past, row), search(changed, row)

        assert before.rows.tolist() == after.rows.tolist()
        assert np.array_equal(before.distance, after.distance)

    def test_keeps_neighbours_of_one_symbol_apart(self):
        past = make_history()
        found = search(past, LENGTH * 12 - 1, count=100)

        for symbol in range(SYMBOLS):
            own = np.sort(past.session[found.rows[past.symbol[found.rows] == symbol]])
            assert (np.diff(own) >= 20).all()

    def test_is_empty_where_nothing_had_settled(self):
        found = search(make_history(), 25)

        assert found.rows.size == 0

    @pytest.mark.slow
    def test_agrees_with_stumpy(self):
        core = pytest.importorskip("stumpy.core")
        past, row = make_history(), LENGTH * 7 + 200
        span, own = slice(row - 19, row + 1), slice(LENGTH * 2, LENGTH * 3)

        squared = shapes.distances(
            past, shapes.shape_of(past, row), symbol=7, session=int(past.session[row])
        )[own]

        price, volume = (
            core.mass(values[span].astype(float), values[own].astype(float))
            for values in (past.price, past.volume)
        )
        known = np.isfinite(squared[19:])
        theirs = price.astype(float) ** 2 + volume.astype(float) ** 2
        assert known.sum() > 100
        assert squared[19:][known] == pytest.approx(theirs[known], abs=1e-3)


class TestShapes:
    def test_need_20_traded_sessions_in_a_row(self):
        with pytest.raises(NoShape, match="19 traded sessions"):
            shapes.shape_of(make_history(), 18)

    def test_need_something_that_moved(self):
        past = replace(make_history(), price=np.ones(SYMBOLS * LENGTH, np.float32))

        with pytest.raises(NoShape, match="nothing moved"):
            shapes.shape_of(past, 100)


class TestShuffled:
    def test_is_the_share_of_the_price_band(self):
        past = make_history()
        row = LENGTH * 12 - 1
        found = search(past, row, count=60)

        null = shapes.shuffled(past, found, session=int(past.session[row]), explosive=0.5)

        open_ = (past.session < past.session[row] - 14) & (past.run >= 20) & ~np.isnan(past.peak)
        bands = past.band[found.rows]
        rates = [np.mean(past.peak[open_ & (past.band == band)] >= 0.5) for band in bands]
        assert null.mean == pytest.approx(np.mean(rates), abs=0.005)
        assert null.low <= null.mean <= null.high

    def test_is_beaten_by_neighbours_that_all_exploded(self):
        past = make_history()
        row = LENGTH * 12 - 1
        found = search(past, row, count=20)
        peak = past.peak.copy()
        peak[found.rows] = 0.9

        null = shapes.shuffled(
            replace(past, peak=peak), found, session=int(past.session[row]), explosive=0.5
        )

        assert null.at_least == 0


class TestHistory:
    def test_is_built_from_a_panel_as_plain_code_builds_it(self):
        market = markets.make_market(seed=4, symbols=8, length=90, split=0.03)
        panel = market.panel()
        outcome = np.zeros(panel.height)

        past = shapes.history(panel, peak=outcome, held=outcome)

        bars = {(b["symbol"], b["session"]): b for b in market.bars.to_dicts()}
        ratios = {}
        for split in market.splits.to_dicts():
            ratios.setdefault((split["symbol"], split["ex_date"]), split["ratio"])
        runs = np.diff(past.session) == 1
        checked = 0
        for at, (before, after) in enumerate(pairwise(range(past.session.size))):
            if not runs[at] or past.run[after] < 2 or past.symbol[before] != past.symbol[after]:
                continue
            symbol = panel.symbols[past.symbol[after]]
            days = [sessions.day(int(past.session[row])) for row in (before, after)]
            old, new = (bars[symbol, day] for day in days)
            ratio = ratios.get((symbol, days[1]), 1.0)
            step = np.log(new["close"] * ratio / old["close"])
            flow = np.log(new["volume"] / ratio / old["volume"])
            assert past.price[after] - past.price[before] == pytest.approx(step, abs=1e-5)
            assert past.volume[after] - past.volume[before] == pytest.approx(flow, abs=1e-4)
            checked += 1
        assert checked > 100

    def test_counts_a_run_anew_after_a_hole_or_an_untraded_session(self):
        traded = np.array([True, True, False, True, True, True])
        follows = np.array([False, True, True, False, True, True])

        assert shapes._runs(traded, follows).tolist() == [1, 2, 0, 1, 2, 3]
