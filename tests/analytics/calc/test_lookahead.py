from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from analytics.calc import detector, lookahead, lookahead_leaks, sessions
from analytics.calc.lookahead import Detector, Inputs, Tally
from tests import markets

MARKET = markets.make_market(seed=8, symbols=40, length=220, split=0.01)
DAYS = MARKET.sessions
WIDE: dict[str, Any] = {
    "max_close": 100.0,
    "min_close": 0.01,
    "min_dollar_volume": 1e4,
    "min_rel_volume": 0.3,
}
DETECTOR = Detector(
    variants=[
        replace(detector.SQUEEZE, name="B", top=5, **WIDE),
        replace(detector.ORIGINAL, name="A", top=5, **WIDE),
    ],
    references=[],
)
SAMPLE = [DAYS[at] for at in (70, 100, 130)]


@pytest.fixture(scope="module")
def inputs():
    return Inputs(**{name: getattr(MARKET, name) for name in markets.SCHEMAS})


class TestCertify:
    def test_finds_no_difference_in_an_honest_detector(self, inputs):
        tally = lookahead.certify(inputs, DETECTOR, SAMPLE)

        assert (tally.differences, tally.examples) == (0, [])
        assert tally.stock_days > 90
        assert tally.values > 20 * tally.stock_days

    def test_reports_progress(self, inputs):
        told = []

        lookahead.certify(inputs, DETECTOR, SAMPLE[:2], on_session=told.append)

        assert told == [1, 2]


class TestKnownOn:
    def test_leaves_nothing_of_later_days(self, inputs):
        cut = inputs.known_on(DAYS[100])

        limit = sessions.cut_off(DAYS[100])
        assert cut.bars["session"].max() == DAYS[100]
        assert cut.splits["ex_date"].max() <= DAYS[100]
        assert cut.securities["last_session"].max() <= DAYS[100]
        for table in (cut.short_interest, cut.shares, cut.short_volume):
            assert table.filter(pl.col("known_on") > limit).is_empty()
        assert cut.sentiment["published_at"].max() <= limit


class TestPlantedLeaks:
    @pytest.mark.parametrize("name", lookahead_leaks.LEAKS)
    def test_are_caught(self, inputs, name):
        leak = lookahead_leaks.LEAKS[name]
        tally = Tally()

        for day in DAYS[60:150:6]:
            full = lookahead.scan(leak(inputs), DETECTOR, [day])[0]
            cut = lookahead.scan(leak(inputs.known_on(day)), DETECTOR, [day])[0]
            lookahead.compare(full, cut, tally)

        assert tally.differences > 0

    def test_are_all_caught_together(self, inputs):
        found = lookahead_leaks.plant(inputs, DETECTOR, DAYS[60:150:5])

        assert len(found) == len(lookahead_leaks.LEAKS) >= 7
        assert [leak.name for leak in found if not leak.differences] == []

    def test_are_left_out_where_the_data_have_nothing_to_leak(self, inputs):
        bare = replace(
            inputs, shares=inputs.shares.clear(), short_interest=inputs.short_interest.clear()
        )

        names = {leak.name for leak in lookahead_leaks.plant(bare, DETECTOR, SAMPLE[:1])}

        assert "today's float" not in names
        assert "settlement-date short interest" not in names
        assert "future filter" in names


class TestCompare:
    def seen(self, inputs):
        return lookahead.scan(inputs, DETECTOR, [SAMPLE[0]])[0]

    def test_looks_in_both_directions(self, inputs):
        seen = self.seen(inputs)
        fewer = replace(seen, rows=seen.rows.head(-2))

        for full, cut, said in ((seen, fewer, "added"), (fewer, seen, "lost")):
            tally = Tally()
            lookahead.compare(full, cut, tally)
            assert tally.differences == 2
            assert said in tally.examples[0]

    def test_notices_the_last_bit_of_a_score(self, inputs):
        seen = self.seen(inputs)
        name = "score B"
        nudged = seen.rows.with_columns(pl.col(name) * (1 + 2**-52))
        tally = Tally()

        lookahead.compare(seen, replace(seen, rows=nudged), tally)

        assert tally.differences > 0

    def test_notices_a_rank(self, inputs):
        seen = self.seen(inputs)
        lists = {**seen.lists, "shadow B": seen.lists["shadow B"].with_columns(pl.col("rank") + 1)}
        tally = Tally()

        lookahead.compare(seen, replace(seen, lists=lists), tally)

        assert tally.differences == seen.lists["shadow B"].height > 0

    def test_takes_null_for_null(self, inputs):
        seen = self.seen(inputs)
        tally = Tally()

        lookahead.compare(seen, seen, tally)

        assert tally.differences == 0


class TestSample:
    def test_spreads_over_the_data_and_repeats(self):
        wanted = lookahead.sample(DAYS, [40] * len(DAYS), stock_days=400, seed=1)

        assert wanted == lookahead.sample(DAYS, [40] * len(DAYS), stock_days=400, seed=1)
        assert len(wanted) == 10
        assert wanted == sorted(set(wanted))
        assert wanted[0] < DAYS[22]
        assert wanted[-1] > DAYS[197]

    def test_takes_everything_if_there_is_less(self):
        assert lookahead.sample(DAYS[:5], [40] * 5, stock_days=10_000, seed=0) == DAYS[:5]
