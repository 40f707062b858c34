"""Rows about reports by mail: each call states only what the test is about."""

from itertools import count
from typing import Any

from performance.models import MailReport, ReportDelivery, ReportPreference
from tests.factories import NOW, SESSION

_number = count(1)


def make_report(**fields: Any) -> MailReport:
    wanted = {
        "edition": "morning",
        "day": SESSION,
        "subject": "No candidates (2024-06-28)",
        "content": {"incidents": []},
        "html": "<html><body>No candidates <a href='https://unsubscribe.invalid/'>x</a></body>",
        "text": "No candidates. Unsubscribe: https://unsubscribe.invalid/",
        "created_at": NOW,
        "source": "imported",
    }
    return MailReport.objects.create(**{**wanted, **fields})


def make_report_delivery(**fields: Any) -> ReportDelivery:
    wanted = {"recipient": f"trader{next(_number)}@example.com", "due_at": NOW}
    report = fields.pop("report", None) or make_report()
    return ReportDelivery.objects.create(report=report, **{**wanted, **fields})


def make_preference(**fields: Any) -> ReportPreference:
    wanted = {"address": f"reader{next(_number)}@example.com"}
    return ReportPreference.objects.create(**{**wanted, **fields})
