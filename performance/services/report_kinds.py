"""The jobs of reports by mail: write and queue one, send what is due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from analytics.calc import sessions
from analytics.models import JobRun
from analytics.services import jobs
from analytics.services.job_registry import Kind, Report, register
from performance.models import Edition

SEND, DELIVER = "send_report", "deliver_reports"
EVERY_SESSION: Final = (Edition.MORNING, Edition.CLOSE)


def send_report(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Write the report of ``edition`` unless it is there, queue it and send what is due.

    ``recipients`` narrows it to some addresses.
    """
    from performance.services import mail_reports, report_delivery

    report.progress(0, 3, "writing")
    written = mail_reports.write(edition=arguments["edition"], now=report.now())
    report.progress(1, 3, "queueing")
    queued = mail_reports.queue(
        report=written, now=report.now(), recipients=arguments.get("recipients")
    )
    report.progress(2, 3, "sending")
    done = report_delivery.deliver(now=report.now())
    report.progress(3, 3)
    said = f"{queued.all} recipients, {queued.new} new; {done.sent} sent, {done.later} later"
    return {"report": written.pk, "new": queued.new, "sent": done.sent, "message": said}


def deliver_reports(_arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Try again what could not be sent before."""
    from performance.services import report_delivery

    report.progress(0, 1, "sending")
    done = report_delivery.deliver(now=report.now())
    report.progress(1, 1)
    said = f"{done.sent} sent, {done.later} later, {done.failed} failed"
    return {"sent": done.sent, "message": said}


def request_edition(*, edition: str, now: datetime) -> JobRun | None:
    """Ask for a report, unless it tells of a session and today is none."""
    today = now.astimezone(sessions.NEW_YORK).date()
    if Edition(edition) in EVERY_SESSION and not sessions.is_session(today):
        return None
    return jobs.request(kind=SEND, arguments={"edition": edition}, now=now)


def add_kinds() -> None:
    """Make the kinds known."""
    register(
        Kind(name=SEND, title="Report by mail", work=send_report, limit_s=600),
        Kind(name=DELIVER, title="Delivery of reports", work=deliver_reports, limit_s=600),
    )
