"""The main job on a small slice of real shape: files in, candidates out, outcomes tracked, seen."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from django.core.management import call_command

from analytics.clients import sample
from analytics.models import Candidate, DiscoveryBatch, Security
from performance.models import BatchAnalysis, CandidateTracking

END = date(2023, 6, 30)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder like the one of AMC_DATA_DIR: the same columns, invented contents."""
    folder = tmp_path_factory.mktemp("data")
    market = sample.draw(end=END, symbols=120, years=1, seed=11)
    splits = market.splits.select("symbol", pl.col("ex_date").alias("date"), split_ratio="ratio")
    bars = market.bars.rename({"session": "date"}).join(
        splits, on=["symbol", "date"], how="left", maintain_order="left"
    )
    bars.select(
        "symbol", "date", "open", "high", "low", "close", pl.col("volume").cast(pl.Int64),
        pl.col("split_ratio").fill_null(1.0), quality=pl.lit(0, pl.Int8),
    ).write_parquet(folder / "bars_2022_2023.parquet")  # fmt: skip
    splits.with_columns(evidence=pl.lit("provider")).write_parquet(folder / "splits.parquet")
    market.securities.group_by("symbol", maintain_order=True).last().select(
        "symbol", "name", sec_type="kind", first_date="first_session", last_date="last_session"
    ).write_parquet(folder / "symbols_2022_2023.parquet")
    market.shares.select(
        "symbol",
        pl.col("effective_date").alias("as_of_date"),
        pl.col("shares_outstanding").cast(pl.Int64),
        pl.col("public_float").cast(pl.Int64),
        source=pl.lit("screener"),
    ).write_parquet(folder / "shares_float.parquet")
    return folder


@pytest.mark.django_db
class TestMainJob:
    @pytest.fixture(autouse=True)
    def lake(self, settings, tmp_path, files):
        settings.LAKE_URL = str(tmp_path / "lake")
        settings.AMC_DATA_DIR = str(files)
        call_command("init_performance_analytics_db")

    def test_goes_from_files_to_tracked_candidates(self, admin_client, capsys):
        call_command("import_market_data")
        call_command("discover", all=True)
        call_command("settle_outcomes")

        batches = DiscoveryBatch.objects.current().of("imported")
        assert {batch.variant.name for batch in batches.select_related("variant")} == set("ABC")
        assert batches.count() == 3 * len(set(batches.values_list("session", flat=True)))
        candidates = Candidate.objects.filter(batch__in=batches)
        assert candidates.exists()
        assert CandidateTracking.objects.count() == candidates.count()
        assert BatchAnalysis.objects.count() == batches.count()
        settled = CandidateTracking.objects.filter(status="settled").first()
        assert settled.entry_session > settled.candidate.batch.session

        answer = admin_client.get(
            "/performance/discovery-analysis", {"days_back": 365, "end": END.isoformat()}
        )
        assert answer.status_code == 200
        variants = {row["variant"]: row for row in answer.json()["variants"]}
        assert {"A v1", "B v1"} <= set(variants)

    def run_and_look(self):
        call_command("import_market_data")
        call_command("discover", all=True)
        call_command("settle_outcomes")
        return [
            list(model.objects.order_by("pk").values())
            for model in (Security, DiscoveryBatch, Candidate, CandidateTracking)
        ]

    def test_again_changes_nothing(self, capsys):
        states = [self.run_and_look() for _ in range(2)]

        assert states[0] == states[1]

    def test_explains_a_candidate_with_the_numbers_it_was_stored_with(self, capsys):
        call_command("import_market_data")
        call_command("discover", all=True)
        pick = (
            Candidate.objects.select_related("batch__variant").order_by("-batch__session").first()
        )
        capsys.readouterr()

        call_command(
            "explain", symbol=pick.symbol, session=pick.batch.session, json=True, source="imported"
        )

        told = json.loads(capsys.readouterr().out)
        verdict = next(v for v in told["verdicts"] if v["variant"] == str(pick.batch.variant))
        assert verdict["rank"] == pick.rank
        assert verdict["score"] == pytest.approx(pick.score, abs=1e-9)
        assert told["features"]["rel_volume"] == pytest.approx(pick.rel_volume, abs=1e-9)
