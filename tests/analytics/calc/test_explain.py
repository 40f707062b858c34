from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import replay, sessions
from analytics.calc.detector import ORIGINAL, SQUEEZE
from analytics.calc.explain import Explanation, NoBar, explain
from analytics.calc.similarity import Reference
from tests.markets import Market, from_rows, make_market

VIGL = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)
START = sessions.number(date(2022, 3, 1))
DAYS = [sessions.day(START + at) for at in range(40)]


def told(market: Market, symbol: str, session: date) -> Explanation:
    made = market.panel()
    found = replay.run(
        made, variants=[ORIGINAL, SQUEEZE], references=[VIGL], first=session, last=session
    )
    return explain(made, found, [VIGL], symbol=symbol, session=session)


def stock(
    *, times: float = 5.0, close: float = 3.0, kind: str = "common", stop: int = 40
) -> Market:
    rows = [("A", day, 3.0, 3.2, 2.9, 3.1, 1e6) for day in DAYS[: stop - 1]]
    rows.append(("A", DAYS[stop - 1], close, close, close, close, times * 1e6))
    others = [("B", day, 3.0, 3.2, 2.9, 3.1, 1e6) for day in DAYS]
    listed = [("A", DAYS[0], DAYS[-1], kind), ("B", DAYS[0], DAYS[-1], "common")]
    return from_rows(bars=[*rows, *others], securities=listed)


class TestExplain:
    def test_of_a_candidate_gives_its_rank_and_points(self):
        verdict = told(stock(), "A", DAYS[-1]).verdicts[1]

        assert (verdict.rank, verdict.candidates, verdict.stopped_by) == (1, 1, None)
        assert sum(part.points or 0 for part in verdict.parts) == pytest.approx(verdict.score)
        assert {gate.passed for gate in verdict.gates} == {True, None}
        assert verdict.gates[7].passed is None  # the float is not known

    @pytest.mark.parametrize(
        ("changed", "gate"),
        [
            ({"kind": "etf"}, "common stock or ADR"),
            ({"times": 0}, "bar present and traded"),
            ({"close": 9}, "price band"),
            ({"times": 1}, "relative volume"),
        ],
    )
    def test_names_the_gate_that_stopped_a_symbol(self, changed, gate):
        verdict = told(stock(**changed), "A", DAYS[-1]).verdicts[1]

        assert verdict.stopped_by == gate
        assert verdict.rank is None
        assert next(one.name for one in verdict.gates if one.passed is False) == gate

    def test_of_a_symbol_behind_the_top_names_no_gate(self):
        market = stock(times=3.0)
        spike = pl.when(symbol="B", session=DAYS[-1]).then(9e6).otherwise("volume")
        made = market.with_("bars", market.bars.with_columns(volume=spike)).panel()
        rules = replace(SQUEEZE, top=1)
        found = replay.run(made, variants=[rules], references=[], first=DAYS[-1], last=DAYS[-1])

        verdict = explain(made, found, [], symbol="A", session=DAYS[-1]).verdicts[0]

        assert (verdict.rank, verdict.stopped_by, verdict.candidates) == (None, None, 1)

    def test_gives_bar_features_listing_and_likeness(self):
        explanation = told(stock(times=20.9, close=2.94), "A", DAYS[-1])

        assert explanation.features["rel_volume"] == pytest.approx(20.9)
        assert explanation.features["float_shares"] is None
        assert explanation.bar["volume"] == pytest.approx(20.9e6)
        assert explanation.listing_first == DAYS[0]
        assert explanation.scannable
        assert explanation.likeness[0].value == pytest.approx(100)
        assert explanation.likeness[0].coverage == pytest.approx(0.5)

    @pytest.mark.parametrize("seed", range(3))
    def test_agrees_with_the_replay_on_every_symbol(self, seed):
        market = make_market(seed=seed, symbols=12, length=50)
        session = market.sessions[-1]
        made = market.panel()
        found = replay.run(
            made, variants=[SQUEEZE], references=[VIGL], first=session, last=session
        ).variants[0]
        here = np.flatnonzero(made.session == sessions.number(session))

        for row in here:
            symbol = market.bars["symbol"][int(row)]
            verdict = told(market, symbol, session).verdicts[1]
            failed = next((at for at, g in enumerate(verdict.gates, 1) if g.passed is False), 0)
            unknown = {at for at, g in enumerate(verdict.gates, 1) if g.passed is None}
            assert found.code[row] in {failed, *unknown}
            picks = found.candidates.filter(symbol=symbol)
            assert verdict.rank == (picks["rank"].item() if picks.height else None)
            if picks.height:
                assert verdict.score == picks["score"].item()

    def test_of_a_session_without_a_bar_says_when_the_last_one_was(self):
        with pytest.raises(
            NoBar, match=f"A has no bar on {DAYS[-1]}; its last one is of {DAYS[29]}"
        ):
            told(stock(stop=30), "A", DAYS[-1])

    def test_of_a_symbol_without_bars_says_so(self):
        with pytest.raises(NoBar, match="ZZZ has no bar within 300 sessions"):
            told(stock(), "ZZZ", DAYS[-1])

    def test_of_a_day_without_trading_says_so(self):
        with pytest.raises(NoBar, match="2022-03-05 is no trading session"):
            told(stock(), "A", date(2022, 3, 5))
