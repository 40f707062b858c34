"""The admin's look, as data: title, navigation, and where the figures are from."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst

SOURCE_SECONDS = 60  # how long the label may lag behind an import
SOURCE_KEY = "amc_trader.active_source"

# Groups of the sidebar in the order of the product's flow, each with its models. A registered model
# that stands nowhere here is shown in the last group of its app.
GROUPS: dict[str, tuple[str, list[str]]] = {
    "Before the market moves": (
        "analytics",
        [
            "Candidate",
            "DiscoveryBatch",
            "ShadowPick",
            "Thesis",
            "ThesisEvent",
            "ThesisRequest",
            "PatternCalibration",
            "ClaudeCall",
            "ThesisBudget",
            "Variant",
            "ReferencePattern",
        ],
    ),
    "How it turned out": (
        "performance",
        [
            "CandidateTracking",
            "BatchAnalysis",
            "WinnerEpisode",
            "GateStudy",
            "ThesisAccuracy",
            "PerformanceMetric",
            "DashboardSummary",
            "TimingAnalysis",
            "RoadmapCheck",
            "RoadmapChange",
        ],
    ),
    "Portfolio": (
        "performance",
        [
            "Position",
            "PositionAdvice",
            "OrderProposal",
            "BrokerOrder",
            "OrderEvent",
            "TradingSwitch",
            "RiskAssessment",
            "RuleBreach",
            "Account",
            "Trade",
            "Fill",
            "CashMovement",
            "CorporateAction",
            "EquityDay",
            "Lot",
            "LotClose",
            "LedgerFinding",
            "Difference",
        ],
    ),
    "Evidence": (
        "analytics",
        [
            "BacktestRun",
            "Trial",
            "LookaheadCertificate",
            "LearnedModel",
            "ResearchSheet",
            "ClaimAudit",
            "ClaimItem",
            "Experiment",
            "ExperimentReading",
            "WeightSweep",
            "SweepSet",
            "HistoryIndex",
            "DetectorReport",
            "ExitRule",
        ],
    ),
    "Work": ("analytics", ["JobRun", "Alert", "AlertRoute", "AlertDelivery"]),
    "Health": ("performance", ["Incident", "HealthMetric", "Heartbeat"]),
    "Reports": ("performance", ["MailReport", "ReportDelivery", "ReportPreference"]),
    "Timetable": (
        "django_celery_beat",
        ["PeriodicTask", "CrontabSchedule", "IntervalSchedule", "ClockedSchedule"],
    ),
    "Market data": (
        "analytics",
        [
            "DataSetState",
            "HeldSession",
            "Security",
            "ImportRun",
            "DataFinding",
            "Correction",
            "Filing",
            "Halt",
            "LiveQuote",
            "Baseline",
        ],
    ),
    "People": ("auth", ["User", "Group"]),
}
JOINED = {"knox": "People", "axes": "People"}  # apps whose models stand in another's group
PAGES = (
    ("Overview", "dashboard", "pages:overview"),
    ("Screener", "filter_alt", "pages:candidates"),
    ("Theses", "lightbulb", "pages:theses"),
    ("Portfolio", "account_balance", "pages:portfolio"),
    ("Risk", "shield", "pages:risk"),
    ("Timing", "timer", "pages:timing"),
    ("Recovery", "trending_up", "pages:recovery"),
    ("Backtest", "science", "pages:backtest"),
    ("Report", "summarize", "pages:report"),
    ("System health", "monitor_heart", "pages:system"),
)
ICONS = {
    "analytics": "query_stats",
    "performance": "fact_check",
    "auth": "person",
    "knox": "key",
    "axes": "lock",
    "django_celery_beat": "schedule",
}


def environment(request: HttpRequest) -> list[str] | None:
    """Return the label at the top of every page: SIMULATED while there are no real bars."""
    source = cache.get(SOURCE_KEY)
    if source is None:
        from analytics.services import lakes  # opens the lake: only where a page is shown

        source = lakes.get_active_source()
        cache.set(SOURCE_KEY, source, SOURCE_SECONDS)
    return ["SIMULATED", "warning"] if source == "simulated" else None


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: the pages, then every registered model that the person may see."""
    pages = {
        (app["app_label"], model["object_name"]): model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
    }
    groups: dict[str, list[dict[str, Any]]] = {}
    titles: dict[str, str] = {**JOINED}
    for title, (app, names) in GROUPS.items():
        groups[title] = [_item(app, pages.pop((app, n))) for n in names if (app, n) in pages]
        titles[app] = title
    for (app, _name), model in pages.items():
        title = titles.get(app, app.replace("_", " ").capitalize())
        groups.setdefault(title, []).append(_item(app, model))
    return [
        {"title": title, "collapsible": False, "items": items}
        for title, items in {"Pages": _pages(request), **groups}.items()
        if items
    ]


def _pages(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the lines of our own pages, for staff."""
    if not getattr(request.user, "is_staff", False):
        return []
    return [
        {
            "title": title,
            "icon": icon,
            "link": reverse(name),
            "active": partial(_is_shown, link=reverse(name)),
        }
        for title, icon, name in PAGES
    ]


def _is_shown(request: HttpRequest, *, link: str) -> bool:
    """Whether this page is shown: the overview's address is the beginning of every other."""
    return request.path == link


def icon_url(_request: HttpRequest) -> str:
    """Return the address of the icon of browser tabs."""
    return static("img/favicon.svg")


def _item(app: str, model: dict[str, Any]) -> dict[str, Any]:
    """Return one line of the sidebar."""
    return {
        "title": capfirst(model["name"]),
        "icon": ICONS.get(app, "table_rows"),
        "link": model["admin_url"],
    }


LOOK: dict[str, Any] = {
    "SITE_TITLE": "AMC-TRADER",
    "SITE_HEADER": "AMC-TRADER",
    "SITE_SUBHEADER": "Said before, scored after",
    "SITE_SYMBOL": "query_stats",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "amc_trader.unfold.icon_url"}
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "amc_trader.unfold.environment",
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,  # else its search and the palette's share a cache key
        "show_all_applications": False,
        "navigation": "amc_trader.unfold.navigation",
    },
}
