"""Pages without a lake unless a test stores one: which source is in use is said by the test."""

import pytest
from django.core.cache import cache

from analytics.services import lakes
from tests import factories


@pytest.fixture(autouse=True)
def source(monkeypatch):
    """Say which source is in use; imported unless the test sets another."""
    chosen = {"is": "imported"}
    cache.clear()
    monkeypatch.setattr(lakes, "get_active_source", lambda: chosen["is"])

    def use(value):
        chosen["is"] = value
        cache.clear()

    return use


@pytest.fixture
def staff(client, db):
    """A browser of a member of staff without any permission."""
    client.force_login(factories.make_user(is_staff=True))
    return client
