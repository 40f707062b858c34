import pytest

from performance.services import probes_providers
from tests.factories import NOW
from tests.stubs import server
from tests.stubs.server import Answer

pytestmark = pytest.mark.django_db
STATUS = "/v1/marketstatus/now"
OPEN = {"market": "open", "serverTime": "2024-06-28T10:00:00-04:00", "exchanges": {}}


@pytest.fixture
def stub(settings):
    with server.running() as running:
        settings.POLYGON_API_KEY = "key"
        settings.POLYGON_BASE_URL = running.url
        yield running


class TestPolygon:
    def test_answers(self, stub):
        stub.on(STATUS, OPEN)

        found = probes_providers.get_polygon(NOW)

        assert (found.status, found.figures["market_open"]) == ("HEALTHY", True)

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (Answer({"error": "unknown key"}, status=401), "CRITICAL"),
            (Answer("broken", status=500), "WARNING"),
            (Answer("slowly", status=429), "HEALTHY"),
        ],
        ids=["key refused", "server error", "too often"],
    )
    def test_is_judged_by_its_answer_at_the_first_try(self, stub, answer, status):
        stub.on(STATUS, answer)

        assert probes_providers.get_polygon(NOW).status == status
        assert len(stub.asked) == 1


class TestWithoutKeys:
    @pytest.mark.parametrize("name", ["polygon", "alpaca", "claude"])
    def test_nothing_is_asked_and_nothing_is_known(self, name, settings):
        settings.POLYGON_API_KEY = settings.ALPACA_API_KEY = settings.CLAUDE_API_KEY = ""

        found = getattr(probes_providers, f"get_{name}")(NOW)

        assert found.status == "UNKNOWN"
        assert "not given" in found.reason


class TestClaude:
    def test_warns_of_a_model_on_its_way_out(self, settings):
        with server.running() as stub:
            settings.CLAUDE_API_KEY, settings.CLAUDE_BASE_URL = "key", stub.url
            settings.CLAUDE_MODEL = "claude-old"
            model = {
                "id": "claude-old",
                "type": "model",
                "display_name": "Old",
                "created_at": "2024-01-01T00:00:00Z",
                "lifecycle": "deprecated",
            }
            body = {"data": [model], "has_more": False, "first_id": None, "last_id": None}
            stub.on("/v1/models", body)

            found = probes_providers.get_claude(NOW)

        assert found.status == "WARNING"
        assert "deprecated" in found.reason

    def test_is_critical_where_the_key_is_refused(self, settings):
        with server.running() as stub:
            settings.CLAUDE_API_KEY, settings.CLAUDE_BASE_URL = "key", stub.url
            error = {"type": "authentication_error", "message": "invalid"}
            stub.on("/v1/models", Answer({"type": "error", "error": error}, status=401))

            assert probes_providers.get_claude(NOW).status == "CRITICAL"
