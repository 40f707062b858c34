from datetime import UTC, datetime, timedelta

import pytest

from analytics.calc import sessions
from analytics.services import lakes
from performance.models import EquityDay, Incident, MailReport, ReportPreference
from performance.services import mail_reports
from performance.services.mail_reports import BadToken, NoRecipients
from tests import factories, mail_rows, order_rows
from tests.factories import SESSION
from tests.feed_rows import make_alert
from tests.health_rows import make_incident, make_metric

pytestmark = pytest.mark.django_db
MORNING = datetime(2024, 7, 1, 12, tzinfo=UTC)  # Monday, 8:00 in New York: tells of Friday


@pytest.fixture(autouse=True)
def imported(monkeypatch, settings):
    monkeypatch.setattr(lakes, "get_active_source", lambda: "imported")
    settings.REPORT_RECIPIENTS = ["trader@example.com"]


def draft(edition="morning", now=MORNING):
    return mail_reports.draft(edition=edition, now=now)


def settled(symbol, value, **fields):
    signalled = sessions.offset(SESSION, -15)
    fields.setdefault("variant", factories.make_variant(name=f"V{symbol}"))
    candidate = factories.make_candidate(
        symbol=symbol, batch=factories.make_batch(session=signalled, **fields)
    )
    return factories.make_tracking(
        candidate=candidate,
        return_14=value,
        explosive=value >= 0.5,
        peak_close_return=max(value, 0),
    )


class TestContent:
    def test_of_an_empty_installation_says_so_everywhere(self):
        report = draft()

        assert report.subject == "[WARNING] No candidates: data end at nothing (2024-06-28)"
        assert report.content["profit"]["change"] is None
        assert "insufficient data: There is no equity of 2024-06-27." in report.text
        assert "unknown (UNKNOWN)" in report.text
        assert "Nothing that cannot wait." in report.html

    def test_tells_the_misses_first(self):
        factories.make_batch()
        settled("GOOD", 0.62)
        settled("WORST", -0.4)
        settled("BAD", -0.1)

        report = draft()

        rows = [row["symbol"] for row in report.content["happened"]["rows"]]
        assert rows == ["WORST", "BAD", "GOOD"]
        assert report.subject == "1 of 3 settled picks are up, 1 explosive (2024-06-28)"
        assert "WORST -40 %" in report.images[0]["alt"]

    def test_counts_a_symbol_once_and_no_superseded_batch(self):
        settled("TWICE", 0.1)
        settled("TWICE", 0.1, variant=factories.make_variant(name="other"))
        settled("OLD", 0.1, is_current=False)

        assert draft().content["happened"]["n"] == 1

    def test_takes_the_change_of_equity_without_what_came_from_outside(self):
        account = factories.make_account()
        before = sessions.offset(SESSION, -1)
        for day, equity, flow in ((before, 1000, 0), (SESSION, 1150, 100)):
            EquityDay.objects.create(
                account=account,
                session=day,
                cash=equity,
                holdings=0,
                equity=equity,
                flow=flow,
                equity_at_zero=equity,
                source="imported",
            )

        report = draft()

        assert report.content["profit"]["change"] == 50.0
        assert "+$50.00 (+5.0 %)" in report.text
        assert [image["name"] for image in report.images] == ["equity"]

    def test_names_the_top_candidates_with_their_theses(self):
        batch = factories.make_batch()
        candidate = factories.make_candidate(batch=batch, symbol="VIGL", vigl_pattern=True)
        factories.make_thesis(candidate=candidate, symbol="VIGL", p_target=0.21)
        factories.make_candidate(batch=batch, symbol="LOW", rank=6)

        found = draft().content["candidates"]

        assert [row["symbol"] for row in found] == ["VIGL"]
        assert found[0]["thesis"]["p"] == 0.21
        assert "VIGL pattern" in found[0]["flags"]

    def test_leads_with_what_cannot_be_trusted_then_with_money_at_risk(self):
        order_rows.make_advice(advice="LIQUIDATE", reason="-31 % against -25 %")
        assert draft().subject.startswith("[CRITICAL] Liquidate VIGL")

        make_incident(component="database", reason="It does not answer.")
        assert draft().subject.startswith("[CRITICAL] database: It does not answer.")

    def test_has_at_most_five_things_to_do(self):
        for number in range(8):
            make_alert(
                symbol=f"S{number}",
                severity="warning",
                message=f"S{number} is loud",
                source="imported",
                provisional=False,
            )

        text = draft().text

        todo = text[text.index("TO DO") : text.index("WHAT I SAID")]
        assert "5. " in todo
        assert "6. " not in todo

    def test_tells_the_health_only_if_it_is_of_today(self):
        make_metric(measured_at=MORNING - timedelta(hours=1))
        assert draft().content["health"]["score"] is None

        make_metric(measured_at=MORNING)
        assert draft().content["health"]["score"] == 95.0

    def test_of_a_week_reaches_back_five_sessions(self):
        content = draft("weekly").content

        assert (content["first"], content["last"]) == ("2024-06-24", "2024-06-28")

    def test_escapes_what_comes_from_outside(self):
        make_alert(message="<script>alert(1)</script> & co", severity="critical", source="imported")

        html = draft().html

        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html

    def test_says_simulated_where_it_is(self):
        report = mail_reports.draft(edition="morning", now=MORNING, source="simulated")

        assert report.text.startswith("SIMULATED")
        assert "SIMULATED" in report.html


class TestWrite:
    def test_writes_once_a_day_and_edition(self):
        first = mail_reports.write(edition="morning", now=MORNING)
        again = mail_reports.write(edition="morning", now=MORNING + timedelta(hours=3))
        weekly = mail_reports.write(edition="weekly", now=MORNING)

        assert first == again != weekly
        assert MailReport.objects.count() == 2

    def test_mentions_the_end_of_an_incident_once(self):
        make_incident(opened_at=MORNING - timedelta(hours=2), closed_at=MORNING)

        first = mail_reports.write(edition="morning", now=MORNING)
        later = mail_reports.write(edition="morning", now=MORNING + timedelta(days=1))

        assert "was in trouble and is well again" in first.text
        assert "was in trouble" not in later.text
        assert Incident.objects.get().mentioned_at == MORNING


class TestQueue:
    def test_reaches_each_recipient_once(self):
        report = mail_rows.make_report()

        first = mail_reports.queue(report=report, now=MORNING)
        again = mail_reports.queue(report=report, now=MORNING)

        assert (first.new, again.new, again.all) == (1, 0, 1)

    def test_goes_to_the_webhook_too(self, settings):
        settings.REPORT_WEBHOOK_URL = "https://example.com/hook"

        queued = mail_reports.queue(report=mail_rows.make_report(), now=MORNING)

        assert queued.all == 2

    def test_says_that_there_is_nobody(self, settings):
        settings.REPORT_RECIPIENTS = []

        with pytest.raises(NoRecipients, match="REPORT_RECIPIENTS"):
            mail_reports.queue(report=mail_rows.make_report(), now=MORNING)


class TestRecipients:
    def test_are_those_of_the_settings_and_of_preferences(self):
        mail_rows.make_preference(address="weekly@example.com", morning=False)

        assert mail_reports.get_recipients(edition="morning") == ["trader@example.com"]
        assert mail_reports.get_recipients(edition="weekly") == [
            "trader@example.com",
            "weekly@example.com",
        ]

    def test_who_unsubscribed_gets_nothing_though_the_settings_name_them(self):
        token = mail_reports.token_of("trader@example.com")

        for _ in range(2):
            mail_reports.unsubscribe(token=token, now=MORNING)

        assert mail_reports.get_recipients(edition="weekly") == []
        assert ReportPreference.objects.get().unsubscribed_at == MORNING

    def test_a_token_that_was_changed_is_refused(self):
        token = mail_reports.token_of("trader@example.com")

        with pytest.raises(BadToken, match="damaged"):
            mail_reports.unsubscribe(token=token[:-1] + "A?", now=MORNING)
