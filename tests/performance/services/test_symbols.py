"""Everything about one symbol."""

from datetime import date

import pytest

from performance.calc.spans import WHOLE, Span
from performance.services import symbols
from tests import small_market
from tests.factories import make_batch, make_candidate, make_tracking, make_variant

LAST = small_market.LAST


@pytest.fixture
def vigl(db, settings, tmp_path):
    settings.LAKE_URL = str(tmp_path / "lake")
    return small_market.store(tmp_path)


def shown(**asked):
    wanted = {"symbol": "VIGL", "source": "imported", "span": WHOLE, "adjust": True}
    return symbols.get_symbol(**{**wanted, **asked})


@pytest.mark.usefixtures("vigl")
class TestGetSymbol:
    def test_adjusts_for_splits_or_shows_what_was_traded(self):
        adjusted, raw = shown(), shown(adjust=False)

        assert adjusted.bars[0].close == pytest.approx(3.0)
        assert adjusted.bars[0].volume == pytest.approx(100_000)
        assert raw.bars[0].close == 0.3
        assert [split.words for split in raw.splits] == ["1-for-10 reverse split"]

    def test_ends_the_range_at_the_newest_bar(self):
        found = shown(span=Span(days=7))

        assert (found.first, found.last) == (date(2024, 6, 24), LAST)
        assert len(found.bars) == 5
        assert found.splits == []

    def test_shows_no_record_that_was_not_known_at_the_last_bar(self):
        found = shown()

        assert [(record.day, record.value) for record in found.shorts] == [
            (date(2024, 5, 31), 500_000.0)
        ]

    def test_tells_the_age_of_float_in_sessions(self):
        (record,) = shown().floats

        assert (record.value, record.second, record.age) == (4_000_000.0, None, 18)

    def test_explains_the_newest_signal_by_every_variant(self):
        for name in "AB":
            variant = make_variant(name=name)
            make_candidate(batch=make_batch(session=LAST, variant=variant))
            make_candidate(batch=make_batch(session=date(2024, 6, 3), variant=variant))

        found = shown()

        assert [verdict.signal.variant for verdict in found.verdicts] == ["A", "B"]
        assert {verdict.signal.session for verdict in found.verdicts} == {LAST}
        assert len(found.signals) == 4

    def test_tells_outcomes_beside_signals(self):
        make_tracking(candidate=make_candidate(session=date(2024, 6, 3)), return_14=0.4)
        make_candidate(session=LAST)

        latest, earlier = shown().signals

        assert latest.outcome is None
        assert earlier.outcome.returns[14] == 0.4

    def test_says_that_a_symbol_is_not_there(self):
        with pytest.raises(symbols.NoSymbol, match="no imported bars of NOPE"):
            shown(symbol="NOPE")

    def test_shows_no_imported_symbol_among_simulated_ones(self):
        with pytest.raises(symbols.NoSymbol):
            shown(source="simulated")

    def test_asks_as_often_with_many_signals_as_with_one(self, django_assert_num_queries):
        for day in range(3, 8):
            make_tracking(candidate=make_candidate(session=date(2024, 6, day)))

        with django_assert_num_queries(
            4
        ):  # two of them: other tickers, and the index of stock-days
            shown()

    def test_says_why_there_is_no_evidence_for_a_likeness(self):
        make_tracking(candidate=make_candidate(session=date(2024, 6, 3)))

        evidence = shown().verdicts[0].evidence

        assert (evidence.of, bool(evidence.reason)) == ([], True)


@pytest.mark.usefixtures("vigl")
class TestGetMarks:
    def test_makes_one_mark_of_what_all_variants_said(self):
        for name, rank in (("A", 3), ("B", 1)):
            variant = make_variant(name=name)
            candidate = make_candidate(
                batch=make_batch(session=date(2024, 6, 3), variant=variant), rank=rank
            )
            make_tracking(candidate=candidate, entry_session=date(2024, 6, 4), sessions_to_peak=3)

        (mark,) = symbols.get_marks(shown())

        assert mark.says == "A #3, B #1"
        assert (mark.entry, mark.best, mark.last) == (
            date(2024, 6, 4),
            date(2024, 6, 6),
            date(2024, 6, 24),
        )

    def test_draws_no_end_of_what_has_not_settled(self):
        make_tracking(candidate=make_candidate(session=LAST), status="pending")

        (mark,) = symbols.get_marks(shown())

        assert (mark.best, mark.last) == (None, None)
