"""Admin of jobs: what was asked for, how far it is, how it ended."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from analytics.admin import columns
from analytics.admin.pages import ReadOnlyAdmin
from analytics.calc import figures
from analytics.errors import DomainError
from analytics.models import JobRun, JobState
from analytics.services import jobs

STATE_COLOURS = {
    JobState.QUEUED: "info",
    JobState.RUNNING: "info",
    JobState.SUCCEEDED: "success",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "warning",
    JobState.LOST: "danger",
}
STATE = columns.choice("state", "state", JobState, STATE_COLOURS)


@admin.display(description="what", ordering="kind")
def title(job: JobRun) -> str:
    return jobs.title_of(job.kind)


@admin.display(description="progress")
def progress(job: JobRun) -> str:
    """Return a bar while the job is under way, a dash where the total is not known."""
    fraction = job.fraction
    if fraction is None:
        return figures.MISSING
    return format_html(
        '<progress value="{}" max="1" aria-label="{} done">{}</progress> {}',
        f"{fraction:.3f}",
        f"{fraction:.0%}",
        f"{fraction:.0%}",
        f"{fraction:.0%}",
    )


@admin.display(description="took")
def took(job: JobRun) -> str:
    """Return how long the last attempt took, or has taken up to its last sign of life."""
    end = job.finished_at or job.heartbeat_at
    if job.started_at is None or end is None or end < job.started_at:
        return figures.MISSING
    seconds = round((end - job.started_at).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


@admin.display(description="asked for by", ordering="requested_by")
def asked_by(job: JobRun) -> str:
    return str(job.requested_by) if job.requested_by else "timetable or command"


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    actions = ("cancel", "run_again")
    date_hierarchy = "created_at"
    list_display = (
        "id",
        title,
        STATE,
        progress,
        "message",
        "error",
        asked_by,
        "created_at",
        took,
        columns.source(),
    )
    list_filter = ("state", "kind", "source")
    list_select_related = ("requested_by",)
    ordering = ("-created_at", "-pk")
    search_fields = ("kind", "message", "error")
    sections = (
        (None, ((title, STATE, progress), "message", "error", "result")),
        (
            "Request",
            (("kind", columns.source()), "arguments", (asked_by, "created_at", "idempotency_key")),
        ),
        (
            "Run",
            (
                ("attempt", "max_attempts", "cancel_requested"),
                ("started_at", "heartbeat_at", "finished_at", took),
                ("worker", "celery_id", "publications", "published_at"),
            ),
        ),
    )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.cancel_jobrun")

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.rerun_jobrun")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[JobRun]) -> None:
        for pk in chosen.values_list("pk", flat=True):
            jobs.cancel(job_id=pk, now=timezone.now())
        self.message_user(request, f"Told to end: {len(chosen)}.")

    @admin.action(description="Run again", permissions=["rerun"])
    def run_again(self, request: HttpRequest, chosen: QuerySet[JobRun]) -> None:
        person = request.user if request.user.is_authenticated else None
        for pk in chosen.values_list("pk", flat=True):
            try:
                job = jobs.run_again(job_id=pk, requested_by=person, now=timezone.now())
            except DomainError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"Queued as job {job.pk}.")
