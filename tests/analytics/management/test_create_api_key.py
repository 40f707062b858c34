from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests import factories

pytestmark = pytest.mark.django_db


def run(*options):
    out, said = StringIO(), StringIO()
    call_command(
        "create_api_key", "--user", "ann", "--name", "laptop", *options, stdout=out, stderr=said
    )
    return out.getvalue(), said.getvalue()


class TestCreateApiKey:
    def test_prints_nothing_but_the_key_so_that_a_script_can_take_it(self):
        factories.make_user(username="ann", is_staff=True)

        out, said = run("--days", "30")

        asked = APIClient().get(
            "/analytics/batches?source=imported", HTTP_AUTHORIZATION=f"Bearer {out.strip()}"
        )
        assert asked.status_code == 200
        assert "Valid until" in said

    def test_says_what_is_wrong(self):
        with pytest.raises(CommandError, match="no account called ann"):
            run()
