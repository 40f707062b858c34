import pytest

from performance.calc import advice
from performance.calc.advice import Do, Situation, StopState


def situation(**fields):
    wanted = {
        "side": 1, "open_return": 0.05, "weight": 0.08, "limit": 0.1, "price": 3.15,
        "has_thesis": True, "stop": 2.55, "target": 4.5, "horizon": 14, "held": 3, **fields,
    }  # fmt: skip
    return Situation(**wanted)


class TestAdvise:
    def test_holds_while_the_thesis_stands(self):
        assert advice.advise(situation()).do is Do.HOLD

    @pytest.mark.parametrize(
        ("fields", "do", "word"),
        [
            ({"open_return": -0.26}, Do.LIQUIDATE, "-26.0%"),
            ({"price": 2.55}, Do.LIQUIDATE, "stop"),
            ({"price": 4.5}, Do.LIQUIDATE, "target"),
            ({"held": 14}, Do.LIQUIDATE, "horizon"),
            ({"falsified": ("close < 3.10",)}, Do.LIQUIDATE, "close < 3.10"),
            ({"withdrawn": True}, Do.LIQUIDATE, "withdrew"),
            ({"later": "AVOID"}, Do.LIQUIDATE, "AVOID"),
            ({"later": "LIQUIDATE"}, Do.LIQUIDATE, "LIQUIDATE"),
            ({"later": "TRIM"}, Do.TRIM, "TRIM"),
            ({"weight": 0.12}, Do.TRIM, "12.0%"),
            ({"weight": -0.12, "side": -1, "stop": 4.0, "target": 2.0}, Do.TRIM, "12.0%"),
            ({"side": -1, "price": 4.1, "stop": 4.0, "target": 2.0}, Do.LIQUIDATE, "stop"),
        ],
    )
    def test_gives_the_reason(self, fields, do, word):
        found = advice.advise(situation(**fields))

        assert found.do is do
        assert word in found.reasons[0]

    @pytest.mark.parametrize(
        "fields",
        [
            {"open_return": -0.25},
            {"open_return": None},
            {"weight": 0.1},
            {"weight": None},
            {"held": 13},
            {"later": "BUY"},
        ],
    )
    def test_holds_at_the_limit_and_where_nothing_is_known(self, fields):
        assert advice.advise(situation(**fields)).do is Do.HOLD

    def test_the_strongest_wins_and_the_others_are_said(self):
        found = advice.advise(situation(weight=0.3, falsified=("close < 3",)))

        assert found.do is Do.LIQUIDATE
        assert len(found.reasons) == 2

    def test_says_that_there_is_no_thesis(self):
        nothing = {"has_thesis": False, "stop": None, "target": None, "horizon": None}

        assert "no thesis" in advice.advise(situation(**nothing)).reasons[0]
        assert advice.advise(situation(**nothing, open_return=-0.3)).do is Do.LIQUIDATE

    def test_says_that_it_has_no_mark(self):
        assert "no mark" in advice.advise(situation(price=None)).reasons[0]


class TestStopState:
    @pytest.mark.parametrize(
        ("fields", "state"),
        [
            ({}, StopState.WORKING),
            ({"wanted": None}, StopState.WORKING),
            ({"working": 2.56}, StopState.WORKING),
            ({"working": 2.4}, StopState.DIFFERS),
            ({"working": None}, StopState.MISSING),
            ({"confirmed": False}, StopState.MISSING),
            ({"broker_tells": False}, StopState.UNKNOWN),
        ],
    )
    def test_says_whether_it_works_at_the_broker(self, fields, state):
        wanted = {"wanted": 2.55, "working": 2.55, "confirmed": True, "broker_tells": True}

        found, text = advice.stop_state(**{**wanted, **fields})

        assert found is state
        assert text
