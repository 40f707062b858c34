"""The liveness probe and the front door."""

import pytest


class TestHealth:
    @pytest.mark.parametrize("path", ["/health", "/health/"])
    def test_is_open_and_asks_the_database_nothing(self, path, client):
        # without the django_db mark any query fails
        response = client.get(path)

        assert response.status_code == 200
        assert response.json() == {"status": "alive"}
        assert "no-store" in response["Cache-Control"]

    def test_cannot_be_written_to(self, client):
        assert client.post("/health").status_code == 405


class TestFrontDoor:
    def test_leads_strangers_to_the_login(self, client):
        assert client.get("/")["Location"] == "/admin/login/?next=/"


class TestUnknownUrl:
    def test_is_a_problem_document_to_programs(self, client):
        response = client.get("/nowhere", headers={"accept": "application/json"})

        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == 404
