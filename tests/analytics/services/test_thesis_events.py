from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from analytics.calc import sessions
from analytics.models import Alert, Thesis, ThesisEvent
from analytics.models.frozen import Frozen
from analytics.services import lakes, thesis_events, thesis_pre_open
from tests import factories, small_market
from tests.factories import NOW
from tests.stubs import polygon as polygon_wire
from tests.stubs import server

pytestmark = pytest.mark.django_db
SNAPSHOT = "/v2/snapshot/locale/us/markets/stocks/tickers"
LAST = small_market.LAST  # Friday
SIGNAL = date(2024, 6, 18)  # before the 1-for-10 reverse split: the close is 0.30, then 3.00


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    small_market.store(tmp_path / "lake")
    return lakes.lake_of("imported")


def thesis(*falsifiers, session=SIGNAL, **fields):
    small = {"entry_price": "0.30", "target_price": "0.45", "stop_price": "0.25",
             "max_entry_price": "0.33"}  # fmt: skip
    return factories.make_thesis(
        session=session, falsifiers=list(falsifiers), **{**small, **fields}
    )


def check(**more):
    return thesis_events.check_falsifiers(source="imported", now=NOW, **more)


class TestCheckFalsifiers:
    def test_records_an_event_on_the_thesis_and_its_candidate(self, lake):
        candidate = factories.make_candidate(session=SIGNAL)
        made = thesis("close < 0.31", candidate=candidate)

        done = check()

        event = ThesisEvent.objects.get()
        assert (done.theses, done.triggered, done.last) == (1, 1, LAST)
        assert (event.thesis, event.candidate, event.kind) == (made, candidate, "falsified")
        assert event.session == date(2024, 6, 20)  # the 19th is a holiday
        assert event.detail["value"] == pytest.approx(0.30)
        assert event.detail["sessions_after"] == 1
        assert thesis_events.get_events(candidate_ids=[candidate.pk]) == {candidate.pk: [event]}

    def test_reads_prices_on_the_basis_of_the_signal(self, lake):
        thesis("close > 0.5", "close < 0.29")

        assert check().triggered == 0

    def test_raises_an_alert_once(self, lake):
        thesis("close < 0.31")

        assert [check().triggered for _ in range(2)] == [1, 0]
        alert = Alert.objects.get()
        assert (alert.kind, alert.symbol) == ("falsifier", "VIGL")
        assert ThesisEvent.objects.count() == 1

    @pytest.mark.parametrize(
        ("recommendation", "severity"), [("BUY", "warning"), ("HOLD", "warning"), ("AVOID", "info")]
    )
    def test_warns_who_may_hold_it(self, lake, recommendation, severity):
        thesis("close < 0.31", recommendation=recommendation)

        check()

        assert Alert.objects.get().severity == severity

    def test_raises_no_alert_for_a_replay(self, lake):
        thesis("close < 0.31", is_late=True)

        assert check().triggered == 1
        assert not Alert.objects.exists()

    def test_waits_until_a_condition_has_held(self, lake):
        thesis("close < 0.31 for 5 sessions")
        late = thesis("close < 0.31 for 9 sessions")

        check()

        assert ThesisEvent.objects.get().session == date(2024, 6, 26)
        assert not late.events.exists()

    def test_measures_features_of_the_scan(self, lake):
        thesis("rel_volume >= 0.5", "ret_1 > 5")

        check()

        event = ThesisEvent.objects.get()
        assert event.subject == "rel_volume >= 0.5"
        assert event.detail["value"] == pytest.approx(1.0)

    def test_looks_no_further_than_the_horizon(self, lake):
        thesis("close < 0.31 for 3 sessions", horizon=2)

        assert check().triggered == 0

    def test_looks_at_older_theses_only_when_told(self, lake):
        old = sessions.offset(LAST, -55)
        thesis("close < 3.1", session=old, entry_price="3", target_price="4", stop_price="2",
               max_entry_price="3.1")  # fmt: skip

        assert check().theses == 0
        assert check(first=old).theses == 1

    def test_does_nothing_without_bars_or_theses(self, settings, tmp_path, lake):
        assert check().triggered == 0
        settings.LAKE_URL = str(tmp_path / "empty")
        assert check().last is None

    def test_changes_no_thesis(self, lake):
        made = thesis("close < 0.31")

        check()

        assert Thesis.objects.get().digest == made.digest
        with pytest.raises(Frozen):
            ThesisEvent.objects.update(message="other")


class TestWithdraw:
    def test_is_for_its_author_before_the_entry(self):
        ann = factories.make_user()
        made = factories.make_thesis(author_kind="person", author="ann", written_by=ann)

        event = thesis_events.withdraw(thesis=made, author_id=ann.pk, reason="I was wrong", now=NOW)

        assert (event.kind, event.message) == ("withdrawn", "I was wrong")

    def test_is_refused_to_others_and_after_the_entry(self):
        ann = factories.make_user()
        made = factories.make_thesis(author_kind="person", author="ann", written_by=ann)

        for author, now in ((ann.pk + 1, NOW), (None, NOW), (ann.pk, NOW + timedelta(days=5))):
            with pytest.raises(thesis_events.CannotWithdraw):
                thesis_events.withdraw(thesis=made, author_id=author, reason="", now=now)
        assert not ThesisEvent.objects.exists()


BEFORE_OPEN = datetime(2024, 7, 1, 13, 20, tzinfo=UTC)  # 9:20 in New York


class TestPreOpen:
    @pytest.fixture
    def stub(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")
        lakes.lake_of("imported").create_all()
        with server.running() as running:
            settings.POLYGON_API_KEY = "key"
            settings.POLYGON_BASE_URL = running.url
            settings.POLYGON_CALLS_PER_MINUTE = 0
            yield running

    def put(self, stub, last, at=BEFORE_OPEN, symbol="VIGL"):
        row = {
            "ticker": symbol,
            "updated": int(at.timestamp() * 1e9),
            "day": {"o": 0, "h": 0, "l": 0, "c": 0, "v": 0, "vw": 0},
            "lastTrade": {"p": last, "t": int(at.timestamp() * 1e9)},
            "min": {"c": last, "av": 1000},
            "prevDay": {"c": 3.0, "v": 1e6},
        }
        stub.on(SNAPSHOT, {"status": "OK", "tickers": [row]})

    def check(self, now=BEFORE_OPEN, source="imported"):
        return thesis_pre_open.check(source=source, now=now)

    @pytest.mark.parametrize(
        ("last", "kind"),
        [(3.05, "enter"), (3.15, "enter"), (3.16, "do_not_chase"), (4.5, "past_barrier"),
         (2.55, "past_barrier")],
    )  # fmt: skip
    def test_holds_the_price_against_the_thesis(self, stub, last, kind):
        candidate = factories.make_candidate()
        factories.make_thesis(candidate=candidate)
        self.put(stub, last)

        found = self.check()

        event = ThesisEvent.objects.get()
        assert found.said == {kind: 1}
        assert (event.kind, event.candidate, event.session) == (kind, candidate, date(2024, 7, 1))
        assert event.detail["gap"] == pytest.approx(last / 3 - 1)

    def test_says_each_verdict_once_a_session(self, stub):
        factories.make_thesis()
        for last in (3.05, 3.06, 3.5):
            self.put(stub, last)
            self.check()

        kinds = ThesisEvent.objects.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["enter", "do_not_chase"]

    def test_looks_through_a_split_of_that_morning(self, stub):
        factories.make_thesis()
        split = pl.DataFrame({"symbol": ["VIGL"], "ex_date": [date(2024, 7, 1)], "ratio": [0.1]})
        lakes.lake_of("imported").upsert("splits", split.with_columns(source=pl.lit("imported")))
        self.put(stub, 30.5)

        assert self.check().said == {"enter": 1}

    def test_takes_no_price_of_yesterday(self, stub):
        factories.make_thesis()
        self.put(stub, 3.05, at=BEFORE_OPEN - timedelta(days=3))

        assert self.check().said == {"not_checked": 1}
        assert "no trade of VIGL" in ThesisEvent.objects.get().message

    def test_says_so_where_the_plan_has_no_snapshots(self, stub):
        factories.make_thesis()
        stub.on(SNAPSHOT, polygon_wire.NOT_IN_PLAN)

        found = self.check()

        assert found.why == "the plan has no snapshots: end of day only"
        assert ThesisEvent.objects.get().message == found.why

    def test_says_so_where_the_provider_is_down(self, stub):
        factories.make_thesis()
        stub.on(SNAPSHOT, polygon_wire.UNKNOWN_KEY)

        assert "did not answer" in self.check().why

    def test_says_so_without_a_key_and_on_the_sample_market(self, settings):
        factories.make_thesis()
        factories.make_thesis(source="simulated")

        assert "POLYGON_API_KEY" in self.check().why
        assert "sample market" in self.check(source="simulated").why
        assert ThesisEvent.objects.filter(kind="not_checked").count() == 2

    @pytest.mark.parametrize(
        "now",
        [datetime(2024, 6, 30, 13, 20, tzinfo=UTC), datetime(2024, 7, 1, 13, 30, tzinfo=UTC)],
        ids=["Sunday", "open"],
    )
    def test_does_nothing_when_no_session_is_about_to_open(self, now):
        factories.make_thesis()

        assert self.check(now=now).session is None
        assert not ThesisEvent.objects.exists()
