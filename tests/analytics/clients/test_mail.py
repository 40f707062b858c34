import pytest
from anymail.exceptions import AnymailConfigurationError
from django.core.mail import EmailMessage

from analytics.clients import mail
from analytics.errors import BadAnswer, Unavailable
from tests.stubs import server
from tests.stubs.server import Answer


@pytest.fixture
def provider(settings):
    """A provider's API in the format that the backend of Postmark speaks."""
    with server.running() as stub:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "KEY", "POSTMARK_API_URL": f"{stub.url}/"}
        yield stub


def letter():
    return EmailMessage("subject", "body", "a@example.com", ["b@example.com"])


class TestSend:
    def test_speaks_to_a_provider(self, provider):
        told = {"To": "b@example.com", "MessageID": "1", "ErrorCode": 0, "Message": "OK"}
        provider.on("/email", told)

        mail.send(letter())

        assert provider.asked[0].headers["X-Postmark-Server-Token"] == "KEY"

    @pytest.mark.parametrize(
        ("status", "error"), [(401, BadAnswer), (429, Unavailable), (503, Unavailable)]
    )
    def test_tells_a_refusal_from_an_outage_and_shows_no_key(self, provider, status, error):
        provider.on("/email", Answer({"ErrorCode": 10, "Message": "no, KEY"}, status=status))

        with pytest.raises(error, match=str(status)) as raised:
            mail.send(letter())

        assert "KEY" not in str(raised.value)

    def test_of_a_provider_that_is_away_is_tried_later(self, settings):
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        url = "http://127.0.0.1:9/"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "KEY", "POSTMARK_API_URL": url}

        with pytest.raises(Unavailable):
            mail.send(letter())

    def test_of_a_provider_without_a_key_is_refused(self, settings):
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {}

        with pytest.raises(AnymailConfigurationError):
            mail.send(letter())

    def test_of_a_server_that_is_away_is_tried_later(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

        with pytest.raises(Unavailable, match="ConnectionRefusedError"):
            mail.send(letter())
