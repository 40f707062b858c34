import os
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.calc import sessions
from analytics.models import Candidate, DiscoveryBatch, Security, ShadowPick, Source
from analytics.services import discovery, lakes
from analytics.services.discovery import NoBars, NoVariant
from tests import markets
from tests.factories import make_reference, make_variant

NOW = datetime(2022, 1, 3, 22, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
MARKET = markets.alert_market()
LAST = MARKET.sessions[-1]


def store(market: markets.Market, *, source: str = Source.IMPORTED) -> None:
    """Put a market into the lake and its listings into the database."""
    markets.fill_lake(market, lakes.lake_of(source), source=source)
    Security.objects.bulk_create(
        Security(**row, source=source) for row in market.securities.to_dicts()
    )


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    store(MARKET)
    make_reference()
    make_variant()
    return lakes.lake_of(Source.IMPORTED)


def record(**changed):
    return discovery.record_batch(
        **{"session": LAST, "source": Source.IMPORTED, "now": NOW, **changed}
    )


def correct(lake, *, symbol="S2", session=LAST, **values):
    bar = lake.read("bars", first=session, last=session, symbols=[symbol])
    lake.upsert("bars", bar.with_columns(**{name: pl.lit(v) for name, v in values.items()}))


@pytest.mark.django_db
class TestRecordBatch:
    def test_stores_the_batch_with_its_funnel(self, lake):
        summary = record()

        batch = DiscoveryBatch.objects.get()
        assert (summary.new, summary.candidates, summary.sessions) == (1, 5, 1)
        assert batch.universe_size == 8
        assert batch.funnel == [7, 7, 7, 7, 6, 6, 5, 5, 5]
        assert batch.candidate_count == 5
        assert batch.lake_versions == lake.versions()
        assert (batch.revision, batch.is_current, batch.supersedes) == (1, True, None)
        assert (batch.session, batch.source, batch.created_at) == (LAST, "imported", NOW)
        assert len(batch.fingerprint) == 32

    def test_stores_the_candidates_as_they_were_seen(self, lake):
        record()

        picks = list(Candidate.objects.order_by("rank"))
        assert [pick.symbol for pick in picks] == ["S3", "S5", "S4", "S2", "S1"]
        best = picks[0]
        assert best.rel_volume == pytest.approx(4)
        assert best.close == Decimal("3.03")
        assert (best.float_shares, best.float_basis) == (2e7, "public")
        assert best.short_interest_pct == pytest.approx(0.2)
        assert (best.short_interest_age, best.short_fuel) == (19, True)
        assert best.coverage == pytest.approx(1)
        assert best.similarity_to == "VIGL"
        assert best.similarities == {"VIGL": best.similarity}
        assert (picks[1].float_basis, picks[1].short_fuel) == ("", None)
        assert picks[1].coverage == pytest.approx(0.7)
        assert picks[1].first_signal
        assert picks[1].label == ""

    def test_stores_the_shadow_list_without_the_relative_volume_gate(self, lake):
        record()

        shadow = list(ShadowPick.objects.order_by("rank").values_list("symbol", flat=True))
        assert shadow == ["S3", "S5", "S4", "S2", "S1", "S0"]

    def test_again_is_a_no_op(self, lake):
        record()
        again = record(now=datetime(2023, 1, 1, tzinfo=UTC))

        assert (again.new, again.superseded, again.unchanged) == (0, 0, 1)
        assert DiscoveryBatch.objects.get().created_at == NOW
        assert Candidate.objects.count() == 5

    def test_a_bar_of_a_later_session_changes_nothing(self, lake):
        record()
        later = sessions.offset(LAST, 1)
        bars = MARKET.bars.filter(session=LAST).with_columns(session=pl.lit(later))
        lake.upsert("bars", bars.with_columns(source=pl.lit("imported")))

        assert record().unchanged == 1

    def test_a_corrected_bar_supersedes_the_batch_and_keeps_it(self, lake):
        record()
        old = DiscoveryBatch.objects.get()
        correct(lake, volume=9e6)

        summary = record()

        old.refresh_from_db()
        new = DiscoveryBatch.objects.current().get()
        assert (summary.new, summary.superseded) == (0, 1)
        assert (new.revision, new.supersedes, old.is_current) == (2, old, False)
        assert old.candidates.get(symbol="S2").rel_volume == pytest.approx(3)
        assert new.candidates.get(symbol="S2").rel_volume == pytest.approx(9)
        assert new.lake_versions != old.lake_versions

    def test_a_third_revision_supersedes_the_second(self, lake):
        for volume in (1e6, 9e6, 7e6):
            correct(lake, volume=volume)
            record()

        revisions = DiscoveryBatch.objects.order_by("revision")
        assert list(revisions.values_list("revision", "is_current")) == [
            (1, False),
            (2, False),
            (3, True),
        ]
        assert revisions[2].supersedes == revisions[1]

    def test_a_corrected_bar_of_an_earlier_session_supersedes_too(self, lake):
        record()
        correct(lake, session=MARKET.sessions[-10], volume=9e6)

        assert record().superseded == 1

    def test_another_listing_supersedes_too(self, lake):
        record()
        Security.objects.filter(symbol="S5").update(kind="etf")

        assert record().superseded == 1
        assert DiscoveryBatch.objects.current().get().candidate_count == 4

    def test_scans_with_every_active_variant(self, lake):
        make_variant(name="A", w_volume=1.0, w_momentum=0, w_float=0, w_short_interest=0)
        make_variant(name="C", active=False)

        record()

        found = DiscoveryBatch.objects.values_list("variant__name", "candidate_count")
        assert set(found) == {("A", 5), ("B", 5)}

    def test_of_the_simulated_market_reads_its_own_lake(self, lake):
        store(markets.alert_market(length=30), source=Source.SIMULATED)
        session = markets.alert_market(length=30).sessions[-1]

        record(session=session, source=Source.SIMULATED)

        batch = DiscoveryBatch.objects.get()
        assert (batch.source, batch.candidate_count) == ("simulated", 5)

    def test_of_a_session_without_bars_says_so(self, lake):
        with pytest.raises(NoBars, match="no bars for 2022-06-01"):
            record(session=date(2022, 6, 1))

    def test_of_a_day_without_trading_says_so(self, lake):
        with pytest.raises(NoBars, match="no bars for 2021-04-03"):
            record(session=date(2021, 4, 3))

    def test_without_a_variant_says_so(self, lake):
        make_variant().delete()

        with pytest.raises(NoVariant, match="no active variant"):
            record()


@pytest.mark.django_db
class TestRecordBatches:
    def test_gives_what_one_session_at_a_time_gives(self, settings, tmp_path):
        settings.LAKE_URL = str(tmp_path / "lake")
        market = markets.make_market(seed=33, symbols=12, length=50)
        store(market)
        make_variant(min_rel_volume=0.5, min_dollar_volume=1e4)
        days = market.sessions
        for day in days[-6:]:
            record(session=day)
        assert Candidate.objects.exists()

        whole = discovery.record_batches(
            first=days[0], last=days[-1], source=Source.IMPORTED, now=NOW
        )

        assert (whole.unchanged, whole.superseded, whole.new) == (6, 0, len(days) - 6)

    def test_works_in_chunks(self, lake, monkeypatch):
        monkeypatch.setattr(discovery, "CHUNK", 7)
        told = []

        summary = discovery.record_batches(
            first=MARKET.sessions[0],
            last=LAST,
            source=Source.IMPORTED,
            now=NOW,
            on_progress=lambda done, total: told.append((done, total)),
        )

        assert (summary.sessions, summary.new) == (40, 40)
        assert told == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]

    def test_asks_the_database_no_more_for_more_sessions(self, lake):
        def queries(first: date, last: date) -> int:
            with CaptureQueriesContext(
                connection,
            ) as caught:
                discovery.record_batches(first=first, last=last, source=Source.IMPORTED, now=NOW)
            return len(caught)

        few = queries(MARKET.sessions[-2], LAST)
        many = queries(MARKET.sessions[2], MARKET.sessions[-3])

        assert many <= few

    def test_leaves_nothing_behind_if_writing_fails(self, lake, monkeypatch):
        def refuse(*_args):
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(discovery.bulk, "insert", refuse)

        with pytest.raises(RuntimeError):
            record()

        assert not DiscoveryBatch.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_write_one_batch(self, lake, tmp_path):
        days = [day.isoformat() for day in MARKET.sessions[-20:]]
        command = ["discover", "--from", days[0], "--to", days[-1]]
        environment = {
            **os.environ,
            "DATABASE_URL": database_for_others(tmp_path),
            "LAKE_URL": str(tmp_path / "lake"),
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "amc_trader.settings",
        }

        both = [
            subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        answers = [process.communicate(timeout=120) for process in both]

        assert [process.returncode for process in both] == [0, 0], answers
        told = sorted(answer for answer, _ in answers)
        assert "20 sessions: 0 batches new, 0 superseded, 20 unchanged" in told[0]
        assert "20 sessions: 20 batches new, 0 superseded, 0 unchanged" in told[1]


def database_for_others(folder: Path) -> str:
    """Return the URL of a database with the rows of this test that other processes can open."""
    if connection.vendor != "sqlite":
        given = django_settings.DATABASES["default"]
        return (
            f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}"
            f":{given['PORT'] or 5432}/{connection.settings_dict['NAME']}"
        )
    path = folder / "db.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    return f"sqlite:///{path}"


@pytest.mark.django_db
class TestGetVariants:
    def test_gives_the_newest_active_version_of_each(self):
        make_variant(version=1)
        newest = make_variant(version=2)
        make_variant(version=3, active=False)
        other = make_variant(name="A")

        assert discovery.get_variants() == [other, newest]
        assert discovery.get_variants(names=["B"]) == [newest]

    def test_names_the_one_that_is_not_there(self):
        make_variant()

        with pytest.raises(NoVariant, match="no active variant Z"):
            discovery.get_variants(names=["B", "Z"])


@pytest.mark.django_db
class TestGetExplanation:
    def explain(self, symbol: str, session: date = LAST):
        return discovery.get_explanation(symbol=symbol, session=session, source=Source.IMPORTED)

    def test_agrees_with_the_recorded_candidate(self, lake):
        record()
        pick = Candidate.objects.get(symbol="S3")

        verdict = self.explain("S3").verdicts[0]

        assert (verdict.rank, verdict.score) == (pick.rank, pick.score)
        assert verdict.rank_score == pick.rank_score

    def test_names_the_gate_of_what_is_no_candidate(self, lake):
        assert self.explain("S6").verdicts[0].stopped_by == "price band"
        assert self.explain("S7").verdicts[0].stopped_by == "common stock or ADR"

    def test_records_nothing(self, lake):
        self.explain("S3")

        assert not DiscoveryBatch.objects.exists()

    @pytest.mark.parametrize(
        ("symbol", "session", "message"),
        [
            ("ZZZ", LAST, "ZZZ has no bar within 300 sessions"),
            ("S3", date(2021, 7, 1), "S3 has no bar on 2021-07-01; its last one is of 2021-04-26"),
            ("S3", date(2021, 4, 3), "2021-04-03 is no trading session"),
            ("S3", date(1980, 1, 2), "outside the calendar"),
        ],
    )
    def test_says_why_there_is_none(self, lake, symbol, session, message):
        with pytest.raises(NoBars, match=message):
            self.explain(symbol, session)
