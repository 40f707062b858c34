import pytest

from analytics.models import ThesisEvent
from performance.models import Position, PositionAdvice
from performance.services import advice
from tests import factories, risk_market
from tests.risk_market import EVENING, LAST, make_equity, make_held

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(tmp_path, settings):
    risk_market.store(tmp_path / "lake", settings, count=40)
    made = factories.make_account(broker="Alpaca", synced_at=EVENING)
    make_equity(made)
    return made


def thesis(**fields):
    return factories.make_thesis(
        **{"symbol": "AAA", "session": "2024-06-18", "target_price": "5", **fields}
    )


def record():
    return advice.record_advice(source="imported", now=EVENING)


def advised():
    record()
    return PositionAdvice.objects.get()


class TestRecordAdvice:
    def test_holds_while_the_thesis_stands_and_tells_its_stop(self, account):
        entry = thesis()
        make_held(
            account, "AAA", thesis=entry, stop_price="2.55", stop_order_id="o1",
            stop_confirmed_at=EVENING,
        )  # fmt: skip

        found = advised()

        assert (found.advice, found.stop_state) == ("HOLD", "working")
        assert (found.session, found.held, found.thesis) == (LAST, 6, entry)
        assert float(found.stop_price) == 2.55

    def test_a_falsified_thesis_is_to_be_sold(self, account):
        entry = thesis()
        make_held(account, "AAA", thesis=entry)
        ThesisEvent.objects.create(
            thesis=entry,
            kind="falsified",
            session=LAST,
            subject="close < 3.10",
            message="close was 3.05",
            recorded_at=EVENING,
            source="imported",
        )

        found = advised()

        assert found.advice == "LIQUIDATE"
        assert "close < 3.10" in found.reason
        assert found.stop_state == "missing"

    def test_a_loss_beyond_25_percent_is_to_be_sold(self, account):
        make_held(account, "BBB", cost=3, mark=2)

        assert advised().advice == "LIQUIDATE"

    def test_too_much_of_one_stock_is_to_be_trimmed(self, account):
        make_held(account, "AAA", quantity=300, thesis=thesis())

        assert advised().advice == "TRIM"

    @pytest.mark.parametrize(
        ("day", "expected"), [("2024-06-27", "LIQUIDATE"), ("2024-06-17", "HOLD")]
    )
    def test_a_thesis_counts_if_it_is_newer_than_the_entry(self, account, day, expected):
        make_held(account, "AAA", thesis=thesis())
        thesis(session=day, recommendation="AVOID", author="rules:2")

        assert advised().advice == expected

    def test_says_that_the_broker_does_not_tell(self, account):
        account.broker = "Robinhood"
        account.save()
        make_held(account, "AAA")

        assert advised().stop_state == "unknown"

    def test_is_the_same_when_run_again_and_drops_what_was_sold(self, account):
        make_held(account, "AAA")
        record()

        assert record().changed == 0
        Position.objects.all().delete()
        record()
        assert not PositionAdvice.objects.exists()

    def test_asks_no_more_for_more_positions(self, account, django_assert_max_num_queries):
        for symbol in ("AAA", "BBB", "CCC", "DDD"):
            make_held(account, symbol)

        with django_assert_max_num_queries(14):
            record()


class TestGetAdvice:
    def test_gives_the_strongest_of_the_newest_session_first(self, account):
        make_held(account, "AAA", thesis=thesis())
        make_held(account, "BBB", cost=3, mark=2)
        record()

        assert [row.symbol for row in advice.get_advice(source="imported")] == ["BBB", "AAA"]

    def test_gives_nothing_where_nothing_is_held(self):
        assert advice.get_advice(source="imported") == []
