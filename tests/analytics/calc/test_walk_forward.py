from datetime import date

import numpy as np
import pytest

from analytics.calc import learned_features, sessions, walk_forward
from analytics.calc.learned_designs import Design
from analytics.calc.walk_forward import EMBARGO, WINDOW, Samples

START = sessions.number(date(2021, 1, 4))
LENGTH, STOCKS = 260, 150
DESIGN = Design(name="two", features=("volatility_20", "ret_5"))


def made(seed=1) -> Samples:
    """Stock-days whose chance rises with volatility."""
    random = np.random.default_rng(seed)
    number = np.tile(np.arange(START, START + LENGTH, dtype=np.int32), STOCKS)
    size = number.size
    values = np.full((len(learned_features.NAMES), size), np.nan)
    spread = np.exp(random.normal(-3, 0.5, size))
    values[learned_features.NAMES.index("volatility_20")] = spread
    values[learned_features.NAMES.index("ret_5")] = random.normal(0, 0.1, size)
    values[learned_features.NAMES.index("rel_volume")] = 1.0
    odds = -3 + 1.5 * (np.log(spread) + 3)
    explosive = random.random(size) < 1 / (1 + np.exp(-odds))
    return Samples(
        number=number,
        symbol=np.repeat(np.arange(STOCKS, dtype=np.int32), LENGTH),
        symbols=[f"S{at:03d}" for at in range(STOCKS)],
        values=values,
        known=np.ones(size, np.bool_),
        explosive=explosive,
        return_14=np.where(explosive, 0.3, -0.02),
    )


ROWS = made()
WHEN = walk_forward.refits(np.unique(ROWS.number))
WALK = walk_forward.run(ROWS, DESIGN, when=WHEN)


class TestRefits:
    def test_are_the_first_sessions_of_each_month_but_the_first(self):
        days = [sessions.day(number) for number in WHEN]

        assert days[:2] == [date(2021, 2, 1), date(2021, 3, 1)]
        assert all(sessions.offset(day, -1).month != day.month for day in days)


class TestSettledBefore:
    def test_keeps_an_embargo_behind_the_last_window(self):
        first = START + 100

        seen = ROWS.number[walk_forward.settled_before(ROWS, first)]

        assert int(seen.max()) + WINDOW + EMBARGO == first - 1

    def test_leaves_out_what_is_not_known(self):
        rows = made()
        rows.known[rows.number == START] = False

        assert START not in rows.number[walk_forward.settled_before(rows, START + 100)]


class TestRun:
    def test_says_nothing_before_its_first_model(self):
        first = WALK.steps[0].usable_from

        assert np.isnan(WALK.probability[ROWS.number < first]).all()
        assert not np.isnan(WALK.probability[ROWS.number >= first]).any()

    def test_a_model_saw_nothing_of_what_it_scores(self):
        for step in WALK.steps:
            assert step.last + WINDOW + EMBARGO < step.usable_from

    def test_outcomes_of_the_future_change_nothing(self):
        cut = WHEN[8]
        other = made()
        later = other.number + WINDOW + EMBARGO >= cut
        other.explosive[later] = ~other.explosive[later]
        other.return_14[later] = 9.0

        again = walk_forward.run(other, DESIGN, when=WHEN)

        before = ROWS.number < WHEN[9]
        assert again.probability[before].tobytes() == WALK.probability[before].tobytes()
        assert again.probability[~before].tobytes() != WALK.probability[~before].tobytes()

    def test_is_calibrated_and_finds_what_matters(self):
        scored = ~np.isnan(WALK.probability)
        drawn = walk_forward.curve(WALK.probability[scored], ROWS.explosive[scored])

        assert drawn.error == pytest.approx(0, abs=0.02)
        assert drawn.said == sorted(drawn.said)
        card = walk_forward.described(ROWS, WALK.probability, among=scored)
        assert card["precision"] > 2 * card["base_rate"]
        assert card["precision_low"] < card["precision"] < card["precision_high"]


class TestThinned:
    def test_keeps_what_was_explosive_and_a_fixed_share_of_the_rest(self):
        kept = walk_forward.thinned(ROWS)

        assert kept[ROWS.explosive].all()
        share = kept[~ROWS.explosive].mean()
        assert share == pytest.approx(1 / walk_forward.THIN, abs=0.03)


class TestBest:
    def test_takes_the_highest_of_each_session_then_by_symbol(self):
        score = np.where(ROWS.symbol % 2 == 0, 1.0, 0.5)

        chosen = walk_forward.best(ROWS, score, top=3)

        assert chosen.size == 3 * LENGTH
        assert set(ROWS.symbol[chosen]) == {0, 2, 4}

    def test_leaves_out_what_has_no_score_or_no_volume(self):
        score = np.full(ROWS.number.size, np.nan)
        assert walk_forward.best(ROWS, score, top=3).size == 0
        assert walk_forward.best(ROWS, np.ones_like(score), top=3, least_volume=1.5).size == 0


class TestFigures:
    def test_without_a_pick_there_is_no_rate(self):
        found = walk_forward.figures(
            ROWS, np.empty(0, np.int64), among=np.ones(ROWS.number.size, np.bool_)
        )
        assert (found.n, found.precision, found.low) == (0, None, None)

    def test_under_sixty_sessions_there_is_no_interval(self):
        among = ROWS.number < START + 59
        picks = walk_forward.best(ROWS, np.where(among, 1.0, np.nan), top=3)

        found = walk_forward.figures(ROWS, picks, among=among)

        assert found.precision is not None
        assert found.low is None
