"""The sample market must not flatter the detector: no more lift than on real data."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import detector, outcomes, panel, replay, sessions
from analytics.calc.outcomes import LeanOutcomes
from analytics.calc.replay import Replay
from analytics.clients import sample

END = date(2024, 6, 28)
HIGHEST_LIFT = 3.2  # variant B's first ten of about fifty, 2022-23: 10.4 % against 3.3 %
REAL_LIFT_OF_ALL = 2.0  # variant B's top 50, 2022-23


class Judged:
    """A replay of the sample market with what became of its picks."""

    def __init__(self) -> None:
        market = sample.draw(end=END)
        bars = panel.build(
            market.bars,
            securities=market.securities,
            splits=market.splits,
            short_interest=market.short_interest,
            shares=market.shares,
        )
        self.days: list[date] = market.bars["session"].unique().sort().to_list()
        self.replay: Replay = replay.run(
            bars,
            variants=[detector.ORIGINAL, detector.SQUEEZE],
            references=[],
            first=self.days[0],
            last=END,
        )
        volume_gate = detector.GATES.index("relative volume") + 1
        code = self.replay.variants[1].code
        base = (code == 0) | (code >= volume_gate)
        base &= bars.segment_common[panel.row_segments(bars, np.arange(bars.height))]
        covered = np.unique(bars.session).astype(np.int32)
        reach = outcomes.coverage(covered, size=sessions.calendar().size)
        every = np.ones(bars.height, np.bool_)
        self.became: LeanOutcomes = outcomes.settle_lean(bars, every, reach=reach)
        self.base = float(self.became.explosive[base & self.became.known].mean())

    def lift(self, picks: pl.DataFrame) -> float:
        rows = picks["row"].to_numpy()
        rows = rows[self.became.known[rows]]
        return float(self.became.explosive[rows].mean()) / self.base


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


@pytest.mark.parametrize("variant", [0, 1], ids=["A", "B"])
class TestLift:
    def test_of_all_candidates_is_no_higher_than_on_real_data(self, judged, variant):
        lift = judged.lift(judged.replay.variants[variant].candidates)

        assert 1.0 <= lift <= REAL_LIFT_OF_ALL

    def test_of_the_best_fifth_is_no_higher_than_on_real_data(self, judged, variant):
        picks = judged.replay.variants[variant].candidates
        best = picks.filter(pl.col("rank") <= (pl.len().over("session") * 0.2).ceil())

        assert 1.0 <= judged.lift(best) <= HIGHEST_LIFT


class TestDiscovery:
    def test_base_rate_by_close_is_the_real_one(self, judged):
        assert 0.022 <= judged.base <= 0.045

    def test_finds_candidates_on_every_session_once_there_is_a_history(self, judged):
        batches = judged.replay.variants[1].batches.filter(pl.col("session") > judged.days[21])

        assert batches["candidate_count"].min() >= 3
        assert batches["candidate_count"].median() <= 30

    def test_sees_market_wide_volume_on_expiry_fridays(self, judged):
        flagged = judged.replay.events.filter("volume_event")["session"].to_list()

        assert {date(2023, 3, 17), date(2023, 6, 23), date(2023, 12, 15)} <= set(flagged)
        assert len(flagged) <= 20
