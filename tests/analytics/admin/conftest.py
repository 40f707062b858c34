"""The admin without a lake: which source is in use is said by the test."""

import pytest

from analytics.admin import filters
from tests import factories


@pytest.fixture(autouse=True)
def real_market(monkeypatch):
    monkeypatch.setattr(filters, "active_origin", lambda: "real")


@pytest.fixture
def person(db):
    """A member of staff without any permission."""
    return factories.make_user(is_staff=True)
