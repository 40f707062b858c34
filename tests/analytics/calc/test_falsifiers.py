import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calc import falsifiers
from analytics.calc.falsifiers import BadCondition, Condition, parse


def measured(**columns):
    length = len(next(iter(columns.values())))
    empty = {name: [None] * length for name in falsifiers.MEASURES}
    return pl.DataFrame(
        {
            "symbol": ["VIGL"] * length,
            "number_of_session": list(range(11, 11 + length)),
            "basis": [1.0] * length,
            **empty,
            **columns,
        },
        schema_overrides=dict.fromkeys(falsifiers.MEASURES, pl.Float64),
    )


def asked(*conditions, after=10, until=40, scale=1.0):
    parsed = [parse(text) for text in conditions]
    return pl.DataFrame(
        [
            {
                "id": at,
                "symbol": "VIGL",
                "measure": one.measure,
                "comparison": one.comparison,
                "number": one.number,
                "sessions": one.sessions,
                "after": after,
                "until": until,
                "scale": scale,
            }
            for at, one in enumerate(parsed)
        ]
    )


def triggers(found):
    return {row["id"]: row["number_of_session"] for row in found.iter_rows(named=True)}


class TestParse:
    @pytest.mark.parametrize(
        ("text", "condition"),
        [
            ("close < 3.10", Condition(measure="close", comparison="<", number=3.1)),
            (
                "rel_volume < 2 for 3 sessions",
                Condition(measure="rel_volume", comparison="<", number=2.0, sessions=3),
            ),
            ("RET_1<=-15%", Condition(measure="ret_1", comparison="<=", number=-0.15)),
            ("low>=1 for 1 session", Condition(measure="low", comparison=">=", number=1.0)),
        ],
    )
    def test_reads_the_grammar(self, text, condition):
        assert parse(text) == condition

    @pytest.mark.parametrize(
        "text",
        ["", "close", "close < ", "close < three", "peak < 3", "close = 3", "close < 10%",
         "close < 3 for 0 sessions", "close < 3 for 31 sessions", "close < 3; drop table",
         "3 > close", "close < 3 and volume < 2", "close < nan", "close < 1e5"],
    )  # fmt: skip
    def test_refuses_everything_else(self, text):
        with pytest.raises(BadCondition):
            parse(text)

    @given(
        st.sampled_from(falsifiers.MEASURES),
        st.sampled_from(falsifiers.COMPARISONS),
        st.decimals(min_value=-999, max_value=999, places=3),
        st.integers(1, 30),
    )
    def test_reads_what_it_writes(self, measure, comparison, number, sessions):
        condition = Condition(
            measure=measure, comparison=comparison, number=float(number), sessions=sessions
        )

        assert parse(str(condition)) == condition


class TestFirstTriggers:
    def test_finds_the_first_session_that_meets_each_condition(self):
        found = falsifiers.first_triggers(
            asked("close < 3.10", "close > 9", "rel_volume >= 2"),
            measured(close=[3.2, 3.0, 2.9], rel_volume=[1.0, 1.9, 2.0]),
        )

        assert triggers(found) == {0: 12, 2: 13}
        assert found["value"].to_list() == [3.0, 2.0]

    def test_wants_the_sessions_in_a_row(self):
        found = falsifiers.first_triggers(
            asked("rel_volume < 2 for 3 sessions"),
            measured(rel_volume=[1.0, 1.0, 3.0, 1.0, 1.0, 1.0]),
        )

        assert triggers(found) == {0: 16}

    def test_ends_a_run_where_a_session_has_no_value_or_no_bar(self):
        known = measured(rel_volume=[1.0, None, 1.0, 1.0])
        hole = measured(rel_volume=[1.0, 1.0, 1.0]).filter(pl.col("number_of_session") != 12)

        assert triggers(
            falsifiers.first_triggers(asked("rel_volume < 2 for 2 sessions"), known)
        ) == {0: 14}
        assert (
            triggers(falsifiers.first_triggers(asked("rel_volume < 2 for 2 sessions"), hole)) == {}
        )

    def test_reads_neither_the_signal_session_nor_what_lies_behind_the_horizon(self):
        bars = measured(close=[1.0, 5.0, 5.0, 1.0])

        found = falsifiers.first_triggers(asked("close < 2", after=11, until=13), bars)

        assert triggers(found) == {}

    def test_puts_prices_back_on_the_basis_of_the_signal(self):
        bars = measured(close=[30.0, 31.0]).with_columns(basis=pl.lit(0.1))

        found = falsifiers.first_triggers(asked("close > 3.05"), bars)

        assert triggers(found) == {0: 12}
        assert found["value"].to_list() == pytest.approx([3.1])

    def test_keeps_conditions_of_several_symbols_apart(self):
        both = pl.concat(
            [measured(close=[1.0]), measured(close=[9.0]).with_columns(symbol=pl.lit("CRWV"))]
        )
        other = asked("close > 5", "close > 5").with_columns(symbol=pl.Series(["VIGL", "CRWV"]))

        assert triggers(falsifiers.first_triggers(other, both)) == {1: 11}

    @given(st.lists(st.floats(1, 9), min_size=2, max_size=20), st.data())
    def test_never_reads_the_future(self, closes, data):
        cut = data.draw(st.integers(1, len(closes)))
        question = asked("close < 3", "close > 7 for 2 sessions")

        known_then = falsifiers.first_triggers(question, measured(close=closes[:cut]))
        later = falsifiers.first_triggers(question, measured(close=closes))

        assert triggers(later.filter(pl.col("number_of_session") <= 10 + cut)) == triggers(
            known_then
        )
