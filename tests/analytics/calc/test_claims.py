from datetime import date

import polars as pl
import pytest

from analytics.calc import claims, sessions
from analytics.calc.claims import Pick, Totals

MISSION = Totals(
    picks=15, winners=11, explosive=7, average_return=1.52, profit=957.5, invested=1500.0
)
DAYS = [sessions.offset(date(2022, 3, 1), at) for at in range(50)]
NO_SPLITS = pl.DataFrame(schema={"ex_date": pl.Date, "ratio": pl.Float64})


def market(*, days=DAYS, **changed):
    """Bars at 3.00 (2.90 to 3.10), a million shares; ``changed`` by column at day 5."""
    rows = [(day, 3.1, 2.9, 3.0, 1e6) for day in days]
    frame = pl.DataFrame(rows, schema=["session", "high", "low", "close", "volume"], orient="row")
    at = pl.int_range(pl.len()) == 5
    return frame.with_columns(
        **{name: pl.when(at).then(value).otherwise(name) for name, value in changed.items()}
    )


def check(pick, bars=None, splits=NO_SPLITS, covered=DAYS):
    return claims.check_pick(
        pick, market(high=6.0) if bars is None else bars, splits, frozenset(covered)
    )[0]


def bought(**said):
    return Pick(**{"symbol": "ABCD", "entry_session": DAYS[0], "entry": 3.0, **said})


class TestTotals:
    def test_of_the_mission_do_not_agree(self):
        first = claims.check_totals(MISSION, [])[0]

        assert first.verdict == "impossible"
        assert "+63.8%" in first.evidence

    def test_that_agree_are_plausible(self):
        fair = Totals(
            picks=10, winners=5, explosive=1, average_return=0.1, profit=100.0, invested=1000.0
        )

        assert claims.check_totals(fair, [])[0].verdict == "plausible"

    def test_stand_with_the_interval_of_their_sample(self):
        found = claims.check_totals(MISSION, [])

        assert "48% to 89%" in found[1].evidence
        assert "25% to 70%" in found[2].evidence

    def test_check_the_gain_of_each_star(self):
        stars = [
            {"symbol": "VIGL", "return": 3.24, "entry": 2.94, "peak": 12.46},
            {"symbol": "BAD", "return": 9.0, "entry": 1.0, "peak": 2.0},
            {"symbol": "CRWV", "return": 1.71},
        ]

        found = claims.check_totals(MISSION, stars)[3:]

        assert [(item.subject, item.verdict) for item in found] == [
            ("VIGL", "plausible"),
            ("BAD", "impossible"),
        ]

    def test_flag_the_average_of_the_historical_winners(self):
        item = claims.check_winners_average([3.24, 1.71, 1.62])

        assert item.verdict == "impossible"
        assert "+219%" in item.evidence


class TestPick:
    def test_is_unverifiable_without_bars(self):
        assert check(bought(), market().clear()).verdict == "unverifiable"

    def test_is_unverifiable_where_the_data_have_no_session(self):
        assert check(bought(entry_session=date(2024, 6, 3))).verdict == "unverifiable"

    def test_is_impossible_on_a_day_it_did_not_trade(self):
        found = check(bought(), market(days=DAYS[10:]))

        assert found.verdict == "impossible"
        assert "did not trade" in found.evidence

    @pytest.mark.parametrize(
        ("price", "verdict"),
        [(2.9, "verified"), (3.1, "verified"), (3.105, "verified"), (2.88, "impossible"),
         (3.2, "impossible")],
    )  # fmt: skip
    def test_is_held_to_the_raw_low_and_high(self, price, verdict):
        assert check(bought(entry=price)).verdict == verdict

    def test_is_plausible_where_only_the_close_is_known(self):
        blank = market().with_columns(high=pl.lit(None, pl.Float64), low=pl.lit(None, pl.Float64))

        assert check(bought(), blank).verdict == "plausible"

    def test_is_impossible_if_its_prices_do_not_make_its_return(self):
        found = check(bought(exit=6.0, gain=3.0))

        assert (found.kind, found.verdict) == ("arithmetic", "impossible")

    @pytest.mark.parametrize(
        ("shares", "verdict"),
        [(None, "plausible"), (10_000, "verified"), (200_000, "plausible"), (2e6, "impossible")],
    )
    def test_asks_whether_the_size_could_be_sold(self, shares, verdict):
        peak = bought(exit=6.0, exit_session=DAYS[5], is_peak=True, shares=shares)

        assert check(peak).verdict == verdict

    def test_carries_shares_over_a_split(self):
        splits = pl.DataFrame({"ex_date": [DAYS[3]], "ratio": [10.0]})
        peak = bought(exit=6.0, exit_session=DAYS[5], is_peak=True, shares=150_000)

        assert check(peak, splits=splits).verdict == "impossible"

    def test_of_an_undated_peak_is_looked_for(self):
        assert check(bought(exit=5.9, is_peak=True)).verdict == "plausible"
        assert check(bought(exit=6.5, is_peak=True)).verdict == "impossible"

    def test_of_an_undated_peak_beyond_the_data_is_open(self):
        found = check(bought(exit=6.5, is_peak=True), covered=DAYS[:8])

        assert found.verdict == "unverifiable"

    @pytest.mark.parametrize(
        "wrong", [{"entry": 0.0}, {"entry": -1.0}, {"exit": 3.0, "exit_session": date(2021, 1, 4)}]
    )
    def test_refuses_what_cannot_be(self, wrong):
        with pytest.raises(ValueError, match="ABCD"):
            bought(**wrong)
