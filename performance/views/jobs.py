"""Start work from a page and watch it: the bar asks every second until the job has ended."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from analytics.services import jobs
from performance.services import dashboard
from performance.views.frame import source_of_page, staff_partial

STOP_POLLING = 286  # HTMX: show this answer and ask no more


@staff_partial
@require_POST
def start_discovery(request: HttpRequest) -> HttpResponse:
    """Ask for a scan of the newest session that has bars; show its bar."""
    if not request.user.has_perm("analytics.run_discovery"):
        return _answer(request, refused="You may not run discovery.", status=403)
    source, now = source_of_page(), timezone.now()
    session = dashboard.get_session_to_scan(source=source, now=now)
    if session is None:
        return _answer(request, refused="There are no bars yet: import market data first.")
    job = jobs.request(
        kind="discover",
        arguments={"session": session.isoformat(), "source": source},
        requested_by=cast("User", request.user),  # staff, so nobody anonymous
        now=now,
    )
    return _answer(request, job=dashboard.get_job_line(job_id=job.pk))


@staff_partial
def job_progress(request: HttpRequest, job_id: int) -> HttpResponse:
    try:
        job = dashboard.get_job_line(job_id=job_id)
    except jobs.NoSuchJob as error:
        return _answer(request, refused=str(error), status=STOP_POLLING)
    if not job.finished:
        return _answer(request, job=job)
    ended = _answer(request, job=job, status=STOP_POLLING)
    return trigger_client_event(ended, "job-ended", after="settle")


def _answer(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "performance/partials/job_progress.html", context, status=status)
