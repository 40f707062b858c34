from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.services import lakes
from performance.models import RuleBreach
from performance.services import compliance
from tests import factories, order_rows, risk_market
from tests.risk_market import EVENING, make_equity, make_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings, count=40)
    made = factories.make_account(broker="Alpaca", synced_at=EVENING)
    make_equity(made, values=[10_000] * 20)
    return made


def record():
    return compliance.record_breaches(source="imported", now=EVENING)


def rules():
    return sorted(RuleBreach.objects.values_list("rule", flat=True))


def thesis(**fields):
    return factories.make_thesis(
        **{"symbol": "AAA", "session": "2024-06-18", "entry_price": "3", **fields}
    )


class TestRecordBreaches:
    def test_finds_nothing_in_a_trade_by_the_rules(self, account):
        make_held(
            account, "AAA", thesis=thesis(), stop_price="2.55", stop_order_id="o1",
            stop_confirmed_at=EVENING,
        )  # fmt: skip

        assert record().breaches == 0

    def test_stores_every_breach_once_with_its_evidence(self, account):
        make_held(account, "AAA", quantity=500, cost=3, mark=4)

        first, second = record(), record()

        assert (first.new, second.new, second.breaches) == (3, 0, 3)
        assert rules() == ["late_stop", "no_thesis", "oversize"]
        oversize = RuleBreach.objects.get(rule="oversize")
        assert (oversize.measured, oversize.allowed) == (pytest.approx(0.15), 0.1)
        assert oversize.evidence["invested"] == "1500.00"
        assert "15.0%" in oversize.text

    def test_says_nothing_of_stops_where_the_broker_does_not_tell(self, account):
        account.broker = "IBKR"
        account.save()
        make_held(account, "AAA", thesis=thesis())

        assert record().breaches == 0

    def test_finds_a_chased_entry(self, account):
        candidate = factories.make_candidate(symbol="AAA", session="2024-06-18", close="2.6")
        factories.make_trade(
            account=account, symbol="AAA", candidate=candidate, thesis=thesis(),
            opened_at=datetime(2024, 6, 20, 14, tzinfo=UTC), entry_price="2.9",
            closed_at=datetime(2024, 6, 21, 14, tzinfo=UTC), exit_price="3",
        )  # fmt: skip

        record()

        (breach,) = RuleBreach.objects.all()
        assert (breach.rule, breach.measured) == ("chased", pytest.approx(2.9 / 2.6 - 1))

    def test_takes_splits_between_signal_and_entry_into_account(self, account):
        lakes.lake_of("imported").upsert(
            "splits",
            pl.DataFrame(
                {
                    "symbol": ["AAA"],
                    "ex_date": [datetime(2024, 6, 20).date()],
                    "ratio": [0.5],
                    "source": ["imported"],
                    "known_on": [datetime(2024, 6, 19, tzinfo=UTC)],
                }
            ).with_columns(pl.col("known_on").cast(pl.Datetime("us", "UTC"))),
        )
        candidate = factories.make_candidate(symbol="AAA", session="2024-06-18", close="1.5")
        factories.make_trade(
            account=account, symbol="AAA", candidate=candidate,
            thesis=thesis(entry_price="1.5", stop_price="1.4", target_price="4"),
            opened_at=datetime(2024, 6, 20, 14, tzinfo=UTC), entry_price="3",
            closed_at=datetime(2024, 6, 21, 14, tzinfo=UTC), exit_price="2.9",
        )  # fmt: skip

        assert record().breaches == 0

    def test_finds_a_loss_beyond_the_stop(self, account):
        factories.make_trade(
            account=account, symbol="AAA", thesis=thesis(stop_price="2.7"),
            opened_at=datetime(2024, 6, 20, 14, tzinfo=UTC),
            closed_at=datetime(2024, 6, 21, 14, tzinfo=UTC), exit_price="2.4",
        )  # fmt: skip

        record()

        (breach,) = RuleBreach.objects.all()
        assert breach.rule == "beyond_stop"
        assert (breach.measured, breach.allowed) == (pytest.approx(-0.2), pytest.approx(-0.1))

    def test_looks_at_no_other_realm(self, account):
        other = factories.make_account(source="simulated")
        factories.make_trade(account=other, source="simulated")

        assert record().trades == 0

    def test_asks_no_more_for_more_trades(self, account, django_assert_max_num_queries):
        for _ in range(8):
            factories.make_trade(account=account, symbol="AAA")

        with django_assert_max_num_queries(9):
            record()


class TestGetBreaches:
    def test_gives_the_newest_first_and_narrows_down(self):
        order_rows.make_breach(session="2024-06-03", symbol="OLD")
        order_rows.make_breach(
            session="2024-06-28", symbol="NEW", rule="no_thesis", measured=None, allowed=None
        )
        order_rows.make_breach(source="simulated")

        found = compliance.get_breaches(source="imported")

        assert [row.symbol for row in found] == ["NEW", "OLD"]
        assert [r.symbol for r in compliance.get_breaches(source="live", rule="oversize")] == [
            "OLD"
        ]
        assert compliance.count_breaches(source="imported") == {"no_thesis": 1, "oversize": 1}
