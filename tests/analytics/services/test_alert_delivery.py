import json
from datetime import timedelta

import pytest
from django.core import mail

from analytics.calc.retries import TRIES
from analytics.models import AlertDelivery, AlertRoute
from analytics.services import alert_delivery
from tests.factories import NOW
from tests.feed_rows import make_alert, make_route
from tests.stubs import server
from tests.stubs.server import Answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub():
    with server.running() as running:
        running.on("/hook", Answer({"ok": True}))
        yield running


def queue(*, now=NOW, **alert):
    wanted = {"kind": "win_rate", "symbol": "", "session": None, "severity": "critical"}
    stored = make_alert(**{**wanted, "message": "win rate 38 %", **alert})
    alert_delivery.plan(alerts=[stored], now=now)
    return stored


def the_delivery():
    return AlertDelivery.objects.get()


class TestPlan:
    @pytest.mark.parametrize(
        ("least", "kinds", "ways"),
        [
            ("info", [], 1),
            ("critical", [], 1),
            ("warning", ["win_rate", "health"], 1),
            ("warning", ["health"], 0),
        ],
    )
    def test_follows_severity_and_kind(self, least, kinds, ways):
        make_route(least_severity=least, kinds=kinds)

        queue()

        assert AlertDelivery.objects.count() == ways

    def test_leaves_out_what_is_below_or_switched_off(self):
        make_route(least_severity="critical")
        make_route(name="off", active=False)

        queue(severity="warning")

        assert not AlertDelivery.objects.exists()


class TestDeliver:
    def test_mails(self):
        make_route()
        alert = queue()

        assert alert_delivery.deliver(now=NOW).sent == 1
        assert alert_delivery.deliver(now=NOW).sent == 0

        (letter,) = mail.outbox
        assert letter.to == ["trader@example.com"]
        assert "CRITICAL: win rate 38 %" in letter.subject
        assert f"/admin/analytics/alert/{alert.pk}/change/" in letter.body

    def test_posts_json_to_a_webhook(self, stub):
        make_route(channel="webhook", address=f"{stub.url}/hook")
        alert = queue(value=0.38, limit=0.4)

        alert_delivery.deliver(now=NOW)

        (asked,) = stub.asked
        said = json.loads(asked.body)
        assert (said["id"], said["kind"], said["value"]) == (alert.pk, "win_rate", 0.38)
        assert asked.headers["Idempotency-Key"] == f"alert-{the_delivery().pk}"

    def test_speaks_slack_and_escapes_what_slack_would_read(self, stub):
        make_route(channel="slack", address=f"{stub.url}/hook")
        queue(message="close < 3.10 & falling")

        alert_delivery.deliver(now=NOW)

        text = json.loads(stub.asked[0].body)["text"]
        assert "close &lt; 3.10 &amp; falling" in text

    def test_speaks_telegram(self, stub, settings):
        settings.TELEGRAM_BASE_URL = stub.url
        stub.on("/botSECRET/sendMessage", {"ok": True})
        make_route(channel="telegram", address="4711", token="SECRET")
        queue()

        assert alert_delivery.deliver(now=NOW).sent == 1
        assert json.loads(stub.asked[0].body)["chat_id"] == "4711"

    def test_tries_again_later_and_longer_each_time(self, stub):
        stub.on("/hook", Answer("down", status=503))
        make_route(channel="webhook", address=f"{stub.url}/hook")
        queue()

        alert_delivery.deliver(now=NOW)
        first = the_delivery().due_at - NOW
        assert alert_delivery.deliver(now=NOW).later == 0
        alert_delivery.deliver(now=NOW + first)
        second = the_delivery().due_at - NOW - first

        assert timedelta(0) < first < second
        assert the_delivery().state == "queued"

    def test_waits_as_long_as_it_is_asked_to(self, stub):
        stub.on("/hook", Answer("slow", status=429, headers={"Retry-After": "900"}))
        make_route(channel="webhook", address=f"{stub.url}/hook")
        queue()

        alert_delivery.deliver(now=NOW)

        assert the_delivery().due_at - NOW == timedelta(seconds=900)

    def test_gives_up_in_the_end_and_says_so(self, stub):
        stub.on("/hook", Answer("down", status=503))
        make_route(channel="webhook", address=f"{stub.url}/hook")
        queue()

        for _ in range(TRIES + 3):
            alert_delivery.deliver(now=the_delivery().due_at)

        assert (the_delivery().state, len(stub.asked)) == ("failed", TRIES)
        assert "503" in the_delivery().error

    def test_does_not_repeat_what_was_refused_and_shows_no_secret(self, stub, settings):
        settings.TELEGRAM_BASE_URL = stub.url
        refused = {"ok": False, "message": f"bad token SECRET at {stub.url}"}
        stub.on("/botSECRET/sendMessage", Answer(refused, status=401))
        make_route(channel="telegram", address="4711", token="SECRET")
        queue()

        assert alert_delivery.deliver(now=NOW).failed == 1
        assert "401" in the_delivery().error
        assert "SECRET" not in the_delivery().error

    def test_an_hour_without_a_mail_server_loses_nothing_and_sends_nothing_twice(self, settings):
        make_route()
        queue()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
        for minute in range(60):
            alert_delivery.deliver(now=NOW + timedelta(minutes=minute))
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

        for minute in range(60, 130):
            alert_delivery.deliver(now=NOW + timedelta(minutes=minute))

        assert len(mail.outbox) == 1

    def test_what_ended_while_it_was_being_sent_waits_for_a_person(self):
        make_route()
        queue()
        AlertDelivery.objects.update(state="sending", claimed_at=NOW)

        alert_delivery.deliver(now=NOW + timedelta(minutes=11))
        assert (the_delivery().state, mail.outbox) == ("unknown", [])

        later = NOW + timedelta(minutes=12)
        assert alert_delivery.send_again(delivery_ids=[the_delivery().pk], now=later) == 1
        assert alert_delivery.deliver(now=later).sent == 1

    def test_one_route_that_fails_does_not_hold_the_others_up(self, stub):
        make_route(name="broken", channel="webhook", address="nowhere")
        make_route(name="hook", channel="webhook", address=f"{stub.url}/hook")
        queue()

        done = alert_delivery.deliver(now=NOW)

        assert (done.sent, done.failed) == (1, 1)
        assert AlertDelivery.objects.get(state="sent").route == AlertRoute.objects.get(name="hook")
