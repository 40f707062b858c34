"""What each component added to a score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from performance.calc import anatomy

WEIGHTS = {"volume": 0.4, "momentum": 0.3, "float": 0.15, "short_interest": 0.15, "sentiment": 0.0}
KNOWN = {"volume": 0.5, "momentum": 1.0, "float": 0.2, "short_interest": 0.0, "sentiment": None}


def by_name(parts):
    return {part.name: part for part in parts}


class TestParts:
    def test_adds_up_to_the_score(self):
        assert sum(part.points or 0 for part in anatomy.parts(KNOWN, WEIGHTS)) == pytest.approx(53)

    def test_shares_the_score_among_the_known(self):
        found = by_name(anatomy.parts({**KNOWN, "float": None}, WEIGHTS))

        assert found["volume"].points == pytest.approx(100 * 0.4 * 0.5 / 0.85)
        assert found["float"].points is None

    def test_says_why_a_component_has_no_points(self):
        found = by_name(
            anatomy.parts({**KNOWN, "float": None, "momentum": None}, WEIGHTS, dropped=["momentum"])
        )

        assert found["float"].note == "unknown for this symbol"
        assert found["momentum"].note == "missing for the whole batch"
        assert found["sentiment"].note == "not in this variant"

    def test_gives_zero_points_to_a_known_zero_and_none_to_the_unknown(self):
        found = by_name(anatomy.parts(KNOWN, WEIGHTS))

        assert found["short interest"].points == 0
        assert found["sentiment"].points is None

    @given(
        st.fixed_dictionaries(
            {name: st.none() | st.floats(0, 1) for name in ("volume", "momentum", "float")}
        )
    )
    def test_never_exceeds_a_hundred(self, components):
        weights = {"volume": 0.5, "momentum": 0.3, "float": 0.2}

        total = sum(part.points or 0 for part in anatomy.parts(components, weights))

        assert 0 <= total <= 100 + 1e-9
