import numpy as np
import pytest

from analytics.calc import similarity, similarity_index, strata
from analytics.calc.similarity import FIELDS, Reference
from analytics.calc.similarity_index import StockDays

SESSIONS, SIZE = 120, 20_000
VIGL = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)
FULL = Reference(symbol="FULL", rel_volume=5.0, short_interest_pct=0.2, float_shares=1e7, close=3.0)


def make_days(seed=0, size=SIZE):
    random = np.random.default_rng(seed)
    fields = np.stack(
        [
            np.exp(random.normal(0, 1, size)),
            random.uniform(0.01, 0.4, size),
            np.exp(random.normal(16, 1, size)),
            random.uniform(1, 8, size),
        ]
    )
    fields[1:3][random.random((2, size)) < 0.4] = np.nan
    slot = random.integers(0, SESSIONS, size)
    volatility = random.uniform(0.01, 0.2, size)
    return StockDays(
        fields=fields,
        symbol=random.choice(["AAAA", "BBBB", "VIGL"], size),
        slot=slot,
        volatility=volatility,
        hit=random.random(size) < 0.07,
        lower=strata.edges(volatility, slot, SESSIONS),
    )


@pytest.fixture(scope="module")
def days():
    return make_days()


@pytest.fixture(scope="module")
def arrays(days):
    return similarity_index.build(days, [VIGL, FULL], sessions=SESSIONS)


def mask_of(reference, fields):
    return sum(
        1 << at
        for at, name in enumerate(FIELDS)
        if fields[at] > 0 and getattr(reference, name) is not None
    )


class TestReached:
    @pytest.mark.parametrize("reference", [VIGL, FULL], ids=lambda one: one.symbol)
    @pytest.mark.parametrize("value", [0.0, 0.4, 12.0, 55.5, 99.0])
    @pytest.mark.parametrize("before", [1, 60, SESSIONS])
    def test_counts_what_a_plain_count_counts(self, days, arrays, reference, value, before):
        alike = similarity.compare(days.fields, [reference]).value[0]
        masks = np.array([mask_of(reference, column) for column in days.fields.T])
        other = days.symbol != reference.symbol

        for mask in np.unique(masks):
            rows = (masks == mask) & other & (alike >= value) & (days.slot < before)
            among = similarity_index.entry(arrays, reference.symbol, int(mask))
            found = similarity_index.reached(among, value, before=before)
            if not rows.any():
                assert found is None
                continue
            assert found.n == rows.sum()
            assert found.value == pytest.approx(days.hit[rows].mean())
            assert found.sessions == before

    def test_counts_the_one_that_is_just_as_alike(self, arrays):
        among = similarity_index.entry(arrays, "VIGL", 0b1001)
        value = float(among.value[100])

        assert similarity_index.reached(among, value, before=SESSIONS).n == 101

    def test_has_no_entry_for_fields_that_nobody_has(self, arrays):
        assert similarity_index.entry(arrays, "VIGL", 0b0100) is None
        assert similarity_index.entry(arrays, "NONE", 0b1001) is None

    def test_leaves_the_reference_itself_out(self, days, arrays):
        among = similarity_index.entry(arrays, "VIGL", 0b1001)

        assert among.value.size == (days.symbol != "VIGL").sum()


class TestMatchedBase:
    def test_is_the_rate_of_the_same_cell(self, days, arrays):
        decile = strata.decile(days.volatility, days.slot, days.lower)
        close, volume = days.fields[3], days.fields[0]
        cell = similarity_index.cells(np.array([2.5]), np.array([2.0]), np.array([4]))[0]
        rows = (close >= 2) & (close < 3) & (volume >= 1.5) & (volume < 3) & (decile == 4)
        rows &= days.slot < 70

        found = similarity_index.matched(arrays, int(cell), before=70)

        assert rows.sum() > 20
        assert found.n == rows.sum()
        assert found.value == pytest.approx(days.hit[rows].mean())

    def test_is_not_known_without_a_cell(self, arrays):
        unknown = similarity_index.cells(np.array([2.5]), np.array([np.nan]), np.array([4]))

        assert similarity_index.matched(arrays, int(unknown[0]), before=70) is None

    def test_has_a_cell_of_its_own_for_each_combination(self):
        price, volume, decile = np.meshgrid([1.5, 2.5, 4, 7], [1, 2, 4, 9, 20], range(1, 11))
        found = similarity_index.cells(price.ravel(), volume.ravel(), decile.ravel())

        assert sorted(found) == list(range(similarity_index.CELLS))


class TestSettledSlots:
    def test_were_over_before_the_session(self):
        numbers = np.arange(100, 150, dtype=np.int32)

        found = similarity_index.settled_slots(numbers, 130)

        assert numbers[found - 1] + 14 == 129

    def test_never_reads_the_future(self, days):
        later = days.slot >= 60
        other = make_days(seed=0)
        other.hit[later] = ~other.hit[later]
        ours, theirs = (
            similarity_index.build(one, [VIGL], sessions=SESSIONS) for one in (days, other)
        )

        before, after = (
            similarity_index.reached(similarity_index.entry(one, "VIGL", 0b1001), 1.0, before=60)
            for one in (ours, theirs)
        )

        assert np.array_equal(before.influence, after.influence)


class TestMasks:
    def test_name_their_fields_and_weigh_them(self):
        assert similarity_index.names_of(0b1001) == ["rel_volume", "close"]
        assert similarity_index.coverage_of(0b1001) == pytest.approx(0.5)
        assert similarity_index.coverage_of(0b1111) == pytest.approx(1)
