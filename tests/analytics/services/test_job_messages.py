"""What goes over the wire: an id, and which request it came from."""

import base64
import json
from pathlib import Path

import pytest
import structlog
from django.conf import settings

from analytics.models import JobState
from analytics.services import job_messages
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting():
    """The messages that wait in the embedded broker of the tests."""
    folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"])
    for old in folder.glob("queues/*/*.msg"):
        old.unlink()
    return lambda: [json.loads(file.read_text()) for file in folder.glob("queues/*/*.msg")]


class TestPublish:
    def test_sends_the_id_and_nothing_else(self, waiting):
        job = factories.make_job()

        assert job_messages.publish(job_id=job.pk, now=factories.NOW)

        (message,) = waiting()
        args, kwargs, _embedded = json.loads(base64.b64decode(message["body"]))
        assert (args, kwargs) == ([], {"job_id": job.pk})
        assert message["headers"]["task"] == job_messages.RUN_TASK

    def test_takes_the_id_of_the_request_along(self, waiting):
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            job_messages.publish(job_id=factories.make_job().pk, now=factories.NOW)

        (message,) = waiting()
        assert message["headers"]["__django_structlog__"]["request_id"] == "abc"

    def test_leaves_a_job_alone_that_does_not_wait(self, waiting):
        job = factories.make_job(state=JobState.CANCELLED, finished_at=factories.NOW)

        assert not job_messages.publish(job_id=job.pk, now=factories.NOW)
        assert waiting() == []

    def test_names_a_task_that_exists(self):
        from analytics import tasks

        assert tasks.run_job.name == job_messages.RUN_TASK
