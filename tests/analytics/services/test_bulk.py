from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from analytics.models import Candidate, DataFinding, DiscoveryBatch, ShadowPick
from analytics.services import bulk
from tests.factories import NOW, make_batch, make_candidate, make_variant

pytestmark = pytest.mark.django_db


def shadow(batch, symbols, *, scores=None):
    return {
        "batch": [batch.pk] * len(symbols),
        "symbol": symbols,
        "rank": np.arange(1, len(symbols) + 1),
        "score": np.full(len(symbols), 40.0) if scores is None else scores,
    }


class TestInsert:
    def test_stores_lists_and_arrays(self):
        batch = make_batch()

        stored = bulk.insert(ShadowPick, shadow(batch, ["A", "B"], scores=np.array([1.5, 2.5])))

        assert stored == 2
        assert list(batch.shadow_picks.order_by("rank").values_list("symbol", "rank", "score")) == [
            ("A", 1, 1.5),
            ("B", 2, 2.5),
        ]

    def test_encodes_what_the_fields_encode(self):
        variant = make_variant()
        batch = {
            "session": np.array(["2024-06-28"], "datetime64[D]"),
            "variant_id": [variant.pk],
            "revision": [1],
            "is_current": np.array([True]),
            "fingerprint": ["f" * 64],
            "lake_versions": [{"bars": 3}],
            "model_digest": [""],
            "note": [""],
            "universe_size": [5],
            "funnel": [[["listed", 5]]],
            "candidate_count": [1],
            "mean_score": [float("nan")],
            "dropped_components": [[]],
            "volume_event": [None],
            "run_seconds": [0.5],
            "created_at": [NOW],
            "source": ["imported"],
        }

        bulk.insert(DiscoveryBatch, batch)

        found = DiscoveryBatch.objects.get()
        assert found.session == date(2024, 6, 28)
        assert found.created_at == datetime(2024, 6, 28, 22, tzinfo=UTC)
        assert (found.funnel, found.lake_versions) == ([["listed", 5]], {"bars": 3})
        assert (found.mean_score, found.volume_event, found.is_current) == (None, None, True)

    def test_keeps_decimals_as_they_are(self):
        like = make_candidate()
        row = {**like.snapshot(), "symbol": "CRWV", "rank": 2, "close": Decimal("3.1234")}

        bulk.insert(Candidate, {"batch": [like.batch_id], **{k: [v] for k, v in row.items()}})

        found = Candidate.objects.get(symbol="CRWV")
        assert found.close == Decimal("3.1234")
        assert found.snapshot() == row

    def test_stores_all_or_nothing(self):
        batch = make_batch()

        with pytest.raises(IntegrityError), transaction.atomic():
            bulk.insert(ShadowPick, shadow(batch, ["A", "B", "C"], scores=[1.0, 2.0, 999.0]))

        assert batch.shadow_picks.count() == 0

    def test_does_nothing_without_rows(self):
        assert bulk.insert(ShadowPick, {}) == 0
        assert bulk.insert(ShadowPick, shadow(make_batch(), [])) == 0

    def test_refuses_columns_of_different_length(self):
        with pytest.raises(ValueError, match="differ in length"):
            bulk.insert(ShadowPick, {"symbol": ["A", "B"], "rank": [1]})

    def test_refuses_a_column_that_does_not_exist(self):
        with pytest.raises(ValueError, match="no column"):
            bulk.insert(ShadowPick, {"colour": ["red"]})


class TestUpsert:
    key = ("batch", "symbol")

    def test_inserts_changes_and_leaves_alone(self):
        batch = make_batch()
        bulk.insert(ShadowPick, shadow(batch, ["A", "B"]))
        rows = shadow(batch, ["A", "B", "C"], scores=[40.0, 55.0, 30.0])

        changed = bulk.upsert(ShadowPick, rows, key=self.key)

        assert changed == 2
        assert dict(batch.shadow_picks.values_list("symbol", "score")) == {
            "A": 40.0,
            "B": 55.0,
            "C": 30.0,
        }

    def test_changes_nothing_when_run_again(self):
        rows = shadow(make_batch(), ["A", "B"])
        bulk.upsert(ShadowPick, rows, key=self.key)

        assert bulk.upsert(ShadowPick, rows, key=self.key) == 0

    def test_sees_a_value_become_known_and_unknown(self):
        candidate = make_candidate(ret_5=None)
        row = {"batch": [candidate.batch_id], **{k: [v] for k, v in candidate.snapshot().items()}}

        assert bulk.upsert(Candidate, {**row, "ret_5": [0.5]}, key=self.key) == 1
        assert bulk.upsert(Candidate, {**row, "ret_5": [None]}, key=self.key) == 1
        candidate.refresh_from_db()
        assert candidate.ret_5 is None

    def test_does_not_take_a_stamp_for_a_change(self):
        rows = shadow(make_batch(), ["A"])
        bulk.upsert(ShadowPick, rows, key=self.key)

        assert (
            bulk.upsert(ShadowPick, {**rows, "score": [9.0]}, key=self.key, stamps=["score"]) == 0
        )

    def test_keeps_to_the_constraints(self):
        batch = make_batch()
        rows = shadow(batch, ["A"])
        bulk.upsert(ShadowPick, rows, key=self.key)

        with pytest.raises(IntegrityError), transaction.atomic():
            bulk.upsert(ShadowPick, {**rows, "score": [101.0]}, key=self.key)

        assert batch.shadow_picks.get().score == 40.0

    def test_may_run_twice_in_one_transaction(self):
        rows = shadow(make_batch(), ["A"])

        with transaction.atomic():
            bulk.upsert(ShadowPick, rows, key=self.key)
            bulk.upsert(ShadowPick, {**rows, "score": [41.0]}, key=self.key)

        assert ShadowPick.objects.get().score == 41.0

    def test_reports_nothing_without_rows(self):
        assert bulk.upsert(DataFinding, {}, key=("gate",)) == 0


class TestUpdate:
    def picks(self, batch):
        bulk.insert(ShadowPick, shadow(batch, ["A", "B", "C"]))
        return list(batch.shadow_picks.order_by("rank"))

    def test_writes_the_rows_that_are_named_and_no_others(self):
        batch = make_batch()
        first, second, _third = self.picks(batch)

        written = bulk.update(
            ShadowPick, {"id": [second.pk, first.pk], "score": [2.5, 1.5]}, key=["id"]
        )

        assert written == 2
        assert list(batch.shadow_picks.order_by("rank").values_list("symbol", "score")) == [
            ("A", 1.5),
            ("B", 2.5),
            ("C", 40.0),
        ]

    def test_finds_rows_by_more_than_one_field_and_leaves_out_what_is_not_there(self):
        batch = make_batch()
        self.picks(batch)
        columns = {"symbol": ["A", "D"], "batch": [batch.pk] * 2, "score": [1.5, 2.5]}

        assert bulk.update(ShadowPick, columns, key=["batch", "symbol"]) == 1
        assert set(batch.shadow_picks.values_list("score", flat=True)) == {1.5, 40.0}

    def test_keeps_to_the_constraints(self):
        batch = make_batch()
        first, second, _third = self.picks(batch)

        with pytest.raises(IntegrityError), transaction.atomic():
            bulk.update(
                ShadowPick, {"id": [first.pk, second.pk], "score": [9.0, 101.0]}, key=["id"]
            )
        assert batch.shadow_picks.get(pk=first.pk).score == 40.0

    def test_may_run_twice_in_one_transaction(self):
        first = self.picks(make_batch())[0]

        with transaction.atomic():
            for score in (1.0, 2.0):
                bulk.update(ShadowPick, {"id": [first.pk], "score": [score]}, key=["id"])
        first.refresh_from_db()
        assert first.score == 2.0

    def test_reports_nothing_without_rows(self):
        assert bulk.update(ShadowPick, {"id": [], "score": []}, key=["id"]) == 0
