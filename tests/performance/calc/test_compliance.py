import numpy as np
import pytest

from performance.calc import compliance
from performance.calc.compliance import Deals, Rule

NAN = float("nan")
TYPES = {"has_thesis": bool, "is_open": bool, "stop_is_known": bool, "opened": int, "stopped": int}


def deals(*rows):
    good = {
        "side": 1.0, "entry": 3.0, "price": 3.1, "stop": 2.55, "signal": 2.94, "weight": 0.08,
        "has_thesis": True, "is_open": True, "stop_is_known": True, "opened": 100, "stopped": 100,
    }  # fmt: skip
    full = [{**good, **row} for row in rows]
    return Deals(
        **{
            name: np.array([row[name] for row in full], dtype=TYPES.get(name, float))
            for name in good
        }
    )


def found(*rows, as_of=110):
    return compliance.breaches(deals(*rows), limit=0.1, as_of=as_of)


class TestBreaches:
    def test_a_trade_by_the_rules_has_none(self):
        assert found({}) == []

    @pytest.mark.parametrize(
        ("row", "rule", "measured", "limit"),
        [
            ({"weight": 0.11}, Rule.OVERSIZE, 0.11, 0.1),
            ({"stopped": 102}, Rule.LATE_STOP, 2, 1),
            ({"stopped": -1}, Rule.LATE_STOP, 10, 1),
            ({"entry": 3.3, "signal": 2.94}, Rule.CHASED, 3.3 / 2.94 - 1, 0.1),
            ({"side": -1.0, "entry": 2.6, "price": 2.6, "stop": 3.2}, Rule.CHASED, None, 0.1),
            ({"price": 2.4, "is_open": False}, Rule.BEYOND_STOP, -0.2, -0.15),
            ({"price": 2.4}, Rule.BEYOND_STOP, -0.2, -0.15),
            ({"has_thesis": False, "stop": NAN}, Rule.NO_THESIS, None, None),
        ],
    )
    def test_names_the_rule_what_was_measured_and_what_is_allowed(self, row, rule, measured, limit):
        (breach,) = found(row)

        assert breach.rule is rule
        assert measured is None or breach.measured == pytest.approx(measured)
        assert breach.limit == (pytest.approx(limit) if limit is not None else None)
        assert breach.text

    @pytest.mark.parametrize(
        "row",
        [
            {"weight": 0.1},
            {"weight": NAN},
            {"stopped": 101},
            {"stopped": -1, "stop_is_known": False},
            {"stopped": -1, "is_open": False},
            {"entry": 3.0, "signal": 3.0 / 1.1},
            {"signal": NAN},
            {"price": 2.53, "is_open": False},
            {"price": NAN},
            {"stop": NAN, "price": 1.0},
            {"side": -1.0, "price": 2.5, "stop": 3.45, "signal": 3.0},
        ],
        ids=str,
    )
    def test_leaves_alone_what_is_allowed_or_not_known(self, row):
        assert found(row) == []

    def test_a_stop_is_not_late_before_the_next_session_is_over(self):
        assert found({"stopped": -1}, as_of=101) == []

    def test_says_which_trade_it_was(self):
        both = found({}, {"weight": 0.5}, {"has_thesis": False, "weight": 0.2})

        assert [(breach.rule, breach.at) for breach in both] == [
            (Rule.OVERSIZE, 1),
            (Rule.OVERSIZE, 2),
            (Rule.NO_THESIS, 2),
        ]
