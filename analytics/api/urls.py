"""URLs of the API under /analytics/. No slash at the end is needed, one is accepted."""

from django.urls import re_path

from analytics.api import (
    ab_tests,
    backtests,
    claims,
    detector_reports,
    jobs,
    probes,
    similarity,
    theses,
    views,
)

PK = r"(?P<pk>\d{1,18})"
urlpatterns = [
    re_path(
        r"^ab-testing/squeeze-weights/?$", ab_tests.SqueezeWeights.as_view(), name="squeeze-weights"
    ),
    re_path(
        r"^backtesting/squeeze-detector/?$",
        backtests.SqueezeDetector.as_view(),
        name="squeeze-detector",
    ),
    re_path(r"^batches/?$", views.BatchList.as_view(), name="batches"),
    re_path(rf"^batches/{PK}/?$", views.BatchDetail.as_view(), name="batch"),
    re_path(r"^candidates/?$", views.CandidateList.as_view(), name="candidates"),
    re_path(rf"^candidates/{PK}/?$", views.CandidateDetail.as_view(), name="candidate"),
    re_path(r"^claim-audits/?$", claims.ClaimAudits.as_view(), name="claim-audits"),
    re_path(rf"^claim-audits/{PK}/?$", claims.ClaimAuditDetail.as_view(), name="claim-audit"),
    re_path(
        r"^detector-report/?$",
        detector_reports.DetectorReportView.as_view(),
        name="detector-report",
    ),
    re_path(r"^discovery/?$", jobs.Discovery.as_view(), name="discovery"),
    re_path(r"^explain/?$", views.Explain.as_view(), name="explain"),
    re_path(r"^health/?$", probes.AnalyticsHealth.as_view(), name="health"),
    re_path(r"^jobs/?$", jobs.JobList.as_view(), name="jobs"),
    re_path(rf"^jobs/{PK}/?$", jobs.JobDetail.as_view(), name="job"),
    re_path(rf"^jobs/{PK}/cancel/?$", jobs.JobCancel.as_view(), name="job-cancel"),
    re_path(r"^shape-search/?$", similarity.ShapeSearchView.as_view(), name="shape-search"),
    re_path(r"^theses/?$", theses.Theses.as_view(), name="theses"),
    re_path(rf"^theses/{PK}/?$", theses.ThesisDetail.as_view(), name="thesis"),
]
