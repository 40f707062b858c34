from dataclasses import replace

import numpy as np
import pytest

from analytics.calc import detector, outcomes, replay, sessions
from performance.calc import gate_study
from tests import markets

MARKET = markets.make_market(seed=11, symbols=40, length=190, split=0.002)
DAYS = MARKET.sessions
RULES = replace(
    detector.SQUEEZE, name="V", weights={"volume": 0.6, "momentum": 0.4}, top=6,
    min_rel_volume=1.2, min_dollar_volume=3e5,
)  # fmt: skip
FIRST, LAST = DAYS[30], DAYS[150]


def reach():
    numbers = np.array([sessions.number(day) for day in DAYS], np.int32)
    return outcomes.coverage(numbers, size=sessions.calendar().size)


@pytest.fixture(scope="module")
def panel():
    return MARKET.panel()


@pytest.fixture(scope="module")
def found(panel):
    return gate_study.study(
        panel, rules=RULES, references=[], first=FIRST, last=LAST, reach=reach(), source="imported"
    )


def named(panel, rules):
    run = replay.run(panel, variants=[rules], references=[], first=FIRST, last=LAST)
    picks = run.variants[0].candidates
    return set(zip(picks["symbol"], picks["session"], strict=True))


def of(found, gate, how=gate_study.DROPPED):
    return next(g for g in found["gates"] if (g["gate"], g["how"]) == (gate, how))


class TestRelaxations:
    def test_loosen_one_gate_each(self):
        for change in gate_study.relaxations(RULES):
            fields = {
                name for name in vars(RULES) if getattr(RULES, name) != getattr(change.rules, name)
            }
            assert fields <= {"min_close", "max_close"} or len(fields) == 1

    def test_cover_every_gate_of_degree_twice(self):
        gates = [change.gate for change in gate_study.relaxations(RULES)]

        assert len(gates) == 14
        assert {gates.count(gate) for gate in gates} == {2}


class TestStudy:
    def test_adds_and_displaces_what_two_replays_differ_in(self, panel, found):
        before = named(panel, RULES)
        after = named(panel, replace(RULES, min_rel_volume=0.0))

        gate = of(found, "relative volume")

        assert gate["candidates_added"] == len(after - before) > 0
        assert gate["candidates_displaced"] == len(before - after)
        assert gate["candidates_added_per_session"] == len(after - before) / found["sessions"]

    def test_counts_episodes_caught_by_a_plain_search(self, panel, found):
        days = [
            (symbol, session)
            for symbol, session, peak in plain_winners(panel)
            if peak >= outcomes.EXPLOSIVE
        ]
        before = named(panel, RULES)
        after = named(panel, replace(RULES, min_close=1e-6, max_close=1e9))
        runs = plain_episodes(days)
        then, now = ([caught(run, rows) for run in runs] for rows in (before, after))

        gate = of(found, "price band")

        assert found["episodes"] == len(runs) > 5
        assert found["captured"] == sum(then)
        assert gate["episodes_gained"] == sum(b and not a for a, b in zip(then, now, strict=True))
        assert gate["episodes_lost"] == sum(a and not b for a, b in zip(then, now, strict=True))

    def test_names_what_would_have_caught_each_missed_winner(self, found):
        assert len(found["caught_by"]) == found["episodes"] - found["captured"]
        for change in ("price band: dropped", "relative volume: dropped"):
            gate, how = change.split(": ")
            caught_here = [name for name, by in found["caught_by"].items() if change in by]
            assert len(caught_here) == of(found, gate, how)["episodes_gained"]

    def test_says_how_good_the_added_rows_are(self, found):
        added = of(found, "relative volume")["precision_of_added"]

        assert added["status"] == "ok"
        assert added["low"] <= added["value"] <= added["high"]

    def test_loses_nothing_by_a_longer_list(self, found):
        assert of(found, gate_study.TOP)["episodes_lost"] == 0


def plain_winners(panel):
    """Every stock-day of common stock with its best close of 14 sessions, by a plain loop."""
    rows = []
    for segment in range(panel.segments):
        if not panel.segment_common[segment]:
            continue
        start, end = panel.segment_start[segment], panel.segment_start[segment + 1]
        for row in range(start, end - 1):
            day = panel.session[row]
            inside = sessions.number(FIRST) <= day <= sessions.number(LAST)
            if not inside or panel.session[row + 1] != day + 1 or not panel.open[row + 1] > 0:
                continue
            best, factor = 0.0, 1.0
            for at in range(row + 1, end):
                if panel.session[at] > day + 14:
                    break
                factor *= panel.split[at] if at > row + 1 else 1.0
                best = max(best, panel.close[at] * factor)
            symbol = panel.symbols[panel.segment_symbol[segment]]
            rows.append(((symbol, segment), int(day), best / panel.open[row + 1] - 1))
    return rows


def plain_episodes(days):
    runs = []
    for owner, day in sorted(days):
        if runs and runs[-1][0] == owner and day - runs[-1][2] <= 14:
            runs[-1][2] = day
        else:
            runs.append([owner, day, day])
    return runs


def caught(run, rows):
    (symbol, _), first, last = run
    return any((symbol, sessions.day(day)) in rows for day in range(first, last + 1))
