from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics.calc import detector_report, detector_report_charts, exits, intervals, sessions
from analytics.calc import detector_report_tables as tables
from analytics.calc import detector_report_words as words
from analytics.calc.detector_report import Question, luck
from analytics.calc.detector_report_rows import Rows
from analytics.calc.market import SessionCounts

RULES = (exits.HOLD, exits.STOP_15)
DAYS = sessions.between(date(2021, 6, 1), date(2022, 6, 30))
NUMBER = np.array([sessions.number(day) for day in DAYS], np.int32)
EARLY = sum(day.year == 2021 for day in DAYS)
PER_SESSION = 12


def make_rows(*, gain=0.02, variants=("A", "B"), p=None, seed=1):
    """Twelve picks a session: every fourth explosive; a stop gives ``gain`` more than holding."""
    random = np.random.default_rng(seed)
    size = NUMBER.size * PER_SESSION
    picks = []
    for name in variants:
        net = random.normal(-0.01, 0.1, size)
        explosive = np.arange(size) % 4 == 0
        picks.append(
            pl.DataFrame(
                {
                    "variant": name,
                    "number": np.repeat(NUMBER, PER_SESSION),
                    "symbol": [f"S{k % PER_SESSION:02d}" for k in range(size)],
                    "listing": 0,
                    "rank": np.tile(np.arange(1, PER_SESSION + 1), NUMBER.size).astype(np.int32),
                    "p": np.full(size, np.nan) if p is None else p(explosive, random),
                    "known": True,
                    "peak": np.where(explosive, 0.7, 0.1),
                    "return_14": net,
                    "decile": 1 + np.arange(size) % 10,
                    "net_0": net,
                    "net_1": net + gain,
                    **{f"gross_{rule}": net + 0.01 + gain * rule for rule in (0, 1)},
                    **{f"capacity_{rule}": 5_000.0 for rule in (0, 1)},
                    **{f"held_{rule}": 14.0 for rule in (0, 1)},
                }
            ).with_columns(pl.col("p").fill_nan(None), pl.col("listing").cast(pl.Int32))
        )
    each = np.full(NUMBER.size, 100)
    winners = pl.DataFrame(  # S00 is named each session: one long episode; others never are
        {
            "symbol": ["S00", "ZZZ"] * NUMBER.size,
            "listing": pl.Series([0, 0] * NUMBER.size, dtype=pl.Int32)
            + pl.Series(np.repeat(np.arange(NUMBER.size), 2) * np.tile([0, 1], NUMBER.size)).cast(
                pl.Int32
            ),
            "number": pl.Series(np.repeat(NUMBER, 2)),
            "peak": [1.2, 1.5, 1.2, 0.7] * (NUMBER.size // 2),
        }
    )
    return Rows(
        number=NUMBER,
        base=SessionCounts(
            n=each,
            explosive=each // 20,
            positive=each // 2,
            by_decile=np.full((NUMBER.size, 10), 10),
            explosive_by_decile=np.tile([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], (NUMBER.size, 1)),
        ),
        winners=winners,
        picks=pl.concat(picks),
        lost=0,
    )


def make_report(rows=None, *, ledger=50):
    question = Question(variants=("A", "B", "C"), rules=RULES, source="imported", ledger=ledger)
    return detector_report.report(make_rows() if rows is None else rows, question)


@pytest.fixture(scope="module")
def found():
    return make_report()


def table_of(found, key):
    return next(scope for scope in found["scopes"] if scope["key"] == key)


class TestReport:
    def test_keeps_the_last_year_apart(self, found):
        assert found["untouched_year"] == 2022
        assert table_of(found, "before")["sessions"] == EARLY
        assert table_of(found, "untouched")["sessions"] == len(DAYS) - EARLY
        assert [scope["key"] for scope in found["scopes"]][-2:] == ["2021", "2022"]

    def test_says_why_a_variant_is_missing(self, found):
        assert found["variants"] == ["A", "B"]
        assert found["missing"] == {"C": "no out-of-sample model"}

    def test_measures_precision_and_lift_of_the_first_ranks(self, found):
        own = table_of(found, "before")["variants"]["A"]

        assert own["precision"]["5"]["value"] == pytest.approx(2 / 5)
        assert own["precision"]["5"]["n"] == EARLY * 5
        assert own["precision"]["all"]["value"] == pytest.approx(1 / 4)
        assert own["base"]["value"] == pytest.approx(0.05)
        assert own["lift"]["all"]["value"] == pytest.approx(5.0)
        assert own["matched_lift"]["all"]["value"] == pytest.approx(5.0, rel=0.05)

    def test_measures_recall_in_stock_days_and_in_episodes(self, found):
        recall = table_of(found, "before")["variants"]["A"]["recall"]["all"]

        assert recall["stock_days"]["value"] == pytest.approx(0.5)
        assert recall["episodes"]["value"] == pytest.approx(1 / (1 + EARLY))
        assert recall["doubled_episodes"]["value"] == pytest.approx(1 / (1 + EARLY / 2))
        assert recall["doubled_episodes"]["n"] == 1 + EARLY // 2

    def test_pairs_each_rule_with_holding(self, found):
        hold, stop, chosen = table_of(found, "before")["variants"]["A"]["exits"][:3]

        assert hold["over_hold"] is None
        assert stop["over_hold"]["value"] == pytest.approx(0.02)
        assert stop["over_hold"]["low"] == pytest.approx(0.02), "the same in every trade"
        assert stop["mean_net"]["value"] == pytest.approx(hold["mean_net"]["value"] + 0.02)
        assert chosen["rule"] == detector_report.CHOSEN
        assert chosen["mean_net"]["n"] < stop["mean_net"]["n"], "nothing to choose by at first"

    def test_cuts_orders_to_the_capacity(self, found):
        hold = table_of(found, "before")["variants"]["A"]["exits"][0]

        assert hold["mean_net_at_stake"]["value"] == pytest.approx(hold["mean_net"]["value"] / 2)

    def test_refuses_below_twenty_entries(self):
        rows = make_rows()
        few = rows.picks.filter(pl.col("rank") == 1).head(15)

        found = make_report(
            Rows(
                number=rows.number, base=rows.base, winners=rows.winners, picks=few, lost=0
            )
        )  # fmt: skip

        hold = table_of(found, "before")["variants"]["A"]["exits"][0]
        assert hold["mean_net"]["status"] == "insufficient_data"
        assert "20 are needed" in hold["mean_net"]["reason"]
        assert found["verdict"] == []
        assert "too few" in words.sentences(found)[-1]

    def test_chooses_without_a_look_at_the_last_year(self):
        rows = make_rows()
        last = pl.col("number") >= int(NUMBER[EARLY])
        turned = rows.picks.with_columns(
            net_1=pl.when(last).then(pl.col("net_0") - 0.5).otherwise(pl.col("net_1"))
        )

        found = make_report(
            Rows(number=rows.number, base=rows.base, winners=rows.winners, picks=turned, lost=0)
        )

        stop, chosen = table_of(found, "untouched")["variants"]["A"]["exits"][1:3]
        assert chosen["mean_net"]["value"] == pytest.approx(stop["mean_net"]["value"])


class TestCalibration:
    def test_lies_on_the_diagonal_for_a_right_forecast(self):
        def forecast(explosive, random):
            return np.where(explosive, 0.999, 0.001)

        found = make_report(make_rows(variants=("A", "C"), p=forecast))

        seen = table_of(found, "before")["variants"]["C"]["calibration"]
        assert seen["error"] < 0.05
        assert seen["brier"] < 0.01
        assert sum(part["observed"]["n"] for part in seen["bins"]) == seen["n"]
        assert detector_report_charts.calibration(found)["series"]

    def test_shows_a_forecast_that_is_twice_too_high(self):
        found = make_report(make_rows(variants=("C",), p=lambda e, r: np.full(e.size, 0.5)))

        assert table_of(found, "before")["variants"]["C"]["calibration"]["error"] == pytest.approx(
            0.25, abs=0.01
        )

    def test_is_none_for_rules(self, found):
        assert table_of(found, "before")["variants"]["A"]["calibration"] is None
        assert detector_report_charts.calibration(found) == {"series": []}


class TestCommonSessions:
    def test_compare_variants_where_all_of_them_listed(self):
        rows = make_rows()
        late = pl.col("number") >= int(NUMBER[40])
        picks = rows.picks.filter((pl.col("variant") == "A") | late)

        found = make_report(
            Rows(number=rows.number, base=rows.base, winners=rows.winners, picks=picks, lost=0)
        )

        assert table_of(found, "common")["sessions"] == EARLY - 40


class TestLuck:
    def test_is_the_tail_of_student_and_grows_with_the_trials(self):
        t = intervals.t_quantile(0.99, 12)

        assert luck(t, 12, 1) == pytest.approx(0.01)
        assert luck(t, 12, 30) == pytest.approx(1 - 0.99**30)
        assert luck(-50.0, 5, 3) == pytest.approx(1.0)


class TestChance:
    @pytest.mark.parametrize(
        ("value", "said"),
        [(None, "–"), (0.0, "under 0.1 %"), (1.0, "over 99.9 %"), (0.0513, "5.1 %")],
    )
    def test_is_never_certain(self, value, said):
        assert words.chance(value) == said


class TestWords:
    def test_say_that_nothing_made_money(self, found):
        losing = make_report(make_rows(gain=-0.02))

        said = words.sentences(losing)

        assert said[0] == "Variant C: no out-of-sample model."
        assert "So no combination made money" in said[-1]

    def test_say_where_there_is_an_edge_and_how_sure_that_is(self):
        said = words.sentences(make_report(make_rows(gain=0.08)))

        assert "evidence of an edge that 2022 did not refute" in said[-1]
        assert "stop -15 %" in said[-1]
        assert "50 on record in all" in said[1]

    def test_hold_the_learned_variant_against_what_was_hoped_for(self):
        rows = make_rows(variants=("B", "C"), p=lambda e, r: np.full(e.size, 0.25))

        said = words.sentences(make_report(rows))

        for at, when in ((1, "All years before 2022"), (2, "2022, untouched")):
            assert said[at].startswith(f"{when}: of the first 10 of C")
            assert "1.00x that of B" in said[at]
            assert "calibration error" in said[at]
        assert "clean of every choice" in said[3]

    def test_take_a_gain_that_luck_would_make_for_luck(self):
        said = words.sentences(make_report(make_rows(gain=0.012), ledger=100_000))

        assert "nothing here is evidence of an edge" in said[-1]


class TestTables:
    def test_hold_as_many_cells_as_columns(self, found):
        for table in tables.tables(found):
            assert table.rows, table.title
            assert {len(row) for row in table.rows} == {len(table.columns)}, table.title

    def test_give_every_rule_by_year(self, found):
        by_year = tables.tables(found)[-1]

        assert len(by_year.rows) == 2 * 3
        assert by_year.columns[2:] == (
            "A, mean net",
            "A, median net",
            "B, mean net",
            "B, median net",
        )


class TestCharts:
    def test_draw_what_the_tables_say(self, found):
        drawn = detector_report_charts.returns(found)

        own = table_of(found, "before")["variants"]["A"]["exits"][0]["mean_net"]
        assert drawn["rules"] == found["rules"]
        assert drawn["series"][0]["points"][0] == [own["value"], own["low"], own["high"]]
