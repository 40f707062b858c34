"""The overview's cards."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.calc import sessions
from analytics.models import JobRun
from performance.calc.spans import DEFAULT, WHOLE, Span
from performance.services import dashboard
from tests.factories import (
    make_analysis,
    make_baseline,
    make_batch,
    make_candidate,
    make_user,
    make_variant,
)

NOW = datetime(2024, 6, 29, 12, 0, tzinfo=UTC)
LAST = date(2024, 6, 28)


def settled(session, **fields):
    counts = {"first_settled": 10, "first_explosive": 1, "first_positive_14": 4}
    return make_analysis(batch=make_batch(session=session), **{**counts, **fields})


def make_job(**fields):
    wanted = {"kind": "discover", "arguments": {"session": "2024-06-28"}, "created_at": NOW}
    key = f"key {JobRun.objects.count()}"
    return JobRun.objects.create(**{"idempotency_key": key, **wanted, **fields})


@pytest.mark.django_db
class TestGetOverview:
    def test_asks_as_often_with_many_rows_as_with_few(self, django_assert_num_queries):
        make_candidate(batch=make_batch(session=LAST))
        with django_assert_num_queries(7):
            dashboard.get_overview(source="imported", span=WHOLE, now=NOW)
        for day in sessions.between(date(2024, 5, 1), date(2024, 6, 27)):
            batch = make_batch(session=day)
            make_candidate(batch=batch)
            make_analysis(batch=batch)
            make_job()

        with django_assert_num_queries(7):
            dashboard.get_overview(source="imported", span=WHOLE, now=NOW)

    def test_shows_nothing_rather_than_zero_where_there_is_nothing(self):
        found = dashboard.get_overview(source="imported", span=DEFAULT, now=NOW)

        assert found.newest is None
        assert found.latest.rows == found.funnel.steps == found.outcomes.figures == []
        assert found.latest.freshness is None
        assert found.volume_events.sessions == 0

    def test_never_mixes_simulated_and_real_rows(self):
        make_candidate(symbol="REAL", session=LAST)
        make_candidate(symbol="FAKE", session=LAST, source="simulated")

        found = dashboard.get_overview(source="simulated", span=DEFAULT, now=NOW)

        assert [row.symbol for row in found.latest.rows] == ["FAKE"]


@pytest.mark.django_db
class TestGetLatest:
    def test_puts_every_variant_beside_the_symbol(self):
        first = make_batch(session=LAST, variant=make_variant(name="A"))
        second = make_batch(session=LAST, variant=make_variant(name="B"))
        make_candidate(batch=first, symbol="BOTH", rank=1)
        make_candidate(batch=second, symbol="BOTH", rank=2)
        make_candidate(batch=second, symbol="ONE", rank=1)

        found = dashboard.get_latest(source="imported", span=DEFAULT)

        ranks = {row.symbol: [pick.rank for pick in row.picks] for row in found.rows}
        assert ranks == {"BOTH": [1, 2], "ONE": [None, 1]}
        assert found.symbols == 2

    def test_keeps_the_best_eight_of_each_variant(self):
        batch = make_batch(session=LAST)
        for rank in range(1, 13):
            make_candidate(batch=batch, symbol=f"S{rank:02d}", rank=rank)

        found = dashboard.get_latest(source="imported", span=DEFAULT)

        assert [row.symbol for row in found.rows] == [f"S{rank:02d}" for rank in range(1, 9)]
        assert found.symbols == 12

    def test_leaves_superseded_batches_out(self):
        make_candidate(batch=make_batch(session=LAST, is_current=False), symbol="OLD")
        make_candidate(batch=make_batch(session=LAST, revision=2), symbol="NEW")

        found = dashboard.get_latest(source="imported", span=DEFAULT)

        assert [row.symbol for row in found.rows] == ["NEW"]

    def test_ends_where_the_range_ends(self):
        make_candidate(session=LAST)
        make_candidate(session=LAST - timedelta(days=1), symbol="EARLY")

        found = dashboard.get_latest(source="imported", span=Span(last=LAST - timedelta(days=1)))

        assert [row.symbol for row in found.rows] == ["EARLY"]

    def test_does_not_turn_the_unknown_into_zero(self):
        make_candidate(session=LAST, short_interest_pct=None, float_shares=None, ret_1=None)

        (row,) = dashboard.get_latest(source="imported", span=DEFAULT).rows

        assert (row.short_interest_pct, row.float_shares, row.ret_1) == (None, None, None)


@pytest.mark.django_db
class TestGetFunnel:
    def test_names_every_gate_with_what_is_left(self):
        make_batch(session=LAST, universe_size=5000, funnel=[4800, 4700, 4600])

        found = dashboard.get_funnel(source="imported", span=DEFAULT)

        assert [(step.gate, step.left) for step in found.steps[:2]] == [
            ("listed that session", [5000]),
            ("common stock or ADR", [4800]),
        ]
        assert found.steps[1].share == pytest.approx(0.96)


@pytest.mark.django_db
class TestGetOutcomes:
    def test_refuses_a_rate_of_fewer_than_60_sessions_with_n_and_reason(self):
        for day in sessions.between(date(2024, 6, 3), date(2024, 6, 28)):
            settled(day)

        (explosive, *_) = dashboard.get_outcomes(source="imported", span=DEFAULT).figures

        window = explosive.variants[0].window
        assert window.value is None
        assert window.n == 190
        assert "60 are needed" in window.reason

    def test_gives_all_history_beside_a_short_window(self):
        for day in sessions.between(date(2024, 1, 2), date(2024, 6, 28)):
            settled(day)

        (explosive, *_) = dashboard.get_outcomes(source="imported", span=Span(days=30)).figures

        assert explosive.variants[0].window.value is None
        assert explosive.variants[0].history.value == pytest.approx(0.1)
        assert explosive.variants[0].history.low is not None
        assert explosive.variants[0].history_days == (date(2024, 1, 2), date(2024, 6, 28))

    def test_counts_no_session_that_has_not_settled(self):
        for day in sessions.between(date(2024, 1, 2), date(2024, 6, 27)):
            settled(day)
        settled(LAST, is_complete=False, first_settled=10, first_explosive=10)

        found = dashboard.get_outcomes(source="imported", span=WHOLE)

        assert found.figures[0].variants[0].history.value == pytest.approx(0.1)
        assert found.scanned == found.complete + 1

    def test_labels_the_baseline_a_claim_with_the_interval_of_its_n(self):
        make_baseline()
        settled(LAST)

        explosive, up, mean = dashboard.get_outcomes(source="imported", span=DEFAULT).figures

        assert explosive.baseline.status == "claimed"
        assert (up.baseline.low, up.baseline.high) == pytest.approx((0.4805, 0.891), abs=1e-3)
        assert mean.baseline.value == 1.52
        assert mean.baseline.low is None

    def test_says_simulated_of_simulated_figures(self):
        for day in sessions.between(date(2024, 1, 2), date(2024, 6, 28)):
            make_analysis(
                batch=make_batch(session=day, source="simulated"),
                first_settled=10,
                first_explosive=1,
            )

        (explosive, *_) = dashboard.get_outcomes(source="simulated", span=WHOLE).figures

        assert explosive.variants[0].history.status == "simulated"


@pytest.mark.django_db
class TestGetVolumeEvents:
    def test_counts_a_session_once_however_many_variants_scanned_it(self):
        for name in "AB":
            make_batch(
                session=LAST,
                variant=make_variant(name=name),
                volume_event=True,
                spike_share=0.24,
                spike_share_median=0.03,
            )

        found = dashboard.get_volume_events(source="imported", span=DEFAULT)

        assert (found.sessions, len(found.events)) == (1, 1)
        assert found.events[0].multiple == pytest.approx(8)

    def test_counts_the_unknown_apart(self):
        make_batch(session=LAST, volume_event=None)

        found = dashboard.get_volume_events(source="imported", span=DEFAULT)

        assert (found.unknown, found.events) == (1, [])


@pytest.mark.django_db
class TestJobLine:
    def test_tells_who_asked_for_what_and_how_far_it_is(self):
        job = make_job(
            requested_by=make_user(username="ann"),
            state="running",
            attempt=1,
            progress_current=1,
            progress_total=4,
            started_at=NOW,
            heartbeat_at=NOW + timedelta(seconds=3),
            message="scanned up to 2024-06-28",
        )

        line = dashboard.get_job_line(job_id=job.pk)

        assert (line.about, line.by, line.fraction, line.seconds) == ("2024-06-28", "ann", 0.25, 3)
        assert line.said == "scanned up to 2024-06-28"
        assert not line.finished

    def test_leads_a_finished_discovery_to_its_candidates(self):
        job = make_job(state="succeeded", attempt=1, finished_at=NOW, result={"message": "2 new"})

        line = dashboard.get_job_line(job_id=job.pk)

        assert line.candidates_session == LAST
        assert line.said == "2 new"

    def test_says_the_error_of_a_failed_job(self):
        job = make_job(state="failed", attempt=1, finished_at=NOW, error="no bars that day")

        line = dashboard.get_job_line(job_id=job.pk)

        assert line.said == "no bars that day"
        assert line.candidates_session is None
