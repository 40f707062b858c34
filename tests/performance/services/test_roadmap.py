from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from performance.calc.roadmap import Live
from performance.models import RoadmapChange, RoadmapCheck
from performance.services import roadmap
from tests import factories, score_rows
from tests.score_rows import EVENING, LAST

pytestmark = pytest.mark.django_db


def record(day=LAST, now=EVENING, **live):
    return roadmap.record_roadmap(
        live=Live(as_of=day, has_account=True, **live), source="imported", now=now
    )


def box(key="critical_losses"):
    return RoadmapCheck.objects.get(key=key)


class TestRecord:
    def test_stores_fifteen_boxes_with_a_line_of_history_each(self):
        assert record() == 15
        assert RoadmapCheck.objects.count() == RoadmapChange.objects.count() == 15

    def test_twice_changes_nothing(self):
        record()

        assert record(now=EVENING + timedelta(hours=1)) == 0
        assert RoadmapChange.objects.count() == 15
        assert {row.updated_at for row in RoadmapCheck.objects.all()} == {EVENING}

    def test_notes_the_session_of_a_flip(self):
        record()
        tomorrow = date(2024, 7, 1)

        flips = record(tomorrow, positions=1, worst=-0.3, worst_symbol="AAA")

        assert flips == 1
        assert (box().state, box().flipped_on) == ("not_met", tomorrow)
        assert box("size_limits").flipped_on == LAST
        change = RoadmapChange.objects.latest("pk")
        assert (change.before, change.after, change.session) == ("met", "not_met", tomorrow)
        assert "AAA -30.0 %" in change.evidence


class TestOverride:
    def test_stands_over_the_figures_with_owner_and_note(self):
        record()
        user = factories.make_user(username="owner")

        roadmap.override(
            check_id=box().pk, state="not_met", note=" sold late ", user=user, now=EVENING
        )

        row = box()
        assert (row.standing, row.state, row.override_note) == ("not_met", "met", "sold late")
        assert (row.override_by, row.override_at) == (user, EVENING)
        assert RoadmapChange.objects.latest("pk").by == user

    def test_can_be_taken_back(self):
        record()
        user = factories.make_user()
        for state, note in (("not_met", "why"), ("", "")):
            roadmap.override(check_id=box().pk, state=state, note=note, user=user, now=EVENING)

        assert (box().standing, box().override_by, box().override_note) == ("met", None, "")
        assert RoadmapChange.objects.filter(by=user).count() == 2

    def test_outlives_an_evaluation(self):
        record()
        roadmap.override(
            check_id=box().pk, state="unknown", note="?", user=factories.make_user(), now=EVENING
        )

        record(date(2024, 7, 1))

        assert (box().standing, box().state) == ("unknown", "met")

    @pytest.mark.parametrize(
        ("asked", "why"), [({"state": "met", "note": " "}, "note"), ({"state": "x"}, "state")]
    )
    def test_refuses_what_cannot_be_taken(self, asked, why):
        record()

        with pytest.raises(roadmap.BadOverride, match=why):
            roadmap.override(
                **{
                    "check_id": box().pk, "note": "n", "user": factories.make_user(),
                    "now": EVENING, **asked,
                }
            )  # fmt: skip

    def test_refuses_a_box_that_is_not_there(self):
        with pytest.raises(roadmap.NoSuchCheck):
            roadmap.override(
                check_id=1, state="met", note="n", user=factories.make_user(), now=EVENING
            )


class TestStart:
    def test_is_the_setting(self, settings):
        settings.ROADMAP_START = date(2024, 6, 3)
        factories.make_import_run()

        assert roadmap.get_start(source="imported") == date(2024, 6, 3)

    def test_is_the_first_import_or_entry_without_one(self, settings):
        settings.ROADMAP_START = None
        assert roadmap.get_start(source="imported") is None
        factories.make_import_run(started_at=EVENING)
        factories.make_trade(opening_fill=factories.make_fill(recorded_at=EVENING - timedelta(2)))

        assert roadmap.get_start(source="imported") == LAST - timedelta(days=2)
        assert roadmap.get_start(source="simulated") is None


class TestRead:
    def test_shows_every_box_before_the_first_evaluation(self):
        found = roadmap.get_roadmap(source="imported", now=EVENING)

        assert (found.boxes, found.met) == (15, 0)
        lines = [line for phase in found.phases for line in phase.lines]
        assert {line.evidence for line in lines} == {"not evaluated yet"}

    def test_counts_a_persons_word(self, settings):
        settings.ROADMAP_START = LAST - timedelta(days=20)
        record()
        row = box("size_limits")
        user = factories.make_user(username="owner")
        roadmap.override(check_id=row.pk, state="met", note="set", user=user, now=EVENING)

        found = roadmap.get_roadmap(source="imported", now=EVENING)

        line = found.phases[0].lines[1]
        assert (line.state, line.by_figures, line.overridden_by) == ("met", "unknown", "owner")
        assert [phase.is_current for phase in found.phases] == [False, True, False, False]

    def test_asks_three_times_at_most(self):
        record()
        score_rows.make_check(key="other", source="simulated")

        with CaptureQueriesContext(connection) as queries:
            roadmap.get_roadmap(source="imported", now=EVENING)

        assert len(queries) <= 3
