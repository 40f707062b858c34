"""Where a request comes from; who tried too many passwords."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.urls import reverse

from amc_trader import visitors
from tests import factories


class TestAddress:
    def test_is_the_one_of_the_connection(self, rf):
        request = rf.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="192.0.2.9")

        assert visitors.get_address(request) == "192.0.2.1"

    def test_is_the_last_that_a_proxy_names(self, rf, settings):
        settings.BEHIND_PROXY = True
        request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 2001:db8::1")

        assert visitors.get_address(request) == "2001:db8::1"

    def test_is_the_proxy_itself_where_it_names_none(self, rf, settings):
        settings.BEHIND_PROXY = True

        assert visitors.get_address(rf.get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1"

    @pytest.mark.parametrize("said", ["", "unix:", "'; drop table"])
    def test_is_unknown_where_it_is_none(self, rf, said):
        assert visitors.get_address(rf.get("/", REMOTE_ADDR=said)) is None


@pytest.mark.django_db
class TestLockOut:
    @pytest.fixture(autouse=True)
    def people(self, settings, admin_user):
        settings.AXES_FAILURE_LIMIT = 2

    @pytest.fixture
    def log_in(self, client):
        def try_password(password, *, address="192.0.2.1", username="admin", **headers):
            form = {"username": username, "password": password}
            said = {"accept": "text/html,*/*;q=0.8", **headers}
            return client.post(reverse("admin:login"), form, REMOTE_ADDR=address, headers=said)

        return try_password

    def test_closes_the_login_and_says_so(self, log_in):
        answers = [log_in("wrong") for _ in range(2)]

        page = answers[-1].content.decode()
        assert [answer.status_code for answer in answers] == [200, 429]
        assert "2 wrong passwords for admin" in page
        assert "15 minutes" in page
        assert answers[-1]["Retry-After"] == "900"
        assert log_in("password").status_code == 429  # even with the right one

    def test_is_a_problem_document_to_programs(self, log_in):
        log_in("wrong")

        answer = log_in("wrong", accept="application/json")

        assert answer.status_code == answer.json()["status"] == 429
        assert answer["Content-Type"] == "application/problem+json"

    def test_is_of_one_name_at_one_address(self, log_in):
        factories.make_user(username="ann", is_staff=True)
        for _ in range(2):
            log_in("wrong")

        assert log_in("password", address="192.0.2.2").status_code == 302
        assert log_in("secret", username="ann").status_code == 302

    def test_is_not_dodged_by_a_made_up_address(self, log_in):
        log_in("wrong", **{"x-forwarded-for": "192.0.2.8"})

        assert log_in("wrong", **{"x-forwarded-for": "192.0.2.9"}).status_code == 429

    def test_ends_by_itself(self, log_in):
        for _ in range(2):
            log_in("wrong")
        for attempt in AccessAttempt.objects.all():
            AccessAttempt.objects.update(attempt_time=attempt.attempt_time - timedelta(minutes=16))

        assert log_in("password").status_code == 302

    def test_forgets_failures_after_a_success(self, log_in):
        log_in("wrong")
        log_in("password")

        assert log_in("wrong").status_code == 200

    def test_keeps_no_password(self, log_in):
        log_in("hunter2")

        kept = AccessAttempt.objects.values().get()
        assert "hunter2" not in str(kept)
