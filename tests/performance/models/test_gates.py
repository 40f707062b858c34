from datetime import date

import pytest
from django.db import IntegrityError

from tests import evidence_rows

pytestmark = pytest.mark.django_db


class TestGateStudy:
    @pytest.mark.parametrize("wrong", [{"last": date(2021, 1, 4)}, {"source": "claimed"}])
    def test_refuses_what_cannot_be(self, wrong):
        with pytest.raises(IntegrityError):
            evidence_rows.make_study(**wrong)
