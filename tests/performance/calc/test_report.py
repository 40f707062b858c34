"""Which columns of a report's tables stand at the right."""

from performance.calc.report import Table


class TestTable:
    def test_a_column_of_figures_is_numeric_gaps_or_not(self):
        table = Table(
            headings=("Symbol", "Weight", "Open", "At risk", "Lift", "Unknown"),
            rows=(
                ("AAA", "6.0 %", "-0.3 %", "$2,763.93", "1.75x", "–"),
                ("BBB", "–", "+2.2 %", "-$12.10", "2x", "–"),
            ),
        )

        assert table.numeric == (False, True, True, True, True, False)
        assert table.heads[1] == ("Weight", True)
        assert table.cells[1][3] == ("-$12.10", True)

    def test_a_date_or_a_word_makes_it_text(self):
        table = Table(headings=("Day", "State"), rows=(("2024-06-28", "3"), ("2024-06-27", "met")))

        assert table.numeric == (False, False)

    def test_no_rows_no_figures(self):
        assert Table(headings=("A", "B"), rows=()).numeric == (False, False)
