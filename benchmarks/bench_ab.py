"""Is the A/B test as honest, and as strong, as it says? Thousands of experiments of known truth.

    python -m benchmarks.bench_ab

Two thousand experiments without a difference, read every session for five years, and for
several true differences the power found against the power promised.
"""

import sys

import numpy as np

from analytics.calc import ab_test
from tests import experiments

NULLS, YEARS_SESSIONS = 2000, 28 * 45
MOST_FALSE = 0.05
REPEATS, MOST_OFF = 4000, 0.03
CASES = ((0.8, 0.012, 12), (0.8, 0.008, 24), (0.5, 0.009, 12), (0.5, 0.006, 36), (0.3, 0.007, 24))


def peeked(difference) -> bool:
    """Whether a person who reads after every single session ever finds a difference."""
    session = np.arange(difference.size, dtype=np.int32)
    for today in range(experiments.OVERLAP, difference.size + experiments.OVERLAP):
        settled = today - experiments.OVERLAP
        if (settled + 1) % ab_test.BLOCK:  # nothing new to read today
            continue
        blocks = ab_test.block_means(session, difference, first=0, settled=settled)
        if ab_test.sequence(blocks.mean).decided:
            return True
    return False


def false_positives() -> bool:
    good = True
    for own in (0.3, 0.8):
        made = experiments.differences(
            experiments=NULLS, sessions=YEARS_SESSIONS, own=own, seed=int(100 * own)
        )
        share = np.mean([peeked(one) for one in made])
        print(f"no difference, own moves {own}: {share:.1%} of {NULLS} found one (at most 5 %)")
        good &= bool(share <= MOST_FALSE)
    return good


def power() -> bool:
    good = True
    for own, effect, blocks in CASES:
        made = experiments.differences(
            experiments=REPEATS, sessions=28 * blocks, effect=effect, own=own, seed=7
        )
        found = np.mean(experiments.decided(made, blocks=blocks) > 0)
        told = experiments.promised(effect=effect, blocks=blocks, own=own, paths=20_000)
        off = abs(found - told)
        print(
            f"difference {effect:.1%}, own moves {own}, {blocks} blocks: "
            f"found {found:.1%}, promised {told:.1%}, off by {100 * off:.1f} points"
        )
        good &= bool(off <= MOST_OFF)
    return good


def main() -> int:
    good = [power(), false_positives()]
    print("ok" if all(good) else "NOT as promised")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
