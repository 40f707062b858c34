import numpy as np
import pytest

from analytics.calc import simulation_listings, simulation_reports
from analytics.calc.simulation import Paths
from analytics.calc.simulation_listings import Listings

SESSIONS = 400
ROWS = 200
SETTLEMENTS = np.arange(9, SESSIONS, 10)


@pytest.fixture(scope="module")
def listings() -> Listings:
    return simulation_listings.draw(count=ROWS, sessions=SESSIONS, rng=np.random.default_rng(3))


@pytest.fixture(scope="module")
def ratios(listings) -> np.ndarray:
    halved = np.ones((ROWS, SESSIONS))
    halved[:, 200] = 0.1
    return halved


@pytest.fixture(scope="module")
def growth(listings, ratios) -> np.ndarray:
    return simulation_reports.draw_growth(listings, ratios, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def counts(listings, growth, ratios) -> simulation_reports.ShareCounts:
    return simulation_reports.draw_share_counts(
        listings, growth, ratios, rng=np.random.default_rng(2)
    )


@pytest.fixture(scope="module")
def shorts(listings, growth, ratios) -> simulation_reports.ShortInterest:
    level = np.full((ROWS, SESSIONS), 5.0)
    volume = 1000 * np.cumprod(ratios, axis=1)
    paths = Paths(
        open=level,
        high=level,
        low=level,
        close=level,
        volume=volume,
        seen=np.ones(level.shape, dtype=bool),
    )
    return simulation_reports.draw_short_interest(
        listings,
        paths,
        growth,
        ratios,
        settlements=SETTLEMENTS,
        rng=np.random.default_rng(2),
    )


class TestDrawGrowth:
    def test_follows_splits(self, growth, ratios):
        change = growth[:, 200] / growth[:, 199]

        assert np.median(change) == pytest.approx(0.1)

    def test_lets_only_companies_sell_new_shares(self, listings, growth):
        others = growth[~listings.is_kind("common", "adr")]

        assert set(np.unique(others.round(9))) <= {1.0, 0.1}
        assert growth[listings.is_kind("common")].max() > 1.05


class TestDrawShareCounts:
    def test_reports_while_listed(self, listings, counts):
        assert (counts.column >= listings.first[counts.row]).all()
        assert (counts.column <= listings.last[counts.row]).all()

    def test_reports_a_split_at_once(self, counts):
        assert (counts.lag[counts.column == 200] == 0).all()

    def test_keeps_the_float_below_the_shares(self, counts):
        known = np.isfinite(counts.public_float)

        assert 0.5 < known.mean() < 1
        assert (counts.public_float[known] <= counts.outstanding[known]).all()


class TestDrawShortInterest:
    def test_is_part_of_the_float(self, listings, growth, shorts):
        free = listings.free_float[shorts.row] * growth[shorts.row, shorts.column]

        assert (shorts.shares_short <= free * simulation_reports.SHORT_SHARE_MOST + 1).all()

    def test_has_the_usual_volume_beside_it_in_the_shares_of_the_day(self, shorts):
        assert set(shorts.avg_daily_volume[shorts.column < 200]) == {1000.0}
        assert set(shorts.avg_daily_volume[shorts.column > 200]) == {100.0}

    def test_is_settled_only_while_listed(self, listings, shorts):
        assert (listings.first[shorts.row] <= shorts.column).all()
        assert (listings.last[shorts.row] >= shorts.column).all()
