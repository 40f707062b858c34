from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import market, outcomes, panel, sessions

FIRST = sessions.number(date(2022, 1, 3))
SIZE = sessions.calendar().size
LENGTH = 60


def bars(symbol, close, *, volume=1e6, skip=()):
    return [
        (symbol, sessions.day(FIRST + at), close, close, close, close, volume)
        for at in range(LENGTH)
        if at not in skip
    ]


def make_panel(*rows, kinds):
    frame = pl.DataFrame(
        [row for part in rows for row in part],
        schema=["symbol", "session", "open", "high", "low", "close", "volume"],
        orient="row",
    ).sort("symbol", "session")
    listed = pl.DataFrame(
        {
            "symbol": list(kinds),
            "first_session": [sessions.day(FIRST)] * len(kinds),
            "last_session": [sessions.day(FIRST + LENGTH)] * len(kinds),
            "kind": list(kinds.values()),
        }
    )
    return panel.build(frame, securities=listed)


def view(made, first=30, last=40, extra=()):
    covered = np.arange(FIRST, FIRST + LENGTH, dtype=np.int32)
    return market.view(
        made,
        reach=outcomes.coverage(covered, size=SIZE),
        numbers=np.arange(FIRST + first, FIRST + last, dtype=np.int32),
        extra=np.array(extra, np.int64),
    )


@pytest.fixture
def listed():
    """One listing of each sort: in the base universe, and out of it for each reason."""
    return make_panel(
        bars("COMMON", 4.0),
        bars("DEAR", 9.0),
        bars("PENNY", 0.5),
        bars("QUIET", 4.0, volume=1000),
        bars("RECEIPT", 4.0),
        kinds=dict.fromkeys(["COMMON", "DEAR", "PENNY", "QUIET"], "common") | {"RECEIPT": "adr"},
    )


class TestView:
    def test_keeps_to_listed_common_stock_in_the_price_band_that_trades(self, listed):
        seen = view(listed)

        owner = np.searchsorted(listed.symbol_start, seen.base, side="right") - 1
        assert {listed.symbols[at] for at in owner} == {"COMMON"}
        assert seen.base.size == 10

    def test_follows_extra_rows_that_are_no_common_stock(self, listed):
        receipt = int(listed.symbol_start[listed.symbols.index("RECEIPT")]) + 35

        assert not view(listed).lean.known[receipt]
        assert view(listed, extra=[receipt]).lean.known[receipt]

    def test_finds_the_winners_at_any_price(self):
        rows = bars("DEAR", 20.0)
        rows = [
            (*row[:2], *(price * (2 if at > 36 else 1) for price in row[2:6]), row[6])
            for at, row in enumerate(rows)
        ]
        made = make_panel(rows, kinds={"DEAR": "common"})

        seen = view(made)

        assert (made.session[seen.winners] - FIRST).tolist() == [30, 31, 32, 33, 34, 35]

    def test_knows_which_sessions_are_complete(self, listed):
        complete = view(listed, first=40, last=50).complete()

        assert complete.tolist() == [True] * 6 + [False] * 4


class TestBaseCounts:
    def test_count_known_outcomes_by_session(self, listed):
        found = market.base_counts(view(listed, first=40, last=50))

        assert found.n.tolist() == [1] * 6 + [0] * 4
        assert found.explosive.sum() == 0
        assert found.by_decile.sum() == 6


class TestFindRows:
    def test_finds_a_bar_or_says_that_there_is_none(self):
        made = make_panel(
            bars("A", 4.0, skip={5}), bars("B", 4.0), kinds={"A": "common", "B": "common"}
        )
        symbol = np.array([0, 0, 1, 1, -1])
        session = np.array([4, 5, 5, 99, 4]) + FIRST

        found = market.find_rows(made, symbol, session)

        assert found.tolist() == [4, -1, LENGTH - 1 + 5, -1, -1]
