from math import exp, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import similarity
from analytics.calc.similarity import FIELDS, Reference
from tests.analytics.calc import oracle

VIGL = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)
WHOLE = Reference(
    symbol="WHOL", rel_volume=20.9, short_interest_pct=0.2, float_shares=1e7, close=2.94
)
POSITIVE = st.floats(1e-3, 1e9) | st.just(nan)


def compare(row: dict[str, float], *references: Reference) -> similarity.Similarities:
    fields = np.array([[row.get(name, nan)] for name in FIELDS])
    return similarity.compare(fields, references)


class TestCompare:
    def test_of_the_reference_itself_is_a_hundred(self):
        assert compare({"rel_volume": 20.9, "close": 2.94}, VIGL).value[0, 0] == 100

    def test_falls_by_half_a_square_of_the_distance_in_widths(self):
        one_off = compare({"rel_volume": 41.8, "close": 2.94}, VIGL).value[0, 0]

        assert one_off == pytest.approx(100 * exp(-0.5 * 0.40 / 0.50))

    @pytest.mark.parametrize(
        ("name", "width", "weight"),
        [
            ("rel_volume", 2, 0.40),
            ("short_interest_pct", 1.8, 0.30),
            ("float_shares", 2.5, 0.20),
            ("close", 1.5, 0.10),
        ],
    )
    def test_has_a_weight_and_a_width_for_each_field(self, name, width, weight):
        row = {field: getattr(WHOLE, field) for field in FIELDS}

        off = compare({**row, name: row[name] * width}, WHOLE).value[0, 0]

        assert off == pytest.approx(100 * exp(-0.5 * weight))

    def test_is_two_sided(self):
        half, twice = (compare({"rel_volume": 20.9 * k}, VIGL).value[0, 0] for k in (0.5, 2))

        assert half == pytest.approx(twice)
        assert half == pytest.approx(100 * exp(-0.5))

    def test_counts_the_fields_known_on_both_sides(self):
        found = compare({"rel_volume": 20.9, "short_interest_pct": 0.2}, VIGL, WHOLE)

        assert found.coverage[:, 0] == pytest.approx([0.40, 0.70])

    def test_without_a_common_field_is_null(self):
        found = compare({"float_shares": 1e7}, VIGL)

        assert np.isnan(found.value[0, 0])
        assert np.isnan(found.best[0])
        assert found.best_reference[0] == -1
        assert found.coverage[0, 0] == 0

    def test_names_the_reference_that_is_most_alike(self):
        found = compare({"rel_volume": 4.0, "close": 2.94}, VIGL, Reference(symbol="X", close=2.9))

        assert found.best_reference[0] == 1
        assert found.best[0] == found.value[1, 0]

    def test_with_no_reference_is_null(self):
        found = compare({"rel_volume": 4.0})

        assert np.isnan(found.best[0])
        assert found.best_reference[0] == -1

    @given(
        st.fixed_dictionaries(dict.fromkeys(FIELDS, POSITIVE)),
        st.fixed_dictionaries(dict.fromkeys(FIELDS, st.floats(1e-3, 1e9) | st.none())),
    )
    def test_equals_the_oracle(self, row, known):
        reference = Reference(symbol="R", **known)
        given_ = {name: None if np.isnan(value) else value for name, value in row.items()}

        found = compare(row, reference)

        value, covered = oracle.similarity(given_, reference)
        got = found.value[0, 0]
        assert found.coverage[0, 0] == pytest.approx(covered)
        assert (None if np.isnan(got) else got) == (value and pytest.approx(value, rel=1e-9))


class TestReference:
    def test_keeps_its_fields_in_order_with_nan_for_unknown(self):
        assert WHOLE.fields.tolist() == [20.9, 0.2, 1e7, 2.94]
        assert np.isnan(VIGL.fields[1:3]).all()

    @pytest.mark.parametrize("value", [0, -1, nan])
    def test_refuses_what_has_no_logarithm(self, value):
        with pytest.raises(ValueError, match="rel_volume must be positive"):
            Reference(symbol="R", rel_volume=value)

    def test_widths_are_logarithms(self):
        assert pytest.approx([log(2), log(1.8), log(2.5), log(1.5)]) == similarity.WIDTHS
