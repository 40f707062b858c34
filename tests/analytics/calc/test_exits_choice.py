import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import exits, exits_choice

HORIZONS = np.array([14, 5])


def simple(net, number, horizons, signals, frozen_from=None):
    """One session, one rule, one candidate at a time."""
    found = []
    for signal in signals:
        now = signal if frozen_from is None else min(signal, frozen_from - 1)
        means = []
        for rule, horizon in enumerate(horizons):
            seen = [
                value
                for value, at in zip(net[rule], number, strict=True)
                if not np.isnan(value) and at + horizon <= now
            ]
            means.append(sum(seen) / len(seen) if len(seen) >= exits.FEWEST else None)
        usable = None not in means
        found.append(max(range(len(means)), key=lambda rule: means[rule]) if usable else -1)
    return found


class TestChoose:
    @given(st.integers(0, 2**31), st.sampled_from([None, 45]))
    @settings(max_examples=30, deadline=None)
    def test_agrees_with_a_plain_loop(self, seed, frozen):
        random = np.random.default_rng(seed)
        number = np.sort(random.integers(0, 60, 120)).astype(np.int32)
        net = random.normal(0, 0.1, (2, 120))
        net[random.random(net.shape) < 0.1] = np.nan
        signals = np.arange(60, dtype=np.int32)

        found = exits_choice.choose(net, number, HORIZONS, signals, frozen_from=frozen)

        assert found.tolist() == simple(net, number, HORIZONS, signals.tolist(), frozen)

    @given(st.integers(0, 2**31), st.integers(1, 59))
    @settings(max_examples=30, deadline=None)
    def test_never_reads_the_future(self, seed, now):
        random = np.random.default_rng(seed)
        number = np.sort(random.integers(0, 60, 150)).astype(np.int32)
        net = random.normal(0, 0.1, (2, 150))
        later = np.where(number[None, :] + HORIZONS[:, None] > now, 99.0, net)
        signals = np.arange(now + 1, dtype=np.int32)

        known = exits_choice.choose(net, number, HORIZONS, signals)

        assert (exits_choice.choose(later, number, HORIZONS, signals) == known).all()

    def test_takes_the_first_of_equal_rules_and_none_below_twenty(self):
        number = np.zeros(20, np.int32)
        net = np.full((2, 20), 0.1)
        signals = np.array([13, 14], np.int32)

        assert exits_choice.choose(net, number, HORIZONS, signals).tolist() == [-1, 0]
        assert exits_choice.choose(net[:, 1:], number[1:], HORIZONS, signals).tolist() == [-1, -1]


class TestByChoice:
    def test_takes_each_value_from_its_sessions_rule(self):
        values = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
        number, signals = np.array([4, 5, 6], np.int32), np.array([4, 5, 6], np.int32)

        found = exits_choice.by_choice(values, number, signals, np.array([-1, 1, 0]))

        assert np.isnan(found[0])
        assert found[1:].tolist() == [20.0, 3.0]
