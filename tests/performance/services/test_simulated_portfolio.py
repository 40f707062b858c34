"""The invented portfolio of a first installation: once, the same every time, and labelled."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from analytics.calc import sessions
from analytics.models import Source
from analytics.services import lakes
from performance.models import Account, CorporateAction, EquityDay, Fill, Trade
from performance.services import portfolio, simulated_portfolio
from tests import factories

LAST = date(2024, 6, 28)
NOW = datetime(2024, 6, 29, 12, tzinfo=UTC)
DAYS = [sessions.offset(LAST, at - 159) for at in range(160)]
SYMBOLS = [f"Z{at:02}" for at in range(12)]
SPLIT, ENDED = "Z03", "Z05"
pytestmark = pytest.mark.django_db


@pytest.fixture
def market(settings, tmp_path):
    """A simulated market of a dozen shares, one split and one delisted, and its candidates."""
    settings.LAKE_URL = str(tmp_path / "lake")
    random = np.random.default_rng(3)
    frames = []
    for symbol in SYMBOLS:
        days = DAYS[:-20] if symbol == ENDED else DAYS
        close = 4 * np.exp(random.normal(0, 0.03, len(days)).cumsum())
        columns = {"open": close, "high": close * 1.05, "low": close * 0.95, "close": close}
        frames.append(pl.DataFrame({"symbol": symbol, "session": days, **columns}))
        factories.make_security(
            symbol=symbol, first_session=days[0], last_session=days[-1], source="simulated"
        )
    lake = lakes.lake_of(Source.SIMULATED)
    lake.create_all()
    bars = pl.concat(frames).with_columns(
        volume=pl.lit(1e6), quality=pl.lit(0, pl.Int8), source=pl.lit("simulated")
    )
    lake.upsert("bars", bars)
    splits = pl.DataFrame(
        {"symbol": [SPLIT], "ex_date": [DAYS[-60]], "ratio": [0.1], "source": ["simulated"]}
    )
    known = pl.lit(NOW).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    lake.upsert("splits", splits.with_columns(known_on=known))
    for at, day in enumerate(DAYS[-126:-1:2]):
        batch = factories.make_batch(session=day, source="simulated")
        symbol = SYMBOLS[at % len(SYMBOLS)]
        factories.make_candidate(batch=batch, symbol=symbol, rank=1)


def ledger():
    return list(Fill.objects.order_by("pk").values_list("symbol", "side", "quantity", "price"))


class TestSimulatedPortfolio:
    def test_is_made_once_and_labelled(self, market):
        first = simulated_portfolio.store_simulated_portfolio(now=NOW)
        before = ledger()
        again = simulated_portfolio.store_simulated_portfolio(now=NOW)

        assert list(first.rows.values()) == [True]
        assert list(again.rows.values()) == [False]
        assert ledger() == before
        account = Account.objects.get()
        assert "SIMULATED" in account.name
        assert set(Fill.objects.values_list("source", "origin")) == {("simulated", "simulated")}
        assert portfolio.get_trades(source="imported").count() == 0

    def test_shows_open_trades_a_split_a_delisting_and_deposits(self, market):
        simulated_portfolio.store_simulated_portfolio(now=NOW)

        statuses = set(Trade.objects.values_list("status", flat=True))
        assert statuses == {"open", "closed", "delisted"}
        assert set(CorporateAction.objects.values_list("kind", "symbol")) == {
            ("split", SPLIT),
            ("delisting", ENDED),
        }
        assert EquityDay.objects.filter(flow__gt=0).count() == 2
        assert not EquityDay.objects.filter(cash__lt=0).exists()
        assert not Account.objects.get().findings.standing().exists()

    def test_waits_for_candidates(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")

        assert not simulated_portfolio.store_simulated_portfolio(now=NOW).rows
        assert not Account.objects.exists()
