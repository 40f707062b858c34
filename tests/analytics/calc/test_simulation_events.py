import numpy as np
import pytest

from analytics.calc import simulation_events, simulation_listings
from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Listings

SESSIONS = 400
ROWS = 200


@pytest.fixture(scope="module")
def listings() -> Listings:
    return simulation_listings.draw(count=ROWS, sessions=SESSIONS, rng=np.random.default_rng(3))


def flat(price: float) -> Paths:
    """Return a market in which every price stands still and everything is always listed."""
    level = np.full((ROWS, SESSIONS), price)
    return Paths(
        open=level,
        high=level,
        low=level,
        close=level,
        volume=np.full_like(level, 1000.0),
        seen=np.ones(level.shape, dtype=bool),
    )


class TestDrawSplits:
    def test_merges_shares_of_stocks_that_stay_under_a_dollar(self, listings):
        ratios = simulation_events.draw_splits(flat(0.4), listings, rng=np.random.default_rng(4))
        merged = ratios[ratios != 1]

        assert merged.size > 50
        assert ((0.4 / merged > 2) & (0.4 / merged < 12)).all()

    def test_waits_for_thirty_sessions_under_a_dollar(self, listings):
        ratios = simulation_events.draw_splits(flat(0.4), listings, rng=np.random.default_rng(4))
        row, column = np.nonzero(ratios != 1)

        assert (column - listings.first[row] >= simulation_events.LOW_BID_SESSIONS).all()

    def test_leaves_others_alone(self, listings):
        ratios = simulation_events.draw_splits(flat(5.0), listings, rng=np.random.default_rng(4))

        assert (ratios == 1).all()

    def test_divides_some_of_the_expensive(self, listings):
        ratios = simulation_events.draw_splits(flat(200.0), listings, rng=np.random.default_rng(4))

        assert set(ratios[ratios != 1]) <= {2.0, 3.0, 4.0}
        assert 0 < (ratios != 1).sum() < ROWS / 2

    def test_splits_only_companies(self, listings):
        ratios = simulation_events.draw_splits(flat(0.4), listings, rng=np.random.default_rng(4))

        assert (ratios[~listings.is_kind("common", "adr")] == 1).all()


class TestAsTraded:
    def test_prices_and_volumes_are_those_of_the_day(self):
        ratios = np.ones((ROWS, SESSIONS))
        ratios[0, 100] = 0.1

        raw = simulation_events.as_traded(flat(0.4567), ratios)

        assert raw.close[0, 99:101].tolist() == [0.4567, 4.57]
        assert raw.volume[0, 99:101].tolist() == [1000.0, 100.0]
        assert raw.close[1].tolist() == [0.4567] * SESSIONS

    def test_no_price_is_below_a_hundredth_of_a_cent(self):
        raw = simulation_events.as_traded(flat(1e-9), np.ones((ROWS, SESSIONS)))

        assert raw.low.min() == 0.0001


class TestAddDefects:
    def test_hides_sessions_but_never_so_many_that_a_listing_ends(self, listings):
        paths = simulation_events.add_defects(flat(5.0), listings, rng=np.random.default_rng(5))

        gaps = [np.diff(np.flatnonzero(row)).max() - 1 for row in paths.seen]

        assert 0 < sum(gap > 0 for gap in gaps) < ROWS / 2
        assert max(gaps) <= 20

    def test_freezes_a_quote_for_five_sessions_or_more(self, listings):
        paths = simulation_events.add_defects(flat(5.0), listings, rng=np.random.default_rng(5))

        idle = (paths.volume == 0).sum(axis=1)

        assert 1 <= (idle > 0).sum() < 10
        assert idle[idle > 0].min() >= 5

    def test_changes_nothing_that_it_was_given(self, listings):
        given = flat(5.0)

        simulation_events.add_defects(given, listings, rng=np.random.default_rng(5))

        assert given.seen.all()
        assert (given.volume == 1000).all()
