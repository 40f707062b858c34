from datetime import timedelta

import pytest
from django.core import mail

from analytics.services import lakes
from performance.models import Incident
from performance.services import outages
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=30)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    settings.REPORT_RECIPIENTS = ["trader@example.com"]
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")


class TestOutage:
    def test_is_told_once_and_becomes_an_incident_when_it_is_over(self):
        assert outages.note(reason="refused", now=NOW)
        assert not outages.note(reason="refused", now=LATER)

        outages.close(recommendation="Start it.", now=LATER)

        incident = Incident.objects.get()
        assert (incident.opened_at, incident.closed_at) == (NOW, LATER)
        assert [letter.to for letter in mail.outbox] == [["trader@example.com"]] * 2
        assert not outages.is_noted()

    def test_that_never_was_closes_nothing(self):
        assert outages.close(recommendation="", now=NOW) is None

    def test_is_an_incident_even_if_its_note_was_damaged(self, tmp_path):
        (tmp_path / outages.NAME).write_text("{")

        incident = outages.close(recommendation="Start it.", now=LATER)

        assert incident.opened_at == LATER
        assert "damaged" in incident.reason

    def test_does_not_need_a_mail_server(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

        assert outages.note(reason="refused", now=NOW)
        assert not mail.outbox

    def test_is_told_as_soon_as_the_mail_server_answers(self, settings):
        answering = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        outages.note(reason="refused", now=NOW)

        settings.EMAIL_BACKEND = answering
        for _ in range(2):
            assert not outages.note(reason="refused", now=LATER)

        (letter,) = mail.outbox
        assert f"since {NOW:%Y-%m-%d %H:%M} UTC: refused" in letter.body
