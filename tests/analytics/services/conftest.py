"""Jobs without a broker: what would be sent is noted, and kinds are made up."""

import pytest

from analytics.services import job_messages, job_registry
from analytics.services.job_registry import Kind
from tests.analytics.services.job_desk import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sent(monkeypatch):
    """Ids of the jobs whose message was sent, instead of sending it."""
    ids: list[int] = []
    monkeypatch.setattr(
        job_messages.current_app,
        "send_task",
        lambda name, kwargs, **options: ids.append(kwargs["job_id"]),
    )
    return ids


@pytest.fixture
def kind(monkeypatch):
    """Register a kind for this test only; its work is given."""
    monkeypatch.setattr(job_registry, "_KINDS", dict(job_registry._KINDS))

    def register(work=lambda arguments, report: {}, **fields):
        made = Kind(**{"name": "test", "title": "Test", "work": work, **fields})
        job_registry.register(made)
        return made

    register()
    return register
