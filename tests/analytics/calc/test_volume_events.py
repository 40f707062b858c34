from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calc import replay, sessions
from analytics.calc.detector import SQUEEZE
from tests.analytics.calc import oracle
from tests.markets import Market, from_rows, make_market


def events_of(market: Market) -> pl.DataFrame:
    days = market.sessions
    found = replay.run(
        market.panel(), variants=[SQUEEZE], references=[], first=days[0], last=days[-1]
    )
    return found.events


class TestVolumeEvent:
    def market(self, spikes: dict[int, int], *, kind: str = "common") -> Market:
        """Ten stocks of steady volume; on session n so many of them, in turn, trade eightfold."""
        first = sessions.number(date(2022, 3, 1))
        days = [sessions.day(first + n) for n in range(90)]
        volume = np.full((90, 10), 1e6)
        turn = 0
        for at, count in sorted(spikes.items()):
            volume[at, (turn + np.arange(count)) % 10] = 8e6
            turn += count
        bars = [
            (f"S{k}", day, 3.0, 3.3, 2.9, 3.1, float(volume[at, k]))
            for k in range(10)
            for at, day in enumerate(days)
        ]
        listed = [(f"S{k}", days[0], days[-1], kind) for k in range(10)]
        return from_rows(bars=bars, securities=listed)

    @pytest.mark.parametrize(("stocks", "event"), [(7, True), (5, True), (4, False)])
    def test_is_a_share_of_spikes_over_three_times_its_median(self, stocks, event):
        usual = {at: 1 + at % 2 for at in range(90)}  # a median of 0.15

        events = events_of(self.market({**usual, 80: stocks}))

        assert events["spike_share_median"][80] == pytest.approx(0.15)
        assert events["spike_share"][80] == stocks / 10
        assert events["volume_event"][80] == event

    def test_is_no_event_at_exactly_three_times(self):
        events = events_of(self.market({**dict.fromkeys(range(90), 2), 80: 6}))

        assert events["spike_share"][80] == 0.6
        assert not events["volume_event"][80]

    def test_is_not_known_before_forty_sessions_are(self):
        events = events_of(self.market({60: 9}))

        assert events["volume_event"].is_null().to_list() == [True] * 55 + [False] * 35
        assert events["volume_event"][60]

    def test_counts_common_stock_only(self):
        assert events_of(self.market({60: 9}, kind="adr"))["spike_share"].null_count() == 90

    @settings(max_examples=10, deadline=None)
    @given(st.integers(0, 2**31))
    def test_equals_the_oracle(self, seed):
        market = make_market(seed=seed, symbols=6, length=85)
        found = oracle.listings(market)
        numbers = [sessions.number(day) for day in market.sessions]

        events = events_of(market)

        every = {now: oracle.spike_share(found, now) for now in numbers}
        for at, now in enumerate(numbers):
            window = [every.get(now - back) for back in range(60, -1, -1)]
            assert events["volume_event"][at] == oracle.volume_event(window)
            assert events["spike_share"][at] == every[now]
