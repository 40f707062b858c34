"""URLs of the API under /performance/. No slash at the end is needed, one is accepted."""

from django.urls import re_path

from performance.api import (
    accuracy,
    missed,
    portfolio,
    probes,
    reports,
    risk,
    system,
    timing,
    views,
)

urlpatterns = [
    re_path(
        r"^comprehensive-report/?$",
        reports.ComprehensiveReport.as_view(),
        name="comprehensive-report",
    ),
    re_path(
        r"^discovery-analysis/?$", views.DiscoveryAnalysis.as_view(), name="discovery-analysis"
    ),
    re_path(r"^equity/?$", portfolio.EquityList.as_view(), name="equity"),
    re_path(r"^health/?$", probes.PerformanceHealth.as_view(), name="health"),
    re_path(r"^market-timing/?$", timing.MarketTiming.as_view(), name="market-timing"),
    re_path(r"^missed-winners/?$", missed.MissedWinners.as_view(), name="missed-winners"),
    re_path(r"^positions/?$", portfolio.PositionList.as_view(), name="positions"),
    re_path(r"^risk-management/?$", risk.RiskManagement.as_view(), name="risk-management"),
    re_path(r"^system-health/?$", system.SystemHealth.as_view(), name="system-health"),
    re_path(r"^outcomes/?$", views.OutcomeList.as_view(), name="outcomes"),
    re_path(r"^thesis-accuracy/?$", accuracy.ThesisAccuracy.as_view(), name="thesis-accuracy"),
    re_path(r"^trades/?$", portfolio.TradeList.as_view(), name="trades"),
]
