import numpy as np
import pytest

from analytics.calc import feature_evidence, learned_features, sessions
from tests.analytics.calc.test_walk_forward import LENGTH, START, STOCKS, made

ROWS = made()
SHEETS = {sheet.period: sheet for sheet in feature_evidence.sheets(ROWS, "volatility_20")}


class TestSheets:
    def test_one_a_year_and_one_of_all(self):
        assert list(SHEETS) == ["2021", "2022", "all"]
        assert SHEETS["all"].n == ROWS.number.size

    def test_rates_rise_with_what_matters(self):
        rates = [decile.rate for decile in SHEETS["all"].deciles]

        assert rates[-1] > 5 * rates[0]
        assert SHEETS["all"].spread == pytest.approx(max(rates) / min(rates))

    def test_tenths_hold_equally_many(self):
        sizes = {decile.n for decile in SHEETS["2021"].deciles}
        assert max(sizes) - min(sizes) <= 1

    def test_intervals_hold_the_rate_and_need_sixty_sessions(self):
        for decile in SHEETS["2021"].deciles:
            assert decile.low < decile.rate < decile.high
        short = START + LENGTH - sessions.number(sessions.day(START).replace(month=12, day=31)) - 1
        assert short < feature_evidence.FEWEST_SESSIONS
        assert {decile.low for decile in SHEETS["2022"].deciles} <= {None}

    def test_what_is_never_known_says_so(self):
        found = feature_evidence.sheets(ROWS, "fails_pct")[-1]

        assert (found.deciles, found.n, found.unknown) == ([], 0, 1.0)
        assert "known on 0 settled stock-days" in found.reason

    def test_equal_values_share_a_tenth(self):
        rows = made()
        rows.values[learned_features.NAMES.index("ret_5")] = np.repeat(
            [0.0, 1.0], STOCKS * LENGTH // 2
        )

        found = feature_evidence.sheets(rows, "ret_5")[-1]

        assert [decile.n for decile in found.deciles if decile.n] == [STOCKS * LENGTH // 2] * 2
