"""Stage dashboard: reports by mail, who wants them, and whether they arrived (design §18)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from analytics.models import Source


class Edition(models.TextChoices):
    """When a report is made; all from the same code."""

    MORNING = "morning", "before the open"
    CLOSE = "close", "after the close"
    WEEKLY = "weekly", "weekly"
    MONTHLY = "monthly", "monthly"


class MailReport(models.Model):
    """One report as it was written: content, subject and both bodies. Written once."""

    edition = models.CharField(max_length=8, choices=Edition)
    day = models.DateField(help_text="New York day for which it was made")
    as_of = models.DateField("newest session in it", null=True, blank=True)
    subject = models.CharField(max_length=160)
    content = models.JSONField(help_text="every figure in it")
    html = models.TextField()
    text = models.TextField()
    images = models.JSONField(default=list, help_text="name, alternative text, PNG in base64")
    created_at = models.DateTimeField()
    source = models.CharField(max_length=12, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "edition", "day"], name="report_one_per_edition_and_day"
            ),
            models.CheckConstraint(
                condition=Q(edition__in=Edition.values), name="report_edition_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="report_source_known"
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="report_newest")]
        permissions = [("send_report", "Can have reports sent")]

    def __str__(self) -> str:
        return f"{self.get_edition_display()}, {self.day}"


class ReportPreference(models.Model):
    """Which editions an address wants. One that unsubscribed keeps its row, with none."""

    address = models.EmailField(unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="report_preferences",
    )
    morning = models.BooleanField("before the open", default=True)
    close = models.BooleanField("after the close", default=False)
    weekly = models.BooleanField(default=True)
    monthly = models.BooleanField(default=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(unsubscribed_at__isnull=True)
                | Q(morning=False, close=False, weekly=False, monthly=False),
                name="preference_unsubscribed_gets_nothing",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class ReportDeliveryQuerySet(models.QuerySet["ReportDelivery"]):
    def due(self) -> Self:
        return self.filter(state=ReportDelivery.State.QUEUED)


class ReportDelivery(models.Model):
    """One report on its way to one recipient: at most once, with bounded tries."""

    class Channel(models.TextChoices):
        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook", "webhook (JSON)"

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed for good"
        UNKNOWN = "unknown", "unknown: ended while it was being sent"

    report = models.ForeignKey(MailReport, models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    recipient = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField("next try")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = ReportDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "report deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["report", "channel", "recipient"], name="report_once_per_recipient"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending", "sent", "failed", "unknown"]),
                name="report_delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["email", "webhook"]), name="report_delivery_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="report_delivery_sent_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="report_delivery_failed_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="report_delivery_due")
        ]

    def __str__(self) -> str:
        return f"{self.report_id} to {self.recipient}: {self.state}"
