from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.calc import sessions, thesis_calibration
from analytics.models import PatternCalibration
from analytics.services import thesis_calibrations, thesis_chain
from performance.models import ThesisAccuracy
from performance.services import accuracy_calibration
from tests.thesis_rows import make_settled

pytestmark = pytest.mark.django_db
FIRST = date(2023, 5, 1)
NOW = datetime(2024, 6, 28, 22, tzinfo=UTC)


def record(now=NOW):
    return accuracy_calibration.record_calibrations(source="imported", now=now)


def history(count, *, per_session=2, **fields):
    """Theses of consecutive sessions: one in four hits, each said at 60 %."""
    for at in range(count):
        make_settled(
            hit=at % 4 == 0,
            session=sessions.offset(FIRST, at // per_session),
            **{"thesis__p_target": 0.6, **fields},
        )


def rows(**fields):
    return list(PatternCalibration.objects.filter(**fields).order_by("valid_from"))


class TestRecordCalibrations:
    def test_dates_each_row_after_the_theses_it_was_fitted_on(self):
        history(12)

        done = record()

        made = rows()
        assert (done.added, done.groups) == (len(made), 1) == (6, 1)
        first = made[0]
        settled = sessions.offset(FIRST, 14)
        assert (first.n, first.valid_from) == (2, sessions.offset(settled, 1))
        assert first.settled_before == first.valid_from
        assert (first.method, first.base_rate) == ("beta_binomial", 1.5 / 3)
        assert first.parameters["alpha"] == pytest.approx(1 + 2 * 0.5)
        assert made[-1].n == 12

    def test_scales_a_group_of_fifty(self):
        history(60, per_session=5)

        record()

        methods = [(row.n, row.method) for row in rows()]
        assert methods[8:11] == [(45, "beta_binomial"), (50, "platt"), (55, "platt")]

    def test_shrinks_to_the_base_rate_of_every_author(self):
        history(8, thesis__author="a")
        make_settled(session=sessions.offset(FIRST, 3), thesis__author="b", thesis__p_target=0.9)

        record()

        own = rows(author="b")[-1]
        assert (own.n, own.base_rate) == (1, pytest.approx(3.5 / 10))

    def test_keeps_patterns_apart_and_leaves_out_what_is_no_skill(self):
        history(4)
        history(4, thesis__pattern="VIGL_SQUEEZE")
        history(4, thesis__author="c", counts_as_skill=False, no_skill_reason="known")

        record()

        assert {(row.author, row.pattern) for row in rows()} == {
            ("rules:1", "STANDARD"),
            ("rules:1", "VIGL_SQUEEZE"),
        }

    def test_may_run_twice_and_never_changes_a_row(self):
        history(12)
        record()
        before = list(PatternCalibration.objects.order_by("pk").values())
        ThesisAccuracy.objects.update(target_reached=True, settlement="target")

        again = record(NOW + timedelta(days=1))

        assert again.added == 0
        assert list(PatternCalibration.objects.order_by("pk").values()) == before

    def test_goes_on_where_it_was(self):
        history(4)
        record()
        known = len(rows())

        make_settled(session=sessions.offset(FIRST, 30))
        done = record()

        assert (done.added, len(rows())) == (1, known + 1)
        assert rows()[-1].n == 5

    def test_fills_in_what_came_before_its_first_row(self):
        make_settled(session=sessions.offset(FIRST, 100))
        record()
        history(4)

        done = record()

        assert done.added == 2
        assert [row.n for row in rows()] == [2, 4, 1]


class TestReplay:
    def test_never_uses_a_later_row(self):
        history(60, per_session=5)
        record()
        made = rows()

        for at, row in enumerate(made):
            eve = sessions.offset(row.valid_from, -1)
            found = thesis_chain.get_calibration(
                author="rules:1", pattern="STANDARD", session=eve, source="imported"
            )
            assert found == (made[at - 1] if at else None)

    def test_of_a_thesis_knows_only_what_had_settled_before_it(self):
        """What is said on a session does not depend on what settled on it or later."""
        history(60, per_session=5)
        record()
        day = sessions.offset(FIRST, 20)
        before = thesis_calibrations.get_calibrated(
            source="imported", author="rules:1", pattern="STANDARD", p=0.6, on=day
        )
        PatternCalibration.objects.all().delete()
        late = ThesisAccuracy.objects.filter(settled_session__gte=day)
        late.update(target_reached=True, settlement="target")

        record()

        after = thesis_calibrations.get_calibrated(
            source="imported", author="rules:1", pattern="STANDARD", p=0.6, on=day
        )
        assert late.exists()
        assert after == before


class TestGetCalibrated:
    def test_has_the_lower_bound_that_sizes_use(self):
        history(30)
        record()

        found = thesis_calibrations.get_calibrated(
            source="live", author="rules:1", pattern="STANDARD", p=0.6, on=date(2024, 1, 2)
        )

        assert 0 < found.low < found.value < 0.6
        assert (found.raw, found.n, found.method) == (0.6, 30, "beta_binomial")

    def test_is_nothing_for_an_author_without_a_record(self):
        history(30)
        record()

        for wish in ({"author": "new"}, {"pattern": "VIGL_SQUEEZE"}, {"source": "simulated"}):
            asked = {"author": "rules:1", "pattern": "STANDARD", "source": "imported", **wish}
            assert thesis_calibrations.get_calibrated(**asked, p=0.6, on=date(2024, 1, 2)) is None


class TestFill:
    def test_gives_settled_theses_what_was_known_on_their_session(self):
        history(4)
        late = make_settled(session=sessions.offset(FIRST, 40), thesis__p_target=0.6)

        done = record()

        late.refresh_from_db()
        known = rows()[1]
        assert done.filled == 1
        assert late.p_calibrated == thesis_calibration.calibrated(
            0.6, method=known.method, parameters=known.parameters
        )
        assert ThesisAccuracy.objects.filter(p_calibrated=None).count() == 4
        assert record().filled == 0

    def test_leaves_what_was_frozen_as_it_is(self):
        history(4)
        frozen = make_settled(session=sessions.offset(FIRST, 40), p_calibrated=0.11)

        record()

        frozen.refresh_from_db()
        assert frozen.p_calibrated == 0.11
