import pytest
from django.db import IntegrityError, transaction

from analytics.calc import exits
from analytics.models import ExitRule
from analytics.models.exits import LONGEST
from tests import detector_reports

pytestmark = pytest.mark.django_db


class TestExitRule:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"horizon": 0},
            {"horizon": LONGEST + 1},
            {"stop": 0.0},
            {"stop": 1.0},
            {"trail": 1.5},
            {"target_1": 0.3},
            {"fraction_1": 0.5},
            {"target_1": 0.3, "fraction_1": 1.5},
            {"target_2": 0.5, "fraction_2": 0.5},
            {"target_1": 0.3, "fraction_1": 0.5, "target_2": 0.5},
            {"target_1": 0.3, "fraction_1": 0.5, "fraction_2": 0.5},
            {"target_1": 0.3, "fraction_1": 0.5, "target_2": 0.3, "fraction_2": 0.5},
            {"target_1": 0.3, "fraction_1": 0.6, "target_2": 0.5, "fraction_2": 0.5},
            {"time_stop": 0},
            {"time_stop": 14},
        ],
        ids=str,
    )
    def test_is_refused_where_it_makes_no_sense(self, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            detector_reports.make_rule(**wrong)

    def test_has_a_name_of_its_own(self):
        detector_reports.make_rule()

        with pytest.raises(IntegrityError), transaction.atomic():
            detector_reports.make_rule()

    def test_may_be_all_that_a_rule_can_be(self):
        detector_reports.make_rule(
            stop=0.1, trail=0.2, target_1=0.3, fraction_1=0.5, target_2=0.5, fraction_2=0.5
        )

        assert ExitRule.objects.active().count() == 1

    def test_may_hold_as_long_as_the_exit_lab_does(self):
        assert exits.Rule(name="long", horizon=LONGEST).horizon == LONGEST
