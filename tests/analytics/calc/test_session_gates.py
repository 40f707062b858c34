from datetime import date

import polars as pl
import pytest

from analytics.calc import session_gates

BEFORE, DAY = date(2024, 6, 27), date(2024, 6, 28)
USUAL = [100] * 20


def rows(count=100, shift=0.0, volume=1000.0):
    return pl.DataFrame(
        {
            "symbol": [f"S{n:03}" for n in range(count)],
            "close": [1.0 + n / 100 + shift for n in range(count)],
            "volume": [volume] * count,
        }
    )


def before(day=BEFORE):
    return rows().with_columns(session=pl.lit(day))


def faults(gate, count):
    return pl.DataFrame({"gate": [gate] * count}, schema={"gate": pl.String})


def gate(found=None, faulty=None, counts=USUAL, earlier=None):
    failure = session_gates.find_failure(
        rows(shift=0.01) if found is None else found,
        faults=faults("x", 0) if faulty is None else faulty,
        before=before() if earlier is None else earlier,
        counts=counts,
    )
    return failure and failure.gate


class TestFindFailure:
    def test_lets_a_usual_session_pass(self):
        assert gate() is None

    @pytest.mark.parametrize(("count", "found"), [(50, None), (49, "too_few_symbols")])
    def test_wants_half_the_usual_symbols(self, count, found):
        assert gate(rows(count, shift=0.01)) == found

    def test_says_nothing_of_too_few_where_nothing_is_usual(self):
        assert gate(rows(12, shift=0.01), counts=[100] * 4) is None

    def test_takes_the_median_so_that_one_cut_session_does_not_lower_it(self):
        assert gate(rows(49, shift=0.01), counts=[100] * 19 + [3]) == "too_few_symbols"

    def test_finds_bars_of_an_earlier_session(self):
        assert gate(rows()) == "repeated_session"
        assert gate(rows(), earlier=before(date(2024, 6, 21))) == "repeated_session"

    def test_is_not_misled_by_stocks_that_did_not_trade(self):
        assert gate(rows(volume=0.0), earlier=before().with_columns(volume=0.0)) is None

    @pytest.mark.parametrize(("count", "found"), [(11, None), (12, "wrong_session")])
    def test_lets_few_rows_of_another_day_pass(self, count, found):
        assert gate(faulty=faults("wrong_session", count)) == found

    @pytest.mark.parametrize(("count", "found"), [(25, None), (26, "faulty_file")])
    def test_refuses_a_file_with_many_faulty_rows(self, count, found):
        assert gate(faulty=faults("bad_price", count)) == found
