from itertools import combinations
from math import log

import numpy as np
import pytest

from analytics.calc import overfitting
from analytics.calc.overfitting import TooShort


def plain(profit, blocks, purge):
    """Combinatorially symmetric cross-validation, written out."""
    size = len(profit)
    spans = []
    for k in range(blocks):
        first, last = size * k // blocks, size * (k + 1) // blocks
        spans.append(list(range(first + purge, last - purge)))
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = [row for k in chosen for row in spans[k]]
        outside = [row for k in range(blocks) if k not in chosen for row in spans[k]]
        best = int(np.argmax(np.nanmean(profit[inside], axis=0)))
        seen = np.nanmean(profit[outside], axis=0)
        rank = (np.sum(seen < seen[best]) + (np.sum(seen == seen[best]) + 1) / 2) / (
            profit.shape[1] + 1
        )
        logits.append(log(rank / (1 - rank)))
    return logits


def noise(sessions=400, trials=30, seed=0):
    return np.random.default_rng(seed).standard_normal((sessions, trials))


class TestOverfitting:
    @pytest.mark.parametrize(("blocks", "purge"), [(8, 14), (6, 0), (16, 0)])
    def test_is_what_the_definition_gives(self, blocks, purge):
        profit = noise()
        profit[np.random.default_rng(1).random(profit.shape) < 0.05] = np.nan
        profit = profit[:, :8] if blocks == 16 else profit

        found = overfitting.overfitting(profit, blocks=blocks, purge=purge)

        written = plain(profit, blocks, purge)
        assert found.logits == pytest.approx(written)
        assert found.share == np.mean(np.array(written) <= 0)

    def test_is_nothing_for_one_that_is_always_best(self):
        profit = noise() * 0.1
        profit[:, 4] += 1

        assert overfitting.overfitting(profit).share == 0

    def test_is_about_one_half_for_pure_luck(self):
        shares = [overfitting.overfitting(noise(seed=seed)).share for seed in range(60)]

        assert np.mean(shares) == pytest.approx(0.5, abs=0.12)

    def test_never_reads_the_edges_of_a_block(self):
        profit = noise()
        changed = profit.copy()
        for k in range(9):
            edge = len(profit) * k // 8
            changed[max(edge - 14, 0) : edge + 14] += 99

        before, after = (overfitting.overfitting(one).logits for one in (profit, changed))

        assert np.array_equal(before, after)

    def test_refuses_blocks_without_anything_left(self):
        with pytest.raises(TooShort, match="too few"):
            overfitting.overfitting(noise(sessions=8 * 28))


class TestSplits:
    def test_are_those_of_skfolio(self):
        selection = pytest.importorskip("skfolio.model_selection")
        size = 400
        theirs = selection.CombinatorialPurgedCV(n_folds=8, n_test_folds=4, purged_size=0)

        spans = overfitting.blocks_of(size, blocks=8, purge=0)
        ours = {
            tuple(sorted(row for k in chosen for row in spans[k]))
            for chosen, _ in overfitting.halves(8)
        }

        found = {
            tuple(sorted(int(row) for part in test for row in part))
            for _train, test in theirs.split(np.zeros((size, 2)))
        }
        assert ours == found
        assert len(ours) == 70
