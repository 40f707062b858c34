"""A/B experiments with known truth: outcomes overlap by 14 sessions, both lists share the market.

Each session two lists of 50 picks share 30; the chance of an explosive pick moves with the
market, and by a part of its own that lasts 14 sessions, so that neighbouring sessions see
much of the same outcomes.
"""

import numpy as np

from analytics.calc import ab_power, ab_test

OVERLAP, PICKS, OWN = 14, 50, 20


def moving(random, experiments, sessions):
    """Return series whose neighbours share 13 of 14 shocks, each of deviation 1."""
    shocks = random.standard_normal((experiments, sessions + OVERLAP - 1)).cumsum(axis=1)
    found = shocks[:, OVERLAP - 1 :].copy()
    found[:, 1:] -= shocks[:, :-OVERLAP]
    return found / np.sqrt(OVERLAP)


def differences(*, experiments, sessions, effect=0.0, own=0.8, seed=1):
    """Return the paired difference of each session, [experiments, sessions].

    Args:
        effect: True difference of the explosive rate, B minus A.
        own: How strongly each list moves by itself, in log odds.
    """
    random = np.random.default_rng(seed)
    base = -2.6 + 0.5 * moving(random, experiments, sessions)
    lean = own * moving(random, experiments, sessions) / 2
    rate_a, rate_b = (1 / (1 + np.exp(-(base + sign * lean))) for sign in (-1, 1))
    lift = effect * PICKS / OWN  # the shared picks cannot differ
    hits_b = random.binomial(OWN, np.clip(rate_b + lift, 0, 1))
    return (hits_b - random.binomial(OWN, rate_a)) / PICKS


def decided(difference, *, blocks):
    """Return the sign that each experiment decided by ``blocks`` blocks, peeking at every one."""
    means = difference.reshape(len(difference), -1, ab_test.BLOCK).mean(axis=2)[:, :blocks]
    out = ab_test.log_evidence(means) >= np.log(20)
    first = np.where(out.any(axis=1), out.argmax(axis=1), -1)
    ahead = np.sign(np.cumsum(means, axis=1))[np.arange(len(means)), first]
    return np.where(first >= 0, ahead, 0)


def history(*, blocks, own=0.8, seed=2):
    """Return the block means of one long experiment."""
    made = differences(experiments=1, sessions=ab_test.BLOCK * blocks, own=own, seed=seed)
    return made.reshape(-1, ab_test.BLOCK).mean(axis=1)


def promised(*, effect, blocks, own=0.8, paths=ab_power.PATHS):
    """Return the power that the calculator gives, knowing the noise from a very long history."""
    noise = ab_power.noise(history(blocks=20_000, own=own))
    return ab_power.power_by_block(effect=effect, noise=noise, blocks=blocks, paths=paths)[-1]
