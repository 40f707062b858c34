import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.models import JobRun, JobState
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "admin:analytics_jobrun_changelist"


def act(client, action, *jobs):
    chosen = {"action": action, "_selected_action": [job.pk for job in jobs]}
    return client.post(reverse(LIST), chosen, follow=True)


def finished(**fields):
    return factories.make_job(state=JobState.SUCCEEDED, finished_at=factories.NOW, **fields)


class TestJobRunList:
    def test_shows_state_and_progress(self, admin_client):
        factories.make_job(
            state=JobState.RUNNING,
            attempt=1,
            started_at=factories.NOW,
            heartbeat_at=factories.NOW,
            progress_current=25,
            progress_total=100,
        )

        page = admin_client.get(reverse(LIST)).content.decode()

        assert 'value="0.250"' in page
        assert "Discovery" in page
        assert "running" in page

    def test_asks_the_database_no_more_for_more_rows(
        self, admin_client, django_assert_max_num_queries
    ):
        person = factories.make_user()
        admin_client.get(reverse(LIST))
        for _ in range(30):
            factories.make_job(requested_by=person)

        with django_assert_max_num_queries(12):
            admin_client.get(reverse(LIST))

    def test_cannot_be_changed_by_hand(self, admin_client):
        job = factories.make_job()

        answer = admin_client.post(
            reverse("admin:analytics_jobrun_change", args=[job.pk]), {"state": "failed"}
        )

        assert answer.status_code == 403

    def test_shows_one_job(self, admin_client):
        job = finished(result={"sessions": 3})

        page = admin_client.get(reverse("admin:analytics_jobrun_change", args=[job.pk]))

        assert "sessions" in page.content.decode()


class TestCancel:
    def test_ends_a_waiting_job(self, admin_client):
        job = factories.make_job()

        act(admin_client, "cancel", job)

        job.refresh_from_db()
        assert job.state == JobState.CANCELLED

    def test_needs_permission(self, client, person):
        person.user_permissions.add(Permission.objects.get(codename="view_jobrun"))
        client.force_login(person)
        job = factories.make_job()

        act(client, "cancel", job)

        job.refresh_from_db()
        assert job.state == JobState.QUEUED


class TestRunAgain:
    def test_asks_for_the_same_work_in_the_name_of_the_person(self, admin_client, admin_user):
        old = finished()

        act(admin_client, "run_again", old)

        new = JobRun.objects.latest("pk")
        assert (new.kind, new.arguments) == (old.kind, old.arguments)
        assert (new.requested_by, new.state) == (admin_user, JobState.QUEUED)

    def test_says_why_it_cannot(self, admin_client):
        answer = act(admin_client, "run_again", factories.make_job())

        assert "still queued" in answer.content.decode()
        assert JobRun.objects.count() == 1
