import numpy as np
import polars as pl
import pytest

from analytics.calc import detector_report_rows, exits, outcomes, sessions
from tests import markets

RULES = (exits.HOLD, exits.STOP_15)


@pytest.fixture(scope="module")
def panel():
    return markets.make_market(seed=8, symbols=12, length=120, split=0.005).panel()


@pytest.fixture(scope="module")
def numbers(panel):
    return np.unique(panel.session)[30:90]


@pytest.fixture(scope="module")
def lists(panel, numbers):
    """What a scan might list: every other row, and one symbol that has no bars."""
    owner = np.repeat(np.arange(len(panel.symbols)), np.diff(panel.symbol_start))
    rows = np.flatnonzero(np.isin(panel.session, numbers))[::2]
    size = rows.size
    listed = pl.DataFrame(
        {
            "variant": ["A", "B"] * (size // 2) + ["A"] * (size % 2),
            "number": panel.session[rows],
            "symbol": [panel.symbols[at] for at in owner[rows]],
            "rank": np.arange(size) % 50 + 1,
            "p": np.linspace(0, 1, size),
        }
    )
    gone = listed.head(1).with_columns(symbol=pl.lit("GONE"))
    return pl.concat([listed, gone])


@pytest.fixture(scope="module")
def reach(panel):
    return outcomes.coverage(np.unique(panel.session), size=sessions.calendar().size)


@pytest.fixture(scope="module")
def measured(panel, lists, numbers, reach):
    return detector_report_rows.measure(
        panel, lists, numbers=numbers, reach=reach, rules=RULES, costs=exits.Costs()
    )


class TestMeasure:
    def test_holds_every_listed_row_but_those_whose_bar_is_gone(self, measured, lists):
        assert measured.lost == 1
        kept = lists.head(lists.height - 1)
        found = measured.picks.select("variant", "number", "symbol", "rank", "p")
        assert found.equals(kept.select(found.columns).cast(found.schema))

    def test_holding_gives_the_return_of_an_outcome(self, measured):
        known = measured.picks.filter(pl.col("known"))

        assert known.height > 300
        np.testing.assert_allclose(known["gross_0"], known["return_14"])

    def test_a_stop_changes_what_fell_and_costs_are_taken_off(self, measured):
        known = measured.picks.filter(pl.col("known"))

        assert (known["gross_1"] != known["gross_0"]).any()
        assert (known["net_1"] < known["gross_1"]).all()
        assert (known["held_1"] <= known["held_0"]).all()

    def test_names_explosive_days_of_common_stock_alone(self, measured):
        assert (measured.winners["peak"] >= outcomes.EXPLOSIVE).all()
        assert measured.winners["number"].is_in(measured.number.tolist()).all()


class TestJoin:
    def test_gives_what_one_stretch_gives(self, panel, lists, numbers, reach, measured):
        halves = [
            detector_report_rows.measure(
                panel,
                lists.filter(pl.col("number").is_in(part.tolist())),
                numbers=part,
                reach=reach,
                rules=RULES,
                costs=exits.Costs(),
            )
            for part in (numbers[:25], numbers[25:])
        ]

        joined = detector_report_rows.join(halves)

        key = ["variant", "number", "symbol", "rank"]
        assert joined.picks.sort(key).equals(measured.picks.sort(key))
        assert joined.winners.sort("symbol", "number").equals(
            measured.winners.sort("symbol", "number")
        )
        assert (joined.number == measured.number).all()
        assert (joined.base.by_decile == measured.base.by_decile).all()
        assert joined.lost == 1
