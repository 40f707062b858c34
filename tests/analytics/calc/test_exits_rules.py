import pytest

from analytics.calc import exits
from analytics.calc.exits import Rule, Target


class TestRules:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"stop": 0.0},
            {"stop": 1.0},
            {"trail": 1.5},
            {"horizon": 0},
            {"time_stop": 14},
            {"own": True, "stop": 0.1},
        ],
        ids=str,
    )
    def test_are_refused_where_they_make_no_sense(self, wrong):
        with pytest.raises(exits.BadRule):
            Rule(name="wrong", **wrong)

    def test_targets_rise_and_sell_at_most_everything(self):
        with pytest.raises(exits.BadRule):
            Target(gain=0.0, fraction=0.5)
        with pytest.raises(exits.BadRule):
            Target(gain=0.2, fraction=1.5)
        one, other = Target(gain=0.5, fraction=0.6), Target(gain=0.3, fraction=0.3)
        with pytest.raises(exits.BadRule):
            Rule(name="falling", targets=(one, other))
        with pytest.raises(exits.BadRule):
            Rule(name="too much", targets=(other, Target(gain=0.6, fraction=0.8)))
