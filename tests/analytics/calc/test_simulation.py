import numpy as np
import pytest

from analytics.calc import simulation, simulation_listings
from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Fate, Listings

SESSIONS = 500


@pytest.fixture(scope="module")
def listings() -> Listings:
    return simulation_listings.draw(count=300, sessions=SESSIONS, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def fridays() -> np.ndarray:
    chosen = np.zeros(SESSIONS, dtype=bool)
    chosen[60::63] = True
    return chosen


@pytest.fixture(scope="module")
def paths(listings, fridays) -> Paths:
    return simulation.draw(listings, event_fridays=fridays, rng=np.random.default_rng(2))


def log_returns(paths: Paths, listings: Listings) -> np.ndarray:
    moves = np.diff(np.log(paths.close), axis=1)
    stocks = listings.is_kind("common", "adr") & (listings.fate == Fate.STAYS)
    return moves[stocks]


class TestDraw:
    def test_repeats_itself(self, listings, fridays, paths):
        again = simulation.draw(listings, event_fridays=fridays, rng=np.random.default_rng(2))

        assert again.close.tobytes() == paths.close.tobytes()
        assert again.volume.tobytes() == paths.volume.tobytes()

    def test_starts_each_listing_at_its_price(self, listings, paths):
        rows = np.arange(len(listings))

        assert paths.close[rows, listings.first] == pytest.approx(listings.price)

    def test_shows_bars_only_while_listed(self, listings, paths):
        assert (paths.seen.sum(axis=1) == listings.last - listings.first + 1).all()

    def test_keeps_open_and_close_between_low_and_high(self, paths):
        assert (paths.high >= np.maximum(paths.open, paths.close) * (1 - 1e-12)).all()
        assert (paths.low <= np.minimum(paths.open, paths.close) * (1 + 1e-12)).all()

    def test_has_fat_tails(self, listings, paths):
        moves = log_returns(paths, listings)
        z = moves / moves.std(axis=1, keepdims=True)

        assert np.mean(z**4) > 6  # 3 for a normal distribution

    def test_has_volatility_that_clusters(self, listings, paths):
        size = np.log(np.abs(log_returns(paths, listings)) + 1e-3)
        size -= size.mean(axis=1, keepdims=True)

        assert np.mean(size[:, 1:] * size[:, :-1]) / np.mean(size**2) > 0.03

    def test_moves_stocks_together(self, listings, paths):
        moves = log_returns(paths, listings)

        assert 0.007 < np.median(moves, axis=0).std() < 0.025

    def test_swells_volume_on_event_fridays(self, paths, fridays):
        volume = np.log(paths.volume + 1)
        jump = np.median(np.diff(volume, axis=1), axis=0)[np.flatnonzero(fridays) - 1]

        assert (jump > 0.3).all()

    def test_ruins_the_worthless(self, listings, paths):
        ruined = np.flatnonzero(listings.fate == Fate.WORTHLESS)
        end = paths.close[ruined, listings.last[ruined]]

        assert np.median(end / listings.price[ruined]) < 0.3
