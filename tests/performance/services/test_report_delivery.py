import email
import json
import socket
from datetime import timedelta
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.core import mail
from django.core.mail import get_connection

from performance.models import ReportDelivery
from performance.services import mail_rendering, report_delivery
from tests import mail_rows
from tests.factories import NOW
from tests.stubs import server

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n"
IMAGE = mail_rendering.Image(name="happened", alt="Returns", png=PNG)


def the_delivery():
    return ReportDelivery.objects.get()


class Mailbox:
    """A mail server that keeps what it gets, or refuses it."""

    def __init__(self):
        self.letters = []
        self.refusal = ""

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.letters.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def mailbox(settings):
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.factory = lambda: SMTP(box, hostname="stub")
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield box
    controller.stop()


class TestMessage:
    def test_arrives_whole_at_a_mail_server(self, mailbox):
        report = mail_rows.make_report(
            html='<html><body><img src="cid:happened"></body></html>',
            images=mail_rendering.stored([IMAGE]),
        )
        mail_rows.make_report_delivery(report=report, recipient="a@example.com")

        assert report_delivery.deliver(now=NOW).sent == 1

        (letter,) = mailbox.letters
        assert letter.get_content_type() == "multipart/related"
        kinds = [part.get_content_type() for part in letter.walk()]
        assert kinds[1:] == ["multipart/alternative", "text/plain", "text/html", "image/png"]
        image = next(part for part in letter.walk() if part.get_content_type() == "image/png")
        assert image["Content-ID"] == "<happened>"
        assert image.get_content() == PNG
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_carries_a_link_of_its_own_to_unsubscribe(self):
        for name in ("a", "b"):
            mail_rows.make_report_delivery(
                report=mail_rows.make_report(edition="weekly" if name == "a" else "morning"),
                recipient=f"{name}@example.com",
            )

        report_delivery.deliver(now=NOW)

        links = {letter.extra_headers["List-Unsubscribe"].strip("<>") for letter in mail.outbox}
        assert len(links) == 2
        for letter in mail.outbox:
            link = letter.extra_headers["List-Unsubscribe"].strip("<>")
            assert link in letter.body
            assert link in letter.alternatives[0][0]
            assert "unsubscribe.invalid" not in letter.body


class TestDeliver:
    def test_sends_once(self):
        mail_rows.make_report_delivery()

        for _ in range(3):
            report_delivery.deliver(now=NOW)

        assert len(mail.outbox) == 1
        assert the_delivery().sent_at == NOW

    def test_an_hour_without_a_server_loses_nothing_and_sends_nothing_twice(self, settings):
        mail_rows.make_report_delivery()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        for minute in range(60):
            report_delivery.deliver(now=NOW + timedelta(minutes=minute))
        assert "ConnectionRefusedError" in the_delivery().error
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

        for minute in range(60, 130):
            report_delivery.deliver(now=NOW + timedelta(minutes=minute))

        assert len(mail.outbox) == 1
        assert the_delivery().state == "sent"

    @pytest.mark.parametrize(
        ("refusal", "state"),
        [("550 no such mailbox", "failed"), ("450 try again later", "queued")],
    )
    def test_tells_a_refusal_for_good_from_one_for_now(self, mailbox, refusal, state):
        mailbox.refusal = refusal
        mail_rows.make_report_delivery()

        report_delivery.deliver(now=NOW)

        assert the_delivery().state == state
        assert refusal[:3] in the_delivery().error

    def test_what_ended_while_it_was_being_sent_waits_for_a_person(self):
        row = mail_rows.make_report_delivery(state="sending", claimed_at=NOW)
        later = NOW + timedelta(minutes=11)

        report_delivery.deliver(now=later)
        assert (the_delivery().state, mail.outbox) == ("unknown", [])

        report_delivery.send_again(delivery_ids=[row.pk], now=later)
        assert report_delivery.deliver(now=later).sent == 1

    def test_posts_to_a_webhook(self):
        with server.running() as stub:
            stub.on("/hook", {"ok": True})
            mail_rows.make_report_delivery(channel="webhook", recipient=f"{stub.url}/hook")

            assert report_delivery.deliver(now=NOW).sent == 1

            said = json.loads(stub.asked[0].body)
        assert said["subject"] == "No candidates (2024-06-28)"

    def test_of_the_embedded_default_are_files(self, settings, tmp_path):
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = str(tmp_path)
        mail_rows.make_report_delivery()

        report_delivery.deliver(now=NOW)

        (file,) = tmp_path.iterdir()
        assert b"No candidates" in file.read_bytes()
        assert get_connection().file_path == str(tmp_path)
