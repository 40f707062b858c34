"""Work that a person waits for or that must not be lost: the source of truth, not the broker."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analytics.models.market import Source


class JobState(models.TextChoices):
    """Where a job stands. The last four are final."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    LOST = "lost", "lost"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
FINISHED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.LOST)


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def finished(self) -> Self:
        return self.filter(state__in=FINISHED)

    def of(self, kind: str) -> Self:
        return self.filter(kind=kind)

    def silent_since(self, when: datetime) -> Self:
        """Running, but without a sign of life since ``when``."""
        return self.filter(state=JobState.RUNNING, heartbeat_at__lt=when)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class JobRun(models.Model):
    """One piece of work, from the request to its end. Messages carry its id and no more."""

    kind = models.CharField(max_length=40)
    arguments = models.JSONField(default=dict, help_text="ids and ISO dates only")
    idempotency_key = models.CharField(
        max_length=200, help_text="one unfinished job per key: asking twice starts one"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="blank: the timetable or a command",
    )
    source = models.CharField(
        max_length=12, choices=Source, blank=True, help_text="of the data it works on"
    )
    state = models.CharField(max_length=12, choices=JobState, default=JobState.QUEUED)
    progress_current = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(null=True, blank=True, help_text="null: unknown")
    message = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True, help_text="one sentence for people")
    result = models.JSONField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="times it was started")
    max_attempts = models.PositiveSmallIntegerField(default=3)
    publications = models.PositiveSmallIntegerField(default=0, help_text="messages sent for it")
    worker = models.CharField(max_length=200, blank=True, help_text="host and process id")
    celery_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="of the last attempt")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = "job"
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=Q(state__in=UNFINISHED),
                name="job_one_unfinished_per_key",
            ),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
            models.CheckConstraint(
                condition=Q(progress_total__isnull=True)
                | Q(progress_total__isnull=False, progress_current__lte=F("progress_total")),
                name="job_progress_within_total",
            ),
            models.CheckConstraint(
                condition=Q(max_attempts__gte=1, attempt__lte=F("max_attempts")),
                name="job_attempts_bounded",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FINISHED, finished_at__isnull=False)
                | Q(state__in=UNFINISHED, finished_at__isnull=True),
                name="job_finished_when_it_says_so",
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.RUNNING)
                | Q(started_at__isnull=False, heartbeat_at__isnull=False, attempt__gte=1),
                name="job_running_shows_life",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[JobState.FAILED, JobState.LOST]) | ~Q(error=""),
                name="job_failure_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "heartbeat_at"], name="job_state_heartbeat"),
            models.Index(fields=["kind", "-created_at"], name="job_kind_newest"),
            models.Index(fields=["-created_at"], name="job_newest"),
        ]
        permissions = [("cancel_jobrun", "Can cancel jobs"), ("rerun_jobrun", "Can run jobs again")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    @property
    def fraction(self) -> float | None:
        """Share of the work done, 0 to 1; None while the total is not known."""
        if self.state == JobState.SUCCEEDED:
            return 1.0
        return self.progress_current / self.progress_total if self.progress_total else None
