"""The description of the API says what is there, and its pages show it."""

import json
import re
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from analytics.api import urls as analytics_urls
from performance.api import urls as performance_urls
from tests import factories

# At the root of the site or across the apps: the mission's URLs decide where.
ACROSS = {"/health", "/metrics", "/analytics/performance", "/analytics/daily-report/email"}
PROBES = {"/health", "/analytics/health", "/performance/health"}


@pytest.fixture(scope="module")
def schema():
    """The description, made as strictly as it can be: a warning is a failure."""
    said = StringIO()
    call_command(
        "spectacular", "--fail-on-warn", "--validate", "--format=openapi-json", stdout=said
    )
    return json.loads(said.getvalue())


def _path(prefix, pattern):
    regex = str(pattern.pattern).removeprefix("^").removesuffix("/?$")
    return f"/{prefix}/" + re.sub(r"\(\?P<pk>[^)]*\)", "{id}", regex)


def operations(schema):
    return {
        f"{method} {path}": found
        for path, methods in schema["paths"].items()
        for method, found in methods.items()
    }


class TestSchema:
    def test_is_of_the_version_that_was_promised(self, schema):
        assert schema["openapi"] == "3.1.0"

    def test_names_every_url_of_the_api(self, schema):
        served = {
            _path(prefix, pattern)
            for prefix, app in (("analytics", analytics_urls), ("performance", performance_urls))
            for pattern in app.urlpatterns
        }

        assert set(schema["paths"]) == served | ACROSS

    def test_is_told_in_the_guide(self, schema):
        guide = (settings.BASE_DIR / "docs" / "api.md").read_text()

        missing = {path for path in schema["paths"] if path.replace("{id}", "ID") not in guide}
        assert not missing

    def test_gives_each_an_example_and_says_what_it_is_for(self, schema):
        for name, found in operations(schema).items():
            answers = [found["responses"][code] for code in found["responses"] if code[0] == "2"]
            content = answers[0]["content"].get("application/json")
            if content is None:  # Prometheus has a format of its own
                assert name == "get /metrics"
                continue
            assert "example" in content or "examples" in content, name
            assert found["summary"], name

    def test_says_how_each_refuses(self, schema):
        for name, found in operations(schema).items():
            if name.split()[1] not in PROBES:
                assert {"401", "403", "429"} <= set(found["responses"]), name

    def test_asks_for_a_login_everywhere_but_on_probes(self, schema):
        for name, found in operations(schema).items():
            is_open = {} in found["security"]
            assert is_open == (name.split()[1] in PROBES), name

    def test_names_the_key_and_the_session(self, schema):
        schemes = schema["components"]["securitySchemes"]

        assert schemes["key"]["scheme"] == "bearer"
        assert schemes["session"]["in"] == "cookie"

    def test_describes_every_parameter_of_a_query_but_choices(self, schema):
        for name, found in operations(schema).items():
            for given in found.get("parameters", []):
                if given["in"] == "query" and "enum" not in given["schema"]:
                    assert given.get("description"), f"{name} {given['name']}"


@pytest.mark.django_db
class TestPages:
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_of_the_schema_are_for_staff(self, client, slash):
        assert client.get(f"/api/schema{slash}").status_code == 401
        client.force_login(factories.make_user())
        assert client.get(f"/api/schema{slash}").status_code == 403
        client.force_login(factories.make_user(is_staff=True))
        assert client.get(f"/api/schema{slash}").status_code == 200

    def test_lead_strangers_to_the_login(self, client):
        assert client.get("/api/docs")["Location"].startswith(reverse("admin:login"))

    def test_load_nothing_from_elsewhere_and_run_nothing_inline(self, admin_client):
        answer = admin_client.get("/api/docs")

        page = answer.content.decode()
        policy = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
        assert "http" not in page.replace("http-equiv", "")
        assert "<script>" not in page
        assert "script-src 'self'" in policy

    def test_have_their_script_apart(self, admin_client):
        answer = admin_client.get("/api/docs?script=")

        assert answer["Content-Type"].startswith("application/javascript")
        assert "/api/schema" in answer.content.decode()
