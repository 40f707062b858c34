"""URLs of the pages, at the root of the site."""

from django.urls import path

from performance.views import backtest, candidates, jobs, overview, symbols, system, theses

app_name = "pages"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("backtest", backtest.backtest, name="backtest"),
    path("candidates", candidates.candidates, name="candidates"),
    path("candidates.csv", candidates.candidates_csv, name="candidates-csv"),
    path("symbols", symbols.find_symbol, name="find-symbol"),
    path("symbols/<str:symbol>", symbols.symbol, name="symbol"),
    path("symbols/<str:symbol>/explanation/<str:session>", symbols.explanation, name="explanation"),
    path("theses", theses.theses, name="theses"),
    path("theses/<int:thesis_id>", theses.thesis, name="thesis"),
    path("cards/latest", overview.latest_card, name="latest-card"),
    path("cards/funnel", overview.funnel_card, name="funnel-card"),
    path("cards/outcomes", overview.outcomes_card, name="outcomes-card"),
    path("cards/volume-events", overview.volume_events_card, name="volume-events-card"),
    path("cards/live", overview.live_card, name="live-card"),
    path("cards/jobs", overview.jobs_card, name="jobs-card"),
    path("system", system.system, name="system"),
    path("cards/system", system.system_card, name="system-card"),
    path("cards/alerts", system.alerts_card, name="alerts-card"),
    path("alerts/<int:alert_id>/acknowledge", system.acknowledge, name="acknowledge-alert"),
    path("jobs/discovery", jobs.start_discovery, name="start-discovery"),
    path("jobs/<int:job_id>/progress", jobs.job_progress, name="job-progress"),
]
