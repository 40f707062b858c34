"""Every URL. The mission's are exact; a slash at the end is accepted and never needed."""

from django.contrib import admin
from django.urls import include, path, re_path

from amc_trader import health
from performance.api import mails, performance, prometheus

urlpatterns = [
    re_path(r"^health/?$", health.alive, name="health"),
    re_path(r"^metrics/?$", prometheus.Metrics.as_view(), name="metrics"),
    re_path(
        r"^analytics/performance/?$", performance.PerformanceAnswer.as_view(), name="performance"
    ),
    re_path(
        r"^analytics/daily-report/email/?$", mails.ReportMail.as_view(), name="daily-report-email"
    ),
    path("analytics/", include("analytics.urls")),
    path("performance/", include("performance.urls")),
    path("api/", include("amc_trader.documentation")),
    path("admin/", admin.site.urls),
    path("", include("performance.page_urls")),
]
handler404 = "amc_trader.api.not_found"
handler500 = "amc_trader.api.failed"
