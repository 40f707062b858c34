"""Admin of backtests, the ledger of trials and look-ahead certificates (design §16)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from analytics.admin import columns
from analytics.admin.filters import OriginFilter
from analytics.admin.pages import ReadOnlyAdmin, answer
from analytics.admin.unfolded import action
from analytics.calc import figures
from analytics.models import BacktestRun, LookaheadCertificate, Source, Trial
from analytics.services import experiment_kinds, jobs, lakes

BACKTEST = (
    "Every active variant is replayed over all sessions with bars, at the usual terms. "
    "The run is written into the ledger of trials, whatever it shows."
)
CERTIFICATE = (
    "About 200,000 stock-days are recomputed from what was known on their evening, and "
    "compared with what scans say that have all later data at hand. Then leaks are planted."
)


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _interval(estimate: Any) -> str:
    """Return a rate's interval, or the reason why there is none."""
    if not isinstance(estimate, dict):
        return figures.MISSING
    if estimate.get("low") is None:
        return str(estimate.get("reason", ""))
    return f"{figures.percent(estimate['low'])} to {figures.percent(estimate['high'])}"


def _queue(
    request: HttpRequest, page: ReadOnlyAdmin, kind: str, title: str, said: str
) -> HttpResponse:
    """Ask first; when the answer is sent, queue the job and show it."""
    if not request.user.has_perm("analytics.run_backtest"):
        raise PermissionDenied
    if request.method != "POST":
        context = {"title": title, "said": said, "button": title}
        return answer(request, page, "admin/analytics/confirm_job.html", context)
    person = request.user if request.user.is_authenticated else None
    source = str(lakes.get_active_source())
    job = jobs.request(
        kind=kind, arguments={"source": source}, requested_by=person, now=timezone.now()
    )
    messages.success(request, f"{jobs.title_of(kind)} is under way as job {job.pk}.")
    return HttpResponseRedirect(columns.page_url("analytics_jobrun", job.pk))


@admin.register(BacktestRun)
class BacktestRunAdmin(ReadOnlyAdmin):
    actions_list = ("run_backtest",)
    date_hierarchy = "finished_at"
    list_display = (
        "__str__",
        "variants",
        "finished_at",
        columns.number("seconds", "took [s]"),
        "digest",
        columns.source(),
    )
    list_filter = (OriginFilter,)
    ordering = ("-finished_at", "-pk")
    sections = (
        (None, (("first", "last"), ("finished_at", "seconds"), "trials_link", "job_link")),
        (
            "Made with",
            ("parameters", "lake_versions", ("code_revision", "digest"), columns.source()),
        ),
        ("Everything", ("result", "deflation", "winners")),
    )
    story_template = "analytics/partials/backtest_story.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BacktestRun]:
        """Leave the large columns unread where only a list is shown."""
        rows: QuerySet[BacktestRun] = super().get_queryset(request)
        return rows.defer("result", "winners", "deflation")

    def has_run_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.run_backtest")

    @action(description="Run backtest", permissions=["run"], icon="play_arrow")
    def run_backtest(self, request: HttpRequest) -> HttpResponse:
        return _queue(request, self, experiment_kinds.BACKTEST, "Run backtest", BACKTEST)

    @admin.display(description="variants")
    def variants(self, run: BacktestRun) -> str:
        return ", ".join(run.parameters.get("variants", ()))

    @admin.display(description="trials")
    def trials_link(self, run: BacktestRun) -> SafeString:
        url = columns.list_url("analytics_trial", origin="all", run__id__exact=run.pk)
        return columns.link(url, "in the ledger")

    @admin.display(description="job")
    def job_link(self, run: BacktestRun) -> SafeString | str:
        if run.job_id is None:
            return figures.MISSING
        return columns.link(columns.page_url("analytics_jobrun", run.job_id), run.job_id)

    def story(self, row: Any) -> dict[str, Any]:
        sources = (
            (Source.SIMULATED,)
            if row.source == Source.SIMULATED
            else (Source.IMPORTED, Source.LIVE)
        )
        certificate = LookaheadCertificate.objects.filter(source__in=sources).order_by("-pk")
        return {
            "variants": [_summary(name, row) for name in row.result],
            "winners": row.winners,
            "certificate": certificate.first(),
        }


def _summary(name: str, run: BacktestRun) -> dict[str, Any]:
    """Return what stands in the table of one variant."""
    found = run.result[name]
    first = _at(found, "explosive", "first_signals") or {}
    rows = _at(found, "explosive", "all_rows") or {}
    portfolio = found.get("portfolio", {})
    lift = rows.get("matched_lift") or {}
    return {
        "name": name,
        "candidates": figures.count(_at(found, "counts", "candidates")),
        "rate": figures.percent(_at(first, "rate", "value")),
        "rate_interval": _interval(first.get("rate")),
        "base": figures.percent(_at(found, "explosive", "base", "value")),
        "lift": figures.times(lift.get("value")),
        "recall": figures.percent(_at(found, "recall", "episodes", "value")),
        "rank_ic": figures.number(_at(found, "rank_ic", "value"), 3),
        "net": figures.change(_at(found, "returns", "mean_net", "value")),
        "total": figures.change(portfolio.get("total_return")),
        "drawdown": figures.change(portfolio.get("max_drawdown")),
        "sharpe": figures.number(_at(portfolio, "sharpe", "value"), 2),
        "psr": figures.percent(_at(portfolio, "psr", "value")),
        "deflated": figures.percent(_at(run.deflation, name, "value")),
        "years": [
            {
                "year": year["year"],
                "rate": figures.percent(_at(year, "explosive", "value")),
                "lift": figures.times(_at(year, "matched_lift", "value")),
                "net": figures.change(_at(year, "mean_net", "value")),
                "total": figures.change(year["portfolio_return"]),
                "sharpe": figures.number(year["sharpe"], 2),
            }
            for year in found.get("walk_forward", [])
        ],
    }


@admin.register(Trial)
class TrialAdmin(ReadOnlyAdmin):
    date_hierarchy = "created_at"
    list_display = (
        "created_at",
        "variant",
        "run_link",
        columns.column("sharpe", columns.four, "Sharpe ratio per session"),
        columns.count("sessions", "sessions"),
        "key",
        columns.source(),
    )
    list_filter = (OriginFilter, "variant")
    list_select_related = ("run", "variant")
    ordering = ("-created_at", "-pk")
    search_fields = ("=key",)
    sections = (
        (None, (("created_at", "variant"), "run_link", ("sharpe", "sessions"), "key")),
        ("Daily returns", ("returns", columns.source())),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trial]:
        """Leave the large columns unread where only a list is shown."""
        rows: QuerySet[Trial] = super().get_queryset(request)
        return rows.defer("returns", "run__result", "run__winners", "run__parameters")

    @admin.display(description="backtest")
    def run_link(self, trial: Trial) -> SafeString | str:
        if trial.run_id is None:
            return figures.MISSING
        return columns.link(columns.page_url("analytics_backtestrun", trial.run_id), trial.run)


@admin.register(LookaheadCertificate)
class LookaheadCertificateAdmin(ReadOnlyAdmin):
    actions_list = ("certify",)
    list_display = (
        "created_at",
        columns.coloured(
            "passed",
            "verdict",
            {"passed": "success", "FAILED": "danger"},
            form=lambda passed: "passed" if passed else "FAILED",
        ),
        columns.count("stock_days", "stock-days"),
        columns.count("differences", "differences"),
        "leaks_found",
        columns.number("seconds", "took [s]"),
        columns.source(),
    )
    list_filter = (OriginFilter, "passed")
    ordering = ("-created_at", "-pk")

    def has_run_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("analytics.run_backtest")

    @action(description="Certify", permissions=["run"], icon="verified")
    def certify(self, request: HttpRequest) -> HttpResponse:
        return _queue(request, self, experiment_kinds.CERTIFICATE, "Certify", CERTIFICATE)

    @admin.display(description="planted leaks caught")
    def leaks_found(self, certificate: LookaheadCertificate) -> str:
        return f"{certificate.leaks_caught} of {certificate.leaks_planted}"
