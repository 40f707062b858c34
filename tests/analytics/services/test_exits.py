import pytest

from analytics.calc.exits import NAMED, Rule, Target
from analytics.services import exits
from tests import detector_reports

pytestmark = pytest.mark.django_db


class TestGetRules:
    def test_begin_with_the_named_ones_and_end_with_active_ones_of_people(self):
        detector_reports.make_rule(name="zz", stop=0.1, time_stop=None)
        detector_reports.make_rule(name="off", active=False)
        detector_reports.make_rule(
            name="halves",
            time_stop=None,
            horizon=20,
            target_1=0.2,
            fraction_1=0.5,
            target_2=0.4,
            fraction_2=0.25,
        )

        assert exits.get_rules() == [
            *NAMED,
            Rule(
                name="halves",
                horizon=20,
                targets=(Target(gain=0.2, fraction=0.5), Target(gain=0.4, fraction=0.25)),
            ),
            Rule(name="zz", stop=0.1),
        ]


class TestRuleOf:
    def test_refuses_the_name_of_a_named_rule(self):
        row = detector_reports.make_rule(name=NAMED[0].name)

        with pytest.raises(exits.NameTaken):
            exits.rule_of(row)


class TestIsUsed:
    def test_once_a_report_was_made_with_it(self):
        rule = detector_reports.make_rule()
        assert not exits.is_used(rule)

        detector_reports.make_report().rules.add(rule)

        assert exits.is_used(rule)
