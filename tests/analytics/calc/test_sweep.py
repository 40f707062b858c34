import numpy as np
import polars as pl
import pytest

from analytics.calc import outcomes, replay, sessions, sweep
from analytics.calc.detector import COMPONENTS, Rules
from analytics.calc.similarity import Reference
from tests import markets

RULES = Rules(
    name="T",
    weights={"volume": 0.4, "momentum": 0.3, "float": 0.15, "technical": 0.15},
    min_close=0.2,
    max_close=50.0,
    min_dollar_volume=1000.0,
    min_rel_volume=0.5,
    max_float=1e9,
    min_sessions=5,
    top=4,
)
REFERENCE = Reference(symbol="VIGL", rel_volume=20.9, close=2.94)


class Swept:
    """A small market, replayed, and the field of its stock-days."""

    def __init__(self, seed=11):
        self.market = markets.make_market(seed=seed, symbols=30, length=100)
        days = self.market.sessions
        self.panel = self.market.panel()
        self.found = replay.run(
            self.panel, variants=[RULES], references=[REFERENCE], first=days[0], last=days[-1]
        )
        numbers = np.array([sessions.number(day) for day in days], np.int32)
        reach = outcomes.coverage(numbers, size=sessions.calendar().size)
        wanted = np.ones(self.panel.height, np.bool_)
        self.lean = outcomes.settle_lean(self.panel, wanted, reach=reach)
        self.numbers = numbers

    def field(self, first=0, last=-1):
        return sweep.field(
            self.panel,
            self.found.pool,
            self.found.variants[0],
            self.lean,
            first=int(self.numbers[first]),
            last=int(self.numbers[last]),
        )


@pytest.fixture(scope="module")
def made():
    return Swept()


@pytest.fixture(scope="module")
def rows(made):
    return made.field()


def run(rows, *weights, top=4):
    return sweep.run(rows, np.array(weights), top=top, min_coverage=0.55)


class TestPicks:
    def test_of_a_variants_weights_are_its_candidates(self, made, rows):
        chosen = made.found.variants[0].candidates

        places = sweep.picks_of(rows, RULES.weight_vector, top=4, min_coverage=0.55)

        symbols = np.array(made.panel.symbols)
        ours = [
            (sessions.day(int(rows.session[slot])), str(symbols[rows.symbol[at]]))
            for slot, row in enumerate(places)
            for at in row[row >= 0]
        ]
        theirs = list(zip(chosen["session"], chosen["symbol"], strict=True))
        assert len(theirs) > 150
        assert ours == theirs

    def test_leave_out_what_has_too_little_data(self, rows):
        sentiment = np.eye(6)[COMPONENTS.index("sentiment")]

        places = sweep.picks_of(rows, sentiment, top=4, min_coverage=0.55)

        known = ~np.isnan(rows.parts[COMPONENTS.index("sentiment")])
        assert known[places[places >= 0]].all()


class TestRun:
    def test_is_what_the_picks_came_to(self, made, rows):
        chosen = made.found.variants[0].candidates["row"].to_numpy()
        held = made.lean.return_14[chosen]
        known = ~np.isnan(held)
        net = (1 + held[known]) * 0.995 / 1.005 - 1

        found = run(rows, RULES.weight_vector)

        assert found.picks[0] == known.sum() > 50
        assert found.mean_net[0] == pytest.approx(net.mean())
        explosive = made.lean.peak_close_return[chosen][known] >= 0.5
        assert found.explosive_rate[0] == pytest.approx(explosive.mean())
        frame = pl.DataFrame({"s": made.panel.session[chosen][known], "net": net})
        by_session = frame.group_by("s").agg(pl.col("net").mean()).sort("s")["net"].to_numpy()
        profit = found.profit[:, 0]
        assert profit[~np.isnan(profit)] == pytest.approx(by_session)

    def test_does_not_depend_on_the_other_sets(self, rows):
        drawn = sweep.draw(sets=6, components=COMPONENTS[:5], seed=3)

        together, alone = run(rows, *drawn), run(rows, drawn[4])

        assert np.array_equal(together.profit[:, 4], alone.profit[:, 0], equal_nan=True)

    def test_never_reads_the_future_when_it_picks(self, made, rows):
        weights = RULES.weight_vector
        early = made.field(last=60)

        whole = sweep.picks_of(rows, weights, top=4, min_coverage=0.55)
        cut = sweep.picks_of(early, weights, top=4, min_coverage=0.55)

        assert np.array_equal(whole[: cut.shape[0]], cut)

    def test_says_how_far_it_is(self, rows):
        said = []
        weights = sweep.draw(sets=30, components=["volume", "momentum"], seed=1)

        sweep.run(rows, weights, top=2, min_coverage=0.5, on_progress=said.append)

        assert said == [25, 30]


class TestJoin:
    def test_of_two_stretches_is_the_whole(self, made, rows):
        joined = sweep.join([made.field(last=49), made.field(first=50)])

        for name, values in vars(rows).items():
            assert np.array_equal(getattr(joined, name), values, equal_nan=True), name


class TestDraw:
    def test_is_in_thousandths_and_adds_up_to_one(self):
        drawn = sweep.draw(sets=200, components=["volume", "float", "technical"], seed=5)

        assert drawn.sum(axis=1) == pytest.approx(np.ones(200))
        assert (drawn * 1000) == pytest.approx(np.round(drawn * 1000))
        assert (drawn[:, [1, 3, 5]] == 0).all()
        assert (drawn >= 0).all()

    def test_is_the_same_for_the_same_seed(self):
        one, same, other = (
            sweep.draw(sets=5, components=COMPONENTS, seed=seed) for seed in (1, 1, 2)
        )

        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_is_only_over_components_with_data(self, rows):
        known = sweep.components_with_data(rows)

        assert "volume" in known
        assert all(not np.isnan(rows.parts[COMPONENTS.index(name)]).all() for name in known)
