from datetime import date, timedelta
from statistics import median

import polars as pl
import pytest
from django.db.models import Count, Q, Sum

from analytics.calc import sessions
from analytics.calc.evidence import Status
from analytics.models import Candidate, DiscoveryBatch
from analytics.services import lakes
from performance.models import BatchAnalysis, CandidateTracking, WinnerEpisode
from performance.services import tracking
from tests import factories
from tests.factories import NOW
from tests.performance.services.conftest import SCANNED, SESSIONS, day, scan

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def settle(now=NOW, **fields):
    return tracking.settle_outcomes(source="imported", now=now, **fields)


def snapshot(model):
    return list(model.objects.order_by("pk").values())


def plain_outcomes(market):
    """Entry, return_14 and best close by (symbol, position), read aloud from design §8."""
    split = {("S01", 70): 0.5}
    found = {}
    for (symbol,), own in market.bars.group_by("symbol", maintain_order=True):
        by_at = {row["at"]: row for row in own.iter_rows(named=True)}
        for at in by_at:
            entry = by_at.get(at + 1)
            if at + 14 > SESSIONS - 1 or entry is None or not entry["open"]:
                continue
            window = [later for later in by_at if at < later <= at + 14]
            factor = {
                later: split[symbol, 70] if symbol == "S01" and at + 1 < 70 <= later else 1.0
                for later in window
            }
            values = {later: by_at[later]["close"] * factor[later] for later in window}
            found[symbol, at] = {
                "entry": entry["open"],
                "return_14": values[max(window)] / entry["open"] - 1,
                "peak": max(values.values()) / entry["open"] - 1,
                "ended": max(by_at) < at + 14,
            }
    return found


class TestSettleOutcomes:
    def test_follows_every_candidate_to_its_end(self, market):
        market.store()
        scan()

        summary = settle()

        expected = plain_outcomes(market)
        rows = CandidateTracking.objects.select_related("candidate__batch")
        assert rows.count() == Candidate.objects.count() > 400
        for row in rows:
            at = sessions.number(row.candidate.batch.session) - sessions.number(day(0))
            plain = expected.get((row.candidate.symbol, at))
            if plain is None:
                assert row.status == "no_entry"
                continue
            assert row.status == ("delisted" if plain["ended"] else "settled")
            assert row.entry_price == pytest.approx(plain["entry"])
            assert row.return_14 == pytest.approx(plain["return_14"])
            assert row.peak_close_return == pytest.approx(plain["peak"])
            assert row.explosive == (plain["peak"] >= 0.5)
        assert summary.settled == rows.filter(status="settled").count()
        assert summary.delisted == rows.filter(status="delisted").count() > 0
        assert summary.no_entry == rows.filter(status="no_entry").count() > 0

    def test_puts_spy_beside_each_horizon(self, market):
        market.store()
        scan(58, 58)
        settle()

        row = CandidateTracking.objects.known().first()
        assert row.spy_return_14 == pytest.approx((401 + 72) / (400 + 59) - 1)
        assert row.spy_return_1 == pytest.approx((401 + 59) / (400 + 59) - 1)
        assert row.excess_14 == pytest.approx(row.return_14 - row.spy_return_14)

    def test_changes_nothing_when_run_again(self, market):
        market.store()
        scan()
        settle()
        models = (CandidateTracking, BatchAnalysis, WinnerEpisode)
        before = [snapshot(model) for model in models]

        assert settle(now=LATER).changed == 0
        assert settle(now=LATER, again=True).changed == 0
        assert [snapshot(model) for model in models] == before

    def test_gives_the_same_rows_bit_by_bit_as_piece_by_piece(self, market):
        market.store()
        scan()
        for first, last in ((80, 95), (40, 60), (96, 115), (61, 79)):
            settle(first=day(first), last=day(last))
        models = (CandidateTracking, BatchAnalysis, WinnerEpisode)
        pieces = [self.by_content(model) for model in models]
        for model in models:
            model.objects.all().delete()

        settle()

        assert [self.by_content(model) for model in models] == pieces

    @staticmethod
    def by_content(model):
        return sorted(str({**row, "id": None}) for row in model.objects.values())

    def test_waits_for_sessions_that_are_not_there_yet(self, market):
        market.store(market.bars.filter(pl.col("at") <= 100))
        scan(85, 90)

        first = settle()
        assert first.pending > 0
        pending = CandidateTracking.objects.filter(status="pending").first()
        assert str(day(100)) in pending.reason
        assert not pending.is_final
        assert pending.return_1 is not None or pending.entry_price is None

        assert settle(now=LATER).batches == 0

        market.store()
        second = settle(now=LATER)

        assert second.pending == 0
        assert second.settled > 0
        assert not CandidateTracking.objects.filter(status="pending").exists()

    def test_never_settles_across_a_hole(self, market):
        bars = market.bars.filter((pl.col("at") <= 95) | (pl.col("at") >= 125))
        market.store(bars)
        scan(90, 95)

        settle()

        rows = CandidateTracking.objects.all()
        assert rows.exists()
        assert not rows.known().exists()
        assert not rows.filter(last_trade__isnull=False).exists()

    def test_finishes_old_rows_once_and_for_all(self, market):
        market.store()
        scan(40, 60)
        settle()

        rows = CandidateTracking.objects.filter(
            candidate__batch__session__lte=day(SESSIONS - 1 - 30 - 21)
        )
        assert not rows.filter(is_final=False).exists()
        assert not BatchAnalysis.objects.filter(is_final=False).exists()

    def test_follows_a_new_revision(self, market):
        market.store()
        scan(50, 50)
        settle()
        changed = market.bars.with_columns(
            volume=pl.when(pl.col("at") == 49).then(pl.col("volume") * 2).otherwise("volume")
        )
        market.store(changed)
        scan(50, 50)

        settle(now=LATER)

        current = DiscoveryBatch.objects.current()
        assert current.filter(revision=2).count() == 2
        assert BatchAnalysis.objects.current().count() == 2
        assert CandidateTracking.objects.current().count() == Candidate.objects.current().count()

    def test_refuses_a_source_without_a_market(self, db):
        with pytest.raises(lakes.NoLake):
            tracking.settle_outcomes(source="claimed", now=NOW)

    def test_does_nothing_without_batches(self, market):
        market.store()

        assert settle().batches == 0


class TestBatchAnalysis:
    @pytest.fixture
    def settled(self, market):
        market.store()
        scan()
        settle()
        return market

    def test_counts_what_the_outcomes_say(self, settled):
        known = Q(candidates__tracking__status__in=["settled", "delisted"])
        for batch in DiscoveryBatch.objects.annotate(
            settled=Count("candidates", filter=known),
            up=Count("candidates", filter=known & Q(candidates__tracking__return_14__gt=0)),
            hits=Count("candidates", filter=Q(candidates__tracking__explosive=True)),
            total=Sum("candidates__tracking__return_14", filter=known),
        ).select_related("analysis"):
            found = batch.analysis
            assert (found.candidates, found.settled) == (batch.candidate_count, batch.settled)
            assert (found.positive_14, found.explosive) == (batch.up, batch.hits)
            assert found.sum_return_14 == pytest.approx(batch.total or 0)
            assert sum(row[0] for row in found.by_decile) <= batch.settled

    def test_counts_the_base_universe(self, settled):
        plain = plain_outcomes(settled)
        bars = settled.bars.with_columns(worth=pl.col("close") * pl.col("volume"))
        at = 75
        expected = [0, 0, 0]
        for (symbol,), own in bars.group_by("symbol", maintain_order=True):
            today = own.filter(pl.col("at") == at)
            before = own.filter(pl.col("at").is_between(at - 20, at - 1))
            if symbol in {"SPY", "S03"} or today.is_empty() or before.height < 15:
                continue
            if not 1 <= today["close"][0] <= 8 or before["worth"].mean() < 500_000:
                continue
            outcome = plain.get((symbol, at))
            if outcome:
                expected[0] += 1
                expected[1] += outcome["peak"] >= 0.5
                expected[2] += outcome["return_14"] > 0

        found = BatchAnalysis.objects.filter(batch__session=day(at)).first()

        assert [found.base_n, found.base_explosive, found.base_positive_14] == expected
        assert found.base_n > 10
        assert sum(row[4] for row in found.by_decile) <= found.base_n

    def test_names_the_best_three_of_those_that_passed(self, settled):
        plain = plain_outcomes(settled)
        for found in BatchAnalysis.objects.select_related("batch").filter(gate_n__gte=3)[:20]:
            at = sessions.number(found.batch.session) - sessions.number(day(0))
            best = [plain[symbol, at]["peak"] for symbol, _ in found.best]
            assert best == sorted(best, reverse=True)
            assert found.best_n == 3
            assert best == pytest.approx([peak for _, peak in found.best], abs=1e-4)
            assert found.best_explosive == sum(peak >= 0.5 for peak in best)
            assert found.gate_n >= found.settled


class TestWinnerEpisodes:
    def plain(self, market, variant):
        """Episodes by symbol and first day: (last day, days, captured)."""
        days = {}
        for (symbol, at), outcome in plain_outcomes(market).items():
            inside = SCANNED[0] <= at <= SCANNED[1] and symbol not in {"SPY", "S03"}
            if inside and outcome["peak"] >= 0.5:
                days.setdefault(symbol, []).append(at)
        named = set(
            Candidate.objects.filter(batch__variant=variant).values_list("symbol", "batch__session")
        )
        found = {}
        for symbol, own in days.items():
            run = []
            for at in [*sorted(own), 10**6]:
                if run and at - run[-1] > 14:
                    inside = [a for a in range(run[0], run[-1] + 1) if (symbol, day(a)) in named]
                    found[symbol, day(run[0])] = (day(run[-1]), len(run), bool(inside))
                    run = []
                run.append(at)
        return found

    def test_agree_with_a_plain_reading(self, market):
        market.store()
        scan()
        settle()

        for variant in {batch.variant for batch in DiscoveryBatch.objects.all()}:
            rows = WinnerEpisode.objects.filter(variant=variant)
            found = {
                (row.symbol, row.first_session): (row.last_session, row.days, row.captured)
                for row in rows
            }
            assert found == self.plain(market, variant)
            assert len(found) > 5
            begun = sum(
                BatchAnalysis.objects.filter(batch__variant=variant).values_list(
                    "episodes", flat=True
                )
            )
            assert begun == len(found)

    def test_name_what_removed_them_and_the_score_they_had(self, market):
        market.store()
        scan()
        settle()

        missed = WinnerEpisode.objects.missed()
        assert missed.exists()
        for row in missed:
            assert row.gate
            assert row.score is not None or row.reason
        gates = set(missed.values_list("gate", flat=True))
        assert "relative volume" in gates

    def test_vanish_when_a_correction_takes_them_away(self, market):
        market.store()
        scan()
        settle()
        episode = WinnerEpisode.objects.missed().filter(days__lte=3).first()
        flat = market.bars.with_columns(
            pl.when(pl.col("symbol") == episode.symbol).then(3.0).otherwise(name).alias(name)
            for name in ("open", "high", "low", "close")
        )
        market.store(flat)

        settle(now=LATER, again=True)

        assert not WinnerEpisode.objects.filter(symbol=episode.symbol).exists()


class TestGetDiscoveryAnalysis:
    def test_gives_every_figure_with_its_evidence(self, market):
        market.store()
        scan()
        settle()

        found = tracking.get_discovery_analysis(end=day(120), days_back=400, source="imported")

        assert [variant.variant for variant in found.variants] == ["A v1", "B v1"]
        first = found.variants[0]
        known = CandidateTracking.objects.filter(candidate__batch__variant_id=first.variant_id)
        settled = known.known()
        rate = settled.filter(explosive=True).count() / settled.count()
        assert first.window.all_rows.explosive.value == pytest.approx(rate)
        assert first.window.all_rows.explosive.n == settled.count()
        heads = settled.first_signals()
        assert first.window.first_signals.explosive.n == heads.count()
        returns = list(settled.values_list("return_14", flat=True))
        assert first.median_all.value == pytest.approx(median(returns))
        assert first.median_all.low <= first.median_all.value <= first.median_all.high
        assert first.counts.no_entry == known.filter(status="no_entry").count()
        proxied = known.filter(proxy_peak_close_return__isnull=False)
        assert first.counts.no_entry_traded_on == proxied.count() > 0
        assert (
            first.counts.no_entry_proxy_explosive
            == proxied.filter(proxy_peak_close_return__gte=0.5).count()
        )
        assert first.counts.delisted == known.filter(status="delisted").count()
        assert 0 <= first.window.quality.score.value <= 100
        assert first.window.quality.hindsight.value >= first.window.quality.random.value
        assert first.target.status is Status.CLAIMED

    def test_of_a_short_window_is_insufficient_beside_all_history(self, market):
        market.store()
        scan()
        settle()

        found = tracking.get_discovery_analysis(
            end=day(112), days_back=7, source="imported", variant="A"
        )

        (only,) = found.variants
        assert only.window.first_signals.explosive.status is Status.INSUFFICIENT
        assert "60 are needed" in only.window.first_signals.explosive.reason
        assert only.median_first.status is Status.INSUFFICIENT
        assert only.history.all_rows.explosive.status is Status.OK
        assert only.history_sessions == (day(SCANNED[0]), day(112))

    def test_does_not_ask_more_often_with_more_batches(self, market, django_assert_num_queries):
        market.store()
        scan(60, 90)
        settle()

        with django_assert_num_queries(5):
            tracking.get_discovery_analysis(end=day(120), days_back=400, source="imported")

    def test_never_mixes_sources(self, db):
        simulated = factories.make_batch(source="simulated")
        factories.make_analysis(batch=simulated)

        found = tracking.get_discovery_analysis(
            end=date(2024, 7, 1), days_back=30, source="imported"
        )

        assert found.variants == []
        assert found.as_of is None
