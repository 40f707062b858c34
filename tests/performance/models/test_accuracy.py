from datetime import date

import pytest
from django.db import IntegrityError, transaction

from performance.models import ThesisAccuracy
from tests import factories
from tests.thesis_rows import make_settled

pytestmark = pytest.mark.django_db


def refused(make, constraint, **fields):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make(**fields)
    return any(name in str(caught.value) for name in constraint.split(" or "))


class TestThesisAccuracy:
    def test_stores_settled_and_pending_theses(self):
        make_settled(hit=True)
        make_settled(hit=False)
        factories.make_accuracy()

        assert ThesisAccuracy.objects.settled().count() == 2
        assert ThesisAccuracy.objects.wrong().count() == 1
        assert ThesisAccuracy.objects.of("imported").count() == 3
        assert ThesisAccuracy.objects.of("simulated").count() == 0

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("accuracy_settlement_known or accuracy_settled_together", {"settlement": "maybe"}),
            ("accuracy_settled_together", {"direction_right": None}),
            ("accuracy_settled_together", {"return_horizon": None}),
            ("accuracy_settled_together", {"brier": None}),
            ("accuracy_settled_together", {"settled_session": None}),
            ("accuracy_settled_together", {"entry_price": None}),
            ("accuracy_target_reached_if_it_came_first", {"target_reached": False}),
            ("accuracy_target_reached_if_it_came_first", {"settlement": "stop"}),
            ("accuracy_log_loss_not_negative", {"log_loss": -0.1}),
            ("accuracy_brier_0_to_1", {"brier": 1.1}),
            ("accuracy_entry_above_zero", {"entry_price": 0.0}),
            ("accuracy_loses_no_more_than_all", {"return_horizon": -1.1}),
            ("accuracy_p_calibrated_0_to_1", {"p_calibrated": 1.1}),
            ("accuracy_no_skill_says_why", {"counts_as_skill": False}),
            ("accuracy_no_skill_says_why", {"no_skill_reason": "why not"}),
            ("accuracy_source_known", {"source": "dreamt"}),
        ],
    )
    def test_refuses_when_settled(self, constraint, fields):
        assert refused(make_settled, constraint, **fields)

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("accuracy_settled_together", {"brier": 0.2}),
            ("accuracy_settled_together", {"reason": ""}),
            ("accuracy_settled_together", {"direction_right": True}),
            ("accuracy_settled_together", {"settlement": "void", "return_horizon": 0.1}),
            ("accuracy_pending_is_not_final", {"is_final": True}),
            (
                "accuracy_no_entry_has_no_price",
                {"settlement": "no_entry", "entry_session": date(2024, 7, 1), "entry_price": 3.0},
            ),
        ],
    )
    def test_refuses_when_open(self, constraint, fields):
        assert refused(factories.make_accuracy, constraint, **fields)
