"""The portfolio rebuilt from its ledger, with market data beside it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.calc import sessions
from performance.models import (
    EquityDay,
    LedgerFinding,
    Lot,
    LotClose,
    Position,
    TimingAnalysis,
    Trade,
)
from performance.services import portfolio
from tests import factories, small_market
from tests.small_market import LAST, SPLIT

NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)
BEFORE = sessions.offset(SPLIT, -5)  # at 0.30 USD
AFTER = sessions.offset(SPLIT, 2)  # at 3.00 USD
TABLES = (Trade, Lot, LotClose, Position, EquityDay)
pytestmark = pytest.mark.django_db


@pytest.fixture
def market(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    small_market.store(tmp_path)


@pytest.fixture
def account():
    return factories.make_account()


def fill(account, session, side="buy", quantity=1000, price="0.30", **fields):
    when = sessions.opening(session) + timedelta(minutes=5)
    return factories.make_fill(
        account=account,
        side=side,
        quantity=quantity,
        price=price,
        executed_at=when,
        session=session,
        **fields,
    )


def rebuild(account, now=NOW):
    return portfolio.rebuild(account=account, now=now)


def rows():
    return {model: list(model.objects.order_by("pk").values()) for model in TABLES}


def found():
    return {row.kind: row.text for row in LedgerFinding.objects.standing()}


@pytest.mark.usefixtures("market")
class TestRebuild:
    def test_gives_the_same_rows_again(self, account):
        fill(account, BEFORE)
        fill(account, AFTER, side="sell", quantity=40, price="3.00")
        rebuild(account)
        before = rows()

        again = rebuild(account)

        assert again.changed == 0
        assert rows() == before

    def test_gives_the_same_rows_from_nothing(self, account):
        fill(account, BEFORE)
        fill(account, AFTER, side="sell", quantity=40, price="3.00")
        rebuild(account)
        stepwise = [
            {k: v for k, v in row.items() if not k.endswith("id")} for row in Trade.objects.values()
        ]
        Trade.objects.all().delete()

        rebuild(account)

        assert stepwise == [
            {k: v for k, v in row.items() if not k.endswith("id")} for row in Trade.objects.values()
        ]

    def test_takes_a_split_from_market_data_and_says_so(self, account):
        fill(account, BEFORE)

        rebuild(account)

        position = Position.objects.get()
        assert (position.quantity, position.market_value) == (Decimal(100), Decimal("300.00"))
        assert position.unrealised == 0
        assert "0.1 new shares for one old" in found()["split_assumed"]

    def test_takes_a_split_of_the_ledger_once(self, account):
        fill(account, BEFORE)
        factories.make_action(
            account=account, ratio="0.1", session=sessions.offset(SPLIT, 1)
        )  # the broker books it a day later

        rebuild(account)

        assert Position.objects.get().quantity == 100
        assert "split_assumed" not in found()

    def test_keeps_equity_steady_through_a_split(self, account):
        factories.make_cash(account=account, amount="1000", session=BEFORE)
        fill(account, BEFORE)

        rebuild(account)

        days = EquityDay.objects.order_by("session")
        assert days.first().session == BEFORE
        assert days.first().flow == 1000
        assert {day.equity for day in days} == {Decimal("1000.00")}
        assert {day.cash for day in days} == {Decimal("700.00")}

    def test_replaces_a_fill_by_its_correction_and_keeps_the_trade(self, account):
        wrong = fill(account, AFTER, price="3.00", quantity=10)
        rebuild(account)
        key = Trade.objects.get().pk
        fill(account, AFTER, price="3.10", quantity=20, kind="correction", corrects=wrong)

        rebuild(account)

        trade = Trade.objects.get()
        assert (trade.pk, trade.invested, trade.opening_fill) == (key, Decimal("62.00"), wrong)

    def test_takes_away_a_cancelled_fill_and_what_hung_on_it(self, account):
        wrong = fill(account, AFTER, price="3.00", quantity=10)
        rebuild(account)
        candidate = factories.make_candidate()
        timing = factories.make_timing(trade=Trade.objects.get(), candidate=candidate)
        fill(account, AFTER, price="3.00", quantity=10, kind="cancellation", corrects=wrong)

        rebuild(account)

        assert not Trade.objects.filter(account=account).exists()
        assert not TimingAnalysis.objects.filter(pk=timing.pk).exists()

    def test_settles_a_delisting_at_the_last_trade(self, account):
        fill(account, AFTER, price="2.50", quantity=10)
        factories.make_action(account=account, kind="delisting", session=LAST)

        rebuild(account)

        trade = Trade.objects.get()
        assert (trade.status, trade.realised) == ("delisted", Decimal("5.00"))

    def test_leaves_the_stop_of_the_broker_alone(self, account):
        fill(account, AFTER, price="3.00", quantity=10)
        rebuild(account)
        Position.objects.update(stop_price="2.5", stop_order_id="s", stop_confirmed_at=NOW)
        fill(account, LAST, price="3.00", quantity=10)

        rebuild(account)

        position = Position.objects.get()
        assert (position.quantity, position.stop_order_id) == (Decimal(20), "s")


@pytest.mark.usefixtures("market")
class TestFindings:
    def test_name_a_frozen_quote_and_value_it_at_zero_as_well(self, account):
        factories.make_cash(account=account, amount="1000", session=AFTER)
        fill(account, AFTER, price="3.00", quantity=10)
        lake_goes_on()

        rebuild(account, now=datetime(2024, 7, 5, 22, tzinfo=UTC))

        position = Position.objects.get()
        assert (position.is_frozen, position.mark_session) == (True, LAST)
        assert "last close 2024-06-28" in found()["frozen_quote"]
        day = EquityDay.objects.order_by("-session").first()
        assert (day.frozen, day.equity, day.equity_at_zero) == (
            1,
            Decimal("1000.00"),
            Decimal("970.00"),
        )

    def test_go_when_the_quote_is_back(self, account):
        fill(account, AFTER, price="3.00", quantity=10)
        lake_goes_on()
        later = datetime(2024, 7, 5, 22, tzinfo=UTC)
        rebuild(account, now=later)
        lake_goes_on(symbol="VIGL")

        rebuild(account, now=later)

        assert not found()
        assert LedgerFinding.objects.filter(resolved_at=later).exists()

    def test_name_what_has_no_listing_and_hold_it_at_cost(self, account):
        fill(account, AFTER, price="3.00", quantity=10, symbol="NOBODY")

        rebuild(account)

        assert "no bar of it is known" in found()["no_listing"]
        assert Trade.objects.get().unrealised is None
        day = EquityDay.objects.order_by("-session").first()
        assert (day.holdings, day.equity - day.equity_at_zero) == (Decimal("30.00"), Decimal(30))

    @pytest.mark.parametrize(("price", "wrong"), [("3.33", False), ("3.34", True), ("2.67", True)])
    def test_name_a_price_outside_the_range_by_more_than_one_percent(self, account, price, wrong):
        fill(account, AFTER, price=price, quantity=10)  # it traded from 2.70 to 3.30

        rebuild(account)

        assert ("impossible_entry" in found()) is wrong

    def test_name_one_trade_that_came_in_by_two_ways(self, account):
        fill(account, AFTER, price="3.00", quantity=10, origin="csv")
        fill(account, AFTER, price="3.10", quantity=10, origin="alpaca")

        rebuild(account)

        assert "recorded twice" in found()["contradiction"]
        assert Position.objects.get().quantity == 20


@pytest.mark.usefixtures("market")
class TestLinks:
    def test_take_what_is_stated(self, account):
        stated = factories.make_candidate(symbol="OTHER")
        fill(account, AFTER, price="3.00", quantity=10, candidate=stated)

        rebuild(account)

        trade = Trade.objects.get()
        assert (trade.candidate, trade.link) == (stated, "explicit")

    @pytest.mark.parametrize(
        ("back", "link"), [(1, "nearest"), (10, "nearest"), (11, "none"), (0, "none")]
    )
    def test_look_back_ten_sessions_and_never_at_the_session_itself(self, account, back, link):
        batch = factories.make_batch(session=sessions.offset(AFTER, -back))
        factories.make_candidate(symbol="VIGL", batch=batch)
        fill(account, AFTER, price="3.00", quantity=10)

        rebuild(account)

        assert Trade.objects.get().link == link

    def test_prefer_the_latest(self, account):
        for back in (6, 2, 4):
            batch = factories.make_batch(session=sessions.offset(AFTER, -back))
            factories.make_candidate(symbol="VIGL", batch=batch)
        fill(account, AFTER, price="3.00", quantity=10)

        rebuild(account)

        assert Trade.objects.get().candidate.batch.session == sessions.offset(AFTER, -2)


@pytest.mark.usefixtures("market")
class TestReading:
    def test_of_trades_takes_those_open_in_the_window_and_one_source(self, account):
        fill(account, BEFORE)
        rebuild(account)

        def count(**window):
            return portfolio.get_trades(source="live", **window).count()

        assert count() == count(first=LAST) == count(last=BEFORE) == 1
        assert count(last=sessions.offset(BEFORE, -1)) == 0
        assert portfolio.get_trades(source="simulated").count() == 0

    def test_of_equity_is_a_frame_even_when_there_is_none(self, account):
        assert portfolio.get_equity(source="imported").is_empty()
        factories.make_cash(account=account, amount="12.34", session=LAST)
        rebuild(account)

        frame = portfolio.get_equity(source="imported", first=date(2024, 1, 1))

        assert frame.select("session", "equity", "flow").rows() == [(LAST, 12.34, 12.34)]


def lake_goes_on(symbol="SPY"):
    """Three more sessions of the market, in which only ``symbol`` trades."""
    import polars as pl

    from analytics.services import lakes

    days = [sessions.offset(LAST, at) for at in (1, 2, 3)]
    frame = pl.DataFrame({"symbol": symbol, "session": days, "close": 3.0, "high": 3.0, "low": 3.0})
    columns = {"open": 3.0, "volume": 1e5, "source": "imported"}
    made = frame.with_columns(*(pl.lit(value).alias(name) for name, value in columns.items()))
    lakes.lake_of("imported").upsert("bars", made.with_columns(quality=pl.lit(0, pl.Int8)))
