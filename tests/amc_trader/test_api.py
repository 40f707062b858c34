"""Who may ask, and how a refusal reads (RFC 9457)."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import OperationalError
from django.http import Http404
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from analytics.errors import BadAnswer, DomainError, Unavailable


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet():
    cache.clear()


class Query(serializers.Serializer):
    days = serializers.IntegerField(min_value=1)


class Probe(APIView):
    """Raises what the test puts into ``error``."""

    error: Exception | None = None

    def get(self, request):
        if self.error:
            raise self.error
        Query(data=request.query_params).is_valid(raise_exception=True)
        return Response({"fine": True})


def ask(error=None, *, query="days=1", staff=True, known=True, pk=1, **more):
    request = APIRequestFactory().get(f"/probe?{query}", **more)
    if known:
        force_authenticate(request, get_user_model()(pk=pk, username="someone", is_staff=staff))
    return Probe.as_view(error=error)(request).render()


class TestProblem:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (DomainError("no bars for 2023-01-02"), 409),
            (BadAnswer("nonsense"), 503),
            (Unavailable("busy"), 503),
            (Http404(), 404),
            (PermissionDenied("not yours"), 403),
        ],
    )
    def test_tells_the_kind_of_error(self, error, status):
        response = ask(error)

        body = json.loads(response.content)
        assert response.status_code == body["status"] == status
        assert response["Content-Type"] == "application/problem+json"
        assert {"type", "title", "detail"} <= set(body)

    def test_passes_on_when_to_try_again(self):
        assert ask(Unavailable("busy", retry_after=12))["Retry-After"] == "12"

    def test_of_a_database_that_is_away_is_no_bug_and_gives_nothing_away(self):
        response = ask(OperationalError("connection to 10.0.0.7 failed"))

        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert b"10.0.0.7" not in response.content

    def test_names_the_fields_of_a_bad_request(self):
        response = ask(query="days=0")

        assert response.status_code == 400
        assert list(json.loads(response.content)["errors"]) == ["days"]

    def test_leaves_a_bug_to_rise(self):
        with pytest.raises(ZeroDivisionError):
            ask(ZeroDivisionError())


class TestWhoMayAsk:
    def test_asks_a_stranger_to_log_in(self):
        response = ask(known=False)

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert response["Content-Type"] == "application/problem+json"

    def test_refuses_people_who_are_not_staff(self):
        assert ask(staff=False).status_code == 403

    def test_answers_staff(self):
        assert ask().status_code == 200


class TestKey:
    """Wrong keys; what right ones open is tested with the service that makes them."""

    @pytest.mark.parametrize(
        "said",
        ["Bearer", "Bearer a b", "Bearer nonsense", "Bearer \xff\xfe", f"Bearer {'A' * 64}"],
    )
    def test_that_is_none_never_reaches_the_database(self, said):
        # without the django_db mark any query fails
        response = ask(known=False, HTTP_AUTHORIZATION=said)

        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"

    @pytest.mark.django_db
    def test_that_nobody_has_is_refused(self):
        response = ask(known=False, HTTP_AUTHORIZATION=f"Bearer laptop_{'0' * 64}")

        assert response.status_code == 401

    def test_is_not_a_name_and_a_password(self):
        assert ask(known=False, HTTP_AUTHORIZATION="Basic YW5uOnNlY3JldA==").status_code == 401


class TestThrottle:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        rates = {"user": "3/minute", "anon": "2/minute"}
        monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", rates)

    def test_tells_a_user_when_to_ask_again(self):
        answers = [ask() for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1]["Content-Type"] == "application/problem+json"
        assert 0 < int(answers[-1]["Retry-After"]) <= 60

    def test_counts_each_user_alone(self):
        for _ in range(4):
            ask()

        assert ask(pk=2).status_code == 200

    def test_counts_who_fails_to_log_in(self):
        statuses = [ask(known=False).status_code for _ in range(3)]

        assert statuses == [401, 401, 429]
        assert ask().status_code == 200  # who is logged in does not pay for it
        assert ask(known=False, REMOTE_ADDR="192.0.2.7").status_code == 401

    def test_does_not_believe_a_made_up_address(self):
        asked = [ask(known=False, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}") for n in range(3)]

        assert asked[-1].status_code == 429

    def test_believes_the_proxy_that_stands_in_front(self, settings):
        settings.BEHIND_PROXY = True
        asked = [ask(known=False, HTTP_X_FORWARDED_FOR=f"9.9.9.9, 192.0.2.{n}") for n in range(3)]

        assert asked[-1].status_code == 401


class TestBug:
    @pytest.fixture
    def answer(self, client, monkeypatch):
        def raise_a_bug(*_arguments, **_named):
            raise ZeroDivisionError("the secret detail")

        monkeypatch.setattr("amc_trader.health.JsonResponse", raise_a_bug)
        client.raise_request_exception = False
        return lambda accept: client.get("/health", headers={"accept": accept})

    @pytest.mark.parametrize("accept", ["application/json", "*/*", "application/problem+json"])
    def test_is_a_problem_document_to_programs(self, answer, accept):
        response = answer(accept)

        assert response.status_code == 500
        assert response["Content-Type"] == "application/problem+json"
        assert b"secret detail" not in response.content

    def test_is_a_page_to_people(self, answer):
        response = answer("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")

        assert response.status_code == 500
        assert response["Content-Type"].startswith("text/html")
