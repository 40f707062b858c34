import json
from datetime import date

import numpy as np
import pytest
from rest_framework import serializers

from analytics.api.serializers import EstimateOut
from analytics.calc.evidence import claimed, insufficient, measured
from performance.calc import figure_json

KNOWN = measured(
    value=np.float64(1 / 3), n=61, source="simulated", as_of=date(2024, 6, 28),
    method="counted", bounds=(np.float64(0.25), 0.5),
)  # fmt: skip
FIGURES = [KNOWN, insufficient(n=0, reason="nothing", source="live"), claimed(value=85, n=0)]


class TestEstimateOut:
    @pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: str(figure.status))
    def test_gives_what_its_fields_describe(self, figure):
        given = EstimateOut(figure).data

        by_field = serializers.Serializer.to_representation(EstimateOut(), figure)
        assert list(given.items()) == list(by_field.items())
        assert json.loads(json.dumps(given)) == given

    def test_takes_a_stored_figure(self):
        assert EstimateOut(figure_json.to_json(KNOWN)).data == EstimateOut(KNOWN).data
