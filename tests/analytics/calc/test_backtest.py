from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analytics.calc import backtest, backtest_report, detector, outcomes, replay, sessions
from analytics.calc.backtest import Terms
from tests import markets

MARKET = markets.make_market(seed=4, symbols=30, length=190, split=0.003, blank=0.0)
RULES = [
    replace(
        detector.SQUEEZE, name="V", weights={"volume": 0.6, "momentum": 0.4}, top=4, max_close=50.0,
        min_dollar_volume=1e4, min_rel_volume=0.5,
    ),
    replace(
        detector.ORIGINAL, name="M", weights={"momentum": 1.0}, top=3, max_close=50.0,
        min_dollar_volume=1e4, min_rel_volume=0.5,
    ),
]  # fmt: skip
DAYS = MARKET.sessions
TERMS = Terms(top=2, hold=5)


def reach(days=DAYS):
    numbers = np.array([sessions.number(day) for day in days], np.int32)
    return outcomes.coverage(numbers, size=sessions.calendar().size)


def measure(first, last, *, terms=TERMS):
    return backtest.measure(
        MARKET.panel(), variants=RULES, references=[], first=DAYS[first], last=DAYS[last],
        reach=reach(), terms=terms,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    return backtest.join([measure(30, 150)])


class TestMeasure:
    def test_names_what_discovery_names(self, whole):
        found = replay.run(
            MARKET.panel(), variants=RULES, references=[], first=DAYS[30], last=DAYS[150]
        )

        for record, result in zip(whole, found.variants, strict=True):
            assert record.picks["symbol"].equals(result.candidates["symbol"])
            assert record.picks["rank"].equals(result.candidates["rank"])

    def test_gives_the_outcomes_of_settlement(self, whole):
        panel = MARKET.panel()
        found = replay.run(panel, variants=RULES, references=[], first=DAYS[30], last=DAYS[150])
        rows = found.variants[0].candidates["row"].to_numpy()

        settled = outcomes.settle(panel, rows, reach=reach())

        mine = whole[0].picks
        held = settled.figures[:, outcomes.RETURN_14]
        assert np.array_equal(mine["return_14"].to_numpy(), held, equal_nan=True)
        assert mine["state"].to_list() == settled.state.tolist()

    def test_does_not_depend_on_how_the_period_is_cut(self, whole):
        parts = backtest.join([measure(30, 70), measure(71, 120), measure(121, 150)])

        for one, other in zip(whole, parts, strict=True):
            document, returns = backtest_report.report(
                one, terms=TERMS, slippage_bp=0, source="imported"
            )
            assert (document, returns) == backtest_report.report(
                other, terms=TERMS, slippage_bp=0, source="imported"
            )

    def test_leaves_out_the_future_of_the_last_session_if_it_is_not_covered(self):
        record = backtest.join([measure(150, len(DAYS) - 1)])[0]

        late = record.picks.filter(pl.col("number") > sessions.number(DAYS[-15]))
        assert late.height > 0
        assert late["return_14"].is_nan().all()


class TestCaptures:
    def rows(self, *days, symbol="A"):
        return pl.DataFrame(
            [(symbol, 0, day) for day in days],
            schema={"symbol": pl.String, "listing": pl.Int32, "number": pl.Int32},
            orient="row",
        )

    def test_join_days_at_gaps_of_fourteen_sessions(self):
        found = backtest.captures(self.rows(10, 24, 39), self.rows(15))

        assert found.number.tolist() == [10, 39]
        assert found.captured.tolist() == [True, False]
        assert found.day_named.tolist() == [False, False, False]

    def test_do_not_count_another_symbol(self):
        found = backtest.captures(self.rows(10, 12), self.rows(11, symbol="B"))

        assert found.captured.tolist() == [False]

    def test_name_the_day_that_is_a_candidate_itself(self):
        found = backtest.captures(self.rows(10, 12), self.rows(12))

        assert found.day_named.tolist() == [False, True]

    def test_of_no_winner_are_empty(self):
        assert backtest.captures(self.rows(), self.rows(3)).captured.size == 0


class TestCorrelations:
    def test_agree_with_scipy_where_there_are_ties(self):
        random = np.random.default_rng(1)
        place = np.repeat(np.arange(6), 9)
        score, value = random.integers(0, 5, 54).astype(float), random.integers(0, 4, 54) * 1.0

        found = backtest_report.correlations(place, score, value, 6)

        for at in range(6):
            own = place == at
            assert found[at] == pytest.approx(stats.spearmanr(score[own], value[own]).statistic)

    def test_agree_with_alphalens(self):
        performance = pytest.importorskip("alphalens.performance")
        import pandas as pd

        random = np.random.default_rng(1)
        days = pd.bdate_range("2022-01-03", periods=30)
        index = pd.MultiIndex.from_product([days, list("ABCDEFGH")], names=["date", "asset"])
        data = pd.DataFrame(random.random((240, 2)), index=index, columns=["factor", "14D"])

        theirs = performance.factor_information_coefficient(data)["14D"].to_numpy()

        place = np.repeat(np.arange(30), 8)
        mine = backtest_report.correlations(
            place, data["factor"].to_numpy(), data["14D"].to_numpy(), 30
        )
        assert mine.tolist() == pytest.approx(theirs.tolist())

    def test_are_unknown_for_too_few_and_for_no_variation(self):
        place = np.array([0] * 4 + [1] * 6)
        value = np.array([1.0, 2, 3, 4, 7, 7, 7, 7, 7, 7])

        assert np.isnan(backtest_report.correlations(place, np.arange(10.0), value, 3)).all()


class TestReport:
    def report(self, whole, **changed):
        terms = Terms(**{"top": 2, "hold": 5, **changed})
        return backtest_report.report(whole[0], terms=terms, slippage_bp=0, source="imported")[0]

    def test_counts_every_candidate_once(self, whole):
        counts = self.report(whole)["counts"]

        states = ("settled", "delisted", "no_entry", "pending")
        assert counts["candidates"] == whole[0].picks.height
        assert sum(counts[name] for name in states) == counts["candidates"]

    def test_gives_the_rates_of_its_rows(self, whole):
        found = self.report(whole)["explosive"]
        known = whole[0].picks.filter(pl.col("state").is_in([1, 2]))
        first = known.filter("first")

        assert found["all_rows"]["rate"]["value"] == (known["peak"] >= 0.5).mean()
        assert found["first_signals"]["rate"]["n"] == first.height
        assert found["all_rows"]["rate"]["low"] < found["all_rows"]["rate"]["value"]

    def test_charges_costs_on_both_sides(self, whole):
        free, dear = (
            self.report(whole, cost_bp=bp)["returns"]["mean_net"]["value"] for bp in (0, 100)
        )

        assert 1 + dear == pytest.approx((1 + free) * 0.99 / 1.01)

    def test_adds_the_variants_slippage(self, whole):
        found = backtest_report.report(whole[0], terms=TERMS, slippage_bp=25, source="imported")

        assert found[0]["cost_a_side"] == pytest.approx(0.0075)

    def test_says_simulated_of_the_sample_market(self, whole):
        found = backtest_report.report(whole[0], terms=TERMS, slippage_bp=0, source="simulated")

        assert found[0]["explosive"]["all_rows"]["rate"]["status"] == "simulated"
        assert found[0]["portfolio"]["sharpe"]["status"] == "simulated"

    def test_gives_no_figure_for_a_handful_of_sessions(self):
        record = backtest.join([measure(30, 50)])[0]

        found, _ = backtest_report.report(record, terms=TERMS, slippage_bp=0, source="imported")

        rate = found["explosive"]["all_rows"]["rate"]
        assert (rate["status"], rate["value"]) == ("insufficient_data", None)
        assert found["portfolio"]["psr"]["status"] == "insufficient_data"

    def test_walks_forward_year_by_year(self, whole):
        found = self.report(whole)

        years = found["walk_forward"]
        assert [year["year"] for year in years] == [2021]
        assert sum(year["candidates"] for year in years) == found["counts"]["candidates"]


class TestTerms:
    @pytest.mark.parametrize(
        "wrong", [{"top": 0}, {"hold": 0}, {"hold": 31}, {"cost_bp": -1}, {"max_share": 0}]
    )
    def test_refuse_what_makes_no_sense(self, wrong):
        with pytest.raises(ValueError, match=r"top|share"):
            Terms(**wrong)
