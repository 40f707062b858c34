"""Reports by mail: as they look, and the way out for those who want no more."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from performance.models import MailReport
from performance.services import mail_rendering, mail_reports
from performance.views.frame import staff_page

LOOKS = {  # a mail brings its styles with it and no script
    "script-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [SELF],
}


@csp_replace(LOOKS)  # type: ignore[arg-type]  # its types know of no further arguments
@staff_page
@require_safe
def mail_preview(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show a report as it was mailed, without the link of a recipient."""
    report = get_object_or_404(MailReport, pk=report_id)
    images = mail_rendering.loaded(report.images)
    return HttpResponse(mail_rendering.preview(report.html, images))


@never_cache
@csrf_exempt  # a mail program posts here by itself (RFC 8058); the signed token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask a person first, since programs look at links; do it on POST."""
    context = {"done": False, "address": "", "fault": ""}
    status = 200
    try:
        if request.method == "POST":
            address = mail_reports.unsubscribe(token=token, now=timezone.now())
            context |= {"done": True, "address": address}
        else:
            context["address"] = mail_reports.address_of(token)
    except mail_reports.BadToken as error:
        context["fault"], status = str(error), 400
    return render(request, "emails/unsubscribe.html", context, status=status)
