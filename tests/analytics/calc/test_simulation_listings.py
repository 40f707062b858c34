import numpy as np
import pytest

from analytics.calc import simulation_listings
from analytics.calc.simulation_listings import Fate, Listings

SESSIONS = 500


def draw(count: int = 300, seed: int = 1) -> Listings:
    return simulation_listings.draw(count=count, sessions=SESSIONS, rng=np.random.default_rng(seed))


class TestDraw:
    def test_lists_as_many_as_asked_for(self):
        assert len(draw(count=47)) == 47

    def test_orders_by_symbol_and_start(self):
        listings = draw()
        keys = list(zip(listings.symbol, listings.first.tolist(), strict=True))

        assert keys == sorted(keys)

    def test_keeps_every_listing_inside_the_period(self):
        listings = draw()

        assert (listings.first >= 0).all()
        assert (listings.last < SESSIONS).all()
        assert (listings.last - listings.first >= simulation_listings.SHORTEST_LISTING - 1).all()

    def test_delists_exactly_those_that_do_not_stay(self):
        listings = draw()

        assert ((listings.last < SESSIONS - 1) == (listings.fate != Fate.STAYS)).all()

    def test_leaves_a_long_gap_before_a_ticker_is_used_again(self):
        listings = draw()
        again = [i for i in range(1, 300) if listings.symbol[i] == listings.symbol[i - 1]]

        assert again
        for i in again:
            assert listings.first[i] - listings.last[i - 1] > 20
            assert listings.kind[i] == "common"

    def test_gives_the_figures_of_one_listing_a_possible_meaning(self):
        listings = draw()

        assert (listings.price > 0).all()
        assert (listings.free_float > 0).all()
        assert ((listings.free_share > 0) & (listings.free_share < 1)).all()

    @pytest.mark.parametrize(("count", "sessions"), [(19, 500), (10_001, 500), (100, 199)])
    def test_refuses_what_it_cannot_fill(self, count, sessions):
        with pytest.raises(ValueError, match="must be"):
            simulation_listings.draw(count=count, sessions=sessions, rng=np.random.default_rng(1))


class TestListings:
    def test_knows_which_are_of_a_kind(self):
        listings = draw()

        assert listings.is_kind("common", "adr").sum() == sum(
            kind in ("common", "adr") for kind in listings.kind.tolist()
        )
