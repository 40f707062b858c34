"""The API without a lake: which source is in use is said by the test."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from analytics.services import lakes
from tests import factories


@pytest.fixture(autouse=True)
def imported(monkeypatch):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet():
    cache.clear()


@pytest.fixture
def api(db):
    """A client of a member of staff."""
    client = APIClient()
    client.force_authenticate(factories.make_user(is_staff=True))
    return client
