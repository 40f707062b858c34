import pytest

from analytics.calc import number_check
from analytics.calc.number_check import Fact, Unit

FACTS = [
    Fact(2.94, Unit.USD),
    Fact(0.118, Unit.SHARE),
    Fact(-0.062, Unit.SHARE),
    Fact(20.9, Unit.TIMES),
    Fact(71.5, Unit.SCORE),
    Fact(4_870_000.0),
    Fact(14.0),
]


def supported(text):
    return [f.supported for f in number_check.check(text, facts=FACTS, dates=["2024-06-28"])]


class TestCheck:
    @pytest.mark.parametrize(
        "text",
        ["$2.94", "$2.9", "$3", "a close of 2.94", "12%", "11.8 percent", "up 11.8%", "down 6%",
         "-6.2%", "20.9x", "21 times", "4.9 million", "4.87M", "4,870,000", "14 sessions",
         "14-session", "a score of 71.5", "on 2024-06-28", "0.118"],
    )  # fmt: skip
    def test_knows_what_rounds_to_a_known_value(self, text):
        assert supported(text) == [True]

    @pytest.mark.parametrize(
        "text",
        ["$2.95", "$11.8", "13%", "+6.2%", "-12%", "2.94%", "20.9%", "21.0x", "4.8 million",
         "4.87 billion", "15 sessions", "2024-06-29", "71.5x", "2.943"],
    )  # fmt: skip
    def test_marks_everything_else(self, text):
        assert supported(text) == [False]

    @pytest.mark.parametrize(
        "text", ["", "no figures", "an 8-K and a 424B5 were filed in Q2", "three sessions", "B2B"]
    )
    def test_looks_at_figures_only(self, text):
        assert supported(text) == []

    def test_says_where_each_stands(self):
        text = "Volume was 20.9x and revenue $45 million."

        known, made_up = number_check.check(text, facts=FACTS)

        assert text[known.start : known.end] == "20.9x"
        assert (made_up.text, made_up.supported) == ("$45 million", False)


class TestShareSupported:
    def test_is_the_share_of_figures(self):
        assert number_check.share_supported(
            number_check.check("20.9x, 14 and 99", facts=FACTS)
        ) == pytest.approx(2 / 3)

    def test_is_unknown_without_figures(self):
        assert number_check.share_supported([]) is None


class TestMarked:
    def test_keeps_the_sentence_and_marks_it_in_place(self):
        text = "It grew 45% last year. Volume was 20.9x. Margin is 33%"
        wrong = [(f.start, f.end) for f in number_check.check(text, facts=FACTS) if not f.supported]

        assert number_check.marked(text, wrong) == (
            "It grew 45% last year. [unsupported: 45%] Volume was 20.9x. "
            "Margin is 33% [unsupported: 33%]"
        )

    def test_leaves_a_text_without_marks_alone(self):
        assert number_check.marked("Fine. Really.", []) == "Fine. Really."
