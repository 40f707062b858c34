from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from analytics.models import PatternCalibration, ThesisBudget
from analytics.models.frozen import Frozen
from tests import factories, thesis_records
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db
LATER = SESSION + timedelta(days=1)


class TestConstraints:
    @pytest.mark.parametrize(
        ("make", "fields", "name"),
        [
            ("event", {"kind": "doubted"}, "event_kind_known"),
            ("event", {"subject": ""}, "event_names_its_falsifier"),
            ("event", {"source": "rumour"}, "event_source_known"),
            ("request", {"reason": "", "message": ""}, "request_failure_says_why"),
            ("request", {"finished_at": None}, "request_finished_with_its_thesis"),
            ("request", {"outcome": "written"}, "request_finished_with_its_thesis"),
            ("request", {"outcome": "waiting"}, "request_finished_with_its_thesis"),
            ("calibration", {"method": "isotonic"}, "calibration_pattern_and_method_known"),
            ("calibration", {"settled_before": LATER}, "calibration_used_only_after_its_fit"),
            ("calibration", {"base_rate": 1.2}, "calibration_base_rate_0_to_1"),
            ("calibration", {"source": "rumour"}, "calibration_source_known"),
            ("call", {"finished_at": NOW}, "call_finished_when_it_says_so"),
            ("call", {"state": "settled", "finished_at": NOW}, "call_settled_with_its_usage"),
        ],
    )
    def test_refuse(self, make, fields, name):
        with pytest.raises(DatabaseError, match=name), transaction.atomic():
            getattr(thesis_records, f"make_{make}")(**fields)

    def test_let_a_falsifier_trigger_once(self):
        event = thesis_records.make_event()

        with pytest.raises(DatabaseError), transaction.atomic():
            thesis_records.make_event(thesis=event.thesis, session=LATER)

    def test_let_a_check_say_a_verdict_once_a_session(self):
        event = thesis_records.make_event(kind="enter", subject="")

        with pytest.raises(DatabaseError), transaction.atomic():
            thesis_records.make_event(thesis=event.thesis, kind="enter", subject="")
        thesis_records.make_event(thesis=event.thesis, kind="enter", subject="", session=LATER)

    def test_give_a_day_one_budget(self):
        thesis_records.make_budget()

        with pytest.raises(DatabaseError), transaction.atomic():
            ThesisBudget.objects.create(day=SESSION)

    def test_give_a_day_one_calibration(self):
        thesis_records.make_calibration()

        with pytest.raises(DatabaseError), transaction.atomic():
            thesis_records.make_calibration()


class TestPatternCalibration:
    def test_is_never_a_later_one(self):
        for days in (-1, 0, 1):
            day = SESSION + timedelta(days=days)
            thesis_records.make_calibration(valid_from=day, settled_before=day)

        known = PatternCalibration.objects.known_by(SESSION)

        assert [row.valid_from for row in known] == [SESSION, SESSION - timedelta(days=1)]


class TestEvents:
    def test_are_never_changed(self):
        event = thesis_records.make_event()

        for change in (event.save, event.delete, type(event).objects.all().delete):
            with pytest.raises(Frozen):
                change()


class TestRequests:
    def test_keep_the_thesis_that_stands_in(self):
        thesis = factories.make_thesis()

        row = thesis_records.make_request(outcome="stand_in", thesis=thesis)

        assert list(thesis.requests.all()) == [row]
