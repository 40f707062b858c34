from datetime import date

import numpy as np
import pytest

from analytics.models import PatternCalibration
from performance.services import sizing
from tests import factories
from tests.instants import NOW, SESSION

pytestmark = pytest.mark.django_db
LOSSES = np.full(60, -0.1)


def calibration(**fields):
    return PatternCalibration.objects.create(
        **{
            "author": "rules:1",
            "pattern": "STANDARD",
            "method": "beta_binomial",
            "parameters": {"alpha": 60.0, "beta": 40.0},
            "n": 90,
            "settled_before": date(2024, 6, 1),
            "valid_from": date(2024, 6, 1),
            "created_at": NOW,
            "source": "imported",
            **fields,
        }
    )


def suggested(thesis, **fields):
    wanted = {"equity": 10_000.0, "dollar_volume": 5e6, "losses": LOSSES, **fields}
    return sizing.get_suggested_size(thesis=thesis, **wanted)


class TestGetSuggestedSize:
    def test_gives_no_size_without_a_calibration(self):
        found = suggested(factories.make_thesis())

        assert found.size.fraction is None
        assert "calibrated" in found.size.reason

    def test_reckons_with_the_lower_bound_and_the_costs(self):
        thesis = factories.make_thesis(
            entry_price="3", max_entry_price="3", target_price="4.5", stop_price="2.55",
            calibration=calibration(), p_calibrated=0.6,
        )  # fmt: skip

        found = suggested(thesis)

        assert found.gain == pytest.approx(0.5 - 0.01)
        assert found.loss == pytest.approx(0.15)
        assert found.p_low < 0.6
        assert (found.size.binding, found.size.fraction) == ("size limit", 0.1)
        assert found.evidence()["p_n"] == 90

    def test_zero_says_no_measured_edge(self):
        low = calibration(parameters={"alpha": 5.0, "beta": 95.0})
        thesis = factories.make_thesis(calibration=low, p_calibrated=0.05)

        found = suggested(thesis)

        assert (found.size.fraction, found.size.binding) == (0.0, "no measured edge")


class TestGetLosses:
    def test_takes_settled_candidates_of_the_pattern_and_the_realm(self):
        factories.make_tracking(mae=-0.2)
        factories.make_tracking(
            candidate=factories.make_candidate(symbol="B", session="2024-06-27"), mae=-0.4
        )
        factories.make_tracking(
            candidate=factories.make_candidate(symbol="C", session="2024-06-26", source="simulated")
        )
        factories.make_tracking(
            candidate=factories.make_candidate(symbol="D", session="2024-06-25"), status="pending"
        )
        factories.make_tracking(
            candidate=factories.make_candidate(symbol="E", session="2021-06-25")
        )

        found = sizing.get_losses(
            source="imported", patterns=["STANDARD", "VIGL_SQUEEZE"], until=SESSION
        )

        assert sorted(found["STANDARD"]) == [-0.4, -0.2]
        assert found["VIGL_SQUEEZE"].size == 0
