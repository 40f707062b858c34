from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.services import lakes
from performance.services import accuracy
from tests import factories
from tests.thesis_rows import make_settled

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 7, 25, 22, tzinfo=UTC)


def get(**fields):
    return accuracy.get_accuracy(source="imported", now=NOW, **fields)


class TestGetAccuracy:
    def test_takes_the_theses_whose_horizon_ended_in_the_window(self):
        make_settled(session=date(2024, 7, 3))  # 14 sessions later: 24 July
        make_settled(session=date(2024, 5, 3), hit=False)
        make_settled(session=date(2024, 7, 8))  # 26 July: not over yet
        factories.make_accuracy(thesis=factories.make_thesis(symbol="OPEN"))

        found = get(period_days=30)

        assert (found.first, found.end) == (date(2024, 6, 25), date(2024, 7, 25))
        assert (found.window.theses, found.history.theses) == (1, 2)
        assert found.as_of == date(2024, 7, 24)
        assert (found.counts.settled, found.counts.target, found.counts.pending) == (1, 1, 1)

    def test_gives_figures_with_their_evidence(self):
        for at in range(20):
            make_settled(hit=at % 4 == 0, session=date(2024, 7, 3))

        found = get(period_days=30)

        assert found.window.accuracy.value == 0.25
        assert (found.window.accuracy.n, found.window.accuracy.as_of) == (20, date(2024, 7, 24))
        assert found.window.constant_call == "always AVOID"
        assert (found.target.value, found.target.status) == (0.73, "claimed")

    def test_cuts_by_everything(self):
        make_settled(thesis__author="claude:m-1", thesis__author_kind="claude",
                     thesis__model_id="m-1", thesis__prompt_version="3", sector="Energy",
                     thesis__p_target=0.45)  # fmt: skip
        make_settled(thesis__prompt_version="")

        found = get(period_days=365)

        names = {cut: [group.name for group in found.of(cut)] for cut in accuracy.CUTS}
        assert names["author"] == ["claude:m-1", "rules:1"]
        assert names["model"] == ["m-1", "no model"]
        assert names["prompt"] == ["3", "no prompt"]
        assert names["sector"] == ["Energy", "sector not known"]
        assert names["confidence"] == ["20-40 %", "40-60 %"]
        assert names["pattern"] == ["STANDARD"]
        assert names["call"] == ["BUY"]
        assert names["issued"] == ["in time"]

    def test_never_counts_what_the_model_may_have_known(self):
        make_settled(counts_as_skill=False, no_skill_reason="before the cut-off")
        make_settled(hit=False)

        found = get(period_days=365)

        assert (found.window.theses, found.history.theses, found.no_skill.theses) == (1, 1, 1)
        assert found.counts.no_skill == 1
        assert sum(group.history.theses for group in found.of("author")) == 1

    def test_keeps_real_and_simulated_apart(self):
        make_settled(source="simulated", thesis__source="simulated")
        make_settled(source="live", thesis__source="live")

        assert get(period_days=365).history.theses == 1
        simulated = accuracy.get_accuracy(source="simulated", now=NOW)
        assert simulated.history.theses == 1

    def test_says_that_there_is_nothing(self):
        found = get()

        assert found.as_of is None
        assert found.window.accuracy.status == "insufficient_data"
        assert found.groups == []

    def test_asks_as_often_whatever_there_is(self, django_assert_num_queries):
        for at in range(12):
            make_settled(hit=at % 3 == 0, session=date(2024, 7, 3), thesis__author=f"p{at}")

        with django_assert_num_queries(4):
            get(period_days=30)

    def test_knows_no_claimed_market(self):
        with pytest.raises(lakes.NoLake):
            accuracy.get_accuracy(source="claimed", now=NOW - timedelta(days=1))
