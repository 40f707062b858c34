from dataclasses import replace

import pytest

from analytics.calc import thesis_draft, thesis_rules
from tests.thesis_packs import make_pack

GOOD = thesis_rules.write(make_pack())


class TestProblems:
    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"recommendation": "SELL"}, "recommendation"),
            ({"target": 2.5}, "target"),
            ({"stop": 3.0}, "stop"),
            ({"stop": -1.0}, "stop"),
            ({"entry": float("nan")}, "entry"),
            ({"target": 40.0}, "target"),
            ({"max_entry": 2.0}, "max_entry"),
            ({"max_entry": 4.0}, "max_entry"),
            ({"entry": 2.0, "stop": 1.5, "max_entry": 2.0}, "entry"),
            ({"horizon": 0}, "horizon"),
            ({"horizon": 31}, "horizon"),
            ({"p_target": 1.2}, "p_target"),
            ({"p_explosive": -0.1}, "p_explosive"),
            ({"text": "  "}, "text"),
            ({"text": "x" * 2001}, "text"),
            ({"reasons": ["x"] * 9}, "reasons"),
            ({"reasons": ["x" * 401]}, "reasons"),
            ({"falsifiers": []}, "falsifiers"),
            ({"falsifiers": ["it falls"]}, "falsifiers"),
        ],
    )
    def test_name_the_field(self, change, named):
        found = thesis_draft.problems(replace(GOOD, **change), close=2.94)

        assert named in found[0].partition(":")[0]

    def test_let_a_bearish_thesis_have_its_target_below(self):
        bearish = replace(GOOD, recommendation="AVOID", target=2.5, stop=3.2)

        assert thesis_draft.problems(bearish, close=2.94) == []
