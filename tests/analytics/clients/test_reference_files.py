from datetime import UTC, date, datetime

import pytest

from analytics.calc import sessions
from analytics.clients import reference_files
from analytics.clients.files import WrongShape


def read(tmp_path, text, name="file.csv"):
    path = tmp_path / name
    path.write_text(text)
    return reference_files.read(path)


def usable_from(known_on, around):
    """The first session whose scan may use the row."""
    day = sessions.offset(around, -3)
    while sessions.cut_off(day) < known_on:
        day = sessions.offset(day, 1)
    return day


class TestRead:
    @pytest.mark.parametrize(
        ("header", "table"),
        [
            ("symbol,name,sec_type", "symbols"),
            ("symbol,sec_type", "symbols"),
            ("symbol,date,split_ratio", "splits"),
            ("symbol,settlement_date,shares_short", "short_interest"),
            ("symbol,as_of_date,shares_outstanding", "shares"),
            ("symbol,as_of_date,public_float,source", "shares"),
            ("symbol,settlement_date,quantity,price", "fails"),
        ],
    )
    def test_tells_what_a_file_is_by_its_columns(self, tmp_path, header, table):
        assert read(tmp_path, f"{header}\n").data_set == table

    @pytest.mark.parametrize("header", ["symbol", "symbol,date,close,volume", "name,kind"])
    def test_refuses_a_file_that_is_none_of_them(self, tmp_path, header):
        with pytest.raises(WrongShape, match=r"expected symbol, date, split_ratio .*; found"):
            read(tmp_path, f"{header}\n")


class TestKnownOn:
    def test_of_short_interest_is_the_session_after_the_stated_publication(self, tmp_path):
        text = "symbol,settlement_date,publication_date,shares_short\nA,2021-11-30,2021-12-09,5\n"

        known = read(tmp_path, text).reading.frame["known_on"][0]

        assert usable_from(known, date(2021, 12, 9)) == date(2021, 12, 10)

    def test_of_short_interest_is_computed_where_it_is_not_stated(self, tmp_path):
        text = "symbol,settlement_date,shares_short\nA,2021-11-30,5\n"

        known = read(tmp_path, text).reading.frame["known_on"][0]

        assert usable_from(known, date(2021, 12, 9)) == date(2021, 12, 10)

    def test_of_a_split_is_the_morning_of_its_ex_date(self, tmp_path):
        known = read(tmp_path, "symbol,date,split_ratio\nA,2024-06-10,0.1\n").reading.frame[
            "known_on"
        ][0]

        assert usable_from(known, date(2024, 6, 10)) == date(2024, 6, 10)

    def test_of_a_share_count_seen_on_screen_is_that_evening(self, tmp_path):
        text = "symbol,as_of_date,shares_outstanding,source\nA,2024-06-10,5,screener\n"

        known = read(tmp_path, text).reading.frame["known_on"][0]

        assert usable_from(known, date(2024, 6, 10)) == date(2024, 6, 10)

    def test_of_another_share_count_is_the_next_session(self, tmp_path):
        text = "symbol,as_of_date,shares_outstanding,source\nA,2024-06-07,5,filing\n"

        known = read(tmp_path, text).reading.frame["known_on"][0]

        assert usable_from(known, date(2024, 6, 7)) == date(2024, 6, 10)

    @pytest.mark.parametrize(
        ("settled", "usable"),
        [(date(2022, 12, 1), date(2023, 1, 3)), (date(2022, 12, 16), date(2023, 1, 17))],
    )
    def test_of_fails_follows_the_half_months_of_the_sec(self, tmp_path, settled, usable):
        text = f"symbol,settlement_date,quantity\nA,{settled},5\n"

        known = read(tmp_path, text).reading.frame["known_on"][0]

        assert known == datetime(usable.year, usable.month, usable.day, 14, 30, tzinfo=UTC)


class TestRows:
    def test_days_to_cover_without_any_volume_are_unknown(self, tmp_path):
        text = "symbol,settlement_date,shares_short,days_to_cover\nA,2021-11-30,5,999.99\n"

        assert read(tmp_path, text).reading.frame["days_to_cover"].to_list() == [None]

    def test_a_symbol_list_without_dates_holds_for_all_time(self, tmp_path):
        frame = read(tmp_path, "symbol,sec_type\nA,Common\n", "mine.csv").reading.frame

        assert frame.select("kind", "origin", "first_date", "last_date").row(0) == (
            "common", "mine", *reference_files.ALWAYS
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "gate"),
        [
            ("symbol,date,split_ratio\nA,2024-06-10,0\n", "bad_figure"),
            ("symbol,date,split_ratio\nA,2024-06-10,-2\n", "bad_figure"),
            ("symbol,date,split_ratio\nA,2024-06-10,1\n", "bad_figure"),
            ("symbol,date,split_ratio\nA,soon,2\n", "unreadable"),
            ("symbol,settlement_date,shares_short\nA,2021-11-30,-5\n", "bad_figure"),
            ("symbol,as_of_date,public_float\nA,2021-11-30,\n", "bad_figure"),
            ("symbol,settlement_date,quantity\nA,2021-11-30,-1\n", "bad_figure"),
            ("symbol,name,first_date,last_date\nA,B,2022-01-03,2021-01-04\n", "bad_figure"),
        ],
    )
    def test_that_cannot_be_are_kept_out_by_line(self, tmp_path, text, gate):
        reading = read(tmp_path, text).reading

        assert reading.frame.is_empty()
        assert reading.faults.select("gate", "line").rows() == [(gate, 2)]

    def test_of_the_same_key_only_the_first_goes_in(self, tmp_path):
        text = "symbol,date,split_ratio\nA,2024-06-10,2\nA,2024-06-10,3\n"

        reading = read(tmp_path, text).reading

        assert reading.frame["ratio"].to_list() == [2.0]
        assert reading.faults.select("gate", "line").rows() == [("duplicate_key", 3)]
