from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from tests import evidence_rows
from tests.factories import NOW, make_variant

pytestmark = pytest.mark.django_db


class TestBacktestRun:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"last": date(2021, 1, 4)},
            {"finished_at": NOW - timedelta(days=1)},
            {"source": "claimed"},
        ],
    )
    def test_refuses_what_cannot_be(self, wrong):
        with pytest.raises(IntegrityError):
            evidence_rows.make_run(**wrong)


class TestTrial:
    def test_is_written_once_per_run_and_variant(self):
        trial = evidence_rows.make_trial()

        with pytest.raises(IntegrityError):
            evidence_rows.make_trial(run=trial.run, variant=trial.variant)

    def test_refuses_a_claimed_source(self):
        with pytest.raises(IntegrityError):
            evidence_rows.make_trial(source="claimed")


class TestLookaheadCertificate:
    @pytest.mark.parametrize(
        "wrong",
        [{"differences": 1}, {"leaks_caught": 7}, {"stock_days": 0}],
    )
    def test_does_not_pass_with_a_flaw(self, wrong):
        with pytest.raises(IntegrityError):
            evidence_rows.make_certificate(**wrong)

    def test_may_fail_with_one(self):
        assert evidence_rows.make_certificate(differences=1, passed=False).pk

    def test_does_not_catch_more_than_was_planted(self):
        with pytest.raises(IntegrityError):
            evidence_rows.make_certificate(leaks_caught=9, passed=False)


class TestClaimItem:
    @pytest.mark.parametrize("wrong", [{"verdict": "maybe"}, {"evidence": ""}])
    def test_needs_a_known_verdict_and_its_evidence(self, wrong):
        with pytest.raises(IntegrityError):
            evidence_rows.make_claim(**wrong)

    def test_has_its_place_alone(self):
        item = evidence_rows.make_claim()

        with pytest.raises(IntegrityError):
            evidence_rows.make_claim(audit=item.audit, position=item.position)


class TestVariant:
    @pytest.mark.parametrize("bp", [-1, 5000])
    def test_refuses_slippage_out_of_range(self, bp):
        with pytest.raises(IntegrityError):
            make_variant(name="X", slippage_bp=bp)
