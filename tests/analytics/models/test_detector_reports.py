from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests import detector_reports
from tests.factories import NOW, SESSION

pytestmark = pytest.mark.django_db


class TestDetectorReport:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"first": SESSION, "last": SESSION - timedelta(days=1)},
            {"finished_at": NOW - timedelta(days=1)},
            {"source": "claimed"},
        ],
        ids=["order", "time", "source"],
    )
    def test_is_refused_where_it_makes_no_sense(self, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            detector_reports.make_report(**wrong)
